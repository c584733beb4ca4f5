//! Request bodies: limits, media types, JSON.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::{error::ApiError, router::Api};

/// A media type and its parameters, as `Content-Type` names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// Lower-case, without parameters.
    pub(crate) essence: String,
    /// Lower-case.
    pub(crate) charset: Option<String>,
}

impl MediaType {
    /// What the header says; JSON where there is none, as in StackStorm.
    pub(crate) fn of(headers: &HeaderMap) -> MediaType {
        let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut parts = text.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        MediaType { essence: if essence.is_empty() { "application/json".to_owned() } else { essence }, charset }
    }

    /// JSON, and what has been read as JSON for as long as StackStorm has: `text/plain`, which some senders name for JSON bodies.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.essence.as_str(), "application/json" | "text/json" | "text/plain")
            || self.essence.ends_with("+json")
    }

    pub(crate) fn unsupported(&self) -> ApiError {
        ApiError::bad_request(format!("Failed to parse request body: Unsupported Content-Type: \"{}\"", self.essence))
    }
}

/// The whole body, or 413 as soon as it is known to be larger than `limit`.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let too_large =
        || ApiError::too_large(format!("the body is larger than {limit} bytes, the most that is accepted here"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        // The limit's own error is the source of axum's; everything else means that the client went away half-way.
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            if inner.to_string().contains("length limit exceeded") {
                return too_large();
            }
            source = inner.source();
        }
        ApiError::bad_request(format!("the body can't be read: {error}"))
    })
}

/// The bytes as text, in the charset that the header names.
pub(crate) fn decode(bytes: &[u8], media: &MediaType) -> Result<String, ApiError> {
    match media.charset.as_deref().unwrap_or("utf-8") {
        "utf-8" | "utf8" | "us-ascii" | "ascii" => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            String::from_utf8(bytes.to_vec()).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                ApiError::bad_request(format!("Failed to parse request body: it is not UTF-8 at byte {at}"))
            })
        }
        "iso-8859-1" | "latin-1" | "latin1" | "iso8859-1" => Ok(bytes.iter().copied().map(char::from).collect()),
        other => Err(ApiError::bad_request(format!(
            "Failed to parse request body: charset \"{other}\" is not supported; send UTF-8"
        ))),
    }
}

/// JSON text as a value; an empty body is an empty object. Nesting is limited to 128 levels.
pub(crate) fn parse_json(text: &str) -> Result<Value, ApiError> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_str(text)
        .map_err(|error| ApiError::bad_request(format!("Failed to parse request body: it is not JSON: {error}")))
}

async fn json(request: Request, api: &Api) -> Result<Value, ApiError> {
    let media = MediaType::of(request.headers());
    if !media.is_json() {
        return Err(media.unsupported());
    }
    let (parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, api.options.body_limit).await?;
    parse_json(&decode(&bytes, &media)?)
}

/// A JSON body of any form.
#[derive(Debug)]
pub(crate) struct AnyJson(pub(crate) Value);

impl FromRequest<Arc<Api>> for AnyJson {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<AnyJson, ApiError> {
        json(request, api).await.map(AnyJson)
    }
}

/// A JSON object with the fields of `T` and no others.
#[derive(Debug)]
pub(crate) struct Fields<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Api>> for Fields<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<Fields<T>, ApiError> {
        fields(json(request, api).await?).map(Fields)
    }
}

fn fields<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    if !body.is_object() {
        return Err(ApiError::bad_request(format!("the body must be a JSON object, not {}", kind(&body))));
    }
    serde_json::from_value(body).map_err(|error| ApiError::bad_request(format!("the body is wrong: {error}")))
}

/// The name of a JSON value's type, with its article.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(text: &str) -> MediaType {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
        MediaType::of(&headers)
    }

    #[test]
    fn media_types_are_read_with_their_charset() {
        assert_eq!(media("Application/JSON; Charset=\"UTF-8\"").charset.as_deref(), Some("utf-8"));
        assert!(media("application/cloudevents+json").is_json());
        assert!(!media("application/xml").is_json());
        assert!(MediaType::of(&HeaderMap::new()).is_json());
    }

    #[test]
    fn text_is_decoded_by_charset() {
        assert_eq!(decode(b"\xef\xbb\xbf{}", &media("application/json")).unwrap(), "{}");
        assert_eq!(decode(b"\xe9", &media("text/plain; charset=iso-8859-1")).unwrap(), "é");
        assert!(decode(b"\xe9", &media("application/json")).unwrap_err().message().contains("byte 0"));
        assert!(decode(b"a", &media("application/json; charset=utf-7")).unwrap_err().message().contains("send UTF-8"));
    }

    #[test]
    fn json_errors_say_where() {
        assert_eq!(parse_json(" ").unwrap(), serde_json::json!({}));
        assert!(parse_json("{\n \"a\": }").unwrap_err().message().contains("line 2 column 7"));
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(parse_json(&deep).unwrap_err().message().contains("recursion limit exceeded"));
    }

    #[tokio::test]
    async fn a_large_body_is_refused_by_what_it_announces_and_by_what_it_is() {
        let mut headers = HeaderMap::new();
        assert!(read(&headers, Body::from("12345"), 5).await.is_ok());
        let error = read(&headers, Body::from("123456"), 5).await.unwrap_err();
        assert_eq!(error.status(), http::StatusCode::PAYLOAD_TOO_LARGE);
        headers.insert(header::CONTENT_LENGTH, "6".parse().unwrap());
        assert_eq!(read(&headers, Body::empty(), 5).await.unwrap_err().status(), http::StatusCode::PAYLOAD_TOO_LARGE);
    }
}

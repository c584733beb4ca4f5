//! Bodies and headers of webhooks, as the senders of the world write them.

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, request::Parts};
use serde_json::{Map, Value};
use std::sync::Arc;

use crate::{
    body::{MediaType, decode, kind, parse_json, read},
    error::ApiError,
    router::Api,
};

/// Fields of a form, parts of a multipart body.
const MAX_FIELDS: usize = 1_000;

/// What was delivered: an object or an array.
#[derive(Debug)]
pub(crate) struct WebhookBody(pub(crate) Value);

impl FromRequest<Arc<Api>> for WebhookBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<Api>) -> Result<WebhookBody, ApiError> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body, api.options.body_limit).await?;
        let media = MediaType::of(&parts.headers);
        let value = match media.essence.as_str() {
            "application/x-www-form-urlencoded" => form(&decode(&bytes, &media)?)?,
            "multipart/form-data" => multipart(parts, bytes).await?,
            _ if media.is_json() => parse_json(&decode(&bytes, &media)?)?,
            _ => return Err(media.unsupported()),
        };
        if !value.is_object() && !value.is_array() {
            return Err(ApiError::bad_request(format!(
                "the body of a webhook must be a JSON object or array, not {}",
                kind(&value)
            )));
        }
        Ok(WebhookBody(value))
    }
}

/// Each field is a list of its values, for it may stand several times; blank ones are left out, as in StackStorm.
fn form(text: &str) -> Result<Value, ApiError> {
    let mut fields = Map::new();
    for (count, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
        if count >= MAX_FIELDS {
            return Err(too_many_fields());
        }
        if value.is_empty() {
            continue;
        }
        if let Value::Array(values) = fields.entry(name.into_owned()).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(Value::String(value.into_owned()));
        }
    }
    Ok(Value::Object(fields))
}

/// Each part is the text of its field or file; a name that stands several times is a list.
async fn multipart(parts: Parts, bytes: Bytes) -> Result<Value, ApiError> {
    let wrong = |error: &dyn std::fmt::Display| ApiError::bad_request(format!("Failed to parse request body: {error}"));
    let request = Request::from_parts(parts, Body::from(bytes));
    let mut body = Multipart::from_request(request, &()).await.map_err(|error| wrong(&error.body_text()))?;
    let (mut fields, mut count) = (Map::new(), 0);
    while let Some(part) = body.next_field().await.map_err(|error| wrong(&error.body_text()))? {
        count += 1;
        if count > MAX_FIELDS {
            return Err(too_many_fields());
        }
        let name = part.name().or(part.file_name()).unwrap_or_default().to_owned();
        let text = part.text().await.map_err(|error| wrong(&error.body_text()))?;
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, Value::String(text))),
            Some(Value::Array(values)) => values.push(Value::String(text)),
            Some(single) => *single = Value::Array(vec![single.take(), Value::String(text)]),
        }
    }
    Ok(Value::Object(fields))
}

fn too_many_fields() -> ApiError {
    ApiError::too_large(format!("the body has more than {MAX_FIELDS} fields, the most that are accepted here"))
}

/// All headers as text; several of one name are joined, as HTTP allows. What is a credential among them is the engine's to leave out.
pub(crate) fn header_texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let joined = |name: &HeaderName| {
        headers.get_all(name).iter().map(|value| text(value.as_bytes())).collect::<Vec<_>>().join(",")
    };
    headers.keys().map(|name| (name.as_str().to_owned(), joined(name))).collect()
}

/// UTF-8 where it is, else Latin-1, which every header is.
pub(crate) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_are_lists_without_blanks() {
        assert_eq!(form("a=1&b=&a=2&c=%C3%A9+x").unwrap(), json!({"a": ["1", "2"], "c": ["é x"]}));
        assert!(form(&"a=1&".repeat(MAX_FIELDS + 1)).is_err());
    }

    #[test]
    fn headers_of_one_name_are_joined_and_any_bytes_are_text() {
        let mut headers = HeaderMap::new();
        headers.append("accept", "a".parse().unwrap());
        headers.append("accept", "b".parse().unwrap());
        headers.append("x-city", http::HeaderValue::from_bytes(b"Z\xfcrich").unwrap());
        let expected = [("accept", "a,b"), ("x-city", "Zürich")];
        assert_eq!(header_texts(&headers), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}

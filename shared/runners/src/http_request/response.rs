//! The result that a response makes.

use super::client;
use crate::http_policy::host_of;
use model::ExecutionStatus;
use ports::Outcome;
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde_json::{Map, Value, json};

/// Reads it to the end. `succeeded` for 200 to 206, as in StackStorm.
pub(super) async fn outcome(mut response: Response, limit: usize) -> Result<Outcome, String> {
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let Some(chunk) = chunk.map_err(|error| client::explain(&error, host_of(response.url())))? else { break };
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(format!("the response of {} has more than {limit} bytes", host_of(response.url())));
        }
        bytes.extend_from_slice(&chunk);
    }
    let code = response.status().as_u16();
    let (body, parsed) = body(response.headers(), &bytes);
    let status = if (200..=206).contains(&code) { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    let result = json!({ "status_code": code, "body": body, "parsed": parsed, "headers": headers(response.headers()) });
    Ok(Outcome { status, result })
}

/// JSON where the response says that it is, else text.
fn body(headers: &HeaderMap, bytes: &[u8]) -> (Value, bool) {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let text = text(bytes, parameters);
    let json = media_type.trim().eq_ignore_ascii_case("application/json");
    match json.then(|| serde_json::from_str(&text).ok()).flatten() {
        Some(value) => (value, true),
        None => (Value::String(text), false),
    }
}

/// UTF-8, or Latin-1 where the response says so.
fn text(bytes: &[u8], parameters: &str) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if parameters.to_ascii_lowercase().contains("iso-8859-1") => {
            bytes.iter().map(|byte| char::from(*byte)).collect()
        }
        Err(_) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Names as servers commonly write them, which is how StackStorm shows them; a header that comes twice has both values.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let values = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes).map(String::from_utf8_lossy);
    headers.keys().map(|name| (title_case(name.as_str()), values(name).collect::<Vec<_>>().join(", ").into())).collect()
}

fn title_case(name: &str) -> String {
    match name {
        "etag" => return "ETag".to_owned(),
        "www-authenticate" => return "WWW-Authenticate".to_owned(),
        _ => {}
    }
    let mut first = true;
    name.chars()
        .map(|c| {
            let shown = if first { c.to_ascii_uppercase() } else { c };
            first = c == '-';
            shown
        })
        .collect()
}

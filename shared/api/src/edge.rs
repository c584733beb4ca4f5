//! What holds for every request, before it is routed: ids, methods, paths, other origins.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use crate::{error::ApiError, router::Api};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const METHODS: &str = "GET, POST, PUT, DELETE";
const CORS_METHODS: HeaderValue = HeaderValue::from_static("GET,POST,PUT,DELETE,OPTIONS");
const CORS_HEADERS: HeaderValue =
    HeaderValue::from_static("Content-Type,Authorization,X-Auth-Token,St2-Api-Key,X-Request-ID");
const CORS_EXPOSED: HeaderValue =
    HeaderValue::from_static("Content-Type,X-Limit,X-Total-Count,X-Next-Cursor,X-Request-ID");

/// Around everything else.
pub(crate) async fn edge(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let origin = allowed_origin(&api.options.allow_origins, request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = match method {
        Method::OPTIONS if origin.is_some() => StatusCode::NO_CONTENT.into_response(),
        Method::GET | Method::POST | Method::PUT | Method::DELETE => {
            *request.uri_mut() = without_trailing_slash(request.uri());
            next.run(request).await
        }
        _ => ApiError::method_not_allowed(&method, &path).allowing(METHODS).into_response(),
    };
    // The query is left out: it may hold a key.
    tracing::debug!(%method, path, status = response.status().as_u16(), request = id.to_str().unwrap_or_default(), "request");
    response.headers_mut().insert(REQUEST_ID, id);
    if let Some(origin) = origin {
        allow(response.headers_mut(), origin);
    }
    response
}

/// The client's own id where it is a plain token, else a fresh one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=128).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+/=".contains(byte))
    };
    headers.get(REQUEST_ID).filter(sane).cloned().unwrap_or_else(fresh_id)
}

/// Unlike every other one; nothing rests on its being hard to guess.
fn fresh_id() -> HeaderValue {
    let half = || RandomState::new().hash_one(());
    HeaderValue::try_from(format!("{:016x}{:016x}", half(), half())).unwrap_or(HeaderValue::from_static("-"))
}

/// `/rules/` is `/rules`, as in StackStorm.
fn without_trailing_slash(uri: &Uri) -> Uri {
    let stripped = uri.path().strip_suffix('/').filter(|path| !path.is_empty());
    let rebuilt = stripped.and_then(|path| {
        let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(text.parse().ok()?);
        Uri::from_parts(parts).ok()
    });
    rebuilt.unwrap_or_else(|| uri.clone())
}

/// The request's origin, where the operator listed it. `null` never is: any sandboxed page has that.
fn allowed_origin(allowed: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(header::ORIGIN)?;
    let text = origin.to_str().ok().filter(|text| *text != "null")?;
    allowed.iter().any(|allowed| allowed == "*" || allowed == text).then(|| origin.clone())
}

/// Credentials of the browser's own (cookies) are never allowed: a key must be given with each request.
fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, CORS_METHODS);
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, CORS_HEADERS);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, CORS_EXPOSED);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        [(name, value.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_plain_request_id_is_kept_and_any_other_replaced() {
        assert_eq!(request_id(&headers(REQUEST_ID, "abc-1")), "abc-1");
        for odd in ["a b", "a\"b", "", &"x".repeat(129)] {
            assert_ne!(request_id(&headers(REQUEST_ID, odd)), odd);
        }
        assert_ne!(fresh_id(), fresh_id());
        assert_eq!(fresh_id().len(), 32);
    }

    #[test]
    fn one_trailing_slash_is_dropped() {
        let stripped = |uri: &str| without_trailing_slash(&uri.parse().unwrap()).to_string();
        assert_eq!(stripped("/rules/?limit=1"), "/rules?limit=1");
        assert_eq!(stripped("/"), "/");
        assert_eq!(stripped("/rules//"), "/rules/");
    }

    #[test]
    fn only_listed_origins_are_allowed() {
        let allowed = ["https://a.example".to_owned()];
        assert!(allowed_origin(&allowed, &headers(header::ORIGIN, "https://a.example")).is_some());
        assert!(allowed_origin(&allowed, &headers(header::ORIGIN, "https://a.example.evil")).is_none());
        assert!(allowed_origin(&["*".to_owned()], &headers(header::ORIGIN, "null")).is_none());
        assert!(allowed_origin(&[], &headers(header::ORIGIN, "https://a.example")).is_none());
    }
}

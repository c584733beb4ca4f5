//! Errors as clients see them: `{"faultstring": …}`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use engine::ErrorKind;
use http::{HeaderValue, StatusCode, header};
use model::{Diagnostic, Id, Problem};
use serde::Serialize;

/// A request that was not served.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    conflict: Option<Id>,
    diagnostics: Vec<Diagnostic>,
    allow: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    faultstring: &'a str,
    #[serde(rename = "conflict-id", skip_serializing_if = "Option::is_none")]
    conflict: Option<Id>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    diagnostics: &'a [Diagnostic],
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> ApiError {
        ApiError { status, message: message.into(), conflict: None, diagnostics: Vec::new(), allow: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized(reason: &str) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, format!("Unauthorized - {reason}"))
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, message)
    }

    /// Nothing of that kind has this ref, name or id.
    pub(crate) fn unknown(kind: &str, name: &str) -> ApiError {
        let shown: String = name.chars().take(200).collect();
        ApiError::not_found(format!("there is no {kind} \"{shown}\""))
    }

    pub(crate) fn too_large(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    pub(crate) fn method_not_allowed(method: &http::Method, path: &str) -> ApiError {
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, format!("{path} has no method {method}"))
    }

    /// A body of the API that was read but is wrong: every problem of it, each with its place.
    pub(crate) fn problems(problems: &[Problem]) -> ApiError {
        let texts: Vec<_> = problems
            .iter()
            .map(|problem| match problem.path.as_str() {
                "" => problem.message.clone(),
                path => format!("{path}: {}", problem.message),
            })
            .collect();
        ApiError::bad_request(texts.join("; "))
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Names the methods that the path does have.
    pub(crate) fn allowing(mut self, methods: &'static str) -> ApiError {
        self.allow = Some(methods);
        self
    }
}

impl From<engine::Error> for ApiError {
    fn from(error: engine::Error) -> ApiError {
        let status = match error.kind {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        ApiError {
            status,
            message: error.message,
            conflict: error.conflict,
            diagnostics: error.diagnostics,
            allow: None,
        }
    }
}

/// What was to be answered can't be written as JSON: a bug, never the client's doing.
impl From<serde_json::Error> for ApiError {
    fn from(error: serde_json::Error) -> ApiError {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the answer can't be written: {error}"))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let hidden = self.status == StatusCode::INTERNAL_SERVER_ERROR;
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), message = %self.message, "a request could not be served");
        }
        let faultstring = if hidden { "Internal Server Error" } else { &self.message };
        let body = Envelope { faultstring, conflict: self.conflict, diagnostics: &self.diagnostics };
        let mut response = (self.status, Json(body)).into_response();
        if let Some(methods) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

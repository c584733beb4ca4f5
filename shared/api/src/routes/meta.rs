//! The interface about itself: `/`, `/user`, signs of life.

use axum::{Json, extract::State};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{
    auth::{Caller, Method},
    error::ApiError,
    router::Api,
};

/// GET /
pub(crate) async fn index() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "docs_url": "https://docs.stackstorm.com/"}))
}

/// GET /user
pub(crate) async fn user(caller: Caller) -> Json<Value> {
    let method = match caller.method {
        Method::Token => "authentication token",
        Method::ApiKey => "API key",
    };
    let roles: &[&str] = if caller.principal.admin { &["admin"] } else { &[] };
    Json(json!({
        "username": caller.principal.user,
        "authentication": {"method": method, "location": caller.location},
        "rbac": {"enabled": false, "roles": roles, "is_admin": caller.principal.admin},
    }))
}

/// GET /healthz: the process answers.
pub(crate) async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// GET /readyz: the store answers, too.
pub(crate) async fn readyz(State(api): State<Arc<Api>>) -> Result<Json<Value>, ApiError> {
    api.engine.catalog().await.map_err(|error| {
        tracing::error!(%error, "not ready");
        ApiError::new(http::StatusCode::SERVICE_UNAVAILABLE, "the store can't be read")
    })?;
    Ok(Json(json!({"status": "ok"})))
}

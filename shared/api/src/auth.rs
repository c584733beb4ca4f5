//! Who calls: the principal comes from the credential, and from nothing else in a request.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use engine::Principal;
use http::{HeaderMap, request::Parts};
use model::Secret;
use std::sync::Arc;

use crate::{error::ApiError, params::Params, permission::Access, router::Api};

/// Where a credential stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Token,
    ApiKey,
}

/// A credential and how it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) method: Method,
    /// `header` or `query`.
    pub(crate) location: &'static str,
    pub(crate) secret: Secret<String>,
}

/// The first credential of a request in StackStorm's order; later ones are not looked at.
pub(crate) fn credential(headers: &HeaderMap, params: &Params) -> Option<Credential> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let sources = [
        (Method::Token, "header", header("x-auth-token")),
        (Method::ApiKey, "header", header("st2-api-key")),
        (Method::Token, "query", params.get("x-auth-token")),
        (Method::ApiKey, "query", params.get("st2-api-key")),
    ];
    sources.into_iter().find_map(|(method, location, text)| {
        text.map(|text| Credential { method, location, secret: Secret::new(text.to_owned()) })
    })
}

/// The one who calls, known to be allowed on this route.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) method: Method,
    pub(crate) location: &'static str,
}

impl Caller {
    /// Secrets are shown to admins who ask for them, and to nobody else.
    pub(crate) fn shows_secrets(&self, params: &Params) -> Result<bool, ApiError> {
        Ok(params.flag("show_secrets")? && self.principal.admin)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, ApiError> {
        parts
            .extensions
            .get::<Caller>()
            .cloned()
            .ok_or_else(|| ApiError::unauthorized("One of Token or API key required."))
    }
}

/// Stands before every handler: no body is read and nothing is looked up for one who may not call.
pub(crate) async fn guard(
    State((api, access)): State<(Arc<Api>, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    let credential = credential(request.headers(), &Params::parse(request.uri().query()));
    match admit(&api, access, credential).await {
        Ok(None) => next.run(request).await,
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn admit(api: &Api, access: Access, credential: Option<Credential>) -> Result<Option<Caller>, ApiError> {
    if access == Access::Open {
        return Ok(None);
    }
    let Some(credential) = credential else {
        return Err(ApiError::unauthorized("One of Token or API key required."));
    };
    let principal = api.engine.authenticate(credential.secret.expose()).await.map_err(|error| match error.kind {
        engine::ErrorKind::Unauthorized => ApiError::unauthorized(match credential.method {
            Method::ApiKey => "the API key is not known, or is disabled.",
            Method::Token => "the token is not known, or has expired; an API key goes into the header St2-Api-Key.",
        }),
        _ => ApiError::from(error),
    })?;
    if let Access::Needs(permission) = access
        && !permission.is_granted_to(&principal)
    {
        return Err(ApiError::forbidden(format!(
            "user \"{}\" doesn't have the permission \"{}\"",
            principal.user,
            permission.name()
        )));
    }
    Ok(Some(Caller { principal, method: credential.method, location: credential.location }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_credential_in_stackstorms_order_counts() {
        let mut headers = HeaderMap::new();
        let mut params = Params::parse(Some("st2-api-key=d&x-auth-token=c"));
        let found = |headers: &HeaderMap, params: &Params| {
            credential(headers, params).map(|found| (found.method, found.location, found.secret.expose().clone()))
        };
        assert_eq!(found(&headers, &params), Some((Method::Token, "query", "c".into())));
        headers.insert("st2-api-key", "b".parse().unwrap());
        assert_eq!(found(&headers, &params), Some((Method::ApiKey, "header", "b".into())));
        headers.insert("x-auth-token", "a".parse().unwrap());
        assert_eq!(found(&headers, &params), Some((Method::Token, "header", "a".into())));
        headers.insert("x-auth-token", "".parse().unwrap());
        assert_eq!(found(&headers, &params), Some((Method::ApiKey, "header", "b".into())));
        headers.clear();
        params = Params::parse(Some("user=admin"));
        headers.insert("cookie", "auth-token=x".parse().unwrap());
        headers.insert("x-forwarded-user", "admin".parse().unwrap());
        headers.insert("authorization", "Bearer x".parse().unwrap());
        assert_eq!(found(&headers, &params), None);
    }
}

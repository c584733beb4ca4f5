//! `/keys`: the datastore.

use axum::{extract::State, response::IntoResponse};
use engine::{KeyQuery, SetKey};
use http::StatusCode;
use model::{KeyScope, KeyValue, Secret};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

use super::{Answer, Segment, one, whole};
use crate::{
    attributes::Selection,
    auth::Caller,
    body::Fields,
    error::ApiError,
    listing::{MAX_LIMIT, Page, Paging},
    params::Params,
    resources::KeyResource,
    router::Api,
};

/// Pairs that are asked of the engine at once.
const BATCH: usize = 1_000;

/// The scope of one key; naming a user means the user's.
fn scope_of(scope: Option<&str>, user: Option<&str>) -> Result<KeyScope, ApiError> {
    match scope {
        _ if user.is_some_and(|user| !user.is_empty()) => Ok(KeyScope::User),
        None | Some("all") => Ok(KeyScope::System),
        Some(text) => text.parse().map_err(ApiError::bad_request),
    }
}

fn query(scope: KeyScope, params: &Params) -> Result<KeyQuery, ApiError> {
    let prefix = params.get("name").or(params.get("prefix")).unwrap_or_default().to_owned();
    Ok(KeyQuery { scope, user: params.text("user"), prefix, decrypt: params.flag("decrypt")? })
}

/// GET /keys
pub(crate) async fn list(State(api): State<Arc<Api>>, caller: Caller, params: Params) -> Answer {
    let selection = Selection::of::<KeyResource<'_>>(&params)?;
    let paging = Paging::of(&params, &caller, &api, Some(100))?;
    let scopes = match (params.get("scope"), params.get("user")) {
        (Some("all"), None) => vec![KeyScope::System, KeyScope::User],
        (scope, user) => vec![scope_of(scope, user)?],
    };
    let mut pairs = Vec::new();
    for scope in scopes {
        pairs.extend(read(&api, &caller, &query(scope, &params)?).await?);
    }
    let (ids, name) = (params.list("id")?, params.get("name"));
    pairs.retain(|pair| {
        (ids.is_empty() || ids.contains(&pair.id().to_string().as_str())) && name.is_none_or(|name| name == pair.name)
    });
    let page = Page::slice(pairs, &paging);
    let decrypted = params.flag("decrypt")?;
    page.of(page.items.iter().map(|pair| KeyResource::new(pair, decrypted)).collect()).answer(&selection)
}

/// Every pair of one scope, up to a limit.
async fn read(api: &Api, caller: &Caller, query: &KeyQuery) -> Result<Vec<KeyValue>, ApiError> {
    let mut pairs = Vec::new();
    let mut request = engine::PageRequest { limit: BATCH, skip: 0, cursor: None, descending: false };
    loop {
        let answer = api.engine.keys(&caller.principal, query, &request).await?;
        pairs.extend(answer.items);
        request.cursor = answer.next;
        if request.cursor.is_none() || pairs.len() >= MAX_LIMIT {
            return Ok(pairs);
        }
    }
}

/// GET /keys/{name}
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    params: Params,
) -> Answer {
    let query = query(scope_of(params.get("scope"), params.get("user"))?, &params)?;
    let pair = api.engine.key(&caller.principal, &query, &name).await?;
    one(&KeyResource::new(&pair, query.decrypt), &params)
}

/// A pair as clients write it. What the server computes is accepted, for clients send back what they got, and not used.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with name and value")]
pub(crate) struct PairBody {
    name: Option<String>,
    value: Value,
    description: Option<String>,
    scope: Option<String>,
    user: Option<String>,
    secret: Option<bool>,
    encrypted: Option<bool>,
    ttl: Option<u64>,
    #[serde(rename = "id")]
    _id: Option<Value>,
    #[serde(rename = "uid")]
    _uid: Option<Value>,
    #[serde(rename = "expire_timestamp")]
    _expire_timestamp: Option<Value>,
}

/// PUT /keys/{name}
pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    params: Params,
    Fields(body): Fields<PairBody>,
) -> Answer {
    if let Some(given) = body.name.filter(|given| *given != name) {
        return Err(ApiError::bad_request(format!("the path names key \"{name}\" and the body \"{given}\"")));
    }
    let Value::String(value) = body.value else {
        return Err(ApiError::bad_request("value must be a string; write other values as JSON text"));
    };
    if body.encrypted.unwrap_or(false) {
        return Err(ApiError::bad_request(
            "values that are encrypted already can't be taken over; send the plain value with secret: true",
        ));
    }
    let user = body.user.or_else(|| params.text("user"));
    let scope = scope_of(body.scope.as_deref().or(params.get("scope")), user.as_deref())?;
    let secret = body.secret.unwrap_or(false);
    let set = SetKey {
        name,
        value: Secret::new(value),
        scope,
        user,
        secret,
        ttl: body.ttl.map(Duration::from_secs),
        description: body.description.unwrap_or_default(),
    };
    let pair = api.engine.set_key(&caller.principal, set).await?;
    whole(StatusCode::OK, &KeyResource::new(&pair, false))
}

/// DELETE /keys/{name}
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Segment(name): Segment<String>,
    params: Params,
) -> Answer {
    let query = query(scope_of(params.get("scope"), params.get("user"))?, &params)?;
    api.engine.delete_key(&caller.principal, &query, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

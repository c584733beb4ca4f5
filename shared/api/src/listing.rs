//! Lists: `limit`, `offset`, `cursor`, and the headers that go with a page.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use engine::{Listing, PageRequest};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::{future::Future, time::Instant};

use crate::{
    attributes::{Resource, Selection},
    auth::Caller,
    error::ApiError,
    params::Params,
    router::Api,
};

/// The most that anybody gets at once; what `limit=-1` means.
pub(crate) const MAX_LIMIT: usize = 10_000;
/// Records that are asked of the engine at once.
const BATCH: usize = 1_000;
/// Offsets beyond this are refused, as in StackStorm.
const MAX_OFFSET: i64 = 1 << 31;

/// Which page is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    /// `None`: everything, up to [`MAX_LIMIT`].
    limit: Option<usize>,
    offset: u64,
    cursor: Option<String>,
}

impl Paging {
    /// No page: all that there is, up to [`MAX_LIMIT`].
    pub(crate) const fn everything() -> Paging {
        Paging { limit: None, offset: 0, cursor: None }
    }

    /// Reads the parameters; `default` is the limit where none is given, `None` where a list comes whole.
    pub(crate) fn of(params: &Params, caller: &Caller, api: &Api, default: Option<usize>) -> Result<Paging, ApiError> {
        let admin = caller.principal.admin;
        let limit = limit(params.integer("limit")?, admin, api.options.max_page_size)?;
        let offset = params.integer("offset")?.unwrap_or(0);
        if !(0..MAX_OFFSET).contains(&offset) {
            return Err(ApiError::bad_request(format!("offset must be 0 to {}, not {offset}", MAX_OFFSET - 1)));
        }
        Ok(Paging { limit: limit.or(default), offset: offset.unsigned_abs(), cursor: params.text("cursor") })
    }
}

fn limit(given: Option<i64>, admin: bool, max_page_size: usize) -> Result<Option<usize>, ApiError> {
    let most = if admin { MAX_LIMIT } else { max_page_size };
    match given {
        None => Ok(None),
        Some(-1) if admin => Ok(Some(MAX_LIMIT)),
        Some(-1) => Err(ApiError::forbidden("only admins may ask for everything by limit=-1")),
        Some(given) if given < 1 => {
            Err(ApiError::bad_request(format!("limit must be 1 or more, or -1 for everything, not {given}")))
        }
        Some(given) => match usize::try_from(given) {
            Ok(given) if given <= most => Ok(Some(given)),
            _ => Err(ApiError::bad_request(format!(
                "Limit \"{given}\" specified, maximum value is \"{most}\"; go on with offset, or with the cursor of X-Next-Cursor"
            ))),
        },
    }
}

/// A page and where it stands.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    total: Option<u64>,
    limit: Option<usize>,
    next: Option<String>,
}

impl<T> Page<T> {
    /// A page of what is all in memory.
    pub(crate) fn slice(all: Vec<T>, paging: &Paging) -> Page<T> {
        let total = all.len() as u64;
        let offset = usize::try_from(paging.offset).unwrap_or(usize::MAX);
        let items = all.into_iter().skip(offset).take(paging.limit.unwrap_or(MAX_LIMIT)).collect();
        Page { items, total: Some(total), limit: paging.limit, next: None }
    }

    /// The same page of other things.
    pub(crate) fn of<U>(&self, items: Vec<U>) -> Page<U> {
        Page { items, total: self.total, limit: self.limit, next: self.next.clone() }
    }
}

impl<R: Resource> Page<R> {
    /// The answer: a JSON array, and StackStorm's headers.
    pub(crate) fn answer(&self, selection: &Selection) -> Result<Response, ApiError> {
        let mut response = json_text(StatusCode::OK, selection.write_all(&self.items)?);
        let mut set = |name: &'static str, value: Option<String>| {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        };
        set("x-total-count", self.total.map(|total| total.to_string()));
        set("x-limit", self.limit.map(|limit| limit.to_string()));
        set("x-next-cursor", self.next.clone());
        Ok(response)
    }
}

/// Text that is JSON already.
pub(crate) fn json_text(status: StatusCode, text: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(text)).into_response()
}

/// A page of what the engine lists. Who walks by `offset` goes on from where the page before ended; who jumps makes the store count.
pub(crate) async fn walk<T, F, Fut>(
    api: &Api,
    listing: &str,
    (paging, descending): (&Paging, bool),
    fetch: F,
) -> Result<Page<T>, ApiError>
where
    F: Fn(PageRequest) -> Fut,
    Fut: Future<Output = Result<Listing<T>, engine::Error>>,
{
    let limit = paging.limit.unwrap_or(MAX_LIMIT);
    let (mut cursor, mut skip) = start(api, listing, paging);
    let (mut items, mut total) = (Vec::new(), None);
    loop {
        let wanted = BATCH.min(limit - items.len());
        let answer = fetch(PageRequest { limit: wanted, skip, cursor: cursor.take(), descending }).await?;
        let complete = answer.items.len() == wanted;
        total = total.or(answer.total);
        items.extend(answer.items);
        (cursor, skip) = (answer.next, 0);
        // A short answer that has a next is one that looked through as much as it may: the client decides whether to go on.
        if cursor.is_none() || !complete || items.len() >= limit {
            break;
        }
    }
    if let Some(cursor) = cursor.as_deref().filter(|_| paging.cursor.is_none()) {
        api.positions.remember(listing, paging.offset.saturating_add(items.len() as u64), cursor, now());
    }
    Ok(Page { items, total, limit: paging.limit, next: cursor })
}

fn start(api: &Api, listing: &str, paging: &Paging) -> (Option<String>, u64) {
    if paging.cursor.is_some() || paging.offset == 0 {
        return (paging.cursor.clone(), paging.offset);
    }
    match api.positions.find(listing, paging.offset, now()) {
        Some(cursor) => (Some(cursor), 0),
        None => (None, paging.offset),
    }
}

#[expect(clippy::disallowed_methods, reason = "the age of a cache entry, which nothing that is stored depends on")]
fn now() -> Instant {
    Instant::now()
}

/// What tells one listing from another: its path and its filters, whatever the page.
pub(crate) fn listing_key(path: &str, params: &Params) -> String {
    const APART: [&str; 8] = [
        "limit",
        "offset",
        "cursor",
        "include_attributes",
        "exclude_attributes",
        "show_secrets",
        "st2-api-key",
        "x-auth-token",
    ];
    let filters = params.sorted().into_iter().filter(|(name, _)| !APART.contains(name));
    let mut query = url::form_urlencoded::Serializer::new(format!("{path}?"));
    query.extend_pairs(filters);
    query.finish()
}

/// Does a list of records in time come with the newest first? `field` is the only one that it can be sorted by.
pub(crate) fn newest_first(params: &Params, field: &str) -> Result<bool, ApiError> {
    if params.flag("sort_asc")? {
        return Ok(false);
    }
    if params.flag("sort_desc")? {
        return Ok(true);
    }
    match params.list("sort")?.first() {
        None => Ok(true),
        Some(key) => {
            let (descending, name) = direction(key);
            if name == field || name == "id" || name == "timestamp" {
                return Ok(descending);
            }
            Err(ApiError::bad_request(format!("this list can be sorted by {field} only, not by \"{name}\"")))
        }
    }
}

/// `-name`, `+name` or `name`; a `+` that was not encoded arrives as a blank.
pub(crate) fn direction(key: &str) -> (bool, &str) {
    match key.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, key.trim_start_matches(['+', ' '])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_stackstorms() {
        assert_eq!(limit(None, false, 100).unwrap(), None);
        assert_eq!(limit(Some(100), false, 100).unwrap(), Some(100));
        assert_eq!(limit(Some(101), true, 100).unwrap(), Some(101));
        assert_eq!(limit(Some(-1), true, 100).unwrap(), Some(MAX_LIMIT));
        for (given, admin, status) in
            [(0, true, 400), (-2, true, 400), (-1, false, 403), (101, false, 400), (10_001, true, 400)]
        {
            assert_eq!(limit(Some(given), admin, 100).unwrap_err().status().as_u16(), status, "{given}");
        }
    }

    #[test]
    fn a_listing_is_its_filters_in_any_order() {
        let key = |query: &str| listing_key("/executions", &Params::parse(Some(query)));
        assert_eq!(key("action=a&status=b&limit=5&st2-api-key=k"), key("status=b&action=a&offset=10"));
        assert_ne!(key("action=a"), key("action=b"));
        assert!(!key("st2-api-key=k").contains('k'), "keys don't belong into a cache");
    }

    #[test]
    fn sorting_is_by_time() {
        let order = |query: &str| {
            newest_first(&Params::parse(Some(query)), "start_timestamp").map_err(|e| e.message().to_owned())
        };
        assert_eq!(order(""), Ok(true));
        assert_eq!(order("sort=start_timestamp"), Ok(false));
        assert_eq!(order("sort=%2Bstart_timestamp"), Ok(false));
        assert_eq!(order("sort=-start_timestamp,action.ref"), Ok(true));
        assert_eq!(order("sort_asc=True"), Ok(false));
        assert!(order("sort=colour").unwrap_err().contains("\"colour\""));
    }
}

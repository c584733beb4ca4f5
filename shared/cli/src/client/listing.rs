//! Lists, page by page, and names near to one that is not there.

use reqwest::Method;
use serde_json::Value;

use super::Client;
use crate::failure::Failure;

/// How many things one page may hold.
const LARGEST_PAGE: usize = 100;
/// From this likeness on, one name may be meant by another.
const LIKE: f64 = 0.82;

/// Query parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    pub(crate) fn new() -> Query {
        Query::default()
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Query {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a parameter where there is a value.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<String>>) -> Query {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a parameter where the flag is set.
    pub(crate) fn flag(self, name: &'static str, set: bool) -> Query {
        if set { self.with(name, "true") } else { self }
    }

    pub(crate) fn pairs(&self) -> &[(&'static str, String)] {
        &self.0
    }
}

/// A part of a list.
pub(crate) struct Listing {
    pub(crate) items: Vec<Value>,
    /// There is more than was asked for.
    pub(crate) more: bool,
    /// How many there are in all, where the host counts them.
    pub(crate) total: Option<usize>,
}

/// What one request gave of a list.
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    /// Where to go on; nothing at the end.
    pub(crate) cursor: Option<String>,
    pub(crate) total: Option<usize>,
}

impl Client {
    /// The first `limit` things of a list.
    pub(crate) async fn list(&self, path: &[&str], query: &Query, limit: usize) -> Result<Listing, Failure> {
        let mut listing = Listing { items: Vec::new(), more: false, total: None };
        let mut cursor: Option<String> = None;
        loop {
            let size = (limit - listing.items.len()).min(LARGEST_PAGE);
            let page = self.page(path, query, size, cursor).await?;
            (listing.total, cursor) = (page.total, page.cursor);
            let stuck = page.items.is_empty();
            listing.items.extend(page.items);
            if cursor.is_none() || stuck || listing.items.len() >= limit {
                break;
            }
        }
        let known = listing.items.len();
        listing.items.truncate(limit);
        listing.more = cursor.is_some() || known > limit || listing.total.is_some_and(|total| total > limit);
        Ok(listing)
    }

    /// One page of a list, from a cursor on.
    pub(crate) async fn page(
        &self,
        path: &[&str],
        query: &Query,
        size: usize,
        cursor: Option<String>,
    ) -> Result<Page, Failure> {
        let query = query.clone().with("limit", size.to_string()).maybe("cursor", cursor);
        let answer = self.send(self.request(Method::GET, path)?.query(query.pairs())).await?;
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let total = header("X-Total-Count").and_then(|count| count.parse().ok());
        let cursor = header("X-Next-Cursor").filter(|cursor| !cursor.is_empty()).map(str::to_owned);
        match answer.body {
            Value::Array(items) => Ok(Page { items, cursor, total }),
            _ => Err(Failure::new(format!("{} answered with something that is no list", self.address()))),
        }
    }

    /// The name in that list which is most like this one, where one is like it at all.
    pub(crate) async fn nearest(&self, resource: &str, name: &str) -> Option<String> {
        let listing = self.list(&[resource], &Query::new(), 1_000).await.ok()?;
        let names =
            listing.items.iter().filter_map(|item| ["ref", "name"].iter().find_map(|key| item.get(*key)?.as_str()));
        nearest(name, names).map(str::to_owned)
    }
}

/// The name that is most like this one, where one is like it at all.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_name_is_not() {
        let names = ["core.local", "core.echo", "demo.remediate"];
        assert_eq!(nearest("core.lcoal", names.into_iter()), Some("core.local"));
        assert_eq!(nearest("demo.remidiate", names.into_iter()), Some("demo.remediate"));
        assert_eq!(nearest("github.comment", names.into_iter()), None);
    }
}

//! Query parameters. Ones that a route does not know are ignored, as in StackStorm.

use axum::extract::FromRequestParts;
use http::request::Parts;
use model::Timestamp;
use std::{convert::Infallible, str::FromStr};

use crate::error::ApiError;

/// Values in one comma list, as StackStorm has it.
const MAX_LIST: usize = 100;

/// The query of a request, decoded. Where a name stands twice the last one counts; an empty value counts as none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(query: Option<&str>) -> Params {
        Params(url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Adds a pair, which counts from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All pairs, sorted: what tells one listing from another.
    pub(crate) fn sorted(&self) -> Vec<(&str, &str)> {
        let mut pairs: Vec<_> = self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.sort_unstable();
        pairs
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0" | "no" | "n") => Ok(false),
            Some("true" | "1" | "yes" | "y") => Ok(true),
            Some(other) => {
                Err(ApiError::bad_request(format!("parameter \"{name}\" must be true or false, not \"{other}\"")))
            }
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.parsed(name, "a whole number")
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.parsed(name, "a time such as 2026-01-31T12:00:00Z")
    }

    /// A value of a type that reads text; `wanted` says for people what that is.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str, wanted: &str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            let shown: String = text.chars().take(64).collect();
            ApiError::bad_request(format!("parameter \"{name}\" must be {wanted}, not \"{shown}\""))
        })
    }

    /// `a..b` in a time parameter: both ends, in either order.
    pub(crate) fn time_range(&self, name: &str) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let (from, until) = text.split_once("..").unwrap_or((text, text));
        let read = |part: &str| {
            part.parse::<Timestamp>().map_err(|error| ApiError::bad_request(format!("parameter \"{name}\": {error}")))
        };
        let (from, until) = (read(from)?, read(until)?);
        Ok(Some((from.min(until), from.max(until))))
    }

    /// A comma list; empty where the parameter is absent.
    pub(crate) fn list(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let items: Vec<_> = self
            .get(name)
            .map(|text| text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect())
            .unwrap_or_default();
        if items.len() > MAX_LIST {
            return Err(ApiError::bad_request(format!(
                "parameter \"{name}\" has {} values; at most {MAX_LIST} are allowed",
                items.len()
            )));
        }
        Ok(items)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Params, Infallible> {
        Ok(Params::parse(parts.uri.query()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(Some(query))
    }

    #[test]
    fn the_last_value_counts_and_an_empty_one_is_none() {
        assert_eq!(params("a=1&a=2").get("a"), Some("2"));
        assert_eq!(params("a=&b=%20x").get("a"), None);
        assert_eq!(params("b=%20x+y").get("b"), Some(" x y"));
    }

    #[test]
    fn booleans_are_read_as_stackstorm_reads_them() {
        for (text, value) in [("true", true), ("Yes", true), ("1", true), ("n", false), ("0", false)] {
            assert_eq!(params(&format!("x={text}")).flag("x").unwrap(), value, "{text}");
        }
        assert!(params("x=maybe").flag("x").unwrap_err().message().contains("\"maybe\""));
    }

    #[test]
    fn times_and_ranges() {
        let range = params("t=2026-01-02T00:00:00Z..2026-01-01T00:00:00Z").time_range("t").unwrap().unwrap();
        assert!(range.0 < range.1);
        assert!(params("t=soon").time("t").is_err());
    }

    #[test]
    fn lists_have_a_limit() {
        assert_eq!(params("id=a,%20b,,c").list("id").unwrap(), ["a", "b", "c"]);
        let many = vec!["a"; 101].join(",");
        assert!(params(&format!("id={many}")).list("id").is_err());
    }
}

//! What lists of registered content have in common: filters by name, and order.

use model::{Id, Ref};
use std::cmp::Ordering;

use crate::{error::ApiError, listing::direction, params::Params};

/// Something registered, under its names.
pub(super) struct Entry<'a, T> {
    pub(super) reference: &'a Ref,
    pub(super) id: Id,
    pub(super) item: &'a T,
}

/// The entries that `id`, `ref`, `name` and `pack` let through, in the order of `sort`; by ref where none is given.
pub(super) fn chosen<'a, T>(
    entries: impl Iterator<Item = Entry<'a, T>>,
    params: &Params,
) -> Result<Vec<&'a T>, ApiError> {
    let ids = params.list("id")?;
    let holds = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
    let mut found: Vec<_> = entries
        .filter(|entry| {
            (ids.is_empty() || ids.contains(&entry.id.to_string().as_str()))
                && holds("ref", entry.reference.as_str())
                && holds("name", entry.reference.name())
                && holds("pack", entry.reference.pack())
        })
        .collect();
    // The last key first: each sort keeps the order of the one before where its own key is equal.
    for key in params.list("sort")?.into_iter().rev() {
        let (descending, name) = direction(key);
        let compare: fn(&Entry<'a, T>, &Entry<'a, T>) -> Ordering = match name {
            "ref" => |a, b| a.reference.cmp(b.reference),
            "name" => |a, b| a.reference.name().cmp(b.reference.name()),
            "pack" => |a, b| a.reference.pack().cmp(b.reference.pack()),
            "id" => |a, b| a.id.cmp(&b.id),
            other => {
                return Err(ApiError::bad_request(format!(
                    "this list can be sorted by ref, name, pack and id, not by \"{other}\""
                )));
            }
        };
        found.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
    }
    Ok(found.into_iter().map(|entry| entry.item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(query: &str) -> Result<Vec<String>, String> {
        let refs: Vec<Ref> = ["a.x", "a.y", "b.x"].map(|text| text.parse().unwrap()).into();
        let entries = refs.iter().map(|item| Entry { reference: item, id: Id::named(&[item.as_str()]), item });
        let found = chosen(entries, &Params::parse(Some(query))).map_err(|error| error.message().to_owned())?;
        Ok(found.into_iter().map(ToString::to_string).collect())
    }

    #[test]
    fn filters_and_sorts() {
        assert_eq!(names("").unwrap(), ["a.x", "a.y", "b.x"]);
        assert_eq!(names("pack=a&name=y").unwrap(), ["a.y"]);
        assert_eq!(names(&format!("id={},{}", Id::named(&["b.x"]), Id::named(&["a.x"]))).unwrap(), ["a.x", "b.x"]);
        assert_eq!(names("sort=-name,pack").unwrap(), ["a.y", "a.x", "b.x"]);
        assert!(names("sort=colour").unwrap_err().contains("\"colour\""));
    }
}

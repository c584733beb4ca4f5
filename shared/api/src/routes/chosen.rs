//! What lists of registered content have in common: filters by name, and order.

use engine::Content;
use std::{cmp::Ordering, sync::Arc};

use crate::{error::ApiError, listing::direction, params::Params};

/// Those that `id`, `ref`, `name` and `pack` let through, in the order of `sort`; in the order given where there is none.
pub(super) fn chosen<'a, T: Content>(items: Vec<&'a Arc<T>>, params: &Params) -> Result<Vec<&'a Arc<T>>, ApiError> {
    let ids = params.list("id")?;
    let holds = |name: &str, value: &str| params.get(name).is_none_or(|wanted| wanted == value);
    let mut found = items;
    found.retain(|item| {
        let reference = item.reference();
        (ids.is_empty() || ids.contains(&item.id().to_string().as_str()))
            && holds("ref", reference.as_str())
            && holds("name", reference.name())
            && holds("pack", reference.pack())
    });
    // The last key first: each sort keeps the order of the one before where its own key is equal.
    for key in params.list("sort")?.into_iter().rev() {
        let (descending, name) = direction(key);
        let compare: fn(&T, &T) -> Ordering = match name {
            "ref" => |a, b| a.reference().cmp(b.reference()),
            "name" => |a, b| a.reference().name().cmp(b.reference().name()),
            "pack" => |a, b| a.reference().pack().cmp(b.reference().pack()),
            "id" => |a, b| a.id().cmp(&b.id()),
            other => {
                return Err(ApiError::bad_request(format!(
                    "this list can be sorted by ref, name, pack and id, not by \"{other}\""
                )));
            }
        };
        found.sort_by(|a, b| if descending { compare(b, a) } else { compare(a, b) });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ActionAlias, Ref};
    use serde_json::Map;

    fn alias(reference: &str) -> Arc<ActionAlias> {
        let reference: Ref = reference.parse().unwrap();
        Arc::new(ActionAlias { action_ref: reference.clone(), reference, enabled: true, body: Map::new() })
    }

    fn names(query: &str) -> Result<Vec<String>, String> {
        let aliases = ["a.x", "a.y", "b.x"].map(alias);
        let found = chosen(aliases.iter().collect(), &Params::parse(Some(query)));
        let found = found.map_err(|error| error.message().to_owned())?;
        Ok(found.into_iter().map(|alias| alias.reference.to_string()).collect())
    }

    #[test]
    fn filters_and_sorts() {
        assert_eq!(names("").unwrap(), ["a.x", "a.y", "b.x"]);
        assert_eq!(names("pack=a&name=y").unwrap(), ["a.y"]);
        assert_eq!(names(&format!("id={},{}", alias("b.x").id(), alias("a.x").id())).unwrap(), ["a.x", "b.x"]);
        assert_eq!(names("sort=-name,pack").unwrap(), ["a.y", "a.x", "b.x"]);
        assert!(names("sort=colour").unwrap_err().contains("\"colour\""));
    }
}

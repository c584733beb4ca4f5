//! `include_attributes` and `exclude_attributes`: which attributes of a resource are answered.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{error::ApiError, params::Params};

/// A resource as clients see it.
pub(crate) trait Resource: Serialize {
    /// The attributes that may be named.
    const ATTRIBUTES: &'static [&'static str];
    /// What is answered whatever `include_attributes` says.
    const MANDATORY: &'static [&'static str] = &["id"];
    /// The attributes that may be excluded; empty where all may.
    const EXCLUDABLE: &'static [&'static str] = &[];
}

/// Which attributes are wanted. Names may be paths such as `action.ref`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    All,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Selection {
    /// Reads and checks both parameters.
    pub(crate) fn of<R: Resource>(params: &Params) -> Result<Selection, ApiError> {
        let include = params.list("include_attributes")?;
        let exclude = params.list("exclude_attributes")?;
        let known = |kind: &str, path: &str, allowed: &[&str]| {
            let head = path.split('.').next().unwrap_or_default();
            if allowed.contains(&head) {
                return Ok(path.to_owned());
            }
            Err(ApiError::bad_request(format!(
                "Invalid or unsupported {kind} attribute specified: \"{path}\"; there are {}",
                allowed.join(", ")
            )))
        };
        if !include.is_empty() && !exclude.is_empty() {
            return Err(ApiError::bad_request(
                "include_attributes and exclude_attributes are mutually exclusive: give one of them",
            ));
        }
        if !include.is_empty() {
            let paths = include.into_iter().map(|path| known("include", path, R::ATTRIBUTES));
            return Ok(Selection::Only(paths.collect::<Result<_, _>>()?));
        }
        if exclude.is_empty() {
            return Ok(Selection::All);
        }
        let allowed = if R::EXCLUDABLE.is_empty() { R::ATTRIBUTES } else { R::EXCLUDABLE };
        let paths = exclude.into_iter().map(|path| known("exclude", path, allowed));
        Ok(Selection::Without(paths.collect::<Result<_, _>>()?))
    }

    /// Will this top-level attribute be answered? What costs something to get is not got otherwise.
    pub(crate) fn wants(&self, attribute: &str) -> bool {
        match self {
            Selection::All => true,
            Selection::Only(paths) => paths.iter().any(|path| path.split('.').next() == Some(attribute)),
            Selection::Without(paths) => !paths.iter().any(|path| path == attribute),
        }
    }

    /// The resource as JSON text, with the wanted attributes.
    pub(crate) fn write<R: Resource>(&self, resource: &R) -> Result<Vec<u8>, ApiError> {
        match self {
            Selection::All => Ok(serde_json::to_vec(resource)?),
            _ => Ok(serde_json::to_vec(&self.pick::<R>(serde_json::to_value(resource)?))?),
        }
    }

    /// Several of them, as a JSON array.
    pub(crate) fn write_all<R: Resource>(&self, resources: &[R]) -> Result<Vec<u8>, ApiError> {
        if *self == Selection::All {
            return Ok(serde_json::to_vec(resources)?);
        }
        let picked = resources.iter().map(|resource| Ok(self.pick::<R>(serde_json::to_value(resource)?)));
        Ok(serde_json::to_vec(&picked.collect::<Result<Vec<_>, ApiError>>()?)?)
    }

    fn pick<R: Resource>(&self, mut value: Value) -> Value {
        match self {
            Selection::All => value,
            Selection::Only(paths) => {
                let mut picked = Map::new();
                let wanted = R::MANDATORY.iter().copied().chain(paths.iter().map(String::as_str));
                wanted.for_each(|path| copy_path(&value, &mut picked, path));
                Value::Object(picked)
            }
            Selection::Without(paths) => {
                paths.iter().for_each(|path| remove_path(&mut value, path));
                value
            }
        }
    }
}

fn copy_path(from: &Value, into: &mut Map<String, Value>, path: &str) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let Some(found) = from.get(head) else { return };
    match rest {
        Some(rest) if found.is_object() => {
            let slot = into.entry(head).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = slot {
                copy_path(found, inner, rest);
            }
        }
        _ => drop(into.insert(head.to_owned(), found.clone())),
    }
}

fn remove_path(from: &mut Value, path: &str) {
    match path.split_once('.') {
        Some((head, rest)) => from.get_mut(head).into_iter().for_each(|inner| remove_path(inner, rest)),
        None => from.as_object_mut().into_iter().for_each(|map| drop(map.shift_remove(path))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Thing(Value);

    impl Resource for Thing {
        const ATTRIBUTES: &'static [&'static str] = &["id", "action", "result", "log"];
        const EXCLUDABLE: &'static [&'static str] = &["result"];
    }

    fn thing() -> Thing {
        Thing(json!({"id": "1", "action": {"ref": "a.b", "name": "b"}, "result": {"x": 1}, "log": []}))
    }

    fn answer(query: &str) -> Result<Value, String> {
        let selection =
            Selection::of::<Thing>(&Params::parse(Some(query))).map_err(|error| error.message().to_owned())?;
        Ok(serde_json::from_slice(&selection.write(&thing()).unwrap()).unwrap())
    }

    #[test]
    fn picks_paths_and_what_is_mandatory() {
        assert_eq!(answer("").unwrap(), thing().0);
        assert_eq!(answer("include_attributes=action.ref").unwrap(), json!({"id": "1", "action": {"ref": "a.b"}}));
        assert_eq!(
            answer("include_attributes=action.ref,action.name,log").unwrap(),
            json!({"id": "1", "action": {"ref": "a.b", "name": "b"}, "log": []})
        );
        assert_eq!(
            answer("exclude_attributes=result").unwrap(),
            json!({"id": "1", "action": {"ref": "a.b", "name": "b"}, "log": []})
        );
    }

    #[test]
    fn refuses_both_and_what_there_is_not() {
        assert!(answer("include_attributes=id&exclude_attributes=result").unwrap_err().contains("mutually exclusive"));
        assert!(answer("include_attributes=colour").unwrap_err().contains("\"colour\""));
        assert!(answer("exclude_attributes=action").unwrap_err().contains("there are result"));
    }
}

//! The datastore in templates: `st2kv.system.…`, `st2kv.user.…` and the older `system.…`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, LazyLock};

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};
use regex::Regex;

/// Whose keys are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Keys of the whole installation.
    System,
    /// Keys of the acting user.
    User,
}

impl Scope {
    /// `system` or `user`, as in `st2kv.system`.
    pub fn name(self) -> &'static str {
        match self {
            Scope::System => "system",
            Scope::User => "user",
        }
    }
}

/// The datastore as an expression sees it. Only keys that an expression really reads are asked for.
pub trait KeyValues: Send + Sync {
    /// The stored text of a key, ciphertext where it is a secret; nothing where there is no such key.
    fn get(&self, scope: Scope, name: &str) -> Option<String>;

    /// The plain text of what `get` gave for a secret. The error is for the author of the expression and holds no secret.
    fn decrypt(&self, ciphertext: &str) -> Result<String, String>;
}

/// What `st2kv` is in a template.
pub(crate) struct Scopes(pub(crate) Arc<dyn KeyValues>);

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("datastore")
    }
}

impl Object for Scopes {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let scope = match key.as_str()? {
            "system" => Scope::System,
            "user" => Scope::User,
            _ => return None,
        };
        Some(KeyLookup::root(Arc::clone(&self.0), scope))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["system", "user"])
    }
}

/// A key, or the beginning of one: `st2kv.system.a` is the key `a`, and goes on to `a.b`. Printed, it is the key's value, `""` where there is
/// none.
pub(crate) struct KeyLookup {
    keys: Arc<dyn KeyValues>,
    scope: Scope,
    name: String,
}

impl KeyLookup {
    pub(crate) fn root(keys: Arc<dyn KeyValues>, scope: Scope) -> Value {
        Value::from_object(KeyLookup { keys, scope, name: String::new() })
    }

    /// The value of the key.
    pub(crate) fn text(&self) -> String {
        self.keys.get(self.scope, &self.name).unwrap_or_default()
    }

    pub(crate) fn keys(&self) -> &Arc<dyn KeyValues> {
        &self.keys
    }
}

impl fmt::Debug for KeyLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "st2kv.{}.{}", self.scope.name(), self.name)
    }
}

impl Object for KeyLookup {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let step = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        let name = if self.name.is_empty() { step } else { format!("{}.{step}", self.name) };
        Some(Value::from_object(KeyLookup { keys: Arc::clone(&self.keys), scope: self.scope, name }))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

static KEY_PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let step = r#"(?:\s*\.\s*\w+|\s*\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])"#;
    Regex::new(&format!(r"(?:^|[^\w.])(st2kv|system)({step}+)")).ok()
});

static STEP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\.\s*(\w+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]"#).ok());

/// The keys that a template names, so that they can be fetched before it is rendered. A key that is computed can't be seen.
pub fn datastore_keys(text: &str) -> Vec<(Scope, String)> {
    let mut found = BTreeSet::new();
    for path in KEY_PATH.iter().flat_map(|pattern| pattern.captures_iter(text)) {
        let (Some(root), Some(steps)) = (path.get(1), path.get(2)) else { continue };
        let mut steps = STEP
            .iter()
            .flat_map(|pattern| pattern.captures_iter(steps.as_str()))
            .filter_map(|step| step.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned()));
        let scope = match root.as_str() {
            "system" => Some(Scope::System),
            _ => match steps.next().as_deref() {
                Some("system") => Some(Scope::System),
                Some("user") => Some(Scope::User),
                _ => None,
            },
        };
        let name = steps.collect::<Vec<_>>().join(".");
        if let Some(scope) = scope
            && !name.is_empty()
        {
            found.insert((scope, name));
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Scope, datastore_keys};

    #[test]
    fn keys_are_found_where_they_are_named() {
        let text = "{{ st2kv.system.a.b | decrypt_kv }}{{ st2kv.user['x-y'] }}{{ system.old }}{{ st2kv['system'].c }}{{ my.system.z }}{{ st2kv.other.q }}";
        let expected = [(Scope::System, "a.b"), (Scope::System, "c"), (Scope::System, "old"), (Scope::User, "x-y")];
        assert_eq!(datastore_keys(text), expected.map(|(scope, name)| (scope, name.to_owned())));
    }
}

//! What an expression can read.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::State;
use minijinja::value::{Enumerator, Object, Value};
use serde_json::{Map, Value as Json};

use crate::call::{Host, split_keywords};
use crate::datastore::{KeyLookup, KeyValues, Scope, Scopes};
use crate::error::bad_value;
use crate::json;
use crate::limits::Limits;
use crate::part::Part;

/// A function that a host gives to expressions: arguments by position and by name, a value or what is wrong.
pub type Function = dyn Fn(&[Json], &Map<String, Json>) -> Result<Part, String> + Send + Sync;

/// The names that an expression can read. Cheap to clone; payloads are shared and read in place.
#[derive(Clone, Default)]
pub struct Context {
    roots: Arc<Roots>,
}

#[derive(Clone, Default)]
struct Roots {
    named: IndexMap<String, Entry>,
    now: Option<i128>,
    seed: Option<u64>,
}

/// What a name is: to Jinja a value, and in itself data or a function.
#[derive(Clone)]
struct Entry {
    value: Value,
    is: Is,
}

#[derive(Clone)]
enum Is {
    Data(Arc<Json>),
    Function(Arc<Function>),
    Datastore,
}

impl Context {
    /// A context without names.
    pub fn new() -> Context {
        Context::default()
    }

    /// Sets a name, and gives back the context.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Arc<Json>>) -> Context {
        self.insert(name, value);
        self
    }

    /// Sets a name.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Arc<Json>>) {
        let data = value.into();
        self.set(name, json::to_value(&data), Is::Data(data));
    }

    /// Sets `st2kv`, the datastore.
    #[must_use]
    pub fn with_datastore(mut self, keys: Arc<dyn KeyValues>) -> Context {
        self.set("st2kv", Value::from_object(Scopes(keys)), Is::Datastore);
        self
    }

    /// Sets `system`, the name that older content has for the datastore's system scope.
    #[must_use]
    pub fn with_system_keys(mut self, keys: Arc<dyn KeyValues>) -> Context {
        self.set("system", KeyLookup::root(keys, Scope::System), Is::Datastore);
        self
    }

    /// Sets a function.
    #[must_use]
    pub fn with_function(mut self, name: impl Into<String>, function: Arc<Function>) -> Context {
        let name = name.into();
        let callable = Callable { name: name.clone(), function: Arc::clone(&function) };
        self.set(name, Value::from_object(callable), Is::Function(function));
        self
    }

    /// Whether the name is set.
    pub fn contains(&self, name: &str) -> bool {
        self.roots.named.contains_key(name)
    }

    /// Sets the time that YAQL's `now` gives, in microseconds since 1970. Without it there is no `now`.
    #[must_use]
    pub fn with_now(mut self, now: i64) -> Context {
        Arc::make_mut(&mut self.roots).now = Some(i128::from(now));
        self
    }

    /// Sets what YAQL's `random` begins with: each evaluation gives the same numbers. Without it there is no `random`.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Context {
        Arc::make_mut(&mut self.roots).seed = Some(seed);
        self
    }

    pub(crate) fn now(&self) -> Option<i128> {
        self.roots.now
    }

    pub(crate) fn seed(&self) -> Option<u64> {
        self.roots.seed
    }

    /// The data of a name.
    pub(crate) fn data(&self, name: &str) -> Option<&Json> {
        match &self.roots.named.get(name)?.is {
            Is::Data(data) => Some(data),
            _ => None,
        }
    }

    /// The function of a name.
    pub(crate) fn function(&self, name: &str) -> Option<&Arc<Function>> {
        match &self.roots.named.get(name)?.is {
            Is::Function(function) => Some(function),
            _ => None,
        }
    }

    fn set(&mut self, name: impl Into<String>, value: Value, is: Is) {
        Arc::make_mut(&mut self.roots).named.insert(name.into(), Entry { value, is });
    }

    /// The root value for the engine.
    pub(crate) fn to_value(&self) -> Value {
        Value::from_dyn_object(Arc::clone(&self.roots))
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.roots.fmt(f)
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.named.keys()).finish()
    }
}

impl Object for Roots {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.named.get(key) {
            // StackStorm gives templates the whole context under this name.
            None if key == "__context" => Some(Value::from_dyn_object(Arc::clone(self))),
            found => found.map(|entry| entry.value.clone()),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.named.keys().map(Value::from).collect())
    }
}

struct Callable {
    name: String,
    function: Arc<Function>,
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {}", self.name)
    }
}

impl Object for Callable {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, minijinja::Error> {
        let limits = Limits::default();
        let host = Host::new(state, &limits);
        let (positional, keywords) = split_keywords(args);
        let positional = positional.iter().map(|value| host.json(value)).collect::<Result<Vec<_>, _>>()?;
        let mut named = Map::new();
        for name in keywords.iter().flat_map(|keywords| keywords.args()) {
            let value: Option<Value> = keywords.as_ref().and_then(|k| k.peek(name).ok());
            named.insert(name.to_owned(), host.json(&value.unwrap_or_default())?);
        }
        let result =
            (self.function)(&positional, &named).map_err(|message| bad_value(format!("`{}`: {message}", self.name)))?;
        Ok(json::part_value(result))
    }
}

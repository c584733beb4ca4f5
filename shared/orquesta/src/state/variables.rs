//! What a branch of a workflow sees: variables, shared with the branches that it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The variables at a place of a workflow. A clone costs next to nothing, a publication as much as it publishes: there are layers of
/// variables, each at least twice as large as the one above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    initial: Arc<BTreeMap<Arc<str>, Arc<Value>>>,
    layers: Vec<Arc<Layer>>,
}

type Layer = BTreeMap<Arc<str>, Variable>;

#[derive(Clone, Debug, PartialEq)]
struct Variable {
    /// The value as it is seen.
    seen: Arc<Value>,
    /// What tasks made of it, without what the workflow began with.
    change: Arc<Value>,
    /// The change takes the place of an object, and is not merged into it.
    replaces: bool,
    /// The context in which it was last published.
    stamp: u32,
}

/// How publications meet what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merging {
    /// As in Orquesta: objects are merged, and at a join the branch that comes last brings along all that it ever saw.
    Deep,
    /// `strict: true`: a publication replaces, and at a join the newest publication of each variable holds.
    Newest,
}

impl Variables {
    pub(crate) fn new(initial: Map<String, Value>) -> Variables {
        let initial = initial.into_iter().map(|(name, value)| (Arc::from(name), Arc::new(value))).collect();
        Variables { initial: Arc::new(initial), layers: Vec::new() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Value>> {
        self.change(name).map(|variable| &variable.seen).or_else(|| self.initial.get(name))
    }

    fn change(&self, name: &str) -> Option<&Variable> {
        self.layers.iter().rev().find_map(|layer| layer.get(name))
    }

    /// All variables but those whose names begin with two underscores.
    pub(crate) fn visible(&self) -> Map<String, Value> {
        let mut seen: BTreeMap<&str, &Arc<Value>> = self.initial.iter().map(|(name, value)| (&**name, value)).collect();
        for layer in &self.layers {
            seen.extend(layer.iter().map(|(name, variable)| (&**name, &variable.seen)));
        }
        let visible = seen.into_iter().filter(|(name, _)| !name.starts_with("__"));
        visible.map(|(name, value)| (name.to_owned(), (**value).clone())).collect()
    }

    /// Sets a variable while one list of assignments is worked through: what is assigned is what the next ones see.
    pub(crate) fn assign(&mut self, name: &str, value: Arc<Value>) {
        let variable = Variable { seen: Arc::clone(&value), change: value, replaces: true, stamp: 0 };
        self.lay(Layer::from([(Arc::from(name), variable)]));
    }

    pub(crate) fn publish(&mut self, values: &[(Arc<str>, Arc<Value>)], stamp: u32, merging: Merging) {
        let mut layer = Layer::new();
        for (name, value) in values {
            let variable = Variable { seen: Arc::clone(value), change: Arc::clone(value), replaces: false, stamp };
            layer.insert(Arc::clone(name), self.meet(name, &variable, merging));
        }
        self.lay(layer);
    }

    /// What is seen where another branch arrives.
    pub(crate) fn join(&mut self, other: &Variables, merging: Merging) {
        let newer = |name: &Arc<str>, variable: &Variable| {
            merging == Merging::Deep || self.change(name).is_none_or(|own| own.stamp < variable.stamp)
        };
        let layer: Layer = other
            .changes()
            .filter(|(name, variable)| newer(name, variable))
            .map(|(name, variable)| (Arc::clone(name), self.meet(name, variable, merging)))
            .collect();
        self.lay(layer);
    }

    /// What is seen at the end of a workflow where another branch has ended, too.
    pub(crate) fn end_with(&mut self, other: &Variables, merging: Merging) {
        let mut changes = other.clone();
        for layer in &mut changes.layers {
            let merged = layer
                .iter()
                .map(|(name, variable)| (Arc::clone(name), Variable { replaces: false, ..variable.clone() }));
            *layer = Arc::new(merged.collect());
        }
        self.join(&changes, merging);
    }

    fn changes(&self) -> impl Iterator<Item = (&Arc<str>, &Variable)> {
        let merged: BTreeMap<&Arc<str>, &Variable> = self.layers.iter().flat_map(|layer| layer.iter()).collect();
        merged.into_iter()
    }

    fn meet(&self, name: &str, arriving: &Variable, merging: Merging) -> Variable {
        if merging == Merging::Newest {
            return Variable { seen: Arc::clone(&arriving.change), ..arriving.clone() };
        }
        let over = |before: Option<&Arc<Value>>| match before {
            Some(before) if !arriving.replaces => merge(before, &arriving.change),
            _ => Arc::clone(&arriving.change),
        };
        let own = self.change(name);
        let breaks = own.is_some_and(|own| own.replaces || !own.change.is_object());
        Variable {
            seen: over(self.get(name)),
            change: over(own.map(|own| &own.change)),
            replaces: arriving.replaces || breaks,
            stamp: arriving.stamp,
        }
    }

    fn lay(&mut self, layer: Layer) {
        if layer.is_empty() {
            return;
        }
        self.layers.push(Arc::new(layer));
        while let [.., below, top] = self.layers.as_slice()
            && below.len() < top.len() * 2
        {
            let mut merged = (**below).clone();
            merged.extend(top.iter().map(|(name, variable)| (Arc::clone(name), variable.clone())));
            self.layers.truncate(self.layers.len() - 2);
            self.layers.push(Arc::new(merged));
        }
    }
}

/// Equal are variables that look the same and go on in the same way, however they are layered.
impl PartialEq for Variables {
    fn eq(&self, other: &Variables) -> bool {
        self.initial == other.initial && self.changes().eq(other.changes())
    }
}

/// Objects are merged entry by entry; of anything else the right one holds.
fn merge(left: &Arc<Value>, right: &Arc<Value>) -> Arc<Value> {
    if !left.is_object() || !right.is_object() {
        return Arc::clone(right);
    }
    let mut merged = (**left).clone();
    merge_into(&mut merged, right);
    Arc::new(merged)
}

pub(crate) fn merge_into(left: &mut Value, right: &Value) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            for (key, value) in right {
                match left.get_mut(key) {
                    Some(existing) => merge_into(existing, value),
                    None => {
                        left.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        (left, right) => right.clone_into(left),
    }
}

//! Parameters that refer to one another by name.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{ParameterError, is_immutable};
use crate::context::Context;
use crate::error::ExpressionError;
use crate::jinja::{Jinja, is_template};

/// What a parameter is before it is rendered.
enum Node {
    Plain(Value),
    Template { value: Value, needs: BTreeSet<String> },
}

pub(super) struct Graph<'a> {
    jinja: &'a Jinja,
    context: Context,
    nodes: IndexMap<String, Node>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(jinja: &'a Jinja, context: &Context) -> Graph<'a> {
        Graph { jinja, context: context.clone(), nodes: IndexMap::new() }
    }

    /// Sets a parameter that may be a template. What only looks like one stays as it is.
    pub(super) fn set(&mut self, name: &str, value: &Value) {
        let mut needs = BTreeSet::new();
        let node = match self.needs_of(value, &mut needs) {
            Ok(true) => Node::Template { value: value.clone(), needs },
            _ => Node::Plain(value.clone()),
        };
        self.nodes.insert(name.to_owned(), node);
    }

    /// Sets a parameter to a value.
    pub(super) fn set_value(&mut self, name: &str, value: &Value) {
        self.nodes.insert(name.to_owned(), Node::Plain(value.clone()));
    }

    /// Gives defaults to parameters without a value; an immutable one always has its default. Earlier declarations come first.
    pub(super) fn set_defaults(&mut self, declared: [&Map<String, Value>; 2]) {
        for (name, schema) in declared.into_iter().flatten() {
            let has_value = !matches!(self.nodes.get(name), None | Some(Node::Plain(Value::Null)));
            if !has_value || is_immutable(schema) {
                self.set(name, schema.get("default").unwrap_or(&Value::Null));
            }
        }
    }

    /// Whether there is a template in the value, and the names that are read.
    fn needs_of(&self, value: &Value, needs: &mut BTreeSet<String>) -> Result<bool, ExpressionError> {
        match value {
            Value::String(text) if is_template(text) => {
                self.jinja.validate(text)?;
                needs.extend(self.jinja.names(text));
                Ok(true)
            }
            Value::Array(items) => items.iter().try_fold(false, |found, item| Ok(self.needs_of(item, needs)? | found)),
            Value::Object(entries) => entries.iter().try_fold(false, |found, (key, item)| {
                let in_key = self.needs_of(&Value::String(key.clone()), needs)?;
                Ok(self.needs_of(item, needs)? | in_key | found)
            }),
            _ => Ok(false),
        }
    }

    /// Renders all parameters, each after those that it refers to.
    pub(super) fn resolve(mut self) -> Result<Map<String, Value>, ParameterError> {
        self.check_references()?;
        let mut rendered = Map::new();
        let mut waiting: Vec<String> = self.nodes.keys().cloned().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            for name in std::mem::take(&mut waiting) {
                if self.is_ready(&name, &rendered) {
                    let value = self.render(&name)?;
                    self.context.insert(name.clone(), value.clone());
                    rendered.insert(name, value);
                } else {
                    waiting.push(name);
                }
            }
            if waiting.len() == before {
                return Err(ParameterError::Cycle(self.in_circle(waiting)));
            }
        }
        Ok(rendered)
    }

    /// A template that refers to nothing that is there is taken as it is: it wasn't meant for us. One that refers to some of it is an error.
    fn check_references(&mut self) -> Result<(), ParameterError> {
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        let mut unmeant = Vec::new();
        for name in names {
            let mut missing = BTreeSet::new();
            let mut reached = BTreeSet::new();
            self.reach(&name, &mut reached, &mut missing);
            reached.remove(&name);
            if missing.is_empty() {
                continue;
            }
            if reached.len() > missing.len() {
                return Err(ParameterError::Missing { parameter: name, missing: missing.into_iter().collect() });
            }
            unmeant.push(name);
        }
        for name in unmeant {
            if let Some(node) = self.nodes.get_mut(&name)
                && let Node::Template { value, .. } = node
            {
                *node = Node::Plain(std::mem::take(value));
            }
        }
        Ok(())
    }

    /// Everything that a parameter refers to, directly or not, and what of it isn't there.
    fn reach(&self, name: &str, reached: &mut BTreeSet<String>, missing: &mut BTreeSet<String>) {
        let mut next = vec![name.to_owned()];
        while let Some(name) = next.pop() {
            let Some(Node::Template { needs, .. }) = self.nodes.get(&name) else { continue };
            for needed in needs {
                if !self.nodes.contains_key(needed) && !self.context.contains(needed) {
                    missing.insert(needed.clone());
                }
                if reached.insert(needed.clone()) {
                    next.push(needed.clone());
                }
            }
        }
    }

    fn is_ready(&self, name: &str, rendered: &Map<String, Value>) -> bool {
        match self.nodes.get(name) {
            Some(Node::Template { needs, .. }) => {
                needs.iter().all(|n| rendered.contains_key(n) || !self.nodes.contains_key(n))
            }
            _ => true,
        }
    }

    /// Those of the waiting parameters that wait for themselves.
    fn in_circle(&self, waiting: Vec<String>) -> Vec<String> {
        let mut circle: Vec<String> = waiting
            .into_iter()
            .filter(|name| {
                let mut reached = BTreeSet::new();
                self.reach(name, &mut reached, &mut BTreeSet::new());
                reached.contains(name)
            })
            .collect();
        circle.sort();
        circle
    }

    fn render(&self, name: &str) -> Result<Value, ParameterError> {
        let value = match self.nodes.get(name) {
            Some(Node::Template { value, .. }) => value,
            Some(Node::Plain(value)) => return Ok(value.clone()),
            None => return Ok(Value::Null),
        };
        let rendered = match value {
            Value::String(text) => self.jinja.render(text, &self.context).map(Value::String),
            nested => self.jinja.map_texts(nested, 0, &|text| self.render_nested(text)),
        };
        rendered.map_err(|error| ParameterError::Expression { parameter: name.to_owned(), error })
    }

    /// A text within a list or object: `{{name}}`, written just so, keeps the type of what it names.
    fn render_nested(&self, text: &str) -> Result<Value, ExpressionError> {
        let name = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        match name {
            Some(name) if !name.is_empty() && name.chars().all(is_name) => self.jinja.evaluate(text, &self.context),
            _ => self.jinja.render(text, &self.context).map(Value::String),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '[' | ']' | '^' | '\\' | '`')
}

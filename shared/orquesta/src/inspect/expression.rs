//! Whether expressions can be read.

use expressions::orquesta::Expressions;
use serde_json::Value;
use yaml::{Node, Position};

use super::outline::{Outline, TaskOutline};
use super::{Category, Issue};
use crate::spec::inline;

pub(super) fn inspect(outline: &Outline<'_>, expressions: &Expressions) -> Vec<Issue> {
    let mut check = Check { expressions, issues: Vec::new() };
    for key in ["vars", "input", "output"] {
        check.key(outline.root, "", "", key);
    }
    for task in &outline.tasks {
        check.task(task);
    }
    check.issues
}

struct Check<'l> {
    expressions: &'l Expressions,
    issues: Vec<Issue>,
}

impl Check<'_> {
    fn task(&mut self, task: &TaskOutline<'_>) {
        let (spec, schema) = (task.spec_path(), TaskOutline::schema_path());
        for key in ["delay", "join"] {
            self.key(task.node, &spec, &schema, key);
        }
        match inline_action(task.node) {
            Some((action, input)) => {
                self.value(&action, format!("{spec}.action"), format!("{schema}.properties.action"));
                self.value(&input, format!("{spec}.input"), format!("{schema}.properties.input"));
            }
            None => ["action", "input"].iter().for_each(|key| self.key(task.node, &spec, &schema, key)),
        }
        if let Some(with) = task.node.get("with") {
            let (spec, schema) = (format!("{spec}.with"), format!("{schema}.properties.with"));
            ["items", "concurrency"].iter().for_each(|key| self.key(with, &spec, &schema, key));
        }
        if let Some(retry) = task.node.get("retry") {
            let (spec, schema) = (format!("{spec}.retry"), format!("{schema}.properties.retry"));
            ["when", "count", "delay"].iter().for_each(|key| self.key(retry, &spec, &schema, key));
        }
        for (index, (transition, _)) in task.transitions.iter().enumerate() {
            let (spec, schema) = (format!("{spec}.next[{index}]"), format!("{schema}.properties.next.items"));
            self.key(transition, &spec, &schema, "when");
            self.publish(transition, &spec, &schema);
            self.key(transition, &spec, &schema, "do");
        }
    }

    fn publish(&mut self, transition: &Node, spec: &str, schema: &str) {
        match transition.get("publish").and_then(Node::as_text) {
            Some(text) => {
                let values = inline::parameters(text).into_iter().map(|(_, value)| value).collect();
                let (spec, schema) = (format!("{spec}.publish"), format!("{schema}.properties.publish"));
                self.value(&Value::Array(values), spec, schema);
            }
            None => self.key(transition, spec, schema, "publish"),
        }
    }

    fn key(&mut self, node: &Node, spec: &str, schema: &str, key: &str) {
        let Some(value) = node.get(key) else { return };
        let dot = if spec.is_empty() { "" } else { "." };
        self.value(&value.to_json(), format!("{spec}{dot}{key}"), format!("{schema}{dot}properties.{key}"));
    }

    fn value(&mut self, value: &Value, spec_path: String, schema_path: String) {
        let invalid = self.expressions.validate(value).into_iter();
        self.issues.extend(invalid.map(|invalid| Issue {
            category: Category::Expressions,
            message: invalid.error.message,
            spec_path: spec_path.clone(),
            schema_path: schema_path.clone(),
            expression: Some((invalid.language, invalid.expression)),
            position: Position::default(),
        }));
    }
}

/// The action and the input of `action: core.echo message="hi"`.
pub(super) fn inline_action(task: &Node) -> Option<(Value, Value)> {
    let text = task.get("action").and_then(Node::as_text)?;
    let parameters = inline::parameters(text);
    let (action, _) = text.split_once(' ').filter(|_| !parameters.is_empty())?;
    Some((Value::from(action), Value::Object(parameters.into_iter().collect())))
}

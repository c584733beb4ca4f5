//! What a rule asks its actions for.

use expressions::{Context, Jinja};
use model::{Rule, RuleAction, mask_attributes};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use crate::event::Event;

/// The name under which a parameter stands that can't be rendered.
const ERROR: &str = "error";

/// Do both name the same actions with the same templates?
pub(super) fn are_written_alike(old: &Rule, new: &Rule) -> bool {
    let same =
        |(old, new): (&RuleAction, &RuleAction)| old.reference == new.reference && old.parameters == new.parameters;
    old.actions().len() == new.actions().len() && old.actions().zip(new.actions()).all(same)
}

/// Do its inputs read the datastore?
pub(super) fn read_datastore(rule: &Rule) -> bool {
    rule.actions()
        .any(|action| !expressions::datastore_keys(&Value::Object(action.parameters.clone()).to_string()).is_empty())
}

/// What each would ask for, so far as it differs; nothing where it comes to the same. What is written alike is the same, and is not rendered.
pub(super) fn compare(old: &Rule, new: &Rule, event: &Event, jinja: &Jinja) -> Option<(Value, Value)> {
    let keys = event.key_values();
    let context = Context::new()
        .with("trigger", Arc::clone(event.payload()))
        .with_datastore(Arc::clone(keys))
        .with_system_keys(Arc::clone(keys));
    let render = |template: &Value| {
        let rendered = jinja.render_value(template, &context);
        rendered.unwrap_or_else(|error| json!({ERROR: error.to_string()}))
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for at in 0..old.actions().len().max(new.actions().len()) {
        let (old, new) = (old.actions().nth(at), new.actions().nth(at));
        let same_action = old.zip(new).is_some_and(|(old, new)| old.reference == new.reference);
        let (mut was, mut is) = (Map::new(), Map::new());
        let given =
            |action: Option<&RuleAction>, name: &str| action.and_then(|action| action.parameters.get(name)).cloned();
        let names = [old, new].into_iter().flatten().flat_map(|action| action.parameters.keys());
        for name in names {
            let templates = (given(old, name), given(new, name));
            if same_action && templates.0 == templates.1 {
                continue;
            }
            let rendered = (templates.0.as_ref().map(render), templates.1.as_ref().map(render));
            if !same_action || rendered.0 != rendered.1 {
                was.extend(rendered.0.map(|value| (name.clone(), value)));
                is.extend(rendered.1.map(|value| (name.clone(), value)));
            }
        }
        if !same_action || was != is {
            before.extend(old.map(|action| asked(action, was)));
            after.extend(new.map(|action| asked(action, is)));
        }
    }
    let differ = !(before.is_empty() && after.is_empty());
    differ.then(|| (Value::from(before), Value::from(after)))
}

fn asked(action: &RuleAction, parameters: Map<String, Value>) -> Value {
    let mut parameters = Value::Object(parameters);
    mask_attributes(&mut parameters);
    json!({"action": action.reference, "parameters": parameters})
}

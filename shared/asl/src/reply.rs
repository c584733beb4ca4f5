//! What a task answers to its state machine.

use serde_json::{Map, Value, json};

/// What a task answers: the tasks that started because of it. A few hundred bytes at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Reply {
    /// The route of the task.
    pub route: u32,
    /// Tasks that started, with their routes. A task that started several times stands there as often.
    pub started: Vec<(std::sync::Arc<str>, u32)>,
    /// The transitions that fired, by number.
    pub fired: Vec<usize>,
    /// Wait so many seconds, then come again.
    pub wait: Option<u64>,
    /// What fired was not foreseen: the rest is to be driven.
    pub is_surprising: bool,
}

/// The name of the object in a reply that tells of the how manieth start of a task.
pub(crate) fn flag(copy: usize) -> String {
    if copy == 0 { "n".to_owned() } else { format!("n{copy}") }
}

/// The name that tells that a transition has fired: a plain word, as not every reader of paths takes digits.
pub(crate) fn fired(transition: usize) -> String {
    format!("t{transition}")
}

impl Reply {
    /// As the definition reads it. Nothing in it is null: a null is there for Step Functions.
    pub fn to_json(&self) -> Value {
        let mut reply = Map::from_iter([("r".to_owned(), json!(self.route)), ("n".to_owned(), json!({}))]);
        for (task, route) in &self.started {
            let copy = (0..).map(flag).find(|flag| reply.get(flag).is_none_or(|told| told.get(&**task).is_none()));
            let told = reply.entry(copy.unwrap_or_default()).or_insert_with(|| json!({}));
            if let Value::Object(told) = told {
                told.insert(task.to_string(), json!(route));
            }
        }
        if !self.fired.is_empty() {
            let fired = self.fired.iter().map(|transition| (fired(*transition), json!(true)));
            reply.insert("k".to_owned(), Value::Object(fired.collect()));
        }
        if let Some(wait) = self.wait {
            reply.insert("w".to_owned(), json!(wait));
        }
        if self.is_surprising {
            reply.insert("d".to_owned(), json!(true));
        }
        Value::Object(reply)
    }
}

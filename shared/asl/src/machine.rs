//! The part of the Amazon States Language that we emit, with its own field names. JSONPath mode.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A definition of a state machine, or a branch of a `Parallel` state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StateMachine {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The first state.
    pub start_at: String,
    /// The states by name.
    pub states: IndexMap<String, State>,
}

/// A state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "Type")]
pub enum State {
    /// Calls a function.
    Task(Task),
    /// Goes on by what its input has.
    Choice(Choice),
    /// Waits.
    Wait(Wait),
    /// Runs branches at once.
    Parallel(Parallel),
    /// Ends well.
    Succeed(Succeed),
    /// Ends badly.
    Fail(Fail),
}

/// Where a state leads: to a next one, or to the end. Of the two fields exactly one is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Onward {
    /// The execution or the branch ends.
    #[default]
    End,
    /// On to this state.
    Next(String),
}

/// Which of the two ways of calling a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resource {
    /// The function is called, and whoever has the token says how it ends.
    #[serde(rename = "arn:aws:states:::lambda:invoke.waitForTaskToken")]
    WaitForTaskToken,
    /// What the function returns is how it ends.
    #[serde(rename = "arn:aws:states:::lambda:invoke")]
    Invoke,
}

/// A call of a function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Task {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The way of calling.
    pub resource: Resource,
    /// What is called, with what.
    pub parameters: Parameters,
    /// When the call is tried again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry: Vec<Retrier>,
    /// Where failures lead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catcher>,
    /// The next state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// There is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end: bool,
}

/// What is called, with what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parameters {
    /// The function.
    pub function_name: String,
    /// What it gets. The value of a key that ends with `.$` is a path.
    pub payload: Map<String, Value>,
}

/// Faults after which a call is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Retrier {
    /// The names of the errors.
    pub error_equals: Vec<String>,
    /// Seconds before the first retry.
    pub interval_seconds: u32,
    /// How often.
    pub max_attempts: u32,
    /// How much longer each time.
    pub backoff_rate: f64,
}

/// Where failures lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Catcher {
    /// The names of the errors.
    pub error_equals: Vec<String>,
    /// Where in the input the error goes.
    pub result_path: String,
    /// The state.
    pub next: String,
}

/// Goes on by what its input has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Choice {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The first one that holds decides.
    pub choices: Vec<ChoiceRule>,
    /// Where it goes if none holds.
    pub default: String,
}

/// A test for something that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ChoiceRule {
    /// For people: the console writes it on the arrow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The path.
    pub variable: String,
    /// Always true.
    pub is_present: bool,
    /// The state that follows.
    pub next: String,
}

/// Waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Wait {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// So many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// As many as there stand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_path: Option<String>,
    /// The next state.
    pub next: String,
}

/// Runs branches at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Parallel {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The branches.
    pub branches: Vec<StateMachine>,
    /// Always null: what follows sees what came before.
    pub result_path: (),
    /// Where failures lead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Catcher>,
    /// The next state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// There is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end: bool,
}

/// Ends well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Succeed {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Ends badly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Fail {
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Where the error stands.
    pub error_path: String,
    /// Where its cause stands.
    pub cause_path: String,
}

impl Onward {
    /// The two fields that say it.
    pub(crate) fn fields(self) -> (Option<String>, bool) {
        match self {
            Onward::End => (None, true),
            Onward::Next(name) => (Some(name), false),
        }
    }
}

impl State {
    /// Where it can lead, failures included.
    pub fn successors(&self) -> Vec<&str> {
        fn of<'s>(next: Option<&'s String>, catch: &'s [Catcher]) -> Vec<&'s str> {
            next.map(String::as_str).into_iter().chain(catch.iter().map(|catcher| catcher.next.as_str())).collect()
        }
        match self {
            State::Task(task) => of(task.next.as_ref(), &task.catch),
            State::Parallel(parallel) => of(parallel.next.as_ref(), &parallel.catch),
            State::Wait(wait) => vec![&wait.next],
            State::Choice(choice) => {
                choice.choices.iter().map(|rule| rule.next.as_str()).chain([choice.default.as_str()]).collect()
            }
            State::Succeed(_) | State::Fail(_) => Vec::new(),
        }
    }

    /// Whether an execution or a branch can end here.
    pub fn is_terminal(&self) -> bool {
        match self {
            State::Task(task) => task.end,
            State::Parallel(parallel) => parallel.end,
            State::Succeed(_) | State::Fail(_) => true,
            State::Wait(_) | State::Choice(_) => false,
        }
    }
}

impl StateMachine {
    /// How many states there are, those of branches included.
    pub fn count(&self) -> usize {
        let within = |state: &State| match state {
            State::Parallel(parallel) => parallel.branches.iter().map(StateMachine::count).sum(),
            _ => 0,
        };
        self.states.values().map(|state| 1 + within(state)).sum()
    }

    /// The definition as text.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

//! The states as they are written.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Options;
use crate::machine::{
    Catcher, Choice, ChoiceRule, Fail, Onward, Parallel, Parameters, Resource, Retrier, State, StateMachine, Succeed,
    Task, Wait,
};

/// The error by which the function that the tasks call says that another try may help.
pub const TRY_AGAIN: &str = "Squall.TryAgain";

const DRIVE: &str = "drive";
const DONE: &str = "done";
pub(super) const ABORT: &str = "abort";
pub(super) const FAILED: &str = "failed";

/// Faults of the service or of the function, not of the workflow. The last one is what our function calls whatever may pass.
const FAULTS: [&str; 8] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    TRY_AGAIN,
];

fn retriers() -> Vec<Retrier> {
    let error_equals = FAULTS.map(str::to_owned).to_vec();
    vec![Retrier { error_equals, interval_seconds: 1, max_attempts: 6, backoff_rate: 2.0 }]
}

pub(super) fn catchers(abort: &str) -> Vec<Catcher> {
    vec![Catcher { error_equals: vec!["States.ALL".to_owned()], result_path: "$.e".to_owned(), next: abort.to_owned() }]
}

/// A call that ends when somebody says so.
fn call(options: &Options<'_>, comment: Option<String>, mut payload: Map<String, Value>, onward: Onward) -> Task {
    payload.insert("wf.$".to_owned(), json!("$$.Execution.Input.wf"));
    payload.insert("token.$".to_owned(), json!("$$.Task.Token"));
    let (next, end) = onward.fields();
    Task {
        comment,
        resource: Resource::WaitForTaskToken,
        parameters: Parameters { function_name: options.function.to_owned(), payload },
        retry: retriers(),
        catch: Vec::new(),
        next,
        end,
    }
}

/// Runs a task.
pub(super) fn run(options: &Options<'_>, comment: Option<String>, task: &str, route: &str, onward: Onward) -> Task {
    let payload = [("op", json!("run")), ("task", json!(task)), ("route.$", json!(route))];
    call(options, comment, payload.map(|(key, value)| (key.to_owned(), value)).into_iter().collect(), onward)
}

/// Lets the conductor start whatever comes after a task, or all of it.
pub(super) fn drive(options: &Options<'_>, comment: Option<String>, after: Option<&str>, onward: Onward) -> Task {
    let mut payload = Map::from_iter([("op".to_owned(), json!("drive"))]);
    if let Some(after) = after {
        payload.insert("after".to_owned(), json!(after));
    }
    payload.insert("route.$".to_owned(), json!("$.r"));
    call(options, comment, payload, onward)
}

pub(super) fn choice(comment: Option<String>, choices: Vec<ChoiceRule>, default: String) -> State {
    State::Choice(Choice { comment, choices, default })
}

pub(super) fn rule(comment: Option<String>, variable: &str, next: &str) -> ChoiceRule {
    ChoiceRule { comment, variable: variable.to_owned(), is_present: true, next: next.to_owned() }
}

pub(super) fn wait(comment: Option<String>, seconds: u64, next: String) -> State {
    State::Wait(Wait { comment, seconds: Some(seconds), seconds_path: None, next })
}

/// Waits for as long as the last answer said.
pub(super) fn wait_as_told(comment: Option<String>, next: String) -> State {
    State::Wait(Wait { comment, seconds: None, seconds_path: Some("$.w".to_owned()), next })
}

pub(super) fn parallel(
    comment: Option<String>,
    branches: Vec<StateMachine>,
    catch: Vec<Catcher>,
    onward: Onward,
) -> State {
    let (next, end) = onward.fields();
    State::Parallel(Parallel { comment, branches, result_path: (), catch, next, end })
}

pub(super) fn succeed() -> State {
    State::Succeed(Succeed::default())
}

/// The two states that a failed machine ends with.
pub(super) fn ending(options: &Options<'_>, failed: &str) -> [State; 2] {
    let payload = [("op", "abort"), ("wf.$", "$$.Execution.Input.wf"), ("error.$", "$.e")];
    let payload = payload.map(|(key, value)| (key.to_owned(), json!(value))).into_iter().collect();
    let abort = Task {
        comment: Some("settles what the failure left".to_owned()),
        resource: Resource::Invoke,
        parameters: Parameters { function_name: options.function.to_owned(), payload },
        retry: retriers(),
        catch: Vec::new(),
        next: Some(failed.to_owned()),
        end: false,
    };
    let fail =
        Fail { comment: None, error_path: "$.Payload.error".to_owned(), cause_path: "$.Payload.cause".to_owned() };
    [State::Task(abort), State::Fail(fail)]
}

/// One box in which the conductor starts everything itself.
pub(super) fn driven(options: &Options<'_>) -> StateMachine {
    let comment = Some("the conductor starts everything itself".to_owned());
    let mut task = drive(options, comment, None, Onward::Next(DONE.to_owned()));
    task.catch = catchers(ABORT);
    let [abort, failed] = ending(options, FAILED);
    let states = [(DRIVE, State::Task(task)), (DONE, succeed()), (ABORT, abort), (FAILED, failed)];
    StateMachine {
        comment: None,
        start_at: DRIVE.to_owned(),
        states: states.map(|(name, state)| (name.to_owned(), state)).into_iter().collect::<IndexMap<_, _>>(),
    }
}

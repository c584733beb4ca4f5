//! Rehearsals: a workflow run against given results of its tasks. Nothing is started, and delays and retries take no time.

mod answers;
mod compare;
mod read;
mod record;

use asl::simulate::{self, Outcome, Report, Scenario, Started};
use orquesta::{Conductor, LogEntry, Status, locate};
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::Source;
use answers::{Answers, Surroundings};
pub(crate) use compare::Difference;
pub(crate) use read::{Case, Rehearsal};
pub(crate) use record::{Recorded, record};

/// A rehearsal that starts more is given up: it goes round in a circle.
const MOST_STARTS: usize = 10_000;

/// A run of a task in a rehearsal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) task: String,
    pub(crate) route: u32,
    pub(crate) status: Status,
    /// Seconds that it would have waited first.
    pub(crate) delay: u64,
    /// How many items it ran over.
    pub(crate) items: Option<usize>,
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rehearsed {
    pub(crate) name: String,
    pub(crate) path: Vec<Step>,
    /// Why it could not be gone through to its end.
    pub(crate) problems: Vec<String>,
    pub(crate) differences: Vec<Difference>,
    /// What went wrong in the workflow.
    pub(crate) errors: Vec<Value>,
    /// Results that were not asked for.
    pub(crate) unused: Vec<String>,
    /// Keys of the datastore that it reads and that are not given.
    pub(crate) absent_keys: Vec<String>,
    pub(crate) status: Status,
    pub(crate) output: Value,
}

impl Rehearsed {
    pub(crate) fn has_passed(&self) -> bool {
        self.problems.is_empty() && self.differences.is_empty()
    }

    pub(crate) fn to_json(&self) -> Value {
        let path = self.path.iter().map(|step| {
            json!({
                "task": step.task, "route": step.route, "status": step.status, "delay": step.delay, "items": step.items,
            })
        });
        let differences = self.differences.iter().map(
            |difference| json!({"at": difference.at, "expected": difference.expected, "actual": difference.actual}),
        );
        json!({
            "name": self.name,
            "passed": self.has_passed(),
            "problems": self.problems,
            "differences": differences.collect::<Vec<_>>(),
            "path": path.collect::<Vec<_>>(),
            "unused": self.unused,
            "absent_keys": self.absent_keys,
            "status": self.status,
            "output": self.output,
            "errors": self.errors,
        })
    }
}

/// Goes through a case.
pub(crate) fn rehearse(source: &Source, conductor: &Conductor, case: &Case) -> Rehearsed {
    let mut done = Rehearsed { name: case.name.clone(), ..Rehearsed::default() };
    let inputs = match inputs(source, conductor, case) {
        Ok(inputs) => inputs,
        Err(problem) => return Rehearsed { problems: vec![problem], ..done },
    };
    let tasks = &conductor.workflow().tasks;
    let unknown = case.tasks.keys().filter(|name| !tasks.contains_key(name.as_str()));
    done.problems.extend(unknown.map(|name| {
        let known = model::suggestion(name, tasks.keys().map(|name| &**name));
        let known = known.map(|known| format!("; did you mean \"{known}\"?")).unwrap_or_default();
        format!("results are given for \"{name}\", and the workflow has no such task{known}")
    }));
    if !done.problems.is_empty() {
        return done;
    }
    let surroundings = Arc::new(Surroundings::new(case));
    let conductor = conductor.with_surroundings(Arc::clone(&surroundings) as Arc<dyn orquesta::Surroundings>);
    let mut answers = Answers::new(case, Arc::clone(&surroundings));
    let report = play(&conductor, (inputs, context(source, case)), &mut |started| answers.answer(started));
    done.path = answers.path();
    done.unused = answers.unused();
    done.absent_keys = surroundings.absent();
    done.problems.extend(answers.problem.take());
    if report.is_cut_off && done.problems.is_empty() {
        done.problems
            .push(format!("it has started {MOST_STARTS} actions, and does not end: is there a way out of its loop?"));
    }
    if !report.is_cut_off && !report.status.is_completed() {
        done.problems.push(format!("it does not end: the workflow is {} and nothing is left to happen", report.status));
    }
    done.status = report.status;
    done.output = json!(report.output);
    done.errors = report.errors.iter().map(|entry| told(source, &conductor, entry)).collect();
    if done.problems.is_empty() {
        done.differences = compare::compare(&case.expect, &done);
    }
    done
}

/// Runs it by its conductor alone.
fn play(
    conductor: &Conductor,
    (inputs, context): (Map<String, Value>, Map<String, Value>),
    outcomes: &mut dyn FnMut(&Started) -> Option<Outcome>,
) -> Report {
    let scenario = Scenario { inputs, context, outcomes, requests: Vec::new(), most_starts: MOST_STARTS };
    simulate::direct(conductor, scenario)
}

/// What is given, and the defaults of the action that runs the workflow.
fn inputs(source: &Source, conductor: &Conductor, case: &Case) -> Result<Map<String, Value>, String> {
    let takes: Vec<&str> = conductor.workflow().input.iter().map(|input| &*input.name).collect();
    let parameters = source.action.iter().flat_map(|action| &action.parameters);
    if let Some(unknown) = case.input.keys().find(|name| !takes.contains(&name.as_str())) {
        let takes = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
        return Err(format!("the workflow has no input \"{unknown}\": its inputs are {takes}"));
    }
    let mut inputs = case.input.clone();
    for (name, parameter) in parameters.filter(|(name, _)| takes.contains(&name.as_str())) {
        match &parameter.default {
            _ if inputs.contains_key(name) => {}
            Some(Value::String(text)) if text.contains("{{") => {
                return Err(format!(
                    "the default of \"{name}\" is a template that only a host renders: give it in `input`"
                ));
            }
            Some(default) => drop(inputs.insert(name.clone(), default.clone())),
            None if parameter.required => {
                return Err(format!("the action needs a value for \"{name}\": give it in `input`"));
            }
            // As the platform has it: nothing is a value, too.
            None => drop(inputs.insert(name.clone(), Value::Null)),
        }
    }
    Ok(inputs)
}

/// What `ctx()` has besides: what a workflow knows of itself.
fn context(source: &Source, case: &Case) -> Map<String, Value> {
    let action = source.action.as_ref().map(|action| &action.reference);
    let own = json!({
        "action_execution_id": "rehearsal", "workflow_execution_id": "rehearsal", "user": "rehearsal", "api_url": null,
        "pack": action.map_or("rehearsal", |action| action.pack()),
        "action": action.map_or("rehearsal", |action| action.as_str()),
        "runner": "orquesta",
    });
    let mut context = case.context.clone();
    let given = context.remove("st2");
    let mut own = own.as_object().cloned().unwrap_or_default();
    own.extend(given.as_ref().and_then(Value::as_object).cloned().unwrap_or_default());
    context.insert("st2".to_owned(), Value::Object(own));
    context
}

/// What a workflow sees around it that is run without a case: the time and nothing else.
pub(crate) fn random_surroundings() -> Arc<dyn orquesta::Surroundings> {
    Arc::new(Surroundings::default())
}

/// An error with the line that it is about.
fn told(source: &Source, conductor: &Conductor, entry: &LogEntry) -> Value {
    let mut told = entry.to_json();
    let root = yaml::read(&source.text).ok();
    let place = root.and_then(|root| locate(&root, conductor.graph(), entry));
    if let Some((told, place)) = told.as_object_mut().zip(place) {
        told.insert("line".to_owned(), json!(place.line));
    }
    told
}

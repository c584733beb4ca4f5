//! What a workflow asks of actions: that they are there, and take what they are given.

use expressions::orquesta::Language;
use model::{Action, Ref, runner_type, suggestion};
use orquesta::{Task, Workflow};
use serde_json::Map;

/// What is known of an action that a workflow names.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// This is it.
    Found(&'a Action),
    /// There is none of that name. This one may be meant.
    Missing(Option<&'a str>),
    /// Nothing can be said: its pack is not here.
    Unknown,
}

/// One thing that a workflow asks in vain.
pub(super) struct ContentIssue {
    pub(super) task: String,
    /// `action` or `input`.
    pub(super) key: &'static str,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// Actions that are not there, and inputs that they do not take or miss.
pub(super) fn content_issues<'a>(workflow: &Workflow, find: &dyn Fn(&Ref) -> Lookup<'a>) -> Vec<ContentIssue> {
    let mut found = Vec::new();
    for (name, task) in &workflow.tasks {
        let issue = |(key, message, hint)| ContentIssue { task: name.to_string(), key, message, hint };
        found.extend(of_task(task, find).into_iter().map(issue));
    }
    found
}

type Told = (&'static str, String, Option<String>);

fn of_task<'a>(task: &Task, find: &dyn Fn(&Ref) -> Lookup<'a>) -> Vec<Told> {
    let written = task.action.written().as_str().filter(|text| !text.is_empty() && Language::of(text).is_none());
    let Some(action) = written else { return Vec::new() };
    if !action.contains('.') {
        let message = format!("The action reference \"{action}\" is not formatted correctly.");
        return vec![("action", message, Some("write it as pack.action, such as core.local".to_owned()))];
    }
    match action.parse().map_or(Lookup::Missing(None), |reference| find(&reference)) {
        Lookup::Unknown => Vec::new(),
        Lookup::Missing(meant) => {
            let inline = action.split_once(' ').filter(|(_, input)| input.contains('='));
            let hint = match (inline, meant) {
                (Some(_), _) => {
                    Some("texts in an input behind the action are quoted: pack.action name=\"text\"".to_owned())
                }
                (None, meant) => meant.map(|meant| format!("did you mean \"{meant}\"?")),
            };
            vec![("action", format!("The action \"{action}\" is not registered in the database."), hint)]
        }
        Lookup::Found(known) => of_input(task, action, known),
    }
}

fn of_input(task: &Task, action: &str, known: &Action) -> Vec<Told> {
    let empty = Map::new();
    let written = task.input.written();
    // An input that is one expression gives its names when it is evaluated.
    let given = if written.is_null() { Some(&empty) } else { written.as_object() };
    let Some(given) = given else { return Vec::new() };
    let of_runner = runner_type(&known.runner_type).map(|runner| &runner.runner_parameters);
    let declared =
        |name: &String| known.parameters.get(name).or_else(|| of_runner.and_then(|parameters| parameters.get(name)));
    let all = || known.parameters.iter().chain(of_runner.into_iter().flatten());
    // What the action declares stands before what its runner does.
    let own = |name: &String| known.parameters.contains_key(name);
    let distinct = known.parameters.iter().chain(of_runner.into_iter().flatten().filter(|(name, _)| !own(name)));
    let missing = distinct.filter(|(name, parameter)| {
        let parameter = declared(name).unwrap_or(parameter);
        parameter.required && parameter.default.is_none() && !given.contains_key(*name)
    });
    let missing = missing.map(|(name, _)| {
        let hint = format!("give it under `input`: {name}: …");
        ("input", format!("Action \"{action}\" is missing required input \"{name}\"."), Some(hint))
    });
    let unexpected = given.keys().filter(|name| declared(name).is_none()).map(|name| {
        let meant = suggestion(name, all().map(|(name, _)| name.as_str()));
        let hint = meant.map(|meant| format!("did you mean \"{meant}\"?"));
        ("input", format!("Action \"{action}\" has unexpected input \"{name}\"."), hint)
    });
    missing.chain(unexpected).collect()
}

//! What is wrong with workflows, told before they run. StackStorm registers them all the same, so for a pack these are warnings: a
//! workflow that is wrong fails when it is run, with the same words.

use expressions::orquesta::Expressions;
use model::{Action, Diagnostic, PackContent, PackFiles, Ref, Severity, suggestion};
use orquesta::{Category, Chain, Conductor, Issue, Nothing, Workflow, inspect, place};
use std::sync::Arc;
use yaml::{Node, Position};

use super::{
    CHAIN, CONDUCTED,
    content::{Lookup, content_issues},
    definition::KNOWN,
};

/// Looks into the workflows and chains that a pack's actions run.
pub fn inspect_workflows(files: &PackFiles, content: &PackContent) -> Vec<Diagnostic> {
    let conducted = content.actions.iter().filter(|action| CONDUCTED.contains(&action.runner_type.as_str()));
    let mut paths: Vec<(String, bool)> =
        conducted.map(|action| (format!("actions/{}", action.entry_point), action.runner_type == CHAIN)).collect();
    paths.sort();
    // Several actions may run one file.
    paths.dedup();
    let warning = |found: Diagnostic| Diagnostic {
        severity: Severity::Warning,
        message: if found.code == WORKFLOW { found.message } else { format!("{}: {}", found.code, found.message) },
        code: WORKFLOW,
        ..found
    };
    paths.iter().flat_map(|(path, is_chain)| inspect_file(files, path, *is_chain)).map(warning).collect()
}

/// What is wrong that is of no category of Orquesta's.
const WORKFLOW: &str = "workflow";

fn inspect_file(files: &PackFiles, path: &str, is_chain: bool) -> Vec<Diagnostic> {
    let whole = |message: &str| vec![error(path, WORKFLOW, Position::default(), message.to_owned())];
    let Some(file) = files.get(path) else { return whole("the pack has no such file, and an action runs it") };
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => inspect_text(path, text, is_chain).1,
        Err(_) => whole("the file is not UTF-8"),
    }
}

/// Looks into the text of one workflow or chain. What it asks of actions is compared with what `find` knows of them, and its inputs with
/// the parameters of the action that runs it, where there is one. Errors keep it from running; warnings do not.
pub fn inspect_workflow<'a>(
    (path, text): (&str, &str),
    is_chain: bool,
    action: Option<&Action>,
    find: &dyn Fn(&Ref) -> Lookup<'a>,
) -> Vec<Diagnostic> {
    let (root, mut found) = inspect_text(path, text, is_chain);
    if let Some(root) = root.filter(|_| !is_chain) {
        let workflow = Workflow::outline(&root);
        for issue in content_issues(&workflow, find) {
            let position = place(&root, &format!("tasks.{}.{}", issue.task, issue.key));
            let message = format!("{} (tasks.{}.{})", issue.message, issue.task, issue.key);
            found.push(Diagnostic { hint: issue.hint, ..error(path, "content", position, message) });
        }
        if found.is_empty() {
            found.extend(doubts(path, &root, workflow, action));
        }
    }
    found.sort_by_key(|found| (found.line, found.column));
    found
}

fn inspect_text(path: &str, text: &str, is_chain: bool) -> (Option<Node>, Vec<Diagnostic>) {
    let root = match yaml::read(text) {
        Ok(root) => root,
        Err(wrong) => {
            let found = error(path, Category::Syntax.name(), wrong.position, wrong.message);
            return (None, vec![Diagnostic { hint: wrong.hint, ..found }]);
        }
    };
    if is_chain {
        let found = inspect_chain(path, &root);
        return (Some(root), found);
    }
    let workflow = Workflow::outline(&root);
    let told = |issue: Issue| {
        let place = if issue.spec_path.is_empty() { String::new() } else { format!(" ({})", issue.spec_path) };
        let found = error(path, issue.category.name(), issue.position, format!("{}{place}", issue.message));
        Diagnostic { hint: hint(&issue, &workflow), ..found }
    };
    let found = inspect(&root, &KNOWN, &Expressions::default()).issues.into_iter().map(told).collect();
    (Some(root), found)
}

fn inspect_chain(path: &str, root: &Node) -> Vec<Diagnostic> {
    let chain = match Chain::read(root) {
        Err(wrong) => return vec![error(path, WORKFLOW, wrong.position, wrong.message)],
        Ok(chain) => chain,
    };
    let loops = chain.loops().into_iter().filter_map(|name| Some((name, chain.nodes.get(name)?)));
    let told = |(name, node): (&Arc<str>, &orquesta::ChainNode)| {
        let message = format!("task \"{name}\" leads back to itself: the chain may never end");
        Diagnostic { severity: Severity::Warning, ..error(path, WORKFLOW, node.position, message) }
    };
    loops.map(told).collect()
}

/// What does not keep a sound workflow from running, and is hardly meant.
fn doubts(path: &str, root: &Node, workflow: Workflow, action: Option<&Action>) -> Vec<Diagnostic> {
    let conductor = Conductor::new(Arc::new(workflow), Expressions::default(), Arc::new(Nothing));
    let workflow = conductor.workflow();
    let warning = |code, position, message: String, hint: &str| Diagnostic {
        severity: Severity::Warning,
        hint: Some(hint.to_owned()),
        ..error(path, code, position, message)
    };
    let lost = workflow.tasks.iter().filter(|(name, _)| conductor.graph().node(name).is_none());
    let mut found: Vec<Diagnostic> = lost
        .map(|(name, task)| {
            let message = format!("the task \"{name}\" never runs: nothing that begins leads to it");
            warning("semantics", task.position, message, "lead to it from a task that does run, or take it out")
        })
        .collect();
    let takes = |name: &str| workflow.input.iter().any(|input| &*input.name == name);
    let parameters = action.into_iter().flat_map(|action| action.parameters.keys());
    found.extend(parameters.filter(|name| !takes(name)).map(|name| {
        let message = format!("the action has a parameter \"{name}\", and the workflow no such input");
        warning("context", place(root, "input"), message, "add it to `input`, or take it out of the action")
    }));
    found
}

fn error(path: &str, code: &'static str, position: Position, message: String) -> Diagnostic {
    let (file, line, column) = (path.to_owned(), position.line, position.column);
    Diagnostic { code, severity: Severity::Error, file, line, column, message, hint: None }
}

/// How to mend it. The names that the messages are about stand in them in quotes.
fn hint(issue: &Issue, workflow: &Workflow) -> Option<String> {
    let quoted = |quote: char| issue.message.split(quote).nth(1);
    let meant = |name, known: &mut dyn Iterator<Item = &str>| {
        suggestion(name, known).map(|meant| format!("did you mean \"{meant}\"?"))
    };
    match issue.category {
        Category::Syntax if issue.message.contains("unexpected") => {
            let within = |part: &str| issue.spec_path.starts_with("tasks.") && issue.spec_path.contains(part);
            let keys: &[&str] = match () {
                () if within(".next[") => &["when", "publish", "do"],
                () if within(".with") => &["items", "concurrency"],
                () if within(".retry") => &["when", "count", "delay"],
                () if within(".") => &["action", "input", "with", "delay", "join", "retry", "next"],
                () => &["version", "description", "strict", "input", "vars", "tasks", "output"],
            };
            let known = format!("it may have {}", keys.join(", "));
            meant(quoted('\'')?, &mut keys.iter().copied()).or(Some(known))
        }
        Category::Semantics if issue.message.ends_with("is not defined.") => {
            let known = meant(quoted('"')?, &mut workflow.tasks.keys().map(|name| &**name));
            known.or_else(|| Some("add the task, or correct the name".to_owned()))
        }
        Category::Semantics if issue.message.contains("is unreachable") => {
            Some("join the branches of each split before they meet, or take `join` away from the task".to_owned())
        }
        Category::Context if issue.message.ends_with("before assignment.") => {
            let published =
                workflow.tasks.values().flat_map(|task| &task.next).flat_map(|transition| &transition.publish);
            let set = workflow.input.iter().chain(&workflow.vars).chain(published);
            let known = meant(quoted('"')?, &mut set.map(|assignment| &*assignment.name));
            known.or_else(|| Some("add it to `input` or `vars`, or publish it on every way that leads here".to_owned()))
        }
        _ => None,
    }
}

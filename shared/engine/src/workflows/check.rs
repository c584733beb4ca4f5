//! What is wrong with the workflows of a pack, told when it is registered. StackStorm registers them all the same, so these are warnings:
//! a workflow that is wrong fails when it is run, with the same words.

use expressions::orquesta::Expressions;
use model::{Diagnostic, PackContent, PackFiles, Severity};
use orquesta::{Chain, inspect};

use super::{CHAIN, CONDUCTED, definition::KNOWN};

/// Looks into the workflows and chains that a pack's actions run.
pub fn inspect_workflows(files: &PackFiles, content: &PackContent) -> Vec<Diagnostic> {
    let expressions = Expressions::default();
    let conducted = content.actions.iter().filter(|action| CONDUCTED.contains(&action.runner_type.as_str()));
    let mut paths: Vec<(String, bool)> =
        conducted.map(|action| (format!("actions/{}", action.entry_point), action.runner_type == CHAIN)).collect();
    paths.sort();
    // Several actions may run one file.
    paths.dedup();
    paths.iter().flat_map(|(path, is_chain)| inspect_file(files, path, *is_chain, &expressions)).collect()
}

fn inspect_file(files: &PackFiles, path: &str, is_chain: bool, expressions: &Expressions) -> Vec<Diagnostic> {
    let warning = |position: yaml::Position, message: String| Diagnostic {
        code: "workflow",
        severity: Severity::Warning,
        file: path.to_owned(),
        line: position.line,
        column: position.column,
        message,
        hint: None,
    };
    let whole = |message: String| vec![warning(yaml::Position::default(), message)];
    let Some(file) = files.get(path) else {
        return whole("the pack has no such file, and an action runs it".to_owned());
    };
    let Ok(text) = std::str::from_utf8(&file.bytes) else { return whole("the file is not UTF-8".to_owned()) };
    let root = match yaml::read(text) {
        Ok(root) => root,
        Err(error) => return whole(error.to_string()),
    };
    if !is_chain {
        let issues = inspect(&root, &KNOWN, expressions).issues;
        let told = |issue: orquesta::Issue| {
            let place = if issue.spec_path.is_empty() { String::new() } else { format!(" ({})", issue.spec_path) };
            warning(issue.position, format!("{}: {}{place}", issue.category.name(), issue.message))
        };
        return issues.into_iter().map(told).collect();
    }
    match Chain::read(&root) {
        Err(error) => vec![warning(error.position, error.message)],
        Ok(chain) => {
            let loops = chain.loops().into_iter().filter_map(|name| Some((name, chain.nodes.get(name)?)));
            loops
                .map(|(name, node)| {
                    warning(node.position, format!("task \"{name}\" leads back to itself: the chain may never end"))
                })
                .collect()
        }
    }
}

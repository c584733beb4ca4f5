//! Whether tasks fit together.

use std::collections::{HashSet, VecDeque};

use yaml::Position;

use super::outline::{Outline, TaskOutline};
use super::{Category, Issue};
use crate::spec::is_command;

pub(super) fn inspect(outline: &Outline<'_>) -> Vec<Issue> {
    let mut issues: Vec<Issue> = outline.tasks.iter().flat_map(of_task).collect();
    if !outline.tasks.is_empty() && outline.starts().is_empty() {
        issues.push(Issue {
            category: Category::Semantics,
            message:
                "Unable to identify any tasks to start the workflow. If the workflow has a loop, please add a task \
                      that serves as an entry point (or lead) into the loop."
                    .to_owned(),
            spec_path: "tasks".to_owned(),
            schema_path: "properties.tasks".to_owned(),
            expression: None,
            position: Position::default(),
        });
    }
    issues.extend(undefined(outline));
    issues
}

fn of_task(task: &TaskOutline<'_>) -> Vec<Issue> {
    let reserved =
        is_command(task.name).then(|| format!("The task name \"{}\" is reserved with special function.", task.name));
    let has_items = task.node.get("with").is_some_and(|with| !with.is_null());
    let idle =
        (has_items && !task.has("action")).then(|| "The action property is required for with items task.".to_owned());
    reserved.into_iter().chain(idle).map(|message| task.issue(Category::Semantics, message)).collect()
}

/// Targets that are neither tasks nor commands, of tasks that can be reached.
fn undefined(outline: &Outline<'_>) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open: VecDeque<&TaskOutline<'_>> = outline.starts().into();
    while let Some(task) = open.pop_front() {
        for (index, (_, targets)) in task.transitions.iter().enumerate() {
            for target in targets {
                match outline.task(target) {
                    Some(next) if !is_command(target) => {
                        if seen.insert(next.name) {
                            open.push_back(next);
                        }
                    }
                    _ if outline.exists(target) => {}
                    _ => {
                        let message = format!("The task \"{target}\" is not defined.");
                        let mut issue = task.issue(Category::Semantics, message);
                        issue.spec_path = format!("{}.next[{index}].do", task.spec_path());
                        issue.schema_path = format!("{}.properties.next.items.properties.do", issue.schema_path);
                        issues.push(issue);
                    }
                }
            }
        }
    }
    issues
}

//! Joins of branches that don't come from the same splits: it can't be told for which of them to wait.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::outline::Outline;
use super::{Category, Issue};

/// What leads to a task.
#[derive(Default)]
struct Reached<'o> {
    splits: BTreeSet<&'o str>,
    from: Vec<&'o str>,
}

pub(super) fn inspect(outline: &Outline<'_>) -> Vec<Issue> {
    let reached = reach(outline);
    let is_unreachable = |name: &str, found: &Reached<'_>| {
        outline.is_join(name)
            && found.from.iter().any(|from| reached.get(from).is_some_and(|from| from.splits != found.splits))
    };
    let unreachable = reached.iter().filter(|(name, found)| is_unreachable(name, found));
    unreachable
        .filter_map(|(name, _)| {
            let message = format!(
                "The join task \"{name}\" is unreachable. A join task is determined to be unreachable if there are \
                 nested forks from multi-referenced tasks that join on the said task. This is ambiguous to the workflow \
                 engine because it does not know at which level should the join occurs."
            );
            Some(outline.task(name)?.issue(Category::Semantics, message))
        })
        .collect()
}

fn reach<'o>(outline: &'o Outline<'_>) -> HashMap<&'o str, Reached<'o>> {
    let mut reached: HashMap<&str, Reached<'_>> = HashMap::new();
    let mut queued: HashMap<(&str, &str), HashSet<&str>> = HashMap::new();
    let starts = outline.starts().into_iter();
    let mut open: VecDeque<(Option<&str>, &str, Vec<&str>)> =
        starts.map(|task| (None, task.name, Vec::new())).collect();
    while let Some((from, name, mut splits)) = open.pop_front() {
        let Some(task) = outline.task(name) else { continue };
        if outline.is_split(name) && !outline.in_cycle(name) {
            splits.push(name);
        }
        let found = reached.entry(name).or_default();
        found.splits.extend(&splits);
        found.from.extend(from);
        for next in task.next() {
            if reached.contains_key(&**next) && outline.in_cycle(next) {
                continue;
            }
            // What comes the same way with no other splits than came before makes no difference.
            let before = queued.get(&(name, &**next));
            if before.is_none_or(|before| splits.iter().any(|split| !before.contains(split))) {
                queued.entry((name, next)).or_default().extend(&splits);
                open.push_back((Some(name), next, splits.clone()));
            }
        }
    }
    reached
}

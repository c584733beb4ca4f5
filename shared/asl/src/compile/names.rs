//! The names of states: those of tasks, unique over the machine, of at most 80 characters.

use std::collections::HashSet;

use crate::check::LONGEST_NAME;

#[derive(Debug)]
pub(super) struct Names {
    taken: HashSet<String>,
    /// Names that tasks have first call on.
    tasks: HashSet<String>,
}

impl Names {
    pub(super) fn new<'n>(tasks: impl Iterator<Item = &'n str>) -> Names {
        Names { taken: HashSet::new(), tasks: tasks.map(|task| cut(task, LONGEST_NAME)).collect() }
    }

    pub(super) fn of_task(&mut self, task: &str) -> String {
        self.unique(task, true)
    }

    pub(super) fn of_helper(&mut self, name: &str) -> String {
        self.unique(name, false)
    }

    fn unique(&mut self, name: &str, is_task: bool) -> String {
        let plain = cut(name, LONGEST_NAME);
        let is_free = |name: &String, is_plain: bool| {
            !self.taken.contains(name) && ((is_task && is_plain) || !self.tasks.contains(name))
        };
        let numbered = (2..).map(|number| {
            let tail = format!(" ({number})");
            cut(name, LONGEST_NAME - tail.len()) + &tail
        });
        let chosen = if is_free(&plain, true) {
            plain
        } else {
            numbered.into_iter().find(|name| is_free(name, false)).unwrap_or(plain)
        };
        self.taken.insert(chosen.clone());
        chosen
    }
}

fn cut(name: &str, longest: usize) -> String {
    name.chars().take(longest).collect()
}

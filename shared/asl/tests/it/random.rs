//! Random workflows, and what comes of their actions.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use asl::simulate::{Outcome, Started};
use orquesta::Status;
use serde_json::json;

/// Numbers that follow from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: impl Hash) -> Dice {
        let mut hasher = DefaultHasher::new();
        seed.hash(&mut hasher);
        Dice(hasher.finish() | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

const OF_STATUS: [&str; 6] =
    ["<% succeeded() %>", "<% succeeded() %>", "<% failed() %>", "<% completed() %>", "{{ succeeded() }}", ""];

const OF_DATA: [&str; 9] = [
    "<% succeeded() and result().v < 2 %>",
    "<% succeeded() and result().v >= 2 %>",
    "<% result().v = 1 %>",
    "<% result().v != 1 %>",
    "<% result().flag %>",
    "<% not result().flag %>",
    "<% failed() and result().v > 0 %>",
    "{{ result().v in [0, 3] }}",
    "<% ctx().n < 4 %>",
];

/// A workflow. What a task publishes tells how it was come to.
pub(crate) fn workflow(dice: &mut Dice) -> String {
    let tasks = 2 + dice.below(7);
    let goes_back = dice.one_in(2);
    let mut text = "version: 1.0\n".to_owned();
    if dice.one_in(6) {
        text.push_str("strict: true\n");
    }
    text.push_str("vars:\n  - n: 0\n  - log: []\n");
    for at in 0..tasks {
        writeln!(text, "  - m{at}: 0").unwrap();
    }
    text.push_str("output:\n  - log: <% ctx().log %>\n");
    for at in 0..tasks {
        writeln!(text, "  - m{at}: <% ctx().m{at} %>").unwrap();
    }
    text.push_str("tasks:\n");
    for at in 0..tasks {
        task(&mut text, dice, at, tasks, goes_back);
    }
    text
}

fn task(text: &mut String, dice: &mut Dice, at: u64, tasks: u64, goes_back: bool) {
    writeln!(text, "  t{at}:\n    action: core.noop").unwrap();
    match dice.below(8) {
        0..3 if at > 0 => text.push_str("    join: all\n"),
        3 if at > 0 => writeln!(text, "    join: {}", 1 + dice.below(3)).unwrap(),
        _ => {}
    }
    let has_items = dice.one_in(6);
    if has_items {
        // Where nothing is to be done a loop would never come to an end, nor take any time.
        let none = if goes_back { "<% [2, 1] %>" } else { "<% [] %>" };
        let items = dice.of(&["<% [1, 2, 3] %>", "<% [1] %>", none, "<% range(4) %>"]);
        writeln!(text, "    with:\n      items: {items}").unwrap();
        if dice.one_in(2) {
            writeln!(text, "      concurrency: {}", dice.of(&["1", "2", "<% ctx().n + 1 %>"])).unwrap();
        }
    }
    match dice.below(10) {
        0 => writeln!(text, "    delay: {}", dice.below(3)).unwrap(),
        1 => text.push_str("    delay: <% ctx().n + 1 %>\n"),
        _ => {}
    }
    if dice.one_in(7) {
        writeln!(text, "    retry:\n      count: {}", 1 + dice.below(2)).unwrap();
        if dice.one_in(2) {
            writeln!(text, "      delay: {}", dice.below(3)).unwrap();
        }
        if dice.one_in(3) {
            text.push_str("      when: <% completed() %>\n");
        }
    }
    let transitions = dice.below(4);
    if transitions == 0 || at + 1 == tasks && !goes_back {
        return;
    }
    text.push_str("    next:\n");
    for number in 0..transitions {
        let when = if !has_items && dice.one_in(2) { dice.of(&OF_DATA) } else { dice.of(&OF_STATUS) };
        let when = if when.is_empty() { String::new() } else { format!("when: \"{when}\", ") };
        let publish = if dice.one_in(2) {
            format!(
                "publish: [{{m{at}: {}}}, {{n: <% ctx().n + 1 %>}}, {{log: \"<% ctx().log + [t{at}] %>\"}}], ",
                number + 1
            )
        } else {
            String::new()
        };
        let targets: BTreeSet<String> = (0..=dice.below(3)).map(|_| target(dice, at, tasks, goes_back)).collect();
        let targets: Vec<String> = targets.into_iter().collect();
        writeln!(text, "      - {{{when}{publish}do: [{}]}}", targets.join(", ")).unwrap();
    }
}

fn target(dice: &mut Dice, at: u64, tasks: u64, goes_back: bool) -> String {
    if goes_back && dice.one_in(6) {
        return format!("t{}", dice.below(tasks));
    }
    match dice.below(14) {
        0 => "noop".to_owned(),
        1 => "fail".to_owned(),
        2 => "continue".to_owned(),
        3 if dice.one_in(4) => "retry".to_owned(),
        _ if at + 1 < tasks => format!("t{}", (at + 1 + dice.below(3)).min(tasks - 1)),
        _ => "noop".to_owned(),
    }
}

/// What comes of an action: it follows from the seed and from what is started, not from when.
pub(crate) fn outcome(seed: u64, failures: u64, started: &Started) -> Outcome {
    let mut dice = Dice::new((seed, &*started.task, started.route, started.item, started.again));
    let status = if dice.below(100) < failures { Status::Failed } else { Status::Succeeded };
    Outcome { status, result: json!({"v": dice.below(4), "flag": dice.one_in(2)}), lasts: 1 + dice.below(5_000_000) }
}

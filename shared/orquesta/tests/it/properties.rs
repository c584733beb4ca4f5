//! Whatever the workflow and whatever happens: nothing panics, and the journal of a run is the run.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use expressions::orquesta::Expressions;
use orquesta::{
    Conductor, Event, Nothing, Record, RecordKey, Rerun, Start, State, Status, StepEvent, Workflow, inspect,
};
use proptest::prelude::*;
use serde_json::{Map, json};

/// Numbers that decide everything; once they are used up the decisions are the plainest.
struct Choices(std::vec::IntoIter<u16>);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % limit
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

fn workflow(choices: &mut Choices) -> String {
    let tasks = 2 + choices.below(6);
    let mut text = "version: 1.0\n".to_owned();
    if choices.below(4) == 3 {
        text.push_str("strict: true\n");
    }
    text.push_str("vars:\n  - n: 0\noutput:\n  - n: <% ctx().n %>\ntasks:\n");
    for at in 0..tasks {
        writeln!(text, "  t{at}:\n    action: core.noop").unwrap();
        match choices.below(8) {
            5 => text.push_str("    join: all\n"),
            6 => text.push_str("    join: 2\n"),
            7 => text.push_str("    with:\n      items: <% [1, 2, 3] %>\n      concurrency: 2\n"),
            _ => {}
        }
        match choices.below(8) {
            6 => text.push_str("    retry:\n      count: 1\n      delay: <% ctx().n %>\n"),
            7 => text.push_str("    retry:\n      count: 1\n      when: <% ctx().missing %>\n"),
            _ => {}
        }
        text.push_str("    next:\n");
        for _ in 0..=choices.below(3) {
            let when = choices.of(&[
                "<% succeeded() %>",
                "<% failed() %>",
                "<% completed() %>",
                "'{{ ctx().n < 3 }}'",
                "<% nope( %>",
            ]);
            writeln!(text, "      - when: {when}").unwrap();
            if choices.below(2) == 1 {
                writeln!(
                    text,
                    "        publish:\n          - n: {}",
                    choices.of(&["<% ctx().n + 1 %>", "{a: 1}", "<% nope() %>"])
                )
                .unwrap();
            }
            // Mostly forward, sometimes back, sometimes a command.
            let target = match choices.below(8) {
                0..5 => format!("t{}", (at + 1 + choices.below(3)).min(tasks - 1)),
                5 => format!("t{}", choices.below(tasks)),
                _ => choices.of(&["fail", "noop", "continue", "retry"]).to_owned(),
            };
            writeln!(text, "        do: {target}").unwrap();
        }
    }
    text
}

struct Run {
    conductor: Conductor,
    state: State,
    stored: HashMap<RecordKey, Record>,
    open: Vec<Start>,
}

impl Run {
    fn step(&mut self, event: StepEvent) {
        // Refused or not, what changed is in the journal.
        let (start, changes) = match self.conductor.step(&mut self.state, event) {
            Ok(step) => (step.start, step.changes),
            Err(_) => (Vec::new(), self.state.take_changes()),
        };
        for record in changes {
            match record {
                Record::Gone(key) => drop(self.stored.remove(&key)),
                record => drop(self.stored.insert(record.key(), record)),
            }
        }
        self.open.extend(start);
    }

    fn act(&mut self, choices: &mut Choices) {
        let event = match choices.below(16) {
            0 => StepEvent::Request(Status::Pausing),
            1 => StepEvent::Request(Status::Resuming),
            2 if choices.below(4) == 0 => StepEvent::Request(Status::Canceling),
            3 => StepEvent::Rerun(Vec::new()),
            4 => StepEvent::Rerun(vec![Rerun { task: Arc::from("t1"), route: 0, reset_items: choices.below(2) == 1 }]),
            5 => StepEvent::Task {
                task: Arc::from(choices.of(&["t0", "t1", "noop", "nowhere"])),
                route: u32::try_from(choices.below(3)).unwrap(),
                event: Event::Item {
                    item: choices.below(5),
                    status: Status::ALL[choices.below(Status::ALL.len())],
                    result: None,
                    accumulated: None,
                },
            },
            _ if self.open.is_empty() => StepEvent::Request(Status::Running),
            _ => {
                let start = self.open.remove(choices.below(self.open.len()));
                completion(start, choices)
            }
        };
        self.step(event);
    }
}

fn completion(start: Start, choices: &mut Choices) -> StepEvent {
    let status = match choices.below(8) {
        5 => Status::Failed,
        6 => Status::ALL[choices.below(Status::ALL.len())],
        _ => Status::Succeeded,
    };
    let result = Some(Arc::new(json!({"n": 1})));
    let event = match start.item {
        Some(item) => Event::Item { item, status, result, accumulated: None },
        None => Event::Action { status, result },
    };
    StepEvent::Task { task: start.task, route: start.route, event }
}

fn conductor(text: &str) -> Conductor {
    let workflow = Workflow::read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    Conductor::new(Arc::new(workflow), Expressions::default(), Arc::new(Nothing))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_is_the_run(numbers in prop::collection::vec(any::<u16>(), 0..400)) {
        let mut choices = Choices(numbers.into_iter());
        let text = workflow(&mut choices);
        let conductor = conductor(&text);
        inspect(&yaml::read(&text).unwrap(), &[], &Expressions::default());
        let mut run = Run {
            state: conductor.begin(&Map::new(), &Map::new()),
            conductor,
            stored: HashMap::new(),
            open: Vec::new(),
        };
        run.step(StepEvent::Request(Status::Running));
        for _ in 0..60 {
            run.act(&mut choices);
            let read_back = run.conductor.restore(run.stored.values().cloned());
            prop_assert_eq!(read_back.records(), run.state.records(), "{}", text);
            // Every other time the run goes on from what was read back.
            if choices.below(2) == 1 {
                run.state = read_back;
            }
        }
    }

    #[test]
    fn where_everything_succeeds_a_workflow_ends(numbers in prop::collection::vec(any::<u16>(), 0..200)) {
        let mut choices = Choices(numbers.into_iter());
        let text = workflow(&mut choices);
        let conductor = conductor(&text);
        let mut run = Run {
            state: conductor.begin(&Map::new(), &Map::new()),
            conductor,
            stored: HashMap::new(),
            open: Vec::new(),
        };
        run.step(StepEvent::Request(Status::Running));
        for _ in 0..500 {
            if run.open.is_empty() {
                break;
            }
            let start = run.open.remove(0);
            run.step(completion(start, &mut Choices(Vec::new().into_iter())));
        }
        // Loops may go on for ever, and without an entry nothing begins; otherwise there is an end.
        let ends = run.state.status().is_completed() || !run.open.is_empty() || run.conductor.graph().roots().is_empty();
        prop_assert!(ends, "{} with nothing to do:\n{text}", run.state.status());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", key in "[a-z]{1,6}", value in "\\PC{0,20}") {
        let _ = Workflow::read(&text);
        let text = format!("version: 1.0\ntasks:\n  a:\n    {key}: {value:?}\n");
        if let Ok(root) = yaml::read(&text) {
            inspect(&root, &[], &Expressions::default());
        }
    }
}

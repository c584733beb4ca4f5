//! What workflows are compiled to.

use asl::{Options, State, StateMachine, check, compile};
use std::fmt::Write;

use crate::conductor;

const SHAPES: &str = include_str!("../data/shapes.yaml");

fn shapes() -> Vec<(String, String)> {
    let shapes = yaml::read(SHAPES).unwrap().to_json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    shapes.as_array().unwrap().iter().map(|shape| (text(&shape["name"]), text(&shape["workflow"]))).collect()
}

#[test]
fn each_shape_has_its_machine() {
    for (name, text) in shapes() {
        let machine = compile(&conductor(&text), &Options { source: Some("x.yaml"), ..Options::default() });
        assert_eq!(check(&machine), [], "{name}");
        let told = format!("{text}---\n{}", outline(&machine, 0));
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name.replace([' ', ','], "_"), told);
        });
    }
}

#[test]
fn a_definition_is_written_with_the_fields_of_the_language() {
    let machine = compile(&conductor(&shapes()[1].1), &Options { source: Some("x.yaml"), ..Options::default() });
    let text = serde_json::to_string_pretty(&machine).unwrap();
    assert_eq!(serde_json::from_str::<StateMachine>(&text).unwrap(), machine);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("the_whole_definition", text);
    });
}

#[test]
fn what_takes_too_many_states_is_driven() {
    let options = Options { most_states: 10, ..Options::default() };
    let machine = compile(&conductor(&shapes()[0].1), &options);
    assert_eq!(check(&machine), []);
    assert_eq!(machine, asl::driven(&options));
}

/// A machine in few lines.
fn outline(machine: &StateMachine, depth: usize) -> String {
    let indent = "    ".repeat(depth);
    let mut told = format!("{indent}start at {}\n", machine.start_at);
    for (name, state) in &machine.states {
        let next = |next: &Option<String>| next.clone().unwrap_or_else(|| "END".to_owned());
        let line = match state {
            State::Task(task) => {
                let payload: Vec<String> = task
                    .parameters
                    .payload
                    .iter()
                    .filter(|(key, _)| !matches!(key.as_str(), "wf.$" | "token.$"))
                    .map(|(_, value)| value.as_str().unwrap().to_owned())
                    .collect();
                let catch = if task.catch.is_empty() { "" } else { ", caught" };
                format!("{} -> {}{catch}", payload.join(" "), next(&task.next))
            }
            State::Choice(choice) => {
                let rules: Vec<String> =
                    choice.choices.iter().map(|rule| format!("{} -> {}", rule.variable, rule.next)).collect();
                format!("{} | else -> {}", rules.join(" | "), choice.default)
            }
            State::Wait(wait) => {
                let seconds = wait.seconds.map(|seconds| seconds.to_string());
                format!("wait {} -> {}", seconds.or(wait.seconds_path.clone()).unwrap(), wait.next)
            }
            State::Parallel(parallel) => {
                let catch = if parallel.catch.is_empty() { "" } else { ", caught" };
                format!("{} branches -> {}{catch}", parallel.branches.len(), next(&parallel.next))
            }
            State::Succeed(_) => "succeed".to_owned(),
            State::Fail(_) => "fail".to_owned(),
        };
        writeln!(told, "{indent}{name}: {line}").unwrap();
        if let State::Parallel(parallel) = state {
            for branch in &parallel.branches {
                told.push_str(&outline(branch, depth + 1));
            }
        }
    }
    told
}

//! How long the conductor takes: in all, and as workflows grow.
#![expect(clippy::unwrap_used, reason = "a bench stops where its input is wrong")]

use std::collections::VecDeque;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use expressions::orquesta::Expressions;
use orquesta::{Conductor, Event, Nothing, Start, State, Status, StepEvent, Workflow};
use serde_json::{Map, Value, json};

fn conductor(text: &str) -> Conductor {
    Conductor::new(Arc::new(Workflow::read(text).unwrap()), Expressions::default(), Arc::new(Nothing))
}

fn sequence(tasks: usize) -> Conductor {
    let mut text = "version: 1.0\nvars:\n  - n: 0\ntasks:\n".to_owned();
    for at in 0..tasks {
        write!(
            text,
            "  t{at}:\n    action: core.noop\n    input:\n      n: <% ctx().n %>\n    next:\n      - when: <% succeeded() %>\n        \
             publish:\n          - n: <% result() %>\n        do: {}\n",
            if at + 1 < tasks { format!("t{}", at + 1) } else { "noop".to_owned() }
        )
        .unwrap();
    }
    conductor(&text)
}

fn fork_join(branches: usize) -> Conductor {
    let names: Vec<String> = (0..branches).map(|at| format!("b{at}")).collect();
    let mut text = format!(
        "version: 1.0\ntasks:\n  fork:\n    action: core.noop\n    next:\n      - do: [{}]\n",
        names.join(", ")
    );
    for name in names {
        write!(
            text,
            "  {name}:\n    action: core.noop\n    next:\n      - when: <% succeeded() %>\n        publish:\n          - {name}: \
             <% result() %>\n        do: end\n"
        )
        .unwrap();
    }
    text.push_str("  end:\n    join: all\n    action: core.noop\n");
    conductor(&text)
}

fn with_items(concurrency: usize) -> Conductor {
    conductor(&format!(
        "version: 1.0\ninput:\n  - xs\ntasks:\n  all:\n    with:\n      items: x in <% ctx().xs %>\n      concurrency: {concurrency}\n    \
         action: core.noop\n    input:\n      x: <% item(x) %>\n    next:\n      - publish:\n          - results: <% result() %>\n"
    ))
}

/// Runs a workflow to its end; everything succeeds.
fn run(conductor: &Conductor, inputs: &Map<String, Value>) -> State {
    let mut state = conductor.begin(inputs, &Map::new());
    let begun = conductor.step(&mut state, StepEvent::Request(Status::Running)).unwrap();
    let mut open: VecDeque<Start> = begun.start.into();
    let result = Arc::new(json!(1));
    while let Some(Start { task, route, item, .. }) = open.pop_front() {
        let (status, result) = (Status::Succeeded, Some(Arc::clone(&result)));
        let event = match item {
            Some(item) => Event::Item { item, status, result, accumulated: None },
            None => Event::Action { status, result },
        };
        let step = conductor.step(&mut state, StepEvent::Task { task, route, event }).unwrap();
        open.extend(black_box(step).start);
    }
    assert_eq!(state.status(), Status::Succeeded);
    state
}

fn growing(c: &mut Criterion, name: &str, sizes: &[usize], make: impl Fn(usize) -> (Conductor, Map<String, Value>)) {
    let mut group = c.benchmark_group(name);
    group.sample_size(10);
    for size in sizes {
        let (conductor, inputs) = make(*size);
        group.throughput(Throughput::Elements(u64::try_from(*size).unwrap()));
        group.bench_function(BenchmarkId::from_parameter(size), |b| b.iter(|| run(&conductor, &inputs)));
    }
    group.finish();
}

fn benches(c: &mut Criterion) {
    growing(c, "sequence", &[100, 1_000, 3_000, 10_000], |tasks| (sequence(tasks), Map::new()));
    growing(c, "fork-join", &[100, 1_000, 3_000], |branches| (fork_join(branches), Map::new()));
    let items = |count: usize| Map::from_iter([("xs".to_owned(), (0..count).collect::<Value>())]);
    growing(c, "with-items", &[100, 1_000, 3_000, 10_000], |count| (with_items(10), items(count)));
}

criterion_group!(all, benches);
criterion_main!(all);

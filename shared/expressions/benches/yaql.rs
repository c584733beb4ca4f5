//! What YAQL costs once it is compiled: the simplest, a query over a list, and one field of contexts of very different size.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use expressions::orquesta::Expressions;
use expressions::orquesta::workflow::{self, CurrentTask, Workflow};
use expressions::{Context, Yaql};
use serde_json::{Value, json};

/// A workflow with these variables and nothing else.
struct Variables(Arc<Value>);

impl Workflow for Variables {
    fn variables(&self) -> Arc<Value> {
        Arc::clone(&self.0)
    }

    fn current_task(&self) -> Option<CurrentTask> {
        None
    }

    fn item(&self) -> Option<Arc<Value>> {
        None
    }

    fn status(&self, _: &str, _: u64) -> Option<String> {
        None
    }

    fn task(&self, _: Option<&str>, _: Option<u64>) -> Result<Arc<Value>, String> {
        Err("there are no tasks".to_owned())
    }

    fn key_value(&self, _: &str, _: bool) -> Result<Option<String>, String> {
        Ok(None)
    }
}

fn variables(items: usize) -> Context {
    let filler: Vec<Value> = (0..items).map(|n| json!({"id": n, "text": "x".repeat(80)})).collect();
    workflow::context(Arc::new(Variables(Arc::new(json!({"n": 7, "filler": filler, "user": {"login": "ada"}})))))
}

fn simple(c: &mut Criterion) {
    let yaql = Yaql::default();
    let context = Context::new().with("1", json!({"name": "web", "n": 7}));
    for expression in ["$.name", "$.n + 1", "$.n > 5 and $.name = web"] {
        c.bench_function(&format!("evaluate {expression}"), |b| {
            b.iter(|| yaql.evaluate(black_box(expression), &context));
        });
    }
}

fn query(c: &mut Criterion) {
    let yaql = Yaql::default();
    let hosts: Vec<Value> = (0..100).map(|n| json!({"name": format!("web-{n}"), "load": n, "up": true})).collect();
    let context = Context::new().with("1", Value::from(hosts));
    c.bench_function("where().select() over 100 dicts", |b| {
        b.iter(|| yaql.evaluate(black_box("$.where($.load > 90).select($.name)"), &context));
    });
}

fn one_field(c: &mut Criterion) {
    let expressions = Expressions::default();
    for (size, items) in [("1 kB", 8), ("30 kB", 250), ("1 MB", 8_000)] {
        let context = variables(items);
        for text in ["<% ctx().user.login %>", "{{ ctx().user.login }}"] {
            let text = json!(text);
            c.bench_function(&format!("one field of a context of {size}: {text}"), |b| {
                b.iter(|| expressions.evaluate(black_box(&text), &context));
            });
        }
    }
}

criterion_group!(benches, simple, query, one_field);
criterion_main!(benches);

//! What a template costs once it is compiled: the simplest, and one field of payloads of very different size.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use expressions::{Context, Jinja};
use serde_json::{Value, json};

fn payload(items: usize) -> Arc<Value> {
    let filler: Vec<Value> = (0..items).map(|n| json!({"id": n, "text": "x".repeat(80)})).collect();
    Arc::new(json!({"name": "web", "body": {"filler": filler, "user": {"login": "ada"}}}))
}

fn simple(c: &mut Criterion) {
    let jinja = Jinja::default();
    let context = Context::new().with("trigger", json!({"name": "web"}));
    c.bench_function("render {{ trigger.name }}", |b| {
        b.iter(|| jinja.render(black_box("{{ trigger.name }}"), &context));
    });
    c.bench_function("evaluate {{ trigger.name }}", |b| {
        b.iter(|| jinja.evaluate(black_box("{{ trigger.name }}"), &context));
    });
}

fn one_field(c: &mut Criterion) {
    let jinja = Jinja::default();
    for (size, items) in [("1 kB", 8), ("1 MB", 8_000)] {
        let payload = payload(items);
        c.bench_function(&format!("one field of {size}"), |b| {
            b.iter(|| {
                let context = Context::new().with("trigger", Arc::clone(&payload));
                jinja.render(black_box("{{ trigger.body.user.login }}"), &context)
            });
        });
    }
}

criterion_group!(benches, simple, one_field);
criterion_main!(benches);

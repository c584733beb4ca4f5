//! Pictures of a workflow that has everything.

use super::{Picture, dot, layout, svg, text};
use crate::Look;
use insta::assert_snapshot;
use orquesta::{Conductor, Nothing, Workflow};
use std::sync::Arc;

const FLOW: &str = "\
version: 1.0
input: [hosts]
tasks:
  begin:
    action: core.local cmd=\"date\"
    next:
      - when: <% succeeded() %>
        do: [left, right]
      - when: <% failed() %>
        do: fail
  left:
    with: host in <% ctx().hosts %>
    action: core.echo message=<% item(host) %>
    next: [{do: meet}]
  right:
    action: core.noop
    delay: 5
    retry: {count: 2}
    next:
      - when: <% result().done %>
        do: meet
      - when: <% not result().done %>
        do: right
  meet:
    join: all
    next:
      - when: <% ctx(hosts).len() > 3 %>
        do: begin_again
  begin_again:
    action: core.noop
    next: [{do: left}]
";

fn conductor(text: &str) -> Conductor {
    let workflow = Workflow::read(text).unwrap();
    Conductor::new(Arc::new(workflow), expressions::orquesta::Expressions::default(), Arc::new(Nothing))
}

#[test]
fn a_terminal_shows_layers_conditions_joins_and_loops() {
    let picture = Picture::new("flow.yaml", &conductor(FLOW), None);
    assert_snapshot!(text(Look::default(), &picture), @"
    flow.yaml

      1  begin        core.local
         ├─ succeeded() → left
         ├─ succeeded() → right
         └─ failed() → fail

      2  left         core.echo  [for each host in ctx().hosts]
         └─ → meet

         right        core.noop  [delay 5 s]  [retry 2×]
         ├─ result().done → meet
         └─ not result().done → right ↺ itself

      3  meet         [join all 2]
         └─ ctx(hosts).len() > 3 → begin_again

      4  begin_again  core.noop
         └─ → left ↺
    ");
    let narrow = text(Look { width: Some(60), ..Look::default() }, &picture);
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
}

#[test]
fn graphviz_gets_every_task_and_arrow() {
    let picture = Picture::new("flow \"1\"", &conductor(FLOW), None);
    let dot = dot(&picture);
    assert!(dot.starts_with("digraph \"flow \\\"1\\\"\" {\n"), "{dot}");
    assert_eq!(dot.matches(" -> ").count(), picture.arrows.len());
    assert!(dot.contains("label=\"left\\ncore.echo\\n[for each host in ctx().hosts]\""), "{dot}");
}

#[test]
fn an_image_has_ids_and_texts_of_fixed_length() {
    let svg = svg(&Picture::new("a & b", &conductor(FLOW), None));
    assert!(svg.contains("<title>a &amp; b</title>") && svg.contains("id=\"task-meet\""), "{svg}");
    assert_eq!(svg.matches("<text ").count(), svg.matches("textLength=").count());
    assert_eq!(svg.matches("marker-end").count(), 7, "every arrow but the one to itself, and the one that ends: {svg}");
}

/// A number that follows from another one.
fn next(number: &mut u64) -> usize {
    *number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*number >> 33).unwrap()
}

#[test]
fn nothing_lies_over_anything_else() {
    let mut number = 7;
    for _ in 0..200 {
        let nodes = 1 + next(&mut number) % 12;
        let sizes: Vec<_> =
            (0..nodes).map(|_| layout::Size { width: 40.0 + (next(&mut number) % 200) as f64, height: 30.0 }).collect();
        let links: Vec<_> = (0..next(&mut number) % 20)
            .map(|_| layout::Link {
                from: next(&mut number) % nodes,
                to: next(&mut number) % nodes,
                label: layout::Size { width: (next(&mut number) % 3 * 60) as f64, height: 18.0 },
            })
            .collect();
        let plan = layout::plan(&sizes, &links);
        let boxes = plan.boxes.iter().zip(&sizes).map(|(at, size)| (*at, *size));
        let labels = plan.labels.iter().zip(&links).filter_map(|(at, link)| Some(((*at)?, link.label)));
        let all: Vec<_> = boxes.chain(labels).collect();
        for (at, (one, size)) in all.iter().enumerate() {
            let inside = one.x - size.width / 2.0 >= -0.5 && one.x + size.width / 2.0 <= plan.size.width + 0.5;
            assert!(inside && one.y + size.height / 2.0 <= plan.size.height + 0.5, "{one:?} {:?}", plan.size);
            for (other, others) in &all[..at] {
                let apart = (one.x - other.x).abs() >= (size.width + others.width) / 2.0 - 0.01
                    || (one.y - other.y).abs() >= (size.height + others.height) / 2.0 - 0.01;
                assert!(apart, "{one:?} {size:?} {other:?} {others:?}");
            }
        }
        let labelled = links.iter().filter(|link| link.from != link.to && link.label.width > 0.0).count();
        assert_eq!(plan.labels.iter().flatten().count(), labelled);
    }
}

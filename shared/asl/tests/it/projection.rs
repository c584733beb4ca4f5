//! What the boxes do when calls come twice, late or out of turn.

use std::sync::Arc;

use asl::{Deed, Projection, Reply, Threads, Token, Turn};
use orquesta::{Event, State, Status};
use serde_json::{Map, json};

use crate::conductor;

const FORK: &str = "
version: 1.0
tasks:
  a: {action: core.noop, next: [{do: [b, c]}]}
  b: {action: core.noop, next: [{do: j}]}
  c: {action: core.noop, next: [{do: j}]}
  j: {join: all, action: core.noop}
";

struct Run {
    projection: Projection,
    state: State,
    threads: Threads,
}

impl Run {
    fn new(text: &str) -> (Run, Reply) {
        let projection = Projection::new(conductor(text));
        let state = projection.conductor().begin(&Map::new(), &Map::new());
        let mut run = Run { projection, state, threads: Threads::default() };
        let (_, input) = run.projection.begin(&mut run.state, &mut run.threads).unwrap();
        (run, input.unwrap())
    }

    fn enter(&mut self, task: &str, token: &str) -> Vec<Deed> {
        self.projection.enter(&self.state, &mut self.threads, task, 0, &Arc::from(token)).deeds
    }

    fn visit(&self, task: &str) -> u64 {
        self.threads.visits().find(|visit| &*visit.task == task).unwrap().number
    }

    fn end(&mut self, visit: u64, status: Status) -> Turn {
        let event = Event::Action { status, result: Some(Arc::new(json!(null))) };
        self.projection.update(&mut self.state, &mut self.threads, visit, event).unwrap()
    }
}

/// What is answered, and to whom.
fn answers(deeds: &[Deed]) -> Vec<String> {
    let told = |deed: &Deed| match deed {
        Deed::Answer { token, reply, .. } => Some(format!("{token} {}", reply.to_json())),
        Deed::Fail { token, .. } => Some(format!("{token} failed")),
        Deed::Stop => Some("stop".to_owned()),
        Deed::Start { .. } | Deed::Begin { .. } => None,
    };
    deeds.iter().filter_map(told).collect()
}

#[test]
fn a_task_is_begun_once_and_the_newest_call_is_answered() {
    let (mut run, input) = Run::new(FORK);
    assert_eq!(input.to_json(), json!({"r": 0, "n": {"a": 0}}));
    let visit = run.visit("a");
    assert_eq!(run.enter("a", "one"), [Deed::Begin { visit, delay: 0 }]);
    assert_eq!(run.enter("a", "one"), []);
    assert_eq!(run.enter("a", "two"), []);
    let turn = run.end(visit, Status::Succeeded);
    assert_eq!(answers(&turn.deeds), [r#"two {"r":0,"n":{"b":0,"c":0},"k":{"t0":true}}"#]);
    // Once more, and too late.
    assert_eq!(run.end(visit, Status::Failed).deeds, []);
    assert_eq!(run.state.status(), Status::Running);
}

#[test]
fn only_the_last_to_arrive_goes_on_with_a_join() {
    let (mut run, _) = Run::new(FORK);
    run.enter("a", "a");
    run.end(run.visit("a"), Status::Succeeded);
    assert_eq!(answers(&run.enter("j", "early")), [r#"early {"r":0,"n":{}}"#]);
    run.enter("b", "b");
    run.enter("c", "c");
    assert_eq!(answers(&run.end(run.visit("c"), Status::Succeeded).deeds), [r#"c {"r":0,"n":{},"k":{"t0":true}}"#]);
    assert_eq!(
        answers(&run.end(run.visit("b"), Status::Succeeded).deeds),
        [r#"b {"r":0,"n":{"j":0},"k":{"t0":true}}"#]
    );
}

#[test]
fn an_answer_that_is_not_taken_is_kept_for_the_call_that_comes_instead() {
    let (mut run, _) = Run::new(FORK);
    run.enter("a", "dead");
    let turn = run.end(run.visit("a"), Status::Succeeded);
    let Some(Deed::Answer { reply, .. }) = turn.deeds.last().cloned() else { panic!("{:?}", turn.deeds) };
    run.projection.returned(&run.state, &mut run.threads, "a", reply);
    assert_eq!(answers(&run.enter("a", "alive")), [r#"alive {"r":0,"n":{"b":0,"c":0},"k":{"t0":true}}"#]);
}

#[test]
fn a_workflow_that_is_canceled_stops_its_machine_when_everything_has_ended() {
    let (mut run, _) = Run::new(FORK);
    run.enter("a", "a");
    run.end(run.visit("a"), Status::Succeeded);
    run.enter("b", "b");
    run.enter("c", "c");
    let (b, c) = (run.visit("b"), run.visit("c"));
    let told: Vec<String> = answers(&run.end(b, Status::Canceled).deeds);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(answers(&run.end(c, Status::Succeeded).deeds), ["stop"]);
    assert_eq!(run.threads.visits().count(), 0);
}

#[test]
fn while_a_workflow_pauses_calls_wait_and_then_go_on() {
    let (mut run, _) = Run::new(FORK);
    run.enter("a", "a");
    let a = run.visit("a");
    run.projection.request(&mut run.state, &mut run.threads, Status::Pausing).unwrap();
    assert_eq!(answers(&run.end(a, Status::Succeeded).deeds), [""; 0]);
    assert_eq!(run.enter("j", "early"), []);
    let turn = run.projection.request(&mut run.state, &mut run.threads, Status::Resuming).unwrap();
    let told = answers(&turn.deeds);
    assert_eq!(told, [r#"a {"r":0,"n":{"b":0,"c":0},"k":{"t0":true}}"#, r#"early {"r":0,"n":{}}"#]);
}

#[test]
fn a_failure_waits_for_what_still_runs() {
    let (mut run, _) = Run::new(
        "
version: 1.0
tasks:
  a: {action: core.noop}
  b: {action: core.noop}
",
    );
    let tokens: [Token; 2] = ["a".into(), "b".into()];
    tokens.iter().for_each(|token| drop(run.enter(token, token)));
    let (a, b) = (run.visit("a"), run.visit("b"));
    assert_eq!(answers(&run.end(a, Status::Failed).deeds), [""; 0]);
    assert_eq!(answers(&run.end(b, Status::Succeeded).deeds), ["a failed"]);
}

//! Whole runs on given results.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use expressions::orquesta::Expressions;
use orquesta::{
    Conductor, Event, LogEntry, Nothing, Record, RecordKey, Rerun, Start, State, Status, StepEvent, Workflow,
};
use serde_json::{Map, Value, json};

const CASES: &str = include_str!("../data/runs.yaml");

#[test]
fn runs_go_as_the_cases_say() {
    let cases = yaml::read(CASES).unwrap().to_json();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let told = run(case);
        for (key, expected) in case["expected"].as_object().unwrap() {
            if told.get(key) != Some(expected) {
                wrong.push(format!("{}: {key}: {}, expected {expected}", case["name"], told[key]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Drives the workflow of a case: everything that starts completes in order, with the next result that the case has for its task. After
/// each step it goes on with a state that was read back from its records.
fn run(case: &Value) -> Value {
    let text = yaml::to_string(&case["workflow"]);
    let workflow = Workflow::read(&text).unwrap_or_else(|error| panic!("{}: {error}", case["name"]));
    let conductor = Conductor::new(Arc::new(workflow), Expressions::default(), Arc::new(Nothing));
    let mut run = Run { state: conductor.begin(&map(&case["inputs"]), &Map::new()), conductor, stored: HashMap::new() };
    let mut started: Vec<Value> = Vec::new();
    let mut times: HashMap<String, usize> = HashMap::new();
    let mut open: VecDeque<Start> = VecDeque::new();
    if run.state.status() != Status::Failed {
        open.extend(run.step(StepEvent::Request(Status::Running)));
    }
    let mut requests: VecDeque<Value> = case["requests"].as_array().cloned().unwrap_or_default().into();
    loop {
        while let Some(start) = open.pop_front() {
            started.push(name_of(&start));
            let results = case["results"].get(&*start.task).and_then(Value::as_array).cloned().unwrap_or_default();
            let time = times.entry(start.task.to_string()).or_default();
            let mock = results.get(*time).or(results.last()).cloned().unwrap_or_else(|| json!({}));
            *time += 1;
            open.extend(run.step(completion(start, &mock)));
        }
        let Some(request) = requests.pop_front() else { break };
        open.extend(run.step(request_of(&request)));
    }
    let errors: Vec<Value> = run.state.errors().map(LogEntry::to_json).collect();
    json!({"status": run.state.status(), "output": run.state.output(), "started": started, "errors": errors.len()})
}

struct Run {
    conductor: Conductor,
    state: State,
    stored: HashMap<RecordKey, Record>,
}

impl Run {
    fn step(&mut self, event: StepEvent) -> Vec<Start> {
        let step = self.conductor.step(&mut self.state, event).unwrap();
        for record in step.changes {
            match record {
                Record::Gone(key) => drop(self.stored.remove(&key)),
                record => drop(self.stored.insert(record.key(), record)),
            }
        }
        let read_back = self.conductor.restore(self.stored.values().cloned());
        assert_eq!(read_back.records(), self.state.records());
        self.state = read_back;
        step.start
    }
}

fn name_of(start: &Start) -> Value {
    let item = start.item.map(|item| format!("[{item}]")).unwrap_or_default();
    let delay = start.delay.filter(|delay| *delay > 0).map(|delay| format!(" after {delay}")).unwrap_or_default();
    let input = if start.action.input.is_null() { String::new() } else { format!(" {}", start.action.input) };
    json!(format!("{}{item}{delay}{input}", start.task))
}

fn completion(start: Start, mock: &Value) -> StepEvent {
    let status = mock["status"].as_str().map_or(Status::Succeeded, |status| status.parse().unwrap());
    let result = Some(Arc::new(mock["result"].clone()));
    let event = match start.item {
        Some(item) => Event::Item { item, status, result, accumulated: None },
        None => Event::Action { status, result },
    };
    StepEvent::Task { task: start.task, route: start.route, event }
}

fn request_of(request: &Value) -> StepEvent {
    if let Some(status) = request.as_str() {
        return StepEvent::Request(status.parse().unwrap());
    }
    let tasks = request["rerun"].as_array().unwrap().iter();
    let rerun = |task: &Value| Rerun {
        task: Arc::from(task["task"].as_str().unwrap()),
        route: 0,
        reset_items: task["reset"] == json!(true),
    };
    StepEvent::Rerun(tasks.map(rerun).collect())
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

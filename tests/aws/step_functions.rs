//! Workflows on AWS, each walking through its state machine.

use async_trait::async_trait;
use aws::Clients;
use aws_sdk_sfn::types::ExecutionStatus as Walk;
use engine::{Engine, EngineOptions, ExecutionFilter, PageRequest, Principal};
use futures::{StreamExt, stream};
use model::{Execution, ExecutionStatus};
use ports::{Canceled, Clock, Job, Key, Outcome, OutputSink, Runner, StateMachineError, StateMachines, Wake, Wakes};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::{
    running::{Running, cases},
    stack::Stack,
};

/// Examples at work at once: some tell apart what is quick from what is slow, and all at once everything is slow.
const AT_ONCE: usize = 10;
/// No example takes longer.
const LONGEST: Duration = Duration::from_secs(300);

/// The tests' own engine runs nothing: the functions do.
struct Elsewhere;

#[async_trait]
impl Runner for Elsewhere {
    async fn run(&self, _: Job, _: &dyn OutputSink, _: Canceled) -> Outcome {
        Outcome { status: ExecutionStatus::Failed, result: json!({"error": "run by the tests"}) }
    }
}

/// The services on the stack's table, beside its functions.
async fn engine(stack: &Stack) -> Arc<Engine> {
    let ports = aws::ports(&stack.clients().await, &stack.settings(), Arc::new(Elsewhere));
    let options = EngineOptions { conducts: false, content_check: Some(Duration::ZERO), ..EngineOptions::default() };
    Arc::new(Engine::new(ports, options))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_example_becomes_what_it_becomes_on_the_embedded_host() {
    let stack = Stack::shared().await;
    let engine = engine(stack).await;
    let one = async |(name, case)| {
        let running = Running { engine: Arc::clone(&engine), case, longest: LONGEST };
        running.wrongs().await.into_iter().map(|wrong| format!("\ntests/{name}: {wrong}")).collect::<String>()
    };
    let wrongs: String = stream::iter(cases()).map(one).buffer_unordered(AT_ONCE).collect().await;
    assert!(wrongs.is_empty(), "{wrongs}");

    let page = PageRequest { limit: 1_000, ..PageRequest::default() };
    let all = engine.executions(&Principal::system(), &ExecutionFilter::default(), &page).await.unwrap().items;
    // Other tests have workflows of their own at work.
    let examples = all.iter().filter(|execution| execution.action.pack() == "examples");
    let walked: Vec<_> = examples.filter(|execution| execution.context.contains_key("step_functions")).collect();
    assert!(walked.len() > 40, "{} workflows of {} had a state machine", walked.len(), all.len());
    let clients = stack.clients().await;
    for execution in walked {
        let ended = stack.until("the end of a state machine", async || walk_of(stack, &clients, execution).await).await;
        assert!(fits(&ended, execution.status), "{} {}: {ended:?}", execution.action, execution.status);
    }
}

/// How the walk through a workflow's state machine has ended.
async fn walk_of(stack: &Stack, clients: &Clients, execution: &Execution) -> Option<Walk> {
    let arn = walk_arn(stack, &execution.context["step_functions"], &execution.id.to_string());
    let described = clients.sfn().describe_execution().execution_arn(arn).send().await.ok()?;
    Some(described.status).filter(|status| *status != Walk::Running)
}

fn walk_arn(stack: &Stack, shown: &Value, id: &str) -> String {
    let prefix = stack.output("StateMachinePrefix").replacen(":stateMachine:", ":execution:", 1);
    format!("{prefix}{}:{id}", shown["state_machine"].as_str().unwrap())
}

fn fits(walk: &Walk, status: ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Succeeded => *walk == Walk::Succeeded,
        ExecutionStatus::Canceled => *walk == Walk::Aborted,
        _ => *walk == Walk::Failed,
    }
}

#[tokio::test]
async fn a_workflow_pauses_goes_on_and_is_canceled() {
    let stack = Stack::shared().await;
    let ask = async |method: &str, id: &str, body| stack.ask(method, &format!("executions/{id}"), body).await;
    let begin = async || {
        let request = json!({"action": "flows.slow", "parameters": {"seconds": 3}});
        stack.ask("POST", "executions", Some(request)).await["id"].as_str().unwrap().to_owned()
    };
    let is = async |id: &str, wanted: &str| (ask("GET", id, None).await["status"] == wanted).then_some(());
    let (held, stopped) = (begin().await, begin().await);
    for id in [&held, &stopped] {
        stack.until("the start", async || is(id, "running").await).await;
    }
    ask("PUT", &held, Some(json!({"status": "pausing"}))).await;
    ask("DELETE", &stopped, None).await;
    stack.until("the pause", async || is(&held, "paused").await).await;
    stack.until("the cancellation", async || is(&stopped, "canceled").await).await;
    ask("PUT", &held, Some(json!({"status": "resuming"}))).await;
    stack.until("the end", async || is(&held, "succeeded").await).await;
    let tasks = async |id: &str| stack.ask("GET", &format!("executions/{id}/children"), None).await;
    assert_eq!(tasks(&held).await.as_array().unwrap().len(), 2);
    let canceled = tasks(&stopped).await;
    assert!(canceled.as_array().unwrap().iter().all(|child| child["status"] != "running"), "{canceled}");
}

#[tokio::test]
async fn who_stops_a_state_machine_cancels_its_workflow() {
    let stack = Stack::shared().await;
    let request = json!({"action": "flows.asks", "parameters": {}});
    let id = stack.ask("POST", "executions", Some(request)).await["id"].as_str().unwrap().to_owned();
    let execution = async || stack.ask("GET", &format!("executions/{id}"), None).await;
    let status = async |wanted: &str| (execution().await["status"] == wanted).then_some(());
    stack.until("the question", async || status("paused").await).await;
    let arn = walk_arn(stack, &execution().await["context"]["step_functions"], &id);
    stack.clients().await.sfn().stop_execution().execution_arn(arn).send().await.unwrap();
    stack.until("the cancellation", async || status("canceled").await).await;
    let children = stack.ask("GET", &format!("executions/{id}/children"), None).await;
    let open: Vec<&Value> = children.as_array().unwrap().iter().filter(|child| child["status"] == "pending").collect();
    assert!(open.is_empty(), "{open:?}");
}

#[tokio::test]
async fn a_task_that_outlives_its_function_fails_and_its_workflow_goes_on() {
    let stack = Stack::shared().await;
    let request = json!({"action": "flows.outlives"});
    let id = stack.ask("POST", "executions", Some(request)).await["id"].as_str().unwrap().to_owned();
    let execution = async || stack.ask("GET", &format!("executions/{id}"), None).await;
    let ended = async || Some(execution().await).filter(|execution| execution["end_timestamp"].is_string());
    let ended = stack.until("the end", ended).await;
    assert_eq!(
        (&ended["status"], &ended["result"]["output"]["said"]),
        (&json!("succeeded"), &json!("begun")),
        "{ended}"
    );
    let children = stack.ask("GET", &format!("executions/{id}/children"), None).await;
    let of = |task: &str| {
        let is_it = |child: &&Value| child["context"]["orquesta"]["task_name"] == task;
        children.as_array().unwrap().iter().find(is_it).unwrap()["status"].clone()
    };
    assert_eq!((of("long"), of("mend")), (json!("timeout"), json!("succeeded")));
}

/// What a process has that is killed as soon as it wants to tell a state machine something.
struct Dying;

#[async_trait]
impl StateMachines for Dying {
    fn function(&self) -> &'static str {
        "none"
    }

    async fn keep(&self, _: &BTreeMap<String, String>) -> Result<(), StateMachineError> {
        unreachable!("it registers no pack")
    }

    async fn start(&self, _: &str, _: &str, _: &Value) -> Result<(), StateMachineError> {
        unreachable!("its workflow is under way")
    }

    async fn succeed(&self, _: &str, _: &Value) -> Result<(), StateMachineError> {
        std::future::pending().await
    }

    async fn fail(&self, _: &str, _: &str, _: &str) -> Result<(), StateMachineError> {
        unreachable!("its workflow does not fail")
    }

    async fn stop(&self, _: &str, _: &str, _: &str, _: &str) -> Result<(), StateMachineError> {
        unreachable!("its workflow is not canceled")
    }
}

#[async_trait]
impl Wakes for Dying {
    async fn send(&self, _: Vec<Wake>) {}
}

#[tokio::test]
async fn who_is_killed_between_commit_and_callback_leaves_nothing_undone() {
    let stack = Stack::shared().await;
    let request = json!({"action": "flows.asks", "parameters": {}});
    let id = stack.ask("POST", "executions", Some(request)).await["id"].as_str().unwrap().to_owned();
    let execution = async || stack.ask("GET", &format!("executions/{id}"), None).await;
    let is = async |status: &str| (execution().await["status"] == status).then_some(());
    stack.until("the question", async || is("paused").await).await;
    let children = async || stack.ask("GET", &format!("executions/{id}/children"), None).await;

    // This process takes the answer and the turn that follows, and comes no further than the turn's commit.
    let mut ports = aws::ports(&stack.clients().await, &stack.settings(), Arc::new(Elsewhere));
    let wakes = std::mem::replace(&mut ports.wakes, Arc::new(Dying));
    ports.state_machines = Some(Arc::new(Dying));
    let options = EngineOptions { content_check: Some(Duration::ZERO), ..EngineOptions::default() };
    let dying = Engine::new(ports, options);
    let asked = children().await[0]["id"].as_str().unwrap().parse().unwrap();
    dying.respond(&Principal::system(), asked, json!({"continue": true})).await.unwrap();
    let key = Key::new(format!("workflow/{id}"), "record");
    let turn = tokio::time::timeout(Duration::from_secs(10), dying.handle(&key)).await;
    assert!(turn.is_err(), "it had nothing to tell: {turn:?}");
    drop(dying);
    assert_eq!(execution().await["status"], "running");
    assert_eq!(children().await.as_array().unwrap().len(), 1, "the state machine has gone on");

    // As nobody has said that the wake was handled, it comes again.
    wakes.send(vec![Wake { key, at: aws::SystemClock.now() }]).await;
    stack.until("the end", async || is("succeeded").await).await;
    assert_eq!(children().await.as_array().unwrap().len(), 2);
    let (clients, id) = (stack.clients().await, id.parse().unwrap());
    let whole = engine(stack).await.execution(&Principal::system(), id).await.unwrap();
    let walk = stack.until("the end of the state machine", async || walk_of(stack, &clients, &whole).await).await;
    assert_eq!(walk, Walk::Succeeded);
}

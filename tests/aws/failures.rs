//! What goes wrong, and what becomes of it.

use serde_json::{Value, json};

use crate::stack::Stack;

/// A wake for a record that is not there: nothing to do, and no failure.
const HARMLESS: &str =
    r#"{"layout":1,"key":{"partition":"trigger_instance/000000000000000000000000","sort":"record"}}"#;

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letters_with_its_reason_and_hurts_no_neighbour() {
    let stack = Stack::shared().await;
    let clients = stack.clients().await;
    let queue = stack.output("EngineQueueUrl");
    for position in 0..4 {
        let poison = format!("poison at {position}");
        let event = |n: usize| {
            let entry = aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder().id(n.to_string());
            entry.message_body(if n == position { poison.as_str() } else { HARMLESS }).build().unwrap()
        };
        let batch = (0..4).map(event).collect();
        clients.sqs().send_message_batch().queue_url(queue).set_entries(Some(batch)).send().await.unwrap();
        let letter = stack.until("the letter", async || letter(stack, "engine", &poison).await).await;
        assert_eq!(letter["reason"], "UnreadableMessage", "{letter}");
        assert!(letter["function"].as_str().unwrap().ends_with("rules-engine"), "{letter}");
    }
    // Only poison is there, and each once.
    let letters = stack.ask("GET", "deadletters/engine?limit=100", None).await;
    let bodies: Vec<_> = letters.as_array().unwrap().iter().filter_map(|letter| letter["body"].as_str()).collect();
    assert!(bodies.iter().all(|body| *body != HARMLESS), "{bodies:?}");
    assert_eq!(bodies.iter().filter(|body| body.starts_with("poison at")).count(), 4, "{bodies:?}");
    let listed = stack.squall(&["dlq", "list"]).await;
    assert!(listed.code == 0 && listed.text.contains("engine"), "{}", listed.text);
    let shown = stack.squall(&["dlq", "show", "engine"]).await;
    assert!(shown.text.contains("UnreadableMessage"), "{}", shown.text);
    // Sent back, it is poison still.
    let redriven = stack.squall(&["dlq", "redrive", "engine", "--all"]).await;
    assert!(redriven.code == 0 && redriven.text.contains("4 letters"), "{}", redriven.text);
    stack.until("the letter again", async || letter(stack, "engine", "poison at 0").await).await;
}

async fn letter(stack: &Stack, queue: &str, body: &str) -> Option<Value> {
    let letters = stack.ask("GET", &format!("deadletters/{queue}?limit=100"), None).await;
    letters.as_array().unwrap().iter().find(|letter| letter["body"] == body).cloned()
}

#[tokio::test]
async fn an_execution_whose_function_was_killed_is_abandoned() {
    let stack = Stack::shared().await;
    // The shell's parent is the function.
    let cmd = json!({"action": "core.local", "parameters": {"cmd": "echo $PPID; sleep 600"}});
    let id = stack.ask("POST", "executions", Some(cmd)).await["id"].as_str().unwrap().to_owned();
    let output = format!("executions/{id}/output");
    let process = stack
        .until("the output of a running action", async || {
            let text = stack.try_to_ask("GET", &output, None).await.1;
            text.as_str()
                .map(str::to_owned)
                .or_else(|| text.as_u64().map(|pid| pid.to_string()))
                .filter(|text| !text.trim().is_empty())
        })
        .await;
    let pid = process.trim().parse().ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let ended = stack
        .until("the end of the lease", async || {
            stack.sweep().await;
            let execution = stack.ask("GET", &format!("executions/{id}"), None).await;
            (execution["status"] != "running").then_some(execution)
        })
        .await;
    assert_eq!(ended["status"], "abandoned", "{ended}");
}

#[tokio::test]
async fn an_action_is_stopped_before_its_function_ends_and_what_it_showed_is_kept() {
    let stack = Stack::shared().await;
    let cmd = json!({"action": "core.local", "parameters": {"cmd": "echo begun; sleep 600", "timeout": 600}});
    let id = stack.ask("POST", "executions", Some(cmd)).await["id"].as_str().unwrap().to_owned();
    let ended = stack
        .until("the end", async || {
            let execution = stack.ask("GET", &format!("executions/{id}"), None).await;
            execution["end_timestamp"].is_string().then_some(execution)
        })
        .await;
    assert_eq!(ended["status"], "timeout", "{ended}");
    assert_eq!(ended["result"]["stdout"].as_str().map(str::trim), Some("begun"), "{ended}");
}

#[tokio::test]
async fn nobody_gets_in_without_the_key() {
    let stack = Stack::shared().await;
    let answer = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let answer = answer.get(format!("{}/api/v1/executions", stack.url())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 401);
}

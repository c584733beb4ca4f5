//! Workflows on AWS, conducted from wake to wake.

use serde_json::{Value, json};

use crate::stack::Stack;

#[tokio::test]
async fn a_workflow_forks_joins_and_runs_over_items() {
    let stack = Stack::shared().await;
    let ran = stack.squall(&["run", "flows.release", "version=1.2", "--json"]).await;
    let done: Value = serde_json::from_str(&ran.text).unwrap_or_else(|error| panic!("{error}: {}", ran.text));
    assert_eq!(done["status"], "succeeded", "{done}");
    assert_eq!(done["result"], json!({"output": {"built": "built 1.2", "hosts": ["a", "b", "c"]}}));
    let children = stack.ask("GET", &format!("executions/{}/children", done["id"].as_str().unwrap()), None).await;
    let mut tasks: Vec<_> = children.as_array().unwrap().iter().map(task_of).collect();
    tasks.sort_unstable();
    assert_eq!(tasks, ["build", "deploy", "deploy", "deploy", "tag", "verify"]);
}

fn task_of(child: &Value) -> &str {
    child["context"]["orquesta"]["task_name"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_workflow_waits_for_an_answer() {
    let stack = Stack::shared().await;
    let request = json!({"action": "flows.asks", "parameters": {}});
    let id = stack.ask("POST", "executions", Some(request)).await["id"].as_str().unwrap().to_owned();
    let status = async || stack.ask("GET", &format!("executions/{id}"), None).await["status"].clone();
    stack.until("the question", async || (status().await == "paused").then_some(())).await;
    let children = stack.ask("GET", &format!("executions/{id}/children"), None).await;
    let asked = children[0]["id"].as_str().unwrap();
    stack.ask("PUT", &format!("inquiries/{asked}"), Some(json!({"response": {"continue": true}}))).await;
    stack.until("the end", async || (status().await == "succeeded").then_some(())).await;
}

//! With policies that count: every function does its work in its own role, and nothing else.

use serde_json::json;
use std::fs;
use testkit::emulator::Emulator;

use crate::stack::{Stack, root};

#[tokio::test]
async fn every_function_works_with_its_own_role() {
    // Uploads and registration are in the deployment.
    let stack = Stack::deploy(Emulator::with_iam()).await;
    assert_eq!(stack.send("roles", &json!(1)).await, 202);
    stack.until("the execution", async || stack.noted("1").await.pop()).await;
    let secret = stack.squall(&["key", "set", "token", "abc", "--encrypt"]).await;
    assert_eq!(secret.code, 0, "{}", secret.text);
    let secret = stack.squall(&["key", "get", "token", "--decrypt"]).await;
    assert!(secret.text.contains("abc"), "{}", secret.text);
    stack.sweep().await;
    let letters = stack.squall(&["dlq", "show", "triggers"]).await;
    assert_eq!(letters.code, 0, "{}", letters.text);
}

#[tokio::test]
async fn a_function_may_do_nothing_that_its_role_does_not_say() {
    let template = fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let less = template.replace(
        "Action: dynamodb:Query, Resource: !Sub \"${Table.Arn}/index/due\"",
        "Action: dynamodb:DescribeTable, Resource: !GetAtt Table.Arn",
    );
    assert_ne!(less, template, "the sweep's right to look is written otherwise now");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("template.yaml");
    fs::write(&path, less).unwrap();
    let stack = Stack::deploy_bare(Emulator::with_iam().account(), path).await;
    let (failed, answer) = stack.try_to_sweep().await;
    assert!(failed && answer.contains("AccessDenied"), "{answer}");
}

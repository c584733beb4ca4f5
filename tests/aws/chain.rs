//! An event's way through all functions.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::stack::Stack;

#[tokio::test]
async fn a_webhook_becomes_an_execution_that_ran_a_file_of_its_pack() {
    let stack = Stack::shared().await;
    assert_eq!(stack.send("first", &json!(1)).await, 202);
    let execution = stack.until("the execution", async || stack.noted("1").await.pop()).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    assert_eq!(execution["rule"]["ref"], "chain.hook");
    // What led to it can be asked for as on the other host.
    let whole = stack.ask("GET", &format!("executions/{}", execution["id"].as_str().unwrap()), None).await;
    let instance = whole.pointer("/trigger_instance/id").and_then(Value::as_str).unwrap();
    let explained = stack.squall(&["explain", instance]).await;
    assert!(explained.code == 0 && explained.text.contains("chain.hook"), "{}", explained.text);
}

#[tokio::test]
async fn a_request_by_hand_is_run_and_its_output_shown() {
    let stack = Stack::shared().await;
    let ran = stack.squall(&["run", "core.local", "cmd=echo from $((40 + 2))"]).await;
    assert!(ran.code == 0 && ran.text.contains("from 42"), "{}", ran.text);
    let failed = stack.squall(&["run", "core.local", "cmd=exit 3"]).await;
    assert_eq!(failed.code, 1, "{}", failed.text);
}

#[tokio::test]
async fn a_trace_goes_on_from_the_webhook_into_the_action() {
    let stack = Stack::shared().await;
    let rule = json!({
        "name": "traced", "pack": "default", "enabled": true,
        "trigger": {"type": "core.st2.webhook", "parameters": {"url": "traced"}},
        "action": {"ref": "core.local", "parameters": {"cmd": "echo $TRACEPARENT"}},
    });
    stack.ask("POST", "rules", Some(rule)).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    stack.ask_with(("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01")), "webhooks/traced").await;
    let ended = async || {
        let listed = stack.ask("GET", "executions?rule=default.traced&status=succeeded", None).await;
        listed.as_array().unwrap().first().cloned()
    };
    let execution = stack.until("the execution", ended).await;
    let span = execution["id"].as_str().unwrap().split_at(8).1;
    assert_eq!(execution["result"]["stdout"], format!("00-{trace}-{span}-01"), "{execution}");
}

#[tokio::test]
async fn one_delivery_sent_twice_is_one_execution() {
    let stack = Stack::shared().await;
    for _ in 0..3 {
        assert_eq!(stack.send("twice", &json!(2002)).await, 202);
    }
    // A later one has gone the whole way: whatever was to come of the others has come.
    assert_eq!(stack.send("after twice", &json!(2003)).await, 202);
    stack.until("the later execution", async || stack.noted("2003").await.pop()).await;
    stack.until("the execution", async || stack.noted("2002").await.pop()).await;
    assert_eq!(stack.noted("2002").await.len(), 1);
}

#[tokio::test]
async fn an_event_of_an_aws_service_becomes_an_execution() {
    let stack = Stack::shared().await;
    let events = stack.clients().await;
    let put = async |kind: &str, what: &str| {
        let entry = PutEventsRequestEntry::builder().source("example.things").detail_type(kind);
        let entry = entry.detail(json!({"what": what}).to_string()).build();
        let answer = events.eventbridge().put_events().entries(entry).send().await.unwrap();
        assert_eq!(answer.failed_entry_count, 0);
    };
    put("Something else", "nothing").await;
    put("Thing happened", "a-thing").await;
    let execution = stack.until("the execution", async || stack.noted("a-thing").await.pop()).await;
    assert_eq!(execution["rule"]["ref"], "chain.thing");
    assert!(stack.noted("nothing").await.is_empty());
}

#[tokio::test]
async fn a_timer_fires() {
    let stack = Stack::shared().await;
    let rule = json!({
        "name": "soon", "pack": "default", "enabled": true,
        "trigger": {"type": "core.st2.IntervalTimer", "parameters": {"unit": "seconds", "delta": 2}},
        "action": {"ref": "chain.note", "parameters": {"text": "tick"}},
    });
    let rule = stack.ask("POST", "rules", Some(rule)).await;
    stack.until("two occurrences", async || (stack.noted("tick").await.len() >= 2).then_some(())).await;
    stack.ask("DELETE", &format!("rules/{}", rule["id"].as_str().unwrap()), None).await;
}

#[tokio::test]
async fn of_three_hundred_events_none_is_lost_and_none_doubled() {
    let stack = Stack::shared().await;
    let rule = json!({
        "name": "many", "pack": "default", "enabled": true,
        "trigger": {"type": "core.st2.webhook", "parameters": {"url": "many"}},
        "action": {"ref": "core.noop"},
    });
    stack.ask("POST", "rules", Some(rule)).await;
    let started = std::time::Instant::now();
    let send = async |n: usize| {
        let sent = stack.ask("POST", "webhooks/many", Some(json!({"n": n}))).await;
        assert_eq!(sent["n"], n, "{sent}");
    };
    let numbers = futures::stream::iter(0..300usize);
    futures::StreamExt::for_each_concurrent(numbers, 8, send).await;
    // While executions come and go a page may show one twice, or leave one out.
    let ids = async |status: &str| {
        let mut ids = BTreeSet::new();
        for offset in (0..400).step_by(100) {
            let path = format!("executions?rule=default.many&status={status}&limit=100&offset={offset}");
            let page = stack.ask("GET", &path, None).await;
            ids.extend(page.as_array().unwrap().iter().map(|execution| execution["id"].to_string()));
        }
        ids
    };
    let all_ended = async || {
        let ended = ids("succeeded").await;
        (ended.len() >= 300).then_some(ended)
    };
    let ended = stack.until("300 executions", all_ended).await;
    println!("300 chains in {:.1} s", started.elapsed().as_secs_f64());
    let mut others = BTreeMap::new();
    for status in ["requested", "scheduled", "running", "failed", "abandoned"] {
        others.insert(status, ids(status).await.len());
    }
    assert_eq!((ended.len(), others.values().sum::<usize>()), (300, 0), "{others:?}");
}

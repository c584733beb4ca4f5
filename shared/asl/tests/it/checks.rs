//! What is wrong with definitions.

use asl::{StateMachine, check};
use serde_json::{Value, json};

fn faults(definition: Value) -> Vec<String> {
    let machine: StateMachine = serde_json::from_value(definition).unwrap();
    check(&machine).iter().map(ToString::to_string).collect()
}

#[test]
fn each_fault_is_found_and_told() {
    let long = "x".repeat(81);
    let found = faults(json!({
        "StartAt": "nowhere",
        "States": {
            "choose": {"Type": "Choice", "Choices": [{"Variable": "$.n[*]", "IsPresent": true, "Next": "gone"}], "Default": "wait"},
            "wait": {"Type": "Wait", "Next": "choose"},
            long.as_str(): {"Type": "Parallel", "ResultPath": null, "Next": "choose", "End": true, "Branches": [
                {"StartAt": "wait", "States": {"wait": {"Type": "Wait", "Seconds": 1, "Next": "wait"}}},
            ]},
        },
    }));
    assert_eq!(
        found,
        [
            "StartAt leads to \"nowhere\", and there is no such state beside it: add one, or correct the name".to_owned(),
            "the state \"choose\" leads to \"gone\", and there is no such state beside it: add one, or correct the name".to_owned(),
            "the state \"choose\" has the path \"$.n[*]\", which is none that we emit: $, $.a.b, $.a['b'] or $$.a.b".to_owned(),
            "the state \"wait\" needs either \"Seconds\" or \"SecondsPath\"".to_owned(),
            format!("the name of the state \"{long}\" has more than 80 characters: shorten it"),
            format!("the state \"{long}\" needs either \"Next\" or \"End\": true"),
            "more than one state of the machine has the name \"wait\": give each its own".to_owned(),
            "none of the states that begin with \"wait\" ends: one of them needs \"End\": true, or must be a Succeed or a Fail".to_owned(),
            "nothing leads to the state \"choose\": lead to it, or take it out".to_owned(),
            "nothing leads to the state \"wait\": lead to it, or take it out".to_owned(),
            format!("nothing leads to the state \"{long}\": lead to it, or take it out"),
        ]
    );
}

#[test]
fn a_definition_must_fit() {
    let large = "x".repeat(1_000_000);
    let found = faults(json!({"Comment": large, "StartAt": "a", "States": {"a": {"Type": "Succeed"}}}));
    assert_eq!(found, ["the definition has 1000062 bytes, more than the 1000000 that Step Functions takes"]);
}

#[test]
fn what_we_do_not_emit_is_not_read() {
    let read = |state: Value| {
        serde_json::from_value::<StateMachine>(json!({"StartAt": "a", "States": {"a": state}}))
            .map_err(|error| error.to_string())
    };
    assert!(read(json!({"Type": "Map"})).unwrap_err().contains("unknown variant `Map`"));
    assert!(read(json!({"Type": "Succeed", "Output": 1})).unwrap_err().contains("unknown field `Output`"));
}

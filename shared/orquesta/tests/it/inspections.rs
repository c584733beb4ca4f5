//! What is found wrong, and where.

use expressions::orquesta::Expressions;
use orquesta::inspect;
use serde_json::{Value, json};

const CASES: &str = include_str!("../data/inspections.yaml");

#[test]
fn inspections_find_what_the_cases_say() {
    let cases = yaml::read(CASES).unwrap().to_json();
    let expressions = Expressions::default();
    let mut wrong = Vec::new();
    for case in cases.as_array().unwrap() {
        let root = yaml::read(case["workflow"].as_str().unwrap()).unwrap();
        let inspection = inspect(&root, &["st2"], &expressions);
        let told: Vec<Value> = inspection.issues.iter().map(|issue| json!(issue.to_string())).collect();
        if json!(told) != case["issues"] {
            wrong.push(format!("{}: {}", case["name"], serde_json::to_string_pretty(&told).unwrap()));
        }
        assert_eq!(inspection.is_sound(), told.is_empty());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

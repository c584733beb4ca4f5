//! `squall demo`: the whole platform in this process.

use super::harness::squall_in;
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_goes_the_whole_way() {
    let done = squall_in(&[], &["demo", "--once", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let trail: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(trail["complete"], true);
    let rules: Vec<_> = trail["rules"].as_array().unwrap().iter().collect();
    let became: Vec<_> = rules
        .iter()
        .map(|rule| (rule["rule"].as_str().unwrap(), rule["matched"] == true, rule["execution"]["status"].as_str()))
        .collect();
    let wanted = [
        ("demo.critical_alert", true, Some("succeeded")),
        ("demo.staging_alert", false, None),
        ("demo.other_alert", true, None),
    ];
    assert_eq!(became, wanted);
    let result = &rules[0]["execution"]["result"]["stdout"];
    assert_eq!(result["host"], "shop-7:9100", "the action's output is JSON: {result}");
}

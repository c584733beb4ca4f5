use serde_json::json;

use super::*;

struct Stored;

impl KeyValues for Stored {
    fn get(&self, scope: Scope, name: &str) -> Option<String> {
        (scope == Scope::System && name == "limit.high").then(|| "90".to_owned())
    }

    fn decrypt(&self, _ciphertext: &str) -> Result<String, String> {
        Err("there is no key".to_owned())
    }
}

fn look_up(key: &str) -> Result<Value, JsonPathError> {
    let payload = json!({
        "a": {"b": 1, "c-d": 2, "e f": 3, "é": 4, "g.h": 5},
        "list": [{"n": 1}, {"n": 2, "m": {"n": 9}}, {"n": 3}],
        "text": "xyz", "number": 7, "nothing": null, "where": 1, "empty": [],
    });
    let root = Root { name: "trigger", value: &payload, key_values: &Stored };
    JsonPath::parse(key)?.first(root).map(Cow::into_owned)
}

#[test]
fn finds_what_the_original_finds() {
    let cases = [
        ("trigger.a.b", json!(1)),
        ("$.trigger.a.b", json!(1)),
        ("trigger . a . b ", json!(1)),
        ("trigger.a.c-d", json!(2)),
        ("trigger.a['e f']", json!(3)),
        ("trigger.a.\"é\"", json!(4)),
        ("trigger['a'].'g.h'", json!(5)),
        ("trigger.a.b.c", json!(null)),
        ("trigger.nope", json!(null)),
        ("nope", json!(null)),
        ("trigger.list[1].n", json!(2)),
        ("trigger.list[-1].n", json!(3)),
        ("trigger.list[9].n", json!(null)),
        ("trigger.list[*].m.n", json!(9)),
        ("trigger.list[1:].n", json!(2)),
        ("trigger.list[-2:-1].n", json!(2)),
        ("trigger.list[5:].n", json!(null)),
        ("trigger..m.n", json!(9)),
        ("trigger..n", json!(1)),
        ("trigger.*.b", json!(1)),
        ("trigger.text[1]", json!("y")),
        ("trigger.text[*]", json!("xyz")),
        ("trigger.nope,number", json!(7)),
        ("trigger.(nope|number)", json!(7)),
        ("trigger.a.`parent`.number", json!(7)),
        ("trigger.a.`this`.b", json!(1)),
        ("trigger.list where m", json!(null)),
        ("trigger.list[*] where m", json!({"n": 2, "m": {"n": 9}})),
        ("(trigger.list[*]) where m", json!({"n": 2, "m": {"n": 9}})),
        ("trigger.'where'", json!(1)),
        ("trigger.empty[0]", json!(null)),
        ("system.limit.high", json!("90")),
        ("st2kv.system.limit.high", json!("90")),
        ("st2kv.system['limit.high']", json!("90")),
        ("system.nope", json!(null)),
        ("system.limit['high','low']", json!("90")),
    ];
    for (key, expected) in cases {
        assert_eq!(look_up(key), Ok(expected), "{key}");
    }
}

#[test]
fn fails_where_the_original_raises() {
    for key in [
        "",
        ".",
        "trigger.",
        ".a",
        "trigger.where",
        "trigger.parent",
        "trigger.a é",
        "trigger.é",
        "trigger.0",
        "trigger[",
        "trigger['a",
        "trigger.list[1]_x",
        "trigger.list[1,2]",
        "trigger & a",
        "trigger.`up`",
        "trigger.number[0]",
        "trigger.nothing[*]",
        "trigger.nothing[0]",
        "trigger.empty[-1]",
        "trigger.a[0]",
        "trigger.list[-9]",
        "trigger.a b",
    ] {
        assert!(look_up(key).is_err(), "{key}");
    }
}

#[test]
fn is_bounded() {
    assert_eq!(look_up(&"(".repeat(1000)), Err(JsonPathError::TooDeep));
    assert_eq!(look_up(&"a".repeat(2000)), Err(JsonPathError::TooLong));
    let list = json!(vec![json!([[1, 2, 3], [4, 5, 6]]); 2000]);
    let root = Root { name: "trigger", value: &list, key_values: &Stored };
    let path = JsonPath::parse("trigger..[*]..[*]..[*]..[*]").unwrap();
    assert_eq!(path.first(root), Err(JsonPathError::TooManyVisits));
}

#[test]
fn finds_every_match_in_a_value() {
    let value = json!({"a": {"b": [{"n": 1}, {"n": 2}, {"m": 3}], "k-d": 4, "x.y": 5}, "n": 9});
    let cases = [
        ("a.b[*].n", json!([1, 2])),
        ("$.a.b[0].n", json!([1])),
        ("a.b[-1].m", json!([3])),
        ("a.b[0:2].n", json!([1, 2])),
        ("a['k-d']", json!([4])),
        ("a.\"x.y\"", json!([5])),
        ("$..n", json!([9, 1, 2])),
        ("a.*", json!([[{"n": 1}, {"n": 2}, {"m": 3}], 4, 5])),
        ("a.b[*] where n", json!([{"n": 1}, {"n": 2}])),
        ("n | missing", json!([9])),
        ("a[*].k-d", json!([4])),
        ("a.b[*].n.`parent`", json!([{"n": 1}, {"n": 2}])),
        ("missing", json!([])),
        ("system", json!([])),
        ("a.b[9]", json!([])),
    ];
    for (path, expected) in cases {
        let found = JsonPath::parse(path).unwrap().find(&value).unwrap();
        assert_eq!(json!(found), expected, "{path}");
    }
}

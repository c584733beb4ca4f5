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

fn look_up(key: &str) -> Result<Value, PathError> {
    let payload = json!({
        "a": {"b": 1, "c-d": 2, "e f": 3, "é": 4, "g.h": 5},
        "list": [{"n": 1}, {"n": 2, "m": {"n": 9}}, {"n": 3}],
        "text": "xyz", "number": 7, "nothing": null, "where": 1, "empty": [],
    });
    let root = Root { name: "trigger", value: &payload, key_values: &Stored };
    Path::compile(key)?.first(root).map(Cow::into_owned)
}

#[test]
fn finds_what_the_original_finds() {
    let cases = [
        ("trigger.a.b", json!(1)),
        ("trigger.a.b#again", json!(1)),
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
    assert_eq!(look_up(&"(".repeat(1000)), Err(PathError::TooDeep));
    assert_eq!(look_up(&"a".repeat(2000)), Err(PathError::TooLong));
    let list = json!(vec![json!([[1, 2, 3], [4, 5, 6]]); 2000]);
    let root = Root { name: "trigger", value: &list, key_values: &Stored };
    let path = Path::compile("trigger..[*]..[*]..[*]..[*]").unwrap();
    assert_eq!(path.first(root), Err(PathError::TooManyVisits));
}

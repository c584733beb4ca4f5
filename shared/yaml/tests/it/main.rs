//! What PyYAML answered, and what is read and written here.

#![expect(clippy::unwrap_used, reason = "a test stops where its data is wrong")]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use yaml::{ErrorKind, ReadOptions, WriteOptions, read, read_with, to_string, to_string_with};

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn field<'a>(case: &'a Value, name: &str) -> &'a str {
    case.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// `value` is what the text means; `error` the code where it can't be read; `pyyaml` what PyYAML answers where that is another thing.
#[test]
fn reads_as_recorded() {
    let mut wrong = Vec::new();
    for case in cases(include_str!("../read.json")) {
        let text = field(&case, "text");
        match (read(text).map(|node| node.to_json()), case.get("value")) {
            (Ok(value), Some(wanted)) if value == *wanted => {}
            (Err(error), None) if error.kind.code() == field(&case, "error") => {}
            (answer, _) => wrong.push(format!("{case}\n    answer: {answer:?}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn writes_as_recorded() {
    let mut wrong = Vec::new();
    for case in cases(include_str!("../write.json")) {
        let options = WriteOptions {
            allow_unicode: case["allow_unicode"].as_bool().unwrap_or(true),
            indent: case["indent"].as_u64().map_or(2, |n| usize::try_from(n).unwrap()),
            sort_keys: case["sort_keys"].as_bool().unwrap_or(true),
        };
        let text = to_string_with(&case["value"], &options);
        if text != field(&case, "text") {
            wrong.push(format!("{case}\n    answer: {text:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn keys_and_values_know_where_they_stand() {
    let node = read("# head\na: 1\nlist:\n  - x\n  - {k: é, z: 2}\n").unwrap();
    let place = |position: yaml::Position| (position.line, position.column);
    assert_eq!(place(node.entry("a").unwrap().position), (2, 1));
    assert_eq!(place(node.get("a").unwrap().position), (2, 4));
    let inner = &node.get("list").unwrap().as_list().unwrap()[1];
    assert_eq!(place(inner.position), (5, 5));
    assert_eq!(place(inner.entry("z").unwrap().position), (5, 12));
}

#[test]
fn a_key_that_stands_twice_names_both_lines() {
    let text = "a: 1\nb: 2\na: 3\n";
    let error = read(text).unwrap_err();
    assert_eq!(error.kind, ErrorKind::DuplicateKey);
    assert_eq!((error.position.line, error.position.column), (3, 1));
    assert!(error.message.contains("line 1"), "{error}");
    let options = ReadOptions { last_key_wins: true, ..ReadOptions::default() };
    assert_eq!(read_with(text, &options).unwrap().to_json(), json!({"a": 3, "b": 2}));
}

#[test]
fn errors_say_how_to_mend_the_text() {
    for (text, hint) in [
        ("a: {{ b }}", "quoted"),
        ("a: {{ b }} c", "quoted"),
        ("a: b: c", "quoted"),
        ("a: @b", "quoted"),
        ("a:\n\tb: 1", "spaces"),
        ("a: 'b", "quote"),
        ("a: [1, 2", "bracket"),
        ("a: 1\n  b: 2", "indentation"),
        ("a: \u{7}", "\\u0007"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.hint.as_deref().is_some_and(|have| have.contains(hint)), "{text:?}: {error:?}");
        assert!(error.position.line > 0 && error.position.column > 0, "{text:?}: {error:?}");
    }
}

#[test]
fn limits_have_names() {
    let kind = |text: &str| read(text).map(|_| ()).map_err(|error| error.kind);
    assert_eq!(kind(&format!("{}{}", "[".repeat(129), "]".repeat(129))), Err(ErrorKind::TooDeep));
    assert_eq!(kind(&"[".repeat(100_000)), Err(ErrorKind::TooDeep));
    assert_eq!(kind(&"- ".repeat(100_000)), Err(ErrorKind::TooDeep));
    assert_eq!(kind(&"? ".repeat(200)), Err(ErrorKind::TooDeep));
    assert_eq!(kind(&format!("{}{}", "[".repeat(128), "]".repeat(128))), Ok(()));
    assert_eq!(kind(&"x".repeat(8 * 1024 * 1024 + 1)), Err(ErrorKind::TooLarge));
    assert_eq!(kind("a: &a [*a]"), Err(ErrorKind::RecursiveAnchor));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(kind(&bomb), Err(ErrorKind::TooManyValues));
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), vec!["*a"; 100].join(", "));
    assert_eq!(kind(&long), Err(ErrorKind::TooManyValues));
    let stairs: String = (1..100).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)).collect();
    let deep = format!("a0: &a0 {}{}\n{stairs}", "[".repeat(100), "]".repeat(100));
    assert_eq!(kind(&deep), Err(ErrorKind::TooDeep));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,12}",
        "[-+0-9._:eExbT ]{1,10}",
        "(yes|no|on|null|~|<<|=|\\.inf|2026-01-31|[0-9]{4}-[0-9]{2}-[0-9]{2})",
        "[a\n\t #:é\u{85}\u{a0}\u{2028}\u{feff}\u{1f600}'\"\\\\]{0,20}",
        "([a-z]{1,9}[ \n'é]){8,30}",
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has none", |float| float.is_finite()).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((any_text(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_value(), allow_unicode: bool, indent in 2usize..9) {
        let text = to_string_with(&value, &WriteOptions { allow_unicode, indent, sort_keys: false });
        let back = read(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(back.to_json(), value, "{}", text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "[-?:,\\[\\]{}#&*!|>'\"%@` \n\ta1<]{0,40}") {
        if let Ok(node) = read(&text) {
            to_string(&node.to_json());
        }
    }
}

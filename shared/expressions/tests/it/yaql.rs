//! YAQL's bounds: nothing that an expression says hangs, eats memory or panics.

use std::sync::Arc;

use expressions::{Context, ErrorKind, Lacking, Limit, Limits, Yaql};
use serde_json::{Value, json};

fn outcome(expression: &str) -> Result<Value, ErrorKind> {
    let context = Context::new().with("1", json!({"l": [1, 2, 3], "s": "text", "d": {"a": 1}}));
    Yaql::default().evaluate(expression, &context).map_err(|error| error.kind)
}

fn limit_of(expression: &str) -> Option<Limit> {
    match outcome(expression) {
        Err(ErrorKind::Limit(limit)) => Some(limit),
        other => panic!("{}: {other:?}", expression.chars().take(120).collect::<String>()),
    }
}

#[test]
fn work_and_data_are_bounded() {
    for expression in [
        "sequence()",
        "range(1000000000000).len()",
        "len(list(sequence()))",
        "dict(sequence().select([$, $]))",
        "sequence().where(false).first()",
        "sequence().toSet()",
        "[1].cycle().count()",
        "1.repeat().sum()",
        "sequence().groupBy($)",
        "sequence().orderBy($).first()",
        "sequence().join(sequence(), false, 1)",
        "generate(1, true, $).last()",
        "generateMany(1, [$, $]).last()",
        "range(99999).select(range(99999).len()).sum()",
        "1000000000000 * [1]",
        "range(64).aggregate($1 + $1, [1])",
        "range(40).aggregate([$1, $1], 1)",
        "range(40).aggregate([$1, $1], 1) = range(40).aggregate([$1, $1], 1)",
        "set(range(40).aggregate([$1, $1], 1)).len()",
        "{range(40).aggregate([$1, $1], 1) => 1}.len()",
        "range(40).aggregate([$1, $1], 1).flatten().len()",
        "range(999999).select(abc.toUpper()).len()",
        "let(a => range(14).aggregate([$1, $1], 1), b => range(14).aggregate([$1, $1], 1)) -> range(9999).where($a = $b).len()",
        "let(a => set(range(14).aggregate([$1, $1], 1)), b => set(range(14).aggregate([$1, $1], 1))) -> range(9999).where(($a + $b).len() = 1).len()",
    ] {
        assert_eq!(limit_of(expression), Some(Limit::Fuel), "{expression}");
    }
}

#[test]
fn texts_are_bounded() {
    for expression in [
        "range(64).aggregate($1 + $1, x)",
        "abc * 1000000000000",
        "(x * 100000).replace('', y * 100000)",
        "str(range(30).aggregate([$1, $1], 1))",
        "[1, 2, 3].select(x * 9000000).join(',')",
        "(x * 10000).replace(regex(x), y * 10000)",
    ] {
        assert_eq!(limit_of(expression), Some(Limit::OutputSize), "{expression}");
    }
}

#[test]
fn nesting_is_bounded() {
    for expression in [
        "def(f, f($)) -> f(1)".to_owned(),
        "def(f, [1].select(f($)).toList()) -> f(1)".to_owned(),
        "range(9000).aggregate([$1], 1)".to_owned(),
        "range(9000).aggregate({a => $1}, 1)".to_owned(),
        "range(9000).aggregate($1.select($), [1])".to_owned(),
        "range(9000).aggregate($1.orderBy($), [1])".to_owned(),
        "range(9000).aggregate(let(x => $1), 1)".to_owned(),
        "range(9000).aggregate(set($1), 1)".to_owned(),
        "range(300).aggregate([$1], 1)".to_owned(),
        format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("{}1", "-".repeat(5000)),
        format!("{}1{}", "[".repeat(5000), "]".repeat(5000)),
        format!("1{}", " + 1".repeat(5000)),
        format!("$.l{}", ".select($)".repeat(5000)),
    ] {
        assert_eq!(limit_of(&expression), Some(Limit::Depth), "{}", expression.get(..40).unwrap_or(&expression));
    }
}

#[test]
fn the_deepest_evaluation_fits_a_small_stack() {
    let deep = format!("{}1{}", "[".repeat(190), "]".repeat(190));
    let recursion = "def(f, let(n => $) -> [1].select(f($n + 1)).first()) -> f(1)";
    let run = move || (limit_of(recursion), limit_of(&deep), limit_of("def(f, 1 + f($)) -> f(1)"));
    let thread = std::thread::Builder::new().stack_size(1024 * 1024).spawn(run).unwrap();
    assert_eq!(thread.join().unwrap(), (Some(Limit::Depth), Some(Limit::Depth), Some(Limit::Depth)));
}

#[test]
fn patterns_and_sizes_are_bounded() {
    assert_eq!(limit_of(&format!("'{}'", "x".repeat(300_000))), Some(Limit::TemplateSize));
    assert_eq!(limit_of("(a * 40 + '!') =~ `^(a|aa)+\\1$`"), Some(Limit::Regex));
    assert_eq!(limit_of("regex(`(x{1000}){1000}`)"), Some(Limit::Regex));
    for expression in [
        "pow(2, 1000000)",
        "shiftBitsLeft(1, 1000000000000)",
        "timespan(days => 100000000000)",
        "datetime(2024, 1, 1) + timespan(days => 9999999)",
        "datetime(99999999999999)",
        "$.l.slice(-1)",
        "$.l.limit(-1)",
        "range(1, 2, 0)",
        "1 mod 0",
    ] {
        assert!(outcome(expression).is_err(), "{expression}");
    }
    for expression in [
        "round(1.5, 1000000000)",
        "$.s.substring(1000000000000)",
        "$.l.insert(-1000000000000, 1)",
        "10001000000000 * []",
        "$.l.delete(1000000000000, 1000000000000)",
        "-170141183460469231731687303715884105727 - 10",
        "shiftBitsRight(5, 1000000000000)",
        "range(9).accumulate($1 + $2).append(1)",
    ] {
        assert!(outcome(expression).is_ok(), "{expression}");
    }
}

#[test]
fn a_deep_payload_is_read_but_not_given_back() {
    let mut payload = json!("bottom");
    for _ in 0..500 {
        payload = Value::Array(vec![payload]);
    }
    let context = Context::new().with("1", Arc::new(payload));
    let yaql = Yaql::default();
    assert_eq!(yaql.evaluate("$[0][0].len()", &context).unwrap(), 1);
    for expression in ["$", "str($)", "set($)", "{a => $}", "[$].distinct()"] {
        assert_eq!(
            yaql.evaluate(expression, &context).unwrap_err().kind,
            ErrorKind::Limit(Limit::Depth),
            "{expression}"
        );
    }
}

#[test]
fn time_and_chance_come_with_the_context() {
    let yaql = Yaql::new(Limits::default(), Lacking::Plain);
    for expression in ["now()", "random()", "random(1, 6)", "datetime('10:30')"] {
        assert_eq!(
            yaql.evaluate(expression, &Context::new()).unwrap_err().kind,
            ErrorKind::Unsupported,
            "{expression}"
        );
    }
    let context = Context::new().with_now(86_400_000_000).with_seed(7);
    assert_eq!(yaql.evaluate("now()", &context).unwrap(), "1970-01-02T00:00:00+00:00");
    let thrown = yaql.evaluate("range(100).select(random(1, 6))", &context).unwrap();
    assert!(thrown.as_array().unwrap().iter().all(|n| (1..=6).contains(&n.as_i64().unwrap())));
    assert_eq!(yaql.evaluate("range(100).select(random(1, 6))", &context).unwrap(), thrown);
}

#[test]
fn errors_say_where_and_never_quote_values() {
    let context = Context::new().with("1", json!({"secret": "hunter2", "n": 7}));
    let yaql = Yaql::default();
    let error = yaql.evaluate("1 +\n  $.n.nope()", &context).unwrap_err();
    assert_eq!((error.line, error.column, error.code()), (Some(2), Some(7), "expression.unknown"));
    for expression in [
        "$.secret + 1",
        "$.secret.nope",
        "$.secret.nope()",
        "int($.secret)",
        "len($.n)",
        "{a => 1}[$.secret]",
        "$.n[$.secret]",
        "datetime($.secret)",
        "regex($.secret + '(')",
        "$.secret.select($)",
        "from_json_string($.secret)",
        "version_bump_major($.secret)",
        "call($.secret, [], {})",
        "call($.secret, [], {}, 1)",
        "$.secret -> 1",
        "hex($.secret)",
        "float($.secret)",
    ] {
        let error = yaql.evaluate(expression, &context).unwrap_err();
        let shown = error.to_string();
        assert!(!shown.contains("hunter2"), "{expression}: {shown}");
    }
}

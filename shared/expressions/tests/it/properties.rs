//! Whatever is written, the answer is a value or an error.

use std::sync::LazyLock;

use expressions::jsonpath::JsonPath;
use expressions::orquesta::{self, Expressions};
use expressions::regexes::{Flags, Pattern};
use expressions::{Context, ErrorKind, Jinja, Lacking, Limits, Yaql, casts, datastore_keys};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces that templates are made of, in any order.
fn template() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " if ",
        " for ",
        " in ",
        "set ",
        "endif",
        "endfor",
        "else",
        "x",
        "d.a",
        "l",
        "[0]",
        "[1:]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "'s'",
        "\"",
        "1",
        "2.5",
        "-",
        "+",
        "*",
        "~",
        "|",
        "upper",
        "list",
        "join",
        "tojson",
        "int",
        "default(1)",
        "sort",
        "regex_replace('a', '\\1')",
        "map(attribute='a')",
        ".items()",
        ".split()",
        ",",
        "=",
        "==",
        "is",
        "defined",
        "none",
        "é",
        "\n",
        " ",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(Expressions::default);

/// Pieces that YAQL is made of, in any order.
fn yaql() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "$",
        "$.a",
        "$.s",
        "$1",
        "[1, 2, a]",
        "{a => 1}",
        "set(1)",
        "range(3)",
        "sequence()",
        "datetime(0)",
        "null",
        "1",
        "2.5",
        "'s'",
        "`r`",
        "name",
        "true",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        " => ",
        " -> ",
        ".",
        "?.",
        " + ",
        " - ",
        " * ",
        " / ",
        " mod ",
        " and ",
        " or ",
        " not ",
        " in ",
        " = ",
        " < ",
        " =~ ",
        ".select(",
        ".where(",
        ".orderBy(",
        ".aggregate(",
        ".groupBy(",
        ".join(",
        ".limit(2)",
        ".len()",
        ".split(",
        ".replace(",
        "str(",
        "regex(",
        "let(x => ",
        "def(f, ",
        "f(",
        "switch(",
        "dict(",
        "list(",
        "int(",
        "timespan(1)",
        "é",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn templates_never_panic(inside in template(), bare in template()) {
        let context = Context::new().with("x", json!("text")).with("d", json!({"a": [1, null, {"b": 2.5}]})).with("l", json!([3, 1]));
        let (jinja, expressions) = (Jinja::default(), &*EXPRESSIONS);
        let statement = format!("{{% set v = ({inside}) %}}{{{{ v }}}}");
        for text in [format!("{{{{ {inside} }}}}"), statement, bare] {
            // The checks that are added never spoil a template.
            let checked = jinja.validate(&text).err().map(|error| error.kind);
            prop_assert_ne!(checked, Some(ErrorKind::Unsupported), "{}", text);
            let _ = jinja.render(&text, &context);
            let _ = jinja.evaluate(&text, &context);
            let _ = jinja.render_typed(&text, &context);
            let _ = jinja.references(&text);
            let _ = datastore_keys(&text);
            let _ = expressions.validate(&Value::from(text.as_str()));
            let _ = orquesta::variables(&Value::from(text));
        }
    }

    #[test]
    fn yaql_never_panics(dense in yaql(), loose in ".{0,30}") {
        let context = Context::new().with("1", json!({"a": [1, null, {"b": 2.5}], "s": "text"})).with_now(0).with_seed(1);
        let yaql = Yaql::new(Limits { fuel: 20_000, ..Limits::default() }, Lacking::Tagged);
        for text in [&dense, &loose] {
            let _ = yaql.evaluate(text, &context);
            let _ = EXPRESSIONS.evaluate(&Value::from(format!("a <% {text} %> b")), &context);
        }
    }

    #[test]
    fn casts_patterns_and_paths_never_panic(text in ".{0,40}", dense in "[\\[\\](){}'\"\\\\:,.0-9a-fxeE_+*?^$|#<>=!P-]{0,24}") {
        for text in [&text, &dense] {
            for type_name in ["array", "object", "boolean", "integer", "number", "string", "null"] {
                let _ = casts::cast(Value::from(text.as_str()), type_name);
            }
            if let Ok(path) = JsonPath::parse(text) {
                let _ = path.find(&json!({"a": [{"b": 1}]}));
            }
            if let Ok(pattern) = Pattern::new(text, Flags::default(), "abc\n") {
                let _ = pattern.is_match("abc\n");
            }
        }
    }

    #[test]
    fn what_python_prints_is_read_back(value in json_value()) {
        let jinja = Jinja::default();
        let printed = jinja.render("{{ v }}", &Context::new().with("v", json!([value]))).unwrap();
        prop_assert_eq!(casts::cast(Value::from(printed), "array").unwrap(), json!([value]));
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

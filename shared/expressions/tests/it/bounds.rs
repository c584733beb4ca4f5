//! Nothing that a template says hangs, eats memory or panics.

use std::sync::Arc;

use expressions::{Context, ErrorKind, Jinja, Limit, Limits};
use serde_json::{Value, json};

fn outcome(template: &str) -> Result<String, ErrorKind> {
    Jinja::default()
        .render(template, &Context::new().with("list", json!([1, 2, 3])).with("s", json!("text")))
        .map_err(|error| error.kind)
}

fn limit_of(template: &str) -> Option<Limit> {
    match outcome(template) {
        Err(ErrorKind::Limit(limit)) => Some(limit),
        other => panic!("{}: {other:?}", template.chars().take(120).collect::<String>()),
    }
}

#[test]
fn work_and_data_are_bounded() {
    for template in [
        "{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | sum }}",
        "{{ range(10 ** 12) | list }}",
        "{{ 'a' * 10 ** 10 }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = 'x' * 100000 %}{% endfor %}",
        "{{ (range(99999) | list | tojson) * 1000 }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}",
        "{% macro m(x, n) %}{% if n %}{{ m([x, x], n - 1) }}{% endif %}{% endmacro %}{{ m(1, 40) }}",
        "{% for a in [[1]] recursive %}{{ loop([[a, a]]) }}{% endfor %}",
        "{% with a=[1, 1] %}{% with a=[a, a, a, a, a, a, a, a, a, a] %}{% with a=[a, a, a, a, a, a, a, a, a, a] %}{% with a=[a, a, a, a, a, a, a, a, a, a] %}{% with a=[a, a, a, a, a, a, a, a, a, a] %}{% with a=[a, a, a, a, a, a, a, a, a, a] %}{{ a == [a] }}{% endwith %}{% endwith %}{% endwith %}{% endwith %}{% endwith %}{% endwith %}",
    ] {
        assert_eq!(limit_of(template), Some(Limit::Fuel), "{template}");
    }
}

#[test]
fn texts_are_bounded() {
    for template in [
        "{{ s | center(10 ** 12) }}",
        "{{ s.ljust(10 ** 12) }}",
        "{{ s.zfill(10 ** 15) }}",
        "{{ '\t'.expandtabs(10 ** 12) }}",
        "{{ ('x' * 100000) | replace('', 'y' * 100000) }}",
        "{{ '{:>1000000000}'.format(1) }}",
        "{{ '{:.99999999999999999999f}'.format(1) }}",
        "{{ ('{0}' * 1000).format('x' * 100000) }}",
        "{{ ('{x}' * 1000).format(x=[s * 20000]) }}",
    ] {
        assert_eq!(limit_of(template), Some(Limit::OutputSize), "{template}");
    }
}

#[test]
fn lists_are_not_repeated() {
    for template in [
        "{{ [0] * 3 }}",
        "{{ 3 * list }}",
        "{{ 1 + 2 * list[0:1] }}",
        "{{ [[[[0] * 9999] * 9999] * 9999] * 9999 ~ '' }}",
        "{{ n * list if (n * list) else 1 }}",
        "{{ (0,)*9 }}",
        "{% if s and 2*list %}{% endif %}",
        "{% for x in list * 2 %}{% endfor %}",
    ] {
        assert_eq!(outcome(template), Err(ErrorKind::Unsupported), "{template}");
    }
    for (template, text) in [
        ("{{ '-' * 3 }}{{ 2 * 3 * 4 }}{{ 2*-3 }}{{ 2 * 3 ** 2 }}", "---24-618"),
        ("{{ list[0] * list[1] + 1.5e1*2 }}", "32.0"),
        ("{{ 3 if 2 * 2 == 4 else 1 }}{{ [2 * 3, 4*5,] }}{{ {'a': 2 * 2} }}", "3[6, 20]{'a': 4}"),
        ("{{ 2 * 3 is odd }}{{ 2 * list | length }}{{ '*' * 2 }}{{ \"a*'\" }}", "26**a*'"),
    ] {
        assert_eq!(outcome(template).as_deref(), Ok(text), "{template}");
    }
    let names = vec!["list"; 200].join(", ");
    assert_eq!(limit_of(&format!("{{{{ [{names}] ~ '' }}}}")), Some(Limit::ExpressionSize));
}

#[test]
fn checks_change_nothing_else() {
    for (template, text) in [
        ("{% set x = 1 -%}\n  a{{ x }}", "a1"),
        ("{% set x = 1 %}\na{{ x }}", "a1"),
        ("{% set x = 1 +%}\na", "\na"),
        ("{% for a, b in [(1, 2)] %}{{ a }}{{ b }}{% else %}-{% endfor %}", "12"),
        ("{% for a in [] %}x{% else %}none{% endfor %}", "none"),
        ("{% with a=1, b=(2, 3) %}{{ a }}{{ b }}{% endwith %}", "1(2, 3)"),
        ("{% macro m(a, b=[1, 2]) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}", "1[1, 2]"),
        ("{% macro m() %}<{{ caller(5) }}>{% endmacro %}{% call(v) m() %}{{ v }}{% endcall %}", "<5>"),
        (
            "{% set x %}a{% endset %}{{ x }}{% raw %}{% set y = [1] * 2 %}{% endraw %}{# {% set #}",
            "a{% set y = [1] * 2 %}",
        ),
        ("{% set ns = namespace(a=1) %}{% set ns.a = ns.a + 1 %}{{ ns.a }}", "2"),
        ("{% set (a, b) = (1, 2) %}{{ a }}{{ b }}", "12"),
        ("{{ {'a': {'b': '}}'}}.a.b }} * [x] * [y]", "}} * [x] * [y]"),
    ] {
        assert_eq!(outcome(template).as_deref(), Ok(text), "{template}");
    }
    let error = Jinja::default().render("{% set a = 1 %}{% set b = 2 * a %}{{ nope }}", &Context::new()).unwrap_err();
    assert_eq!((error.line, error.column), (Some(1), Some(38)));
    let error = Jinja::default().evaluate("{{ 2 * 3 ~ (nope | upper) }}", &Context::new()).unwrap_err();
    assert_eq!(error.column, Some(20));
}

#[test]
fn nesting_is_bounded() {
    let deep = "{% set ns = namespace(x=[]) %}{% for i in range(9000) %}{% set ns.x = [ns.x] %}{% endfor %}";
    assert_eq!(limit_of(deep), Some(Limit::Depth));
    assert_eq!(limit_of("{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}"), Some(Limit::Depth));
    assert_eq!(limit_of("{% for x in [list] recursive %}{{ loop([x]) }}{% endfor %}"), Some(Limit::Depth));
    assert_eq!(limit_of(&format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000))), Some(Limit::Depth));
    assert_eq!(limit_of(&"{% if s %}".repeat(5000)), Some(Limit::Depth));
}

#[test]
fn templates_patterns_and_numbers_are_bounded() {
    assert_eq!(limit_of(&format!("{{{{ s }}}}{}", "x".repeat(300_000))), Some(Limit::TemplateSize));
    assert_eq!(limit_of("{{ ('a' * 40 ~ '!') | regex_search('^(a|aa)+\\\\1$') }}"), Some(Limit::Regex));
    assert_eq!(limit_of("{{ s | regex_search('(x{1000}){1000}') }}"), Some(Limit::Regex));
    for template in [
        "{{ 2 ** 1000000 }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '%.1000000000f' | format(1) }}",
        "{{ s | tojson(indent=10 ** 9) }}",
        "{{ list | batch(10 ** 12, 'x') | list }}",
        "{{ list | slice(10 ** 12) | list }}",
        "{{ list | indent(10 ** 12) }}",
        "{{ 1 // 0 }}",
        "{% include 'template' %}",
    ] {
        assert!(outcome(template).is_err(), "{template}");
    }
    for template in [
        "{{ 1.5 | round(10 ** 9) }}",
        "{{ (-9223372036854775808) | abs }}",
        "{{ ('9' * 1000) | int }}",
        "{{ s[10 ** 12:] }}",
    ] {
        assert!(outcome(template).is_ok(), "{template}");
    }
}

#[test]
fn data_that_looks_like_a_template_stays_data() {
    let context = Context::new().with("x", json!("{{ y }}")).with("y", json!("no"));
    let jinja = Jinja::default();
    assert_eq!(jinja.render("{{ x }}", &context).unwrap(), "{{ y }}");
    assert_eq!(jinja.evaluate("{{ x }}", &context).unwrap(), "{{ y }}");
    assert_eq!(jinja.render_value(&json!(["{{ x }}"]), &context).unwrap(), json!(["{{ y }}"]));
}

#[test]
fn the_cache_of_templates_is_bounded() {
    let jinja = Jinja::new(expressions::Undefined::Refused, Limits { cached_templates: 4, ..Limits::default() });
    for n in 0..100 {
        assert_eq!(jinja.render(&format!("{{{{ {n} }}}}"), &Context::new()).unwrap(), n.to_string());
    }
}

#[test]
fn a_deep_payload_is_read_but_not_printed() {
    let mut payload = json!("bottom");
    for _ in 0..500 {
        payload = Value::Array(vec![payload]);
    }
    let context = Context::new().with("deep", Arc::new(payload));
    let jinja = Jinja::default();
    assert_eq!(jinja.render("{{ deep[0][0] | length }}", &context).unwrap(), "1");
    for template in ["{{ deep }}", "{{ deep | tojson }}", "{{ deep | pprint }}"] {
        assert_eq!(jinja.render(template, &context).unwrap_err().kind, ErrorKind::Limit(Limit::Depth), "{template}");
    }
}

//! The patterns by which Orquesta finds expressions and references in a text.

use std::sync::LazyLock;

use fancy_regex::Regex as Fancy;
use regex::Regex;

static JINJA: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{.*?\}\}").ok());
static YAQL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("<%.*?%>").ok());
static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{%.*?%\}").ok());
static RAW: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{% raw %\}.*?\{% endraw %\}").ok());

static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let part = r#"[\]\[a-zA-Z0-9_'".()]*"#;
    Regex::new(&format!(r#"\bctx\(['"]?{part}['"]?\)\.?{part}"#)).ok()
});

/// The ways to name a variable: `ctx().x`, `ctx(x)`, `ctx('x')`, `ctx("x")`.
static VARIABLES: LazyLock<Vec<Fancy>> = LazyLock::new(|| {
    [
        r"(?<=\bctx\(\)\.)([a-zA-Z0-9_-]+)\b(?!\()\.?",
        r"\bctx\(([a-zA-Z0-9_-]+)\)",
        r"\bctx\('([a-zA-Z0-9_-]+)'\)",
        r#"\bctx\("([a-zA-Z0-9_-]+)"\)"#,
    ]
    .iter()
    .filter_map(|pattern| Fancy::new(pattern).ok())
    .collect()
});

fn each<'t>(pattern: &'static LazyLock<Option<Regex>>, text: &'t str) -> impl Iterator<Item = &'t str> {
    pattern.iter().flat_map(move |pattern| pattern.find_iter(text)).map(|found| found.as_str())
}

/// Each `{{ … }}` on one line.
pub(super) fn each_jinja(text: &str) -> impl Iterator<Item = &str> {
    each(&JINJA, text)
}

/// Each `<% … %>` on one line.
pub(super) fn each_yaql(text: &str) -> impl Iterator<Item = &str> {
    each(&YAQL, text)
}

/// Each `{% … %}` on one line.
pub(super) fn each_block(text: &str) -> impl Iterator<Item = &str> {
    each(&BLOCK, text)
}

/// Each raw block on one line.
pub(super) fn each_raw(text: &str) -> impl Iterator<Item = &str> {
    each(&RAW, text)
}

/// Each reference to the context in the inside of an expression.
pub(super) fn references(expression: &str) -> impl Iterator<Item = String> {
    each(&REFERENCE, expression).map(str::to_owned)
}

/// The variables of a reference.
pub(super) fn variables(reference: &str) -> impl Iterator<Item = String> {
    VARIABLES.iter().filter_map(move |pattern| {
        let captures = pattern.captures(reference).ok().flatten()?;
        captures.get(1).map(|name| name.as_str().to_owned())
    })
}

//! Parameters written into a text: `core.local cmd="date" timeout=10`.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

static PARAMETER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let value = [
        r"\[.*\]\s*",
        r#""[^"]*"\s*"#,
        r"'[^']*'\s*",
        r"-?\d*\.\d+",
        r"-?\d+",
        r"(?i:true)",
        r"(?i:false)",
        r"null",
        r"\{\{.*?\}\}",
        r"<%.*?%>",
    ];
    Regex::new(&format!(r"(\w+)=({})", value.join("|"))).ok()
});

static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#""[^"]*"|'[^']*'"#).ok());

/// The parameters in their order. Values are JSON where they read as such; what is quoted is a text, unless it is a JSON object.
pub(crate) fn parameters(text: &str) -> Vec<(String, Value)> {
    let found = PARAMETER.iter().flat_map(|pattern| pattern.captures_iter(text));
    found.filter_map(|parts| Some((parts.get(1)?.as_str().to_owned(), value(parts.get(2)?.as_str())))).collect()
}

fn value(written: &str) -> Value {
    let written = written.trim();
    let quoted = QUOTED.as_ref().is_some_and(|pattern| pattern.is_match(written));
    let bare = unquote(unquote(written, '"'), '\'');
    let braced = bare.starts_with('{') && bare.ends_with('}');
    if quoted && !braced && !bare.is_empty() {
        return Value::from(bare);
    }
    let lower = bare.to_lowercase();
    let json = if lower == "true" || lower == "false" { lower.as_str() } else { bare };
    serde_json::from_str(json).unwrap_or_else(|_| Value::from(bare))
}

fn unquote(text: &str, quote: char) -> &str {
    let text = text.strip_prefix(quote).unwrap_or(text);
    text.strip_suffix(quote).unwrap_or(text)
}

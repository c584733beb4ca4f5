//! Takes the values of secrets out of whatever an action gives back, before it is stored.

use aho_corasick::{AhoCorasick, MatchKind};
use model::{MASK, Secret};
use serde_json::{Map, Value};

/// Shorter secrets are not looked for: they would mask half of any text.
const SHORTEST: usize = 4;

/// Knows the secrets of one execution, in the forms in which they may come back.
#[derive(Debug, Default)]
pub(crate) struct Redactor {
    finder: Option<AhoCorasick>,
    longest: usize,
}

impl Redactor {
    /// Knows every string within these values, at any depth.
    pub(crate) fn new<'a>(values: impl Iterator<Item = &'a Value>, texts: &[Secret<String>]) -> Redactor {
        let mut plain: Vec<String> = texts.iter().map(|text| text.expose().clone()).collect();
        values.for_each(|value| strings(value, &mut plain));
        let mut forms: Vec<String> =
            plain.iter().filter(|text| text.len() >= SHORTEST).flat_map(|text| forms(text)).collect();
        forms.sort_unstable();
        forms.dedup();
        let longest = forms.iter().map(String::len).max().unwrap_or(0);
        if forms.is_empty() {
            return Redactor::default();
        }
        // Too many or too long to be searched for at once can't happen within a record's limits; then nothing may pass.
        let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&forms).ok();
        Redactor { finder, longest }
    }

    /// How many bytes at the end of a text may be the beginning of a secret.
    pub(crate) fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// The last place at or before `cut` that does not cut a secret in two.
    pub(crate) fn before_secret(&self, bytes: &[u8], cut: usize) -> usize {
        let across = self.finder.as_ref().and_then(|finder| {
            finder.find_iter(bytes).find(|found| found.start() < cut && found.end() > cut).map(|found| found.start())
        });
        across.unwrap_or(cut)
    }

    /// Is there anything to look for?
    pub(crate) fn is_idle(&self) -> bool {
        self.finder.is_none()
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: String) -> String {
        match &self.finder {
            Some(finder) if finder.is_match(&text) => finder.replace_all(&text, &vec![MASK; finder.patterns_len()]),
            _ => text,
        }
    }

    /// The value without secrets, in its strings and in its keys.
    pub(crate) fn value(&self, value: Value) -> Value {
        if self.is_idle() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => Value::Object(self.map(map)),
            Value::Number(number) => match self.text(number.to_string()) {
                text if text.contains(MASK) => Value::String(text),
                _ => Value::Number(number),
            },
            other => other,
        }
    }

    /// The same for a map.
    pub(crate) fn map(&self, map: Map<String, Value>) -> Map<String, Value> {
        map.into_iter().map(|(key, value)| (self.text(key), self.value(value))).collect()
    }
}

/// The texts that are in a value and not in the same place of the value as it is shown.
pub(crate) fn hidden(value: &Value, shown: &Value) -> Vec<Secret<String>> {
    fn find<'a>(value: &'a Value, shown: &Value, found: &mut Vec<&'a Value>) {
        match (value, shown) {
            (Value::Object(value), Value::Object(shown)) => {
                value.iter().for_each(|(name, inner)| find(inner, shown.get(name).unwrap_or(&Value::Null), found));
            }
            (Value::Array(value), Value::Array(shown)) => {
                value.iter().zip(shown).for_each(|(inner, shown)| find(inner, shown, found));
            }
            _ if value != shown => found.push(value),
            _ => {}
        }
    }
    let (mut found, mut texts) = (Vec::new(), Vec::new());
    find(value, shown, &mut found);
    found.into_iter().for_each(|value| strings(value, &mut texts));
    texts.into_iter().map(Secret::new).collect()
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.values().for_each(|item| strings(item, found)),
        Value::Number(number) => found.push(number.to_string()),
        _ => {}
    }
}

/// A secret as it is, trimmed, line by line, as JSON text, in base64 and in a URL.
fn forms(text: &str) -> Vec<String> {
    let json = Value::from(text).to_string();
    let json = json.trim_matches('"').to_owned();
    let mut forms = vec![text.to_owned(), text.trim().to_owned(), json, base64(text.as_bytes()), url_encoded(text)];
    if text.contains('\n') {
        forms.extend(text.lines().filter(|line| line.len() >= 2 * SHORTEST).map(str::to_owned));
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// Without the padding, and without the last digit where it depends on what follows: so it is found inside longer text, too.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| DIGITS.get((bits & 63) as usize).map_or('A', |byte| char::from(*byte));
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - group.len()));
        text.extend((0..group.len()).map(|place| digit(bits >> (18 - 6 * place))));
        if group.len() == 3 {
            text.push(digit(bits));
        }
    }
    text
}

fn url_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_a_secret_in_every_form() {
        let secret = json!({"token": "s3cr\"et/value"});
        let redactor = Redactor::new(std::iter::once(&secret), &[]);
        let found = redactor.value(json!({
            "plain": "x s3cr\"et/value y",
            "json": "{\"a\": \"s3cr\\\"et/value\"}",
            "base64": "czNjciJldC92YWx1ZQ==",
            "url": "https://h/?t=s3cr%22et%2Fvalue",
            "s3cr\"et/value": 1,
            "other": "fine",
        }));
        let text = found.to_string();
        assert!(!text.contains("s3cr") && !text.contains("czNjciJl"), "{text}");
        assert!(text.contains("fine"));
    }

    #[test]
    fn leaves_text_alone_where_there_are_no_secrets() {
        let redactor = Redactor::new(std::iter::empty(), &[Secret::new("abc".to_owned())]);
        assert!(redactor.is_idle());
        assert_eq!(redactor.text("abc".to_owned()), "abc");
    }
}

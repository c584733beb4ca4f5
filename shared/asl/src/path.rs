//! The paths that we emit: `$.a.b`, `$.a['b c']`, `$$.Task.Token`.

use serde_json::Value;

/// A path to an entry of an object within the input: `$.n.task`, or in brackets where the name is no plain word.
pub(crate) fn of(object: &str, key: &str) -> String {
    if is_word(key) {
        format!("$.{object}.{key}")
    } else {
        format!("$.{object}['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

fn is_word(key: &str) -> bool {
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The keys that a path goes through, and whether it begins at the context object. None where it is no path of ours.
pub(crate) fn keys(path: &str) -> Option<(bool, Vec<String>)> {
    let (context, mut rest) = match path.strip_prefix("$$") {
        Some(rest) => (true, rest),
        None => (false, path.strip_prefix('$')?),
    };
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (key, behind) = if let Some(behind) = rest.strip_prefix('.') {
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            let (key, behind) = behind.split_at_checked(end)?;
            (is_word(key).then(|| key.to_owned())?, behind)
        } else {
            quoted(rest.strip_prefix("['")?)?
        };
        keys.push(key);
        rest = behind;
    }
    Some((context, keys))
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => key.push(characters.next()?.1),
            '\'' => return Some((key, text.get(at + 1..)?.strip_prefix(']')?)),
            other => key.push(other),
        }
    }
    None
}

/// What stands at a path.
pub(crate) fn find<'v>(path: &str, input: &'v Value, context: &'v Value) -> Option<&'v Value> {
    let (of_context, keys) = keys(path)?;
    keys.iter().try_fold(if of_context { context } else { input }, |value, key| value.as_object()?.get(key))
}

//! Jinja2's filters around texts.

use minijinja::Error;
use minijinja::value::Value;

use crate::call::{Bound, Host};
use crate::error::{Limit, bad_value, over};

pub(super) fn string(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    host.text(&call.value(0)).map(Value::from)
}

pub(super) fn lower(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(host.text(&call.value(0))?.to_lowercase()))
}

pub(super) fn upper(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    Ok(Value::from(host.text(&call.value(0))?.to_uppercase()))
}

pub(super) fn safe(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    host.text(&call.value(0)).map(Value::from_safe_string)
}

pub(super) fn capitalize(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    let mut chars = text.chars();
    let head: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    Ok(Value::from(head + &chars.as_str().to_lowercase()))
}

pub(super) fn title(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    let mut titled = String::with_capacity(text.len());
    let mut at_head = true;
    for c in text.chars() {
        let is_break = c.is_whitespace() || matches!(c, '-' | '(' | '{' | '[' | '<');
        match (is_break, at_head) {
            (true, _) => titled.push(c),
            (_, true) => titled.extend(c.to_uppercase()),
            _ => titled.extend(c.to_lowercase()),
        }
        at_head = is_break;
    }
    Ok(Value::from(titled))
}

pub(super) fn trim(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    Ok(Value::from(match call.opt_str(1)? {
        Some(chars) => text.trim_matches(|c| chars.contains(c)),
        None => text.trim(),
    }))
}

pub(super) fn center(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    let width = usize::try_from(call.opt_int(1)?.unwrap_or(80)).unwrap_or_default();
    if width > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    let missing = width.saturating_sub(text.chars().count());
    let left = missing / 2 + usize::from(missing % 2 == 1 && width % 2 == 1);
    Ok(Value::from(format!("{}{text}{}", " ".repeat(left), " ".repeat(missing - left))))
}

pub(super) fn replace(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    let (old, new) = (host.text(&call.value(1))?, host.text(&call.value(2))?);
    let count = call.opt_int(3)?.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX);
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old.as_str()).count() };
    let grown = found.min(count).saturating_mul(new.len()).saturating_add(text.len());
    if grown > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    host.charge(grown)?;
    Ok(Value::from(text.replacen(&old, &new, count)))
}

pub(super) fn truncate(_: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = call.str(0)?;
    let end = call.opt_str(3)?.unwrap_or_else(|| "...".to_owned());
    let length = usize::try_from(call.opt_int(1)?.unwrap_or(255)).unwrap_or_default();
    let leeway = usize::try_from(call.opt_int(4)?.unwrap_or(5))
        .map_err(|_| bad_value("`leeway` of `truncate` must not be negative"))?;
    let kept = length
        .checked_sub(end.chars().count())
        .ok_or_else(|| bad_value("`length` of `truncate` must be at least the length of `end`"))?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let head: String = text.chars().take(kept).collect();
    let head =
        if call.flag(2) { head.as_str() } else { head.rsplit_once(' ').map_or(head.as_str(), |(words, _)| words) };
    Ok(Value::from(format!("{head}{end}")))
}

pub(super) fn wordcount(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let text = host.text(&call.value(0))?;
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).count();
    Ok(Value::from(words))
}

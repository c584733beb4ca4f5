//! What a plain scalar is, by the rules of YAML 1.1 as PyYAML has them.

use serde_json::Number;

use crate::Content;

/// The value of a plain scalar without a tag.
pub(crate) fn resolve(text: &str) -> Content {
    if is_null(text) {
        return Content::Null;
    }
    if let Some(flag) = boolean(text) {
        return Content::Bool(flag);
    }
    match integer(text).or_else(|| float(text)) {
        Some(number) => Content::Number(number),
        None => Content::Text(text.to_owned()),
    }
}

/// Would PyYAML read the text, written plain, as something else than this text?
pub(crate) fn is_ambiguous(text: &str) -> bool {
    !matches!(resolve(text), Content::Text(_))
        || float_value(text).is_some()
        || is_special_float(text)
        || is_date(text)
        || is_empty_radix(text)
        || matches!(text, "<<" | "=")
}

/// `0x_` and `0b__`: numbers by their form that have no digits.
fn is_empty_radix(text: &str) -> bool {
    let (_, body) = split_sign(text);
    body.ends_with('_') && matches!(body.trim_end_matches('_'), "0x" | "0b")
}

pub(crate) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Only characters that `allowed` has, after a first one that is no underscore.
fn is_run(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    text.starts_with(&allowed) && text.chars().all(|c| c == '_' || allowed(c))
}

fn is_decimal(text: &str) -> bool {
    is_run(text, |c| c.is_ascii_digit())
}

pub(crate) fn integer(text: &str) -> Option<Number> {
    let (negative, body) = split_sign(text);
    if let Some((head, rest)) = body.split_once(':') {
        return (is_decimal(head) && !head.starts_with('0')).then(|| sexagesimal(negative, head, rest)).flatten();
    }
    let radix = |digits: &str, radix: u32| {
        let digits: String = digits.chars().filter(|c| *c != '_').collect();
        (!digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))).then(|| from_digits(negative, &digits, radix))
    };
    match body.strip_prefix('0') {
        Some("") => Some(Number::from(0)),
        Some(rest) => match (rest.strip_prefix('b'), rest.strip_prefix('x')) {
            (Some(binary), _) => radix(binary, 2),
            (_, Some(hex)) => radix(hex, 16),
            _ if rest.chars().all(|c| c == '_' || c.is_digit(8)) => radix(body, 8),
            _ => None,
        },
        None if is_decimal(body) => radix(body, 10),
        None => None,
    }
}

/// `12:30` is 12 × 60 + 30; every part after the first is below 60.
fn sexagesimal(negative: bool, head: &str, rest: &str) -> Option<Number> {
    let mut sum: i64 = plain_digits(head).parse().ok()?;
    for part in rest.split(':') {
        sum = sum.checked_mul(60)?.checked_add(below_sixty(part)?)?;
    }
    Some(Number::from(if negative { -sum } else { sum }))
}

fn below_sixty(part: &str) -> Option<i64> {
    let fits = matches!(part.len(), 1 | 2) && part.chars().all(|c| c.is_ascii_digit());
    part.parse().ok().filter(|value| fits && *value < 60)
}

fn plain_digits(text: &str) -> String {
    text.chars().filter(|c| *c != '_').collect()
}

/// Whole where 64 bits hold it, else the nearest float, as JSON readers do.
fn from_digits(negative: bool, digits: &str, radix: u32) -> Number {
    let signed = format!("{}{digits}", if negative { "-" } else { "" });
    let whole = i64::from_str_radix(&signed, radix).map(Number::from);
    let whole = whole.or_else(|_| u64::from_str_radix(&signed, radix).map(Number::from));
    whole.unwrap_or_else(|_| {
        let sum = if radix == 10 { digits.parse().unwrap_or(f64::MAX) } else { float_from_digits(digits, radix) };
        Number::from_f64(if negative { -sum } else { sum }).unwrap_or_else(|| Number::from(0))
    })
}

fn float_from_digits(digits: &str, radix: u32) -> f64 {
    let sum = digits
        .chars()
        .filter_map(|c| c.to_digit(radix))
        .fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit));
    if sum.is_finite() { sum } else { f64::MAX }
}

/// A float that JSON has a number for.
pub(crate) fn float(text: &str) -> Option<Number> {
    float_value(text).and_then(Number::from_f64)
}

/// A float has a point. `1e3` is none, `1.0e3` neither, since an exponent needs its sign.
fn float_value(text: &str) -> Option<f64> {
    let (negative, body) = split_sign(text);
    let (head, fraction) = body.split_once('.')?;
    if head.contains(':') {
        return sexagesimal_float(negative, head, fraction);
    }
    let (digits, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => fraction.split_at_checked(at)?,
        None => (fraction, ""),
    };
    let headless = head.is_empty() && body.len() == text.len() && is_decimal(digits);
    let digits_fit = digits.chars().all(|c| c == '_' || c.is_ascii_digit());
    let fits = (headless || is_decimal(head)) && digits_fit && is_exponent(exponent);
    if fits { plain_digits(text).parse().ok() } else { None }
}

fn is_exponent(text: &str) -> bool {
    match text.strip_prefix(['e', 'E']) {
        Some(rest) => {
            rest.strip_prefix(['+', '-']).is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
        }
        None => text.is_empty(),
    }
}

fn sexagesimal_float(negative: bool, head: &str, fraction: &str) -> Option<f64> {
    let (first, rest) = head.split_once(':')?;
    if !is_decimal(first) || !fraction.chars().all(|c| c == '_' || c.is_ascii_digit()) {
        return None;
    }
    let mut sum: f64 = plain_digits(first).parse().ok()?;
    let mut last = 0.0;
    for part in rest.split(':') {
        sum = (sum + last) * 60.0;
        last = f64::from(i32::try_from(below_sixty(part)?).ok()?);
    }
    let tail: f64 = format!("{last}.{}", plain_digits(fraction)).parse().ok()?;
    Some(if negative { -(sum + tail) } else { sum + tail })
}

/// Infinities and not-a-number: JSON has neither.
pub(crate) fn is_special_float(text: &str) -> bool {
    let (_, body) = split_sign(text);
    matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN")
}

/// `2026-01-31`, or a date with one or two digits and a time of day.
fn is_date(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else { return false };
    let Some((month, rest)) = rest.split_once('-') else { return false };
    if !is_digits(year, 4, 4) || !is_digits(month, 1, 2) {
        return false;
    }
    let Some(at) = rest.find(|c: char| !c.is_ascii_digit()) else { return month.len() == 2 && rest.len() == 2 };
    let (day, time) = rest.split_at_checked(at).unwrap_or_default();
    let clock = match time.strip_prefix(['T', 't']) {
        Some(clock) => clock,
        None => time.trim_start_matches([' ', '\t']),
    };
    is_digits(day, 1, 2) && clock.len() < time.len() && is_time_of_day(clock)
}

/// `h:mm:ss`, perhaps with a fraction and a zone.
fn is_time_of_day(clock: &str) -> bool {
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let Some((second, rest)) = rest.split_at_checked(2) else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let zone = zone.trim_start_matches([' ', '\t']);
    let offset = |zone: &str| {
        zone.strip_prefix(['+', '-']).is_some_and(|offset| match offset.split_once(':') {
            Some((hours, minutes)) => is_digits(hours, 1, 2) && is_digits(minutes, 2, 2),
            None => is_digits(offset, 1, 2),
        })
    };
    let zone_fits = zone == "Z" || offset(zone) || (zone.is_empty() && !rest.ends_with([' ', '\t']));
    is_digits(hour, 1, 2) && is_digits(minute, 2, 2) && is_digits(second, 2, 2) && zone_fits
}

fn is_digits(text: &str, from: usize, to: usize) -> bool {
    (from..=to).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit())
}

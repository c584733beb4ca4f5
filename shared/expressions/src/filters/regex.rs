//! The `regex_…` filters: Python's `re` on the text of a value.

use minijinja::Error;
use minijinja::value::{Tuple, Value};

use crate::call::{Bound, Host};
use crate::error::{Limit, bad_value, over};
use crate::regexes::{Flags, Pattern, PatternError, expand};

fn failed(error: PatternError) -> Error {
    if error.is_limit() { over(Limit::Regex) } else { bad_value(error.to_string()) }
}

/// The text and the compiled pattern; reading the text is paid for.
fn prepare(host: &Host<'_>, call: &Bound, flags: Flags) -> Result<(String, Pattern), Error> {
    let text = host.text(&call.value(0))?;
    host.charge(text.len())?;
    let pattern = Pattern::new(&call.str(1)?, flags, &text).map_err(failed)?;
    Ok((text, pattern))
}

pub(super) fn regex_match(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let (text, pattern) = prepare(host, call, Flags { ignore_case: call.flag(2), anchored: true, ..Flags::default() })?;
    pattern.is_match(&text).map(Value::from).map_err(failed)
}

pub(super) fn regex_search(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let (text, pattern) = prepare(host, call, Flags { ignore_case: call.flag(2), ..Flags::default() })?;
    pattern.is_match(&text).map(Value::from).map_err(failed)
}

pub(super) fn regex_replace(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let (text, pattern) = prepare(host, call, Flags { ignore_case: call.flag(3), ..Flags::default() })?;
    let replacement = call.str(2)?;
    let mut out = String::new();
    let mut copied = 0;
    let most = host.limits.output_bytes;
    let outcome = pattern.each(&text, |captures| {
        let Some(whole) = captures.get(0) else { return Ok(()) };
        out.push_str(text.get(copied..whole.start()).unwrap_or_default());
        expand(&replacement, &pattern, captures, &mut out)?;
        copied = whole.end();
        if out.len() > most { Err(PatternError::TooManySteps) } else { Ok(()) }
    });
    outcome.map_err(failed)?;
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(Value::from(out))
}

pub(super) fn regex_substring(host: &Host<'_>, call: &Bound) -> Result<Value, Error> {
    let (text, pattern) = prepare(host, call, Flags { ignore_case: call.flag(3), ..Flags::default() })?;
    let index = call.opt_int(2)?.unwrap_or(0);
    let mut matches = Vec::new();
    pattern
        .each(&text, |captures| {
            let group = |number| Value::from(captures.get(number).map_or("", |found| found.as_str()));
            matches.push(match captures.len() {
                1 => group(0),
                2 => group(1),
                groups => Value::from(Tuple::from((1..groups).map(group).collect::<Vec<_>>())),
            });
            Ok(())
        })
        .map_err(failed)?;
    let place = match usize::try_from(index) {
        Ok(place) => Some(place),
        Err(_) => usize::try_from(index.unsigned_abs()).ok().and_then(|back| matches.len().checked_sub(back)),
    };
    place
        .and_then(|place| matches.get(place))
        .cloned()
        .ok_or_else(|| bad_value("`regex_substring`: there is no such match"))
}

//! `str.format`. The engine fills in whatever widths and values ask for, so what that may come to is known, and paid, before.

use minijinja::Error;
use minijinja::formatting::{FormatStyle, format as fill_in};
use minijinja::value::Value;

use crate::call::{Host, split_keywords};
use crate::error::{Limit, over};

/// No number has more letters without a precision.
const LONGEST_NUMBER: usize = 320;

pub(super) fn format(host: &Host<'_>, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (positional, keywords) = split_keywords(args);
    let named =
        keywords.iter().flat_map(|keywords| keywords.args().filter_map(|name| keywords.peek::<Value>(name).ok()));
    let mut longest = LONGEST_NUMBER;
    for value in positional.iter().cloned().chain(named) {
        let length = match value.as_str() {
            Some(text) => text.len(),
            None => host.text(&value)?.len(),
        };
        host.charge(length)?;
        longest = longest.max(length);
    }
    let fields = text.split('{').skip(1);
    let most = fields.fold(text.len(), |most, field| most.saturating_add(longest).saturating_add(asked_for(field)));
    if most > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    host.charge(most)?;
    fill_in(FormatStyle::StrFormat, text, args).map(Value::from)
}

/// The width and the precision in the format of a field, together.
fn asked_for(field: &str) -> usize {
    let inside = field.split('}').next().unwrap_or_default();
    let Some((_, format)) = inside.split_once(':') else { return 0 };
    let numbers = format.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    numbers.map(|digits| digits.parse().unwrap_or(usize::MAX)).fold(0, usize::saturating_add)
}

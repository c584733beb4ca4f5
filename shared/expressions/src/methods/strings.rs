//! Methods of texts. Positions count characters, as in Python.

use minijinja::Error;
use minijinja::value::{Tuple, Value};

use crate::call::{Bound, Host};
use crate::error::{ErrorKind, Limit, bad_value, fault_with_hint, over};
use crate::methods::format::format;

type Outcome = Result<Option<Value>, Error>;

#[expect(clippy::cognitive_complexity, reason = "one flat match over the names")]
pub(super) fn call(host: &Host<'_>, value: &Value, method: &str, args: &[Value]) -> Outcome {
    let Some(text) = value.as_str() else { return Ok(None) };
    host.charge(text.len())?;
    let bind = |name, signature| Bound::new(host, name, signature, args);
    let result = match method {
        "find" | "index" | "rfind" | "rindex" | "count" => search(text, method, &bind("find", "sub start? end?")?)?,
        "split" => list(split(text, &bind("split", "sep? maxsplit?")?)?),
        "rsplit" => list(rsplit(text, &bind("rsplit", "sep? maxsplit?")?)?),
        "splitlines" => list(lines(text, bind("splitlines", "keepends?")?.flag(0))),
        "partition" => partition(text, &bind("partition", "sep")?.str(0)?, false)?,
        "rpartition" => partition(text, &bind("rpartition", "sep")?.str(0)?, true)?,
        "join" => Value::from(join(host, text, &bind("join", "iterable")?.value(0))?),
        "ljust" | "rjust" | "center" => Value::from(justify(host, text, method, &bind("ljust", "width fillchar?")?)?),
        "zfill" => Value::from(zfill(host, text, bind("zfill", "width")?.int(0)?)?),
        "format" => format(host, text, args)?,
        "swapcase" => none(&bind("swapcase", "")?, swapcase(text)),
        "casefold" => none(&bind("casefold", "")?, text.to_lowercase()),
        "expandtabs" => Value::from(expandtabs(host, text, bind("expandtabs", "tabsize?")?.opt_int(0)?.unwrap_or(8))?),
        "removeprefix" => {
            let prefix = bind("removeprefix", "prefix")?.str(0)?;
            Value::from(text.strip_prefix(prefix.as_str()).unwrap_or(text))
        }
        "removesuffix" => {
            let suffix = bind("removesuffix", "suffix")?.str(0)?;
            Value::from(text.strip_suffix(suffix.as_str()).unwrap_or(text))
        }
        "isdecimal" => none(&bind("isdecimal", "")?, !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())),
        "isidentifier" => none(&bind("isidentifier", "")?, is_identifier(text)),
        "isprintable" => none(&bind("isprintable", "")?, !text.chars().any(char::is_control)),
        "istitle" => none(&bind("istitle", "")?, is_title(text)),
        "title" => none(&bind("title", "")?, title(text)),
        "encode" | "translate" | "maketrans" | "format_map" => {
            return Err(fault_with_hint(
                ErrorKind::Unsupported,
                format!("texts have no method `{method}` here"),
                "templates have texts, numbers, lists and dicts, but no bytes or tables",
            ));
        }
        _ => return Ok(None),
    };
    Ok(Some(result))
}

fn none(_no_arguments: &Bound, value: impl Into<Value>) -> Value {
    value.into()
}

fn list(items: Vec<&str>) -> Value {
    Value::from(items.into_iter().map(Value::from).collect::<Vec<_>>())
}

/// The byte position of a character, counted from the end where negative, held within the text.
fn byte_at(text: &str, position: i64) -> usize {
    let position = match usize::try_from(position) {
        Ok(position) => position,
        Err(_) => {
            let back = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            text.chars().count().saturating_sub(back)
        }
    };
    text.char_indices().nth(position).map_or(text.len(), |(at, _)| at)
}

fn search(text: &str, method: &str, call: &Bound) -> Result<Value, Error> {
    let sub = call.str(0)?;
    let start = call.opt_int(1)?.map_or(0, |position| byte_at(text, position));
    let end = call.opt_int(2)?.map_or(text.len(), |position| byte_at(text, position));
    let part = text.get(start..end);
    if method == "count" {
        return Ok(Value::from(part.map_or(0, |part| part.matches(sub.as_str()).count())));
    }
    let found = part.and_then(|part| if method.starts_with('r') { part.rfind(&sub) } else { part.find(&sub) });
    match found.and_then(|at| text.get(..start + at)) {
        Some(before) => Ok(Value::from(before.chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(bad_value(format!("`{method}`: the text doesn't have what is sought"))),
    }
}

/// The separator, and at how many places to split.
fn split_options(call: &Bound) -> Result<(Option<String>, usize), Error> {
    let separator = call.opt_str(0)?;
    if separator.as_deref() == Some("") {
        return Err(bad_value("the separator is empty"));
    }
    let most = call.opt_int(1)?.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    Ok((separator, most))
}

fn split<'t>(text: &'t str, call: &Bound) -> Result<Vec<&'t str>, Error> {
    let (separator, most) = split_options(call)?;
    if let Some(separator) = separator {
        return Ok(text.splitn(most.saturating_add(1), separator.as_str()).collect());
    }
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if words.len() == most {
            words.push(rest);
            break;
        }
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

fn rsplit<'t>(text: &'t str, call: &Bound) -> Result<Vec<&'t str>, Error> {
    let (separator, most) = split_options(call)?;
    let mut parts: Vec<&str> = match separator {
        Some(separator) => text.rsplitn(most.saturating_add(1), separator.as_str()).collect(),
        None => {
            let mut words = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() {
                if words.len() == most {
                    words.push(rest);
                    break;
                }
                let (before, word) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
                words.push(word);
                rest = before.trim_end();
            }
            words
        }
    };
    parts.reverse();
    Ok(parts)
}

/// The lines of a text, at every kind of line end that Python knows.
pub(crate) fn lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_end = |c: char| {
            matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        };
        let at = rest.find(is_end).unwrap_or(rest.len());
        let (line, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let end = if after.starts_with("\r\n") { 2 } else { after.chars().next().map_or(0, char::len_utf8) };
        found.push(if keep_ends { rest.get(..at + end).unwrap_or(line) } else { line });
        rest = after.get(end..).unwrap_or_default();
    }
    found
}

fn partition(text: &str, separator: &str, from_right: bool) -> Result<Value, Error> {
    if separator.is_empty() {
        return Err(bad_value("the separator is empty"));
    }
    let parts = match if from_right { text.rsplit_once(separator) } else { text.split_once(separator) } {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn join(host: &Host<'_>, separator: &str, items: &Value) -> Result<String, Error> {
    let mut joined = String::new();
    for (index, item) in items.try_iter()?.checked().enumerate() {
        let item = item?;
        let text =
            item.as_str().ok_or_else(|| bad_value("`join` of a text takes texts only; `| join` takes anything"))?;
        host.charge(separator.len() + text.len())?;
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text);
    }
    Ok(joined)
}

/// How many characters are missing to `width`.
fn padding(host: &Host<'_>, text: &str, width: i64) -> Result<usize, Error> {
    let width = usize::try_from(width).unwrap_or_default();
    if width > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    host.charge(width)?;
    Ok(width.saturating_sub(text.chars().count()))
}

fn justify(host: &Host<'_>, text: &str, method: &str, call: &Bound) -> Result<String, Error> {
    let fill = call.opt_str(1)?.unwrap_or_else(|| " ".to_owned());
    if fill.chars().count() != 1 {
        return Err(bad_value("the fill character must be one character"));
    }
    let width = call.int(0)?;
    let missing = padding(host, text, width)?;
    // Python puts the odd one to the left where the width is odd.
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        _ => missing / 2 + usize::from(missing % 2 == 1 && width % 2 == 1),
    };
    Ok(format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left)))
}

fn zfill(host: &Host<'_>, text: &str, width: i64) -> Result<String, Error> {
    let zeros = "0".repeat(padding(host, text, width)?);
    Ok(match text.strip_prefix(['-', '+']) {
        Some(digits) => format!("{}{zeros}{digits}", text.chars().next().unwrap_or('+')),
        None => format!("{zeros}{text}"),
    })
}

fn swapcase(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_uppercase() { c.to_lowercase().collect::<Vec<_>>() } else { c.to_uppercase().collect() })
        .collect()
}

fn expandtabs(host: &Host<'_>, text: &str, size: i64) -> Result<String, Error> {
    let size = usize::try_from(size).unwrap_or_default();
    if size.saturating_mul(text.matches('\t').count()) > host.limits.output_bytes {
        return Err(over(Limit::OutputSize));
    }
    let mut expanded = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size > 0 => {
                let spaces = size - column % size;
                expanded.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\t' => {}
            c => {
                expanded.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(expanded)
}

fn is_identifier(text: &str) -> bool {
    !text.starts_with(|c: char| c.is_numeric())
        && !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

fn is_title(text: &str) -> bool {
    text.chars().any(char::is_alphabetic) && title(text) == text
}

/// Each run of letters with a capital at its head.
fn title(text: &str) -> String {
    let mut within = false;
    let mut titled = String::new();
    for c in text.chars() {
        if within {
            titled.extend(c.to_lowercase());
        } else {
            titled.extend(c.to_uppercase());
        }
        within = c.is_alphabetic();
    }
    titled
}

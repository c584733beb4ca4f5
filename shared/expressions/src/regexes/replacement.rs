//! The second argument of `re.sub`.

use fancy_regex::Captures;

use super::{Pattern, PatternError};

fn syntax(message: &str) -> PatternError {
    PatternError::Replacement(message.to_owned())
}

/// What one match holds.
struct Groups<'a> {
    pattern: &'a Pattern,
    captures: &'a Captures<'a, str>,
}

/// Appends the replacement of one match: `\1`, `\g<1>` and `\g<name>` are groups, and the usual escapes characters.
pub(crate) fn expand(
    template: &str,
    pattern: &Pattern,
    captures: &Captures<'_, str>,
    out: &mut String,
) -> Result<(), PatternError> {
    let groups = Groups { pattern, captures };
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = escape(after, &groups, out)?;
    }
    out.push_str(rest);
    Ok(())
}

fn escape<'t>(after: &'t str, groups: &Groups<'_>, out: &mut String) -> Result<&'t str, PatternError> {
    let mut chars = after.chars();
    let c = chars.next().ok_or_else(|| syntax("the replacement ends with a backslash"))?;
    let simple = match c {
        'g' => return named(chars.as_str(), groups, out),
        '0'..='9' => return numbered(after, groups, out),
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        c if c.is_ascii_alphabetic() => return Err(syntax("the replacement has an unknown escape")),
        c => {
            out.push('\\');
            c
        }
    };
    out.push(simple);
    Ok(chars.as_str())
}

fn numbered<'t>(after: &'t str, groups: &Groups<'_>, out: &mut String) -> Result<&'t str, PatternError> {
    let octal: String = after.chars().take(3).take_while(|c| c.is_digit(8)).collect();
    if after.starts_with('0') || octal.len() == 3 {
        let digits = if octal.len() == 3 && !after.starts_with('0') { 3 } else { octal.len().clamp(1, 3) };
        let (digits, rest) = after.split_at_checked(digits).unwrap_or((after, ""));
        out.extend(u32::from_str_radix(digits, 8).ok().and_then(char::from_u32));
        return Ok(rest);
    }
    let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()).min(2);
    let (digits, rest) = after.split_at_checked(end).unwrap_or((after, ""));
    group(digits, groups, out)?;
    Ok(rest)
}

fn named<'t>(after: &'t str, groups: &Groups<'_>, out: &mut String) -> Result<&'t str, PatternError> {
    let (name, rest) = after
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
        .ok_or_else(|| syntax("the replacement has `\\g` without a name"))?;
    group(name, groups, out)?;
    Ok(rest)
}

fn group(name: &str, groups: &Groups<'_>, out: &mut String) -> Result<(), PatternError> {
    let found = match name.parse::<usize>() {
        Ok(number) if number < groups.captures.len() => groups.captures.get(number),
        Ok(_) => return Err(syntax("the replacement refers to a group that isn't there")),
        Err(_) => groups.pattern.group_named(name).and_then(|number| groups.captures.get(number)),
    };
    out.push_str(found.map_or("", |found| found.as_str()));
    Ok(())
}

//! Shell wildcards as Python's `fnmatch` reads them.

/// The same as a regular expression in Python's syntax, to be matched from the start with `DOTALL`.
pub(crate) fn to_regex(pattern: &str) -> String {
    let mut regex = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(char) = rest.chars().next() {
        rest = rest.strip_prefix(char).unwrap_or_default();
        match char {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => match set(rest) {
                Some((inside, after)) => {
                    push_set(&mut regex, inside);
                    rest = after;
                }
                None => regex.push_str("\\["),
            },
            other => push_literal(&mut regex, other),
        }
    }
    regex.push_str("\\Z");
    regex
}

/// What is between the brackets, and what comes after. A `]` that comes first belongs to the set.
fn set(rest: &str) -> Option<(&str, &str)> {
    let head = usize::from(rest.starts_with('!'));
    let head = head + usize::from(rest.get(head..).is_some_and(|rest| rest.starts_with(']')));
    let end = head + rest.get(head..)?.find(']')?;
    let (inside, after) = rest.split_at_checked(end)?;
    Some((inside, after.strip_prefix(']')?))
}

fn push_set(regex: &mut String, inside: &str) {
    let (negation, members) = inside.strip_prefix('!').map_or(("", inside), |members| ("^", members));
    regex.push('[');
    regex.push_str(negation);
    for (at, char) in members.chars().enumerate() {
        if char == '\\' || (at == 0 && matches!(char, '^' | '[')) {
            regex.push('\\');
        }
        regex.push(char);
    }
    regex.push(']');
}

fn push_literal(regex: &mut String, char: char) {
    if char.is_ascii() && !char.is_ascii_alphanumeric() {
        regex.push('\\');
    }
    regex.push(char);
}

#[cfg(test)]
mod tests {
    use expressions::regexes::Matcher;

    use crate::operator::MATCH;

    #[test]
    fn means_what_fnmatch_means() {
        let cases = [
            ("*.log", "a.log", true),
            ("*.log", "a.log\n", false),
            ("a*b", "a\nb", true),
            ("a?c", "abc", true),
            ("[!a]*", "abc", false),
            ("a[]]c", "a]c", true),
            ("a[!]]c", "a]c", false),
            ("[", "[", true),
            ("[a-c]x", "bx", true),
            ("[^a]", "^", true),
            ("[\\]", "\\", true),
            ("a{b}", "a{b}", true),
            ("A", "a", false),
            ("[[]x", "[x", true),
            ("", "", true),
        ];
        for (pattern, text, expected) in cases {
            let regex = Matcher::new(&super::to_regex(pattern), MATCH).unwrap();
            assert_eq!(regex.is_match(text), Ok(expected), "{pattern} on {text:?}");
        }
    }
}

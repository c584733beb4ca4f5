//! The names that a tag binds.

use super::scan::Token;

/// The names, with attributes in `set`, of a tag's tokens with the depth of brackets each stands in (after a bracket: within it).
pub(super) fn bound(tokens: &[(Token<'_>, usize)]) -> Vec<String> {
    let Some(((keyword, _), rest)) = tokens.split_first() else { return Vec::new() };
    match keyword.text {
        "set" => match rest.iter().position(|(token, depth)| token.text == "=" && *depth == 1) {
            Some(equals) => paths(rest.iter().take(equals)),
            None => Vec::new(),
        },
        "for" => paths(rest.iter().take_while(|(token, _)| token.text != "in")),
        "with" => targets(rest),
        "macro" => parameters(rest.iter().skip(1)),
        "call" if rest.first().is_some_and(|(token, _)| token.text == "(") => parameters(rest.iter()),
        _ => Vec::new(),
    }
}

fn paths<'t>(tokens: impl Iterator<Item = &'t (Token<'t>, usize)>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for (token, _) in tokens {
        match (token.is_word, found.last_mut()) {
            (true, Some(path)) if goes_on => {
                path.push('.');
                path.push_str(token.text);
            }
            (true, _) => found.push(token.text.to_owned()),
            _ => {}
        }
        goes_on = token.text == ".";
    }
    found
}

/// What stands before each `=` of a `with`.
fn targets(tokens: &[(Token<'_>, usize)]) -> Vec<String> {
    let mut found = Vec::new();
    let mut since = 0;
    for (index, (token, depth)) in tokens.iter().enumerate() {
        match token.text {
            "=" if *depth == 1 => found.extend(paths(tokens.iter().take(index).skip(since))),
            "," if *depth == 1 => since = index + 1,
            _ => {}
        }
    }
    found
}

/// The parameters in the first brackets.
fn parameters<'t>(tokens: impl Iterator<Item = &'t (Token<'t>, usize)>) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = "";
    for (token, depth) in tokens {
        if token.is_word && *depth == 2 && matches!(before, "(" | ",") {
            found.push(token.text.to_owned());
        }
        if token.text == ")" && *depth == 1 {
            break;
        }
        before = token.text;
    }
    found
}

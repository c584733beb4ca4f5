//! Cuts the text of a date: runs of letters, numbers with their decimal point, and every other character alone.

/// What the token under way is made of so far.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Letters,
    Digits,
    DottedLetters,
    DottedDigits,
}

/// The tokens of `text`. White space is one blank each.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().filter(|char| *char != '\0').peekable();
    while let Some(first) = chars.next() {
        let mut run = match first {
            letter if letter.is_alphabetic() => Run::Letters,
            digit if digit.is_ascii_digit() => Run::Digits,
            space if space.is_whitespace() => {
                tokens.push(" ".to_owned());
                continue;
            }
            other => {
                tokens.push(other.to_string());
                continue;
            }
        };
        let mut token = String::from(first);
        let mut letters = false;
        while let Some(char) = chars.peek().copied() {
            letters |= matches!(run, Run::Letters | Run::DottedLetters);
            let Some(next) = after(run, &token, char) else { break };
            run = next;
            token.push(char);
            chars.next();
        }
        finish(token, run, letters, &mut tokens);
    }
    tokens
}

/// How the token goes on with `char`, if it does.
fn after(run: Run, token: &str, char: char) -> Option<Run> {
    let after_dot = token.ends_with('.');
    match run {
        Run::Letters if char.is_alphabetic() => Some(Run::Letters),
        Run::Letters if char == '.' => Some(Run::DottedLetters),
        Run::Digits if char.is_ascii_digit() => Some(Run::Digits),
        Run::Digits if char == '.' || (char == ',' && token.len() >= 2) => Some(Run::DottedDigits),
        Run::DottedLetters if char == '.' || char.is_alphabetic() => Some(Run::DottedLetters),
        Run::DottedLetters if char.is_ascii_digit() && after_dot => Some(Run::DottedDigits),
        Run::DottedDigits if char == '.' || char.is_ascii_digit() => Some(Run::DottedDigits),
        Run::DottedDigits if char.is_alphabetic() && after_dot => Some(Run::DottedLetters),
        _ => None,
    }
}

/// Dots between words or between three numbers part them; one dot or comma between digits is a decimal point.
fn finish(token: String, run: Run, letters: bool, tokens: &mut Vec<String>) {
    let dotted = matches!(run, Run::DottedLetters | Run::DottedDigits);
    if dotted && (letters || token.matches('.').count() > 1 || token.ends_with(['.', ','])) {
        let mut rest = token.as_str();
        while let Some(at) = rest.find(['.', ',']) {
            let Some((part, tail)) = rest.split_at_checked(at) else { break };
            let Some((separator, after)) = tail.split_at_checked(1) else { break };
            tokens.extend([part, separator].into_iter().filter(|part| !part.is_empty()).map(str::to_owned));
            rest = after;
        }
        tokens.extend(Some(rest).filter(|rest| !rest.is_empty()).map(str::to_owned));
    } else if run == Run::DottedDigits && !token.contains('.') {
        tokens.push(token.replace(',', "."));
    } else {
        tokens.push(token);
    }
}

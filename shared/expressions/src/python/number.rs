//! `int(str)` and `float(str)`.

/// The code points of the digit zero of each script; the other nine digits follow it.
const ZEROS: [u32; 38] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0,
];

/// The text without space around it, digits of all scripts as ASCII, and `_` gone where it stands between digits.
fn normalise(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut before = None;
    for c in text.trim().chars() {
        let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|value| *value < 10));
        let c = digit.and_then(|value| char::from_digit(value, 10)).unwrap_or(c);
        match (before, c) {
            (Some('0'..='9'), '_') => {}
            (_, '_') => return None,
            (Some('_'), c) if !c.is_ascii_digit() => return None,
            _ => plain.push(c),
        }
        before = Some(c);
    }
    (before != Some('_') && !plain.is_empty()).then_some(plain)
}

/// `int(text)`; beyond the range of JSON's integers as a float without fraction.
pub(crate) fn parse_int(text: &str) -> Option<serde_json::Number> {
    let plain = normalise(text)?;
    let digits = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let unsigned = plain.strip_prefix('+').unwrap_or(&plain);
    if let Ok(value) = unsigned.parse::<i64>() {
        return Some(value.into());
    }
    if let Ok(value) = unsigned.parse::<u64>() {
        return Some(value.into());
    }
    serde_json::Number::from_f64(unsigned.parse().ok()?)
}

/// `float(text)`, infinities and NaN included.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let plain = normalise(text)?.to_ascii_lowercase();
    let bare = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let is_word = matches!(bare, "inf" | "infinity" | "nan");
    let is_decimal =
        bare.starts_with(|c: char| c.is_ascii_digit() || c == '.') && bare.bytes().any(|b| b.is_ascii_digit());
    (is_word || is_decimal).then(|| plain.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{parse_float, parse_int};

    #[test]
    fn integers_are_read_as_python_reads_them() {
        for (text, value) in
            [("7", Some(7)), (" -3\n", Some(-3)), ("+1_000", Some(1000)), ("\u{661}", Some(1)), ("007", Some(7))]
        {
            assert_eq!(parse_int(text).and_then(|n| n.as_i64()), value, "{text}");
        }
        for text in ["", "1.0", "1e3", "_1", "1_", "1__0", "0x10", "- 1", "inf"] {
            assert_eq!(parse_int(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_read_as_python_reads_them() {
        for (text, value) in [("1e3", 1000.0), (" .5 ", 0.5), ("1_0.5", 10.5), ("-3", -3.0), ("5.", 5.0)] {
            assert_eq!(parse_float(text), Some(value), "{text}");
        }
        assert!(parse_float("-Infinity").is_some_and(f64::is_infinite));
        for text in ["", ".", "1e", "0x1p3", "true", "infin"] {
            assert_eq!(parse_float(text), None, "{text}");
        }
    }
}

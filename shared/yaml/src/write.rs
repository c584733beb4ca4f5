//! From a value to the text that PyYAML's `safe_dump` writes for it in block style.

use serde_json::{Map, Number, Value};

use crate::scalar;

/// Lines are folded at the first space behind this column.
const WIDTH: usize = 80;
/// Longer keys are written with `?`. PyYAML counts five characters for the unwritten tag of a text.
const LONGEST_SIMPLE_KEY: usize = 122;

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteOptions {
    /// Write letters beyond ASCII as they are, not as escapes.
    pub allow_unicode: bool,
    /// Columns per level, 2 to 9; anything else means 2.
    pub indent: usize,
    /// Sort the keys of mappings, else keep their order.
    pub sort_keys: bool,
}

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        WriteOptions { allow_unicode: true, indent: 2, sort_keys: true }
    }
}

/// Writes a value in block style, keys sorted, letters beyond ASCII as they are.
pub fn to_string(value: &Value) -> String {
    to_string_with(value, &WriteOptions::default())
}

/// Writes a value in block style.
pub fn to_string_with(value: &Value, options: &WriteOptions) -> String {
    let step = if (2..10).contains(&options.indent) { options.indent } else { 2 };
    let mut writer = Writer { out: String::new(), options: *options, step, column: 0, spaced: true, fresh: true };
    let open_ended = writer.value(value, None, false);
    writer.start_line(0);
    if open_ended {
        writer.out.push_str("...\n");
    }
    writer.out
}

/// What a text allows.
#[derive(Default)]
struct Analysis {
    plain: bool,
    single_quoted: bool,
    multiline: bool,
}

struct Writer {
    out: String,
    options: WriteOptions,
    step: usize,
    column: usize,
    /// The last character is a space or a line break.
    spaced: bool,
    /// Only indentation, `-`, `?` and `:` stand on this line so far, so that a collection may begin here.
    fresh: bool,
}

impl Writer {
    /// Is it a plain text? At the root that leaves the document open at its end.
    fn value(&mut self, value: &Value, indent: Option<usize>, in_mapping: bool) -> bool {
        let inner = indent.map_or(self.step, |indent| indent + self.step);
        match value {
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) => self.list(items, indent, in_mapping),
            Value::Object(map) => self.mapping(map, indent),
            Value::String(text) => return self.text(text, inner, false),
            Value::Null => return self.plain("null", inner, true),
            Value::Bool(flag) => return self.plain(if *flag { "true" } else { "false" }, inner, true),
            Value::Number(number) => return self.plain(&number_text(number), inner, true),
        }
        false
    }

    fn list(&mut self, items: &[Value], indent: Option<usize>, in_mapping: bool) {
        let indent = match indent {
            Some(indent) if in_mapping && !self.fresh => indent,
            Some(indent) => indent + self.step,
            None => 0,
        };
        for item in items {
            self.start_line(indent);
            self.indicator("-", true, true);
            self.value(item, Some(indent), false);
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: Option<usize>) {
        let indent = indent.map_or(0, |indent| indent + self.step);
        let mut entries: Vec<(&String, &Value)> = map.iter().collect();
        if self.options.sort_keys {
            entries.sort_by_key(|(key, _)| *key);
        }
        for (key, value) in entries {
            self.start_line(indent);
            let length = key.chars().count();
            if (1..=LONGEST_SIMPLE_KEY).contains(&length) && !key.contains(is_break) {
                self.text(key, indent + self.step, true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.text(key, indent + self.step, false);
                self.start_line(indent);
                self.indicator(":", true, true);
            }
            self.value(value, Some(indent), true);
        }
    }

    fn text(&mut self, text: &str, indent: usize, is_key: bool) -> bool {
        let analysis = analyze(text, self.options.allow_unicode);
        let fits_key = !(is_key && analysis.multiline);
        if analysis.plain && fits_key && !scalar::is_ambiguous(text) {
            return self.plain(text, indent, !is_key);
        }
        if analysis.single_quoted && fits_key {
            self.single_quoted(text, indent, !is_key);
        } else {
            self.double_quoted(text, indent, !is_key);
        }
        false
    }

    fn put(&mut self, text: &str) {
        self.column += text.chars().count();
        self.out.push_str(text);
    }

    fn indicator(&mut self, text: &str, needs_space: bool, keeps_fresh: bool) {
        if needs_space && !self.spaced {
            self.put(" ");
        }
        self.put(text);
        self.spaced = false;
        self.fresh = self.fresh && keeps_fresh;
    }

    fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.spaced = true;
        self.fresh = true;
    }

    fn start_line(&mut self, indent: usize) {
        if !self.fresh || self.column > indent || (self.column == indent && !self.spaced) {
            self.line_break();
        }
        if self.column < indent {
            self.spaced = true;
            self.put(&" ".repeat(indent - self.column));
        }
    }

    /// A lone space behind the last column becomes a line break.
    fn plain(&mut self, text: &str, indent: usize, folds: bool) -> bool {
        if !self.spaced {
            self.put(" ");
        }
        self.spaced = false;
        self.fresh = false;
        for piece in pieces(text) {
            if piece == " " && self.column > WIDTH && folds {
                self.start_line(indent);
                self.spaced = false;
                self.fresh = false;
            } else {
                self.put(piece);
            }
        }
        true
    }

    fn single_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.indicator("'", true, false);
        let mut left = text.len();
        for piece in pieces(text) {
            let at_start = left == text.len();
            left -= piece.len();
            if piece == " " && self.column > WIDTH && folds && !at_start && left > 0 {
                self.start_line(indent);
            } else if piece.starts_with(is_break) {
                (0..=piece.len()).for_each(|_| self.line_break());
                self.start_line(indent);
            } else {
                self.put(&piece.replace('\'', "''"));
            }
        }
        self.indicator("'", false, false);
    }

    fn double_quoted(&mut self, text: &str, indent: usize, folds: bool) {
        self.indicator("\"", true, false);
        let characters: Vec<char> = text.chars().collect();
        let mut run = String::new();
        let mut width = 0;
        for (at, c) in characters.iter().copied().enumerate() {
            let escaped = escape(c, self.options.allow_unicode);
            if let Some(escaped) = &escaped {
                self.put(&std::mem::take(&mut run));
                self.put(escaped);
            }
            // Before a space or next to an escape the line may end, by a backslash.
            let (seam, next) = match &escaped {
                Some(_) => (self.column - 1, characters.get(at + 1)),
                None if c == ' ' || run.is_empty() => (self.column + width, Some(&c)),
                None => (0, None),
            };
            if folds && at > 0 && at + 1 < characters.len() && seam > WIDTH {
                self.put(&std::mem::take(&mut run));
                self.put("\\");
                self.start_line(indent);
                self.spaced = false;
                self.fresh = false;
                if next == Some(&' ') {
                    self.put("\\");
                }
            }
            if escaped.is_none() {
                run.push(c);
            }
            width = if run.len() > c.len_utf8() { width + 1 } else { run.chars().count() };
        }
        self.put(&run);
        self.indicator("\"", false, false);
    }
}

fn is_break(c: char) -> bool {
    c == '\n'
}

/// Runs of spaces, of line breaks, and of anything else.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let class = |c: char| (c == ' ', is_break(c));
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = class(rest.chars().next()?);
        let end = rest.find(|c| class(c) != first).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(piece)
    })
}

/// Which styles keep the text as it is.
fn analyze(text: &str, allow_unicode: bool) -> Analysis {
    if text.is_empty() {
        return Analysis { plain: false, single_quoted: true, multiline: false };
    }
    let is_blank = |c: char| is_break(c) || matches!(c, '\0' | ' ' | '\t' | '\r');
    let mut indicators = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut break_space, mut space_break) = (false, false, false);
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next_is_blank = characters.peek().is_none_or(|next| is_blank(*next));
        indicators |= match before {
            None => "#,[]{}&*!|>'\"%@`".contains(c) || ("?:-".contains(c) && next_is_blank),
            Some(before) => (c == ':' && next_is_blank) || (c == '#' && is_blank(before)),
        };
        special |= !is_printable(c, allow_unicode);
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
        before = Some(c);
    }
    let multiline = text.contains(is_break);
    let edge = |c: char| c == ' ' || is_break(c);
    let framed = text.starts_with(edge) || text.ends_with(edge);
    let single_quoted = !break_space && !space_break && !special;
    Analysis { plain: single_quoted && !framed && !multiline && !indicators, single_quoted, multiline }
}

/// Line breaks that only YAML 1.1 has count as unprintable: escaped, they mean the same to every reader.
fn is_printable(c: char, allow_unicode: bool) -> bool {
    match c {
        '\n' | ' '..='~' => true,
        '\u{feff}' | '\u{2028}' | '\u{2029}' => false,
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10fffe}' => allow_unicode,
        _ => false,
    }
}

/// The escape of a character that can't stand as it is between double quotes.
fn escape(c: char, allow_unicode: bool) -> Option<String> {
    let letter = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        '\u{a0}' if !allow_unicode => '_',
        ' '..='~' => return None,
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' if allow_unicode && c != '\u{feff}' => return None,
        _ => {
            let code = u32::from(c);
            return Some(match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            });
        }
    };
    Some(format!("\\{letter}"))
}

/// As Python's `repr` has it, with a point in every float.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

fn float_text(float: f64) -> String {
    let scientific = format!("{float:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let mantissa = if mantissa.contains('.') { mantissa.to_owned() } else { format!("{mantissa}.0") };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

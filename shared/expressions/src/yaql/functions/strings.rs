//! Texts.

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail, over};
use super::super::operators::join_texts;
use super::super::overload::{As, Row};
use super::super::value::{Kind, Val, print_text};
use crate::error::Limit;

pub(super) const FUNCTIONS: &[Row] = &[
    ("concat", As::Function, "*args:str", concat),
    ("toUpper", As::Method, "string:str", |ev, call| ev.text(call.str(0).to_uppercase())),
    ("toLower", As::Method, "string:str", |ev, call| ev.text(call.str(0).to_lowercase())),
    ("len", As::Both, "string:str", |_, call| Ok(Val::count(call.str(0).chars().count()))),
    ("split", As::Method, "string:str separator:str?= maxSplits:int=", |ev, call| split(ev, call, false)),
    ("rightSplit", As::Method, "string:str separator:str?= maxSplits:int=", |ev, call| split(ev, call, true)),
    ("join", As::Method, "sequence:iterable separator:str", |ev, call| join(ev, call, 0, 1)),
    ("join", As::Method, "separator:str sequence:iterable", |ev, call| join(ev, call, 1, 0)),
    ("str", As::Function, "value:any", str),
    ("trim", As::Method, "string:str chars:str?=", |ev, call| ev.text(trimmed(call, 1, true, true))),
    ("trimLeft", As::Method, "string:str chars:str?=", |ev, call| ev.text(trimmed(call, 1, true, false))),
    ("trimRight", As::Method, "string:str chars:str?=", |ev, call| ev.text(trimmed(call, 1, false, true))),
    ("norm", As::Both, "string:str? chars:str?=", norm),
    ("isEmpty", As::Both, "string:str? trim:bool= chars:str?=", is_empty),
    ("replace", As::Method, "string:str old:str new:str count:int=", replace),
    ("replace", As::Method, "string:str replacements:dict count:int=", replace_with_dict),
    ("substring", As::Method, "string:str start:int length:int=", substring),
    ("indexOf", As::Method, "string:str sub:str start:int=", |ev, call| index_of(ev, call, false)),
    ("indexOf", As::Method, "string:str sub:str start:int length:int", |ev, call| index_within(ev, call, false)),
    ("lastIndexOf", As::Method, "string:str sub:str start:int=", |ev, call| index_of(ev, call, true)),
    ("lastIndexOf", As::Method, "string:str sub:str start:int length:int", |ev, call| index_within(ev, call, true)),
    ("toCharArray", As::Method, "string:str", to_char_array),
    (
        "characters",
        As::Function,
        "digits:bool?= hexdigits:bool?= asciiLowercase:bool?= asciiUppercase:bool?= asciiLetters:bool?= \
         letters:bool?= octdigits:bool?= punctuation:bool?= printable:bool?= lowercase:bool?= uppercase:bool?= \
         whitespace:bool?=",
        characters,
    ),
    ("isString", As::Function, "arg:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Str(_))))),
    ("startsWith", As::Method, "string:str *prefixes:str", starts_with),
    ("endsWith", As::Method, "string:str *suffixes:str", ends_with),
    ("hex", As::Function, "num:number?", hex),
];

fn concat<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let texts: Vec<_> = call
        .rest()
        .filter_map(|value| match value {
            Val::Str(text) => Some(text),
            _ => None,
        })
        .collect();
    join_texts(ev, &texts)
}

fn str<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        text @ Val::Str(_) => Ok(text),
        value => ev.text(print_text(ev, &value)?),
    }
}

/// What Python takes for white space.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn split<'a>(ev: &Eval<'a>, call: &Call<'a>, from_right: bool) -> Res<Val<'a>> {
    let text = call.str(0);
    ev.charge(text.len())?;
    let most = usize::try_from(call.int(2, -1)).unwrap_or(usize::MAX);
    let parts: Vec<&str> = match call.opt_str(1) {
        Some("") => return bad("a text can't be split at nothing"),
        Some(separator) if from_right => {
            let mut parts: Vec<&str> = text.rsplitn(most.saturating_add(1), separator).collect();
            parts.reverse();
            parts
        }
        Some(separator) => text.splitn(most.saturating_add(1), separator).collect(),
        None if from_right => words_from_right(text, most),
        None => words(text, most),
    };
    ev.charge(parts.len() * std::mem::size_of::<Val<'_>>())?;
    let parts = parts.into_iter().map(|part| ev.text(part)).collect::<Res<Vec<_>>>()?;
    ev.list(parts, Kind::Plain)
}

/// Parts between white space; after `most` cuts the rest is one part.
fn words(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text.trim_start_matches(is_space));
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let end = rest.find(is_space).unwrap_or(rest.len());
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        parts.push(part);
        rest = after.trim_start_matches(is_space);
    }
    parts
}

fn words_from_right(text: &str, most: usize) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text.trim_end_matches(is_space));
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let before = rest.trim_end_matches(|c| !is_space(c));
        parts.push(rest.get(before.len()..).unwrap_or_default());
        rest = before.trim_end_matches(is_space);
    }
    parts.reverse();
    parts
}

fn join<'a>(ev: &Eval<'a>, call: &Call<'a>, sequence: usize, separator: usize) -> Res<Val<'a>> {
    let (mut feed, separator) = (call.feed(sequence)?, call.str(separator));
    let (mut out, mut first) = (String::new(), true);
    while let Some(item) = feed.next(ev)? {
        if !std::mem::take(&mut first) {
            out.push_str(separator);
        }
        match &item {
            Val::Str(text) => out.push_str(text),
            item => out.push_str(&print_text(ev, item)?),
        }
        ev.charge(separator.len())?;
        if out.len() > ev.limits().output_bytes {
            return over(Limit::OutputSize);
        }
    }
    ev.text(out)
}

fn trimmed<'c>(call: &'c Call<'_>, chars: usize, left: bool, right: bool) -> &'c str {
    let chars = call.opt_str(chars);
    let goes = |c: char| chars.map_or_else(|| is_space(c), |chars| chars.contains(c));
    let text = call.str(0);
    let text = if left { text.trim_start_matches(goes) } else { text };
    if right { text.trim_end_matches(goes) } else { text }
}

fn norm<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match trimmed(call, 1, true, true) {
        "" => Ok(Val::Null),
        text => ev.text(text),
    }
}

fn is_empty<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let trim = call.given(1).is_none_or(Val::truthy);
    Ok(Val::Bool(if trim { trimmed(call, 2, true, true).is_empty() } else { call.str(0).is_empty() }))
}

fn replaced(ev: &Eval<'_>, text: &str, (old, new): (&str, &str), most: i64) -> Res<String> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    ev.charge(text.len())?;
    let times = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    let longer = times.min(most).saturating_mul(new.len());
    if text.len().saturating_add(longer) > ev.limits().output_bytes.saturating_mul(2) {
        return over(Limit::OutputSize);
    }
    ev.charge(longer)?;
    Ok(text.replacen(old, new, most))
}

fn replace<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    ev.text(replaced(ev, call.str(0), (call.str(1), call.str(2)), call.int(3, -1))?)
}

fn replace_with_dict<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let mut text = call.str(0).to_owned();
    if let Val::Dict(dict) = call.val(1) {
        for (old, new) in dict.iter() {
            ev.step()?;
            text = replaced(ev, &text, (&print_text(ev, &old)?, &print_text(ev, &new)?), call.int(2, -1))?;
        }
    }
    ev.text(text)
}

/// The place of a character in bytes.
fn byte_at(text: &str, index: usize) -> usize {
    text.char_indices().nth(index).map_or(text.len(), |(at, _)| at)
}

/// A position as Python has it, where negative ones count from the end, within the text.
fn clamp(position: i64, length: usize) -> usize {
    let size = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
    if position < 0 { length.saturating_sub(size) } else { size.min(length) }
}

fn substring<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let text = call.str(0);
    ev.charge(text.len())?;
    let count = text.chars().count();
    let length = i64::try_from(count).unwrap_or(i64::MAX);
    let wanted = call.int(2, -1);
    let wanted = if wanted < 0 { length } else { wanted };
    let start = call.int(1, 0);
    let start = if start < 0 { start.saturating_add(length) } else { start };
    let (from, to) = (clamp(start, count), clamp(start.saturating_add(wanted), count));
    ev.text(text.get(byte_at(text, from)..byte_at(text, to)).unwrap_or_default())
}

/// The first or last position of a text in a part of another.
fn find<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool, start: i64, end: Option<i64>) -> Res<Val<'a>> {
    let (text, wanted) = (call.str(0), call.str(1));
    ev.charge(text.len())?;
    let count = text.chars().count();
    let beyond = usize::try_from(start).is_ok_and(|start| start > count);
    let (from, to) = (clamp(start, count), end.map_or(count, |end| clamp(end, count)));
    let part = text.get(byte_at(text, from)..byte_at(text, to)).filter(|_| !beyond);
    let found = part.and_then(|part| {
        let at = if last { part.rfind(wanted) } else { part.find(wanted) };
        at.and_then(|at| part.get(..at)).map(|before| before.chars().count())
    });
    Ok(found.map_or(Val::Int(-1), |at| Val::count(from + at)))
}

fn index_of<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool) -> Res<Val<'a>> {
    find(ev, call, last, call.int(2, 0), None)
}

fn index_within<'a>(ev: &Eval<'a>, call: &Call<'a>, last: bool) -> Res<Val<'a>> {
    let count = i64::try_from(call.str(0).chars().count()).unwrap_or(i64::MAX);
    let (start, length) = (call.int(2, 0), call.int(3, 0));
    let start = if start < 0 { start.saturating_add(count) } else { start };
    let length = if length < 0 { count.saturating_sub(start) } else { length };
    find(ev, call, last, start, Some(start.saturating_add(length)))
}

fn to_char_array<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let text = call.str(0);
    ev.charge(text.len().saturating_mul(std::mem::size_of::<Val<'_>>()))?;
    let chars = text.chars().map(|c| ev.text(c)).collect::<Res<Vec<_>>>()?;
    ev.list(chars, Kind::Frozen)
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const SPACE: &str = " \t\n\r\u{b}\u{c}";

/// The characters of the classes that are asked for, each once.
fn characters<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    const CLASSES: [&[&str]; 12] = [
        &["0123456789"],
        &["0123456789abcdefABCDEF"],
        &[LOWER],
        &[UPPER],
        &[LOWER, UPPER],
        &[],
        &["01234567"],
        &[PUNCTUATION],
        &["0123456789", LOWER, UPPER, PUNCTUATION, SPACE],
        &[],
        &[],
        &[SPACE],
    ];
    let mut chosen: Vec<char> = Vec::new();
    for (index, class) in CLASSES.iter().enumerate().filter(|(index, _)| call.flag(*index)) {
        if class.is_empty() {
            let name = if index == 5 { "asciiLetters" } else { "asciiLowercase` or `asciiUppercase" };
            return fail(Class::Unsupported, format!("upstream no longer has this class; use `{name}`"));
        }
        for c in class.iter().flat_map(|part| part.chars()) {
            if !chosen.contains(&c) {
                chosen.push(c);
            }
        }
    }
    let chars = chosen.into_iter().map(|c| ev.text(c)).collect::<Res<Vec<_>>>()?;
    ev.list(chars, Kind::Frozen)
}

fn starts_with<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(Val::Bool(call.rest().filter_map(Val::as_str).any(|prefix| call.str(0).starts_with(prefix))))
}

fn ends_with<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    Ok(Val::Bool(call.rest().filter_map(Val::as_str).any(|suffix| call.str(0).ends_with(suffix))))
}

fn hex<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    match call.val(0) {
        Val::Int(number) => {
            let sign = if number < 0 { "-" } else { "" };
            ev.text(format!("{sign}0x{:x}", number.unsigned_abs()))
        }
        other => fail(Class::Type, format!("`hex` takes an integer and not {}", other.type_name())),
    }
}

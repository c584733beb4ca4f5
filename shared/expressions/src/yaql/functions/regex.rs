//! Regular expressions.

use std::ops::Range;
use std::rc::Rc;

use indexmap::IndexMap;

use super::super::call::Call;
use super::super::eval::Eval;
use super::super::fail::{Class, Res, bad, fail, over};
use super::super::operators::shared;
use super::super::overload::{As, Row};
use super::super::scope::Scope;
use super::super::value::{Key, Kind, Regex, Val};
use crate::error::Limit;
use crate::regexes::{PatternError, expand};

pub(super) const FUNCTIONS: &[Row] = &[
    ("regex", As::Function, "pattern:str ignoreCase:bool?= multiLine:bool?= dotAll:bool?=", regex),
    ("matches", As::Method, "regexp:regex string:str", |_, call| is_match(&call.val(1), &call.val(0))),
    ("matches", As::Method, "string:str regexp:str", |_, call| is_match(&call.val(0), &call.val(1))),
    ("search", As::Method, "regexp:regex string:str selector:lambda=", search),
    ("searchAll", As::Method, "regexp:regex string:str selector:lambda=", search_all),
    ("split", As::Method, "regexp:regex string:str maxSplit:int=", |ev, call| split(ev, call, 0, 1)),
    ("split", As::Method, "string:str regexp:regex maxSplit:int=", |ev, call| split(ev, call, 1, 0)),
    ("replace", As::Method, "regexp:regex string:str repl:str count:int=", |ev, call| replace(ev, call, 0, 1)),
    ("replace", As::Method, "string:str regexp:regex repl:str count:int=", |ev, call| replace(ev, call, 1, 0)),
    ("replaceBy", As::Method, "regexp:regex string:str repl:lambda count:int=", |ev, call| replace_by(ev, call, 0, 1)),
    ("replaceBy", As::Method, "string:str regexp:regex repl:lambda count:int=", |ev, call| replace_by(ev, call, 1, 0)),
    ("escapeRegex", As::Function, "string:str", escape),
    ("isRegex", As::Function, "value:any", |_, call| Ok(Val::Bool(matches!(call.val(0), Val::Regex(_))))),
];

fn refused<T>(error: PatternError) -> Res<T> {
    if error.is_limit() { over(Limit::Regex) } else { bad(error.to_string()) }
}

fn regex<'a>(_: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let multi_line = if call.flag(2) { "(?m)" } else { "" };
    let source = format!("{multi_line}{}", call.str(0));
    let regex = Regex { source, ignore_case: call.flag(1), dot_all: call.flag(3) };
    regex.on("").or_else(refused)?;
    Ok(Val::Regex(Rc::new(regex)))
}

/// Whether a pattern is found in a text; nothing where there isn't one of each.
pub(in crate::yaql) fn matches(text: &Val<'_>, pattern: &Val<'_>) -> Res<Option<bool>> {
    let Val::Str(text) = text else { return Ok(None) };
    let plain;
    let regex = match pattern {
        Val::Regex(regex) => regex,
        Val::Str(source) => {
            plain = Rc::new(Regex { source: source.to_string(), ignore_case: false, dot_all: false });
            &plain
        }
        _ => return Ok(None),
    };
    let found = regex.on(text).and_then(|pattern| pattern.is_match(text));
    found.map(Some).or_else(refused)
}

fn is_match<'a>(text: &Val<'a>, pattern: &Val<'a>) -> Res<Val<'a>> {
    Ok(matches(text, pattern)?.map_or(Val::Null, Val::Bool))
}

/// The groups of a match, the whole one first: where they are in the text, in bytes.
type Groups = Vec<Option<Range<usize>>>;

fn pattern_and_text<'c>(call: &'c Call<'_>, pattern: usize, text: usize) -> Res<(&'c Regex, &'c str)> {
    match call.given(pattern) {
        Some(Val::Regex(regex)) => Ok((regex, call.str(text))),
        _ => fail(Class::NoMatch, "a regular expression is needed here"),
    }
}

/// All matches, or the first ones: of a negative number none, of zero all.
fn found(ev: &Eval<'_>, regex: &Regex, text: &str, most: i64) -> Res<Vec<Groups>> {
    let mut found: Vec<Groups> = Vec::new();
    let (mut short_of, mut full) = (false, false);
    ev.charge(text.len())?;
    let done = regex.on(text).and_then(|pattern| {
        pattern.each(text, |captures| {
            full = most != 0 && i64::try_from(found.len()).is_ok_and(|count| count >= most);
            short_of = !full && ev.charge(captures.len() * 64).is_err();
            if full || short_of {
                return Err(PatternError::TooManySteps);
            }
            found.push(captures.iter().map(|group| group.map(|group| group.start()..group.end())).collect());
            Ok(())
        })
    });
    match done {
        _ if short_of => over(Limit::Fuel),
        Err(error) if !full => refused(error),
        _ => Ok(found),
    }
}

fn group<'t>(text: &'t str, groups: &Groups, index: usize) -> Option<&'t str> {
    text.get(groups.get(index)?.clone()?)
}

fn group_value<'a>(text: &str, groups: &Groups, index: usize) -> Val<'a> {
    group(text, groups, index).map_or(Val::Null, shared)
}

/// A scope in which `$1`, `$2` … tell of the whole match and its groups.
fn published<'a>(ev: &Eval<'a>, call: &Call<'a>, text: &str, groups: &Groups) -> Res<Rc<Scope<'a>>> {
    let scope = call.scope.within(None, None);
    let at = |byte: usize| text.get(..byte).map_or(0, |before| before.chars().count());
    ev.charge(text.len())?;
    for (index, range) in groups.iter().enumerate() {
        let place = |byte: Option<usize>| byte.map_or(Val::Int(-1), |byte| Val::count(at(byte)));
        let fields = [
            ("value", group_value(text, groups, index)),
            ("start", place(range.as_ref().map(|range| range.start))),
            ("end", place(range.as_ref().map(|range| range.end))),
        ];
        let entries = fields
            .into_iter()
            .map(|(name, value)| Ok((Key::new(ev, Val::borrowed(name))?, value)))
            .collect::<Res<IndexMap<_, _>>>()?;
        scope.set(&(index + 1).to_string(), ev.dict(entries, Kind::Plain)?);
    }
    Ok(scope)
}

/// Upstream fails on named groups where it is to tell of a match.
fn check_unnamed(regex: &Regex) -> Res<()> {
    if regex.source.contains("(?P<") {
        return bad("a pattern with named groups can't be used with a selector; use plain groups and `$2.value`");
    }
    Ok(())
}

fn search<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (regex, text) = pattern_and_text(call, 0, 1)?;
    let found = found(ev, regex, text, 1)?;
    let Some(groups) = found.first() else { return Ok(Val::Null) };
    match call.opt_lambda(2) {
        Some(selector) => {
            check_unnamed(regex)?;
            selector.within(ev, &published(ev, call, text, groups)?)
        }
        None => ev.text(group(text, groups, 0).unwrap_or_default()),
    }
}

fn search_all<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    let (regex, text) = pattern_and_text(call, 0, 1)?;
    let mut results = Vec::new();
    for groups in found(ev, regex, text, 0)? {
        results.push(match call.opt_lambda(2) {
            Some(selector) => {
                check_unnamed(regex)?;
                selector.within(ev, &published(ev, call, text, &groups)?)?
            }
            None => ev.text(group(text, &groups, 0).unwrap_or_default())?,
        });
    }
    let mut results = results.into_iter();
    ev.lazy(call.level(), move |_| Ok(results.next()))
}

fn split<'a>(ev: &Eval<'a>, call: &Call<'a>, pattern: usize, text: usize) -> Res<Val<'a>> {
    let (regex, text) = pattern_and_text(call, pattern, text)?;
    let (mut parts, mut from) = (Vec::new(), 0);
    for groups in found(ev, regex, text, call.int(2, 0))? {
        let Some(Some(whole)) = groups.first() else { continue };
        parts.push(ev.text(text.get(from..whole.start).unwrap_or_default())?);
        parts.extend((1..groups.len()).map(|index| group_value(text, &groups, index)));
        from = whole.end;
    }
    parts.push(ev.text(text.get(from..).unwrap_or_default())?);
    ev.list(parts, Kind::Plain)
}

fn replace<'a>(ev: &Eval<'a>, call: &Call<'a>, pattern: usize, text: usize) -> Res<Val<'a>> {
    let (regex, text) = pattern_and_text(call, pattern, text)?;
    let (template, most, longest) = (call.str(2), call.int(3, 0), ev.limits().output_bytes);
    let (mut out, mut from, mut count, mut long) = (String::new(), 0, 0, false);
    ev.charge(text.len())?;
    let done = regex.on(text).and_then(|pattern| {
        pattern.each(text, |captures| {
            let Some(whole) = captures.get(0) else { return Ok(()) };
            count += 1;
            if most != 0 && count > most {
                return Ok(());
            }
            out.push_str(text.get(from..whole.start()).unwrap_or_default());
            expand(template, &pattern, captures, &mut out)?;
            from = whole.end();
            long = out.len() > longest || ev.charge(template.len()).is_err();
            if long { Err(PatternError::TooManySteps) } else { Ok(()) }
        })
    });
    if long {
        return over(Limit::OutputSize);
    }
    done.and_then(|()| if count == 0 { check_template(regex, template) } else { Ok(()) }).or_else(refused)?;
    out.push_str(text.get(from..).unwrap_or_default());
    ev.text(out)
}

/// Refuses a replacement that names groups which the pattern doesn't have, also where nothing is replaced.
fn check_template(regex: &Regex, template: &str) -> Result<(), PatternError> {
    let always = Regex { source: format!("(?:{})|", regex.source), ..*regex };
    let pattern = always.on("")?;
    pattern.each("", |captures| expand(template, &pattern, captures, &mut String::new()))
}

fn replace_by<'a>(ev: &Eval<'a>, call: &Call<'a>, pattern: usize, text: usize) -> Res<Val<'a>> {
    let (regex, text) = pattern_and_text(call, pattern, text)?;
    let replacement = call.lambda(2)?;
    let (mut out, mut from) = (String::new(), 0);
    for groups in found(ev, regex, text, call.int(3, 0))? {
        check_unnamed(regex)?;
        let Some(Some(whole)) = groups.first() else { continue };
        out.push_str(text.get(from..whole.start).unwrap_or_default());
        match replacement.within(ev, &published(ev, call, text, &groups)?)? {
            Val::Str(new) => out.push_str(&new),
            Val::Null => {}
            other => return fail(Class::Type, format!("the replacement must be a text and not {}", other.type_name())),
        }
        ev.charge(whole.start - from)?;
        if out.len() > ev.limits().output_bytes {
            return over(Limit::OutputSize);
        }
        from = whole.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    ev.text(out)
}

fn escape<'a>(ev: &Eval<'a>, call: &Call<'a>) -> Res<Val<'a>> {
    const SPECIAL: &str = "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}";
    let mut out = String::new();
    for c in call.str(0).chars() {
        if SPECIAL.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    ev.text(out)
}

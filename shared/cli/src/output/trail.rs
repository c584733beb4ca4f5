//! The trail of an event as a timeline.

use serde_json::{Map, Value};

use super::values::Kind;
use crate::{
    console::{Ink, Look, printable},
    trail::Trail,
};

/// Columns of the margin that holds the times.
const MARGIN: usize = 11;
/// Of a long pattern or value this many letters are shown where there is no terminal to fit.
const LONGEST: usize = 160;
/// Lines of output that are shown of one execution.
const MOST_OUTPUT: usize = 20;

/// The event, each rule that listens to it and why it did or didn't match, and what came of those that did. Times are those since the
/// event was accepted.
pub(crate) fn timeline(look: Look, trail: &Trail) -> String {
    let mut timeline = Timeline { look, start: text(trail.instance(), "/occurrence_time"), text: String::new() };
    timeline.event(trail.instance());
    if let Some(note) = trail.content().note() {
        timeline.quiet("│ ", &note);
    }
    let rules = trail.rules();
    for (at, rule) in rules.iter().enumerate() {
        timeline.rule(rule, at + 1 == rules.len());
    }
    if rules.is_empty() {
        timeline.line(None, "└ ", "no rule listens to it");
    }
    timeline.text
}

/// A criterion and its verdict in one line, and where it is a tree the criteria of its groups below it, a number before the first of each.
pub(crate) fn criterion(look: Look, criterion: &Value, width: usize) -> Vec<String> {
    let mut lines = vec![one_criterion(look, criterion, width)];
    let groups = criterion.get("groups").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (at, group) in groups.iter().enumerate() {
        let number = (at + 1).to_string();
        let indent = number.len() + 3;
        let inner = group.as_array().into_iter().flatten();
        let inner = inner.flat_map(|inner| self::criterion(look, inner, width.saturating_sub(indent)));
        let numbered = inner.enumerate().map(|(line, text)| {
            let number = if line == 0 { number.as_str() } else { "" };
            format!("  {number:>0$} {text}", indent - 3)
        });
        lines.extend(numbered);
    }
    lines
}

fn one_criterion(look: Look, criterion: &Value, width: usize) -> String {
    let (mark, ink) = match text(criterion, "/verdict") {
        "holds" => ("✔", Ink::Green),
        "failed" => ("!", Ink::Red),
        _ => ("✘", Ink::Red),
    };
    let shown = |pointer: &str| criterion.pointer(pointer).map(compact).unwrap_or_default();
    let pattern = match criterion.get("pattern") {
        Some(Value::Object(children)) if text(criterion, "/operator") == "search" => search(children),
        _ => shown("/pattern"),
    };
    let mut line = match criterion.get("groups") {
        Some(_) => text(criterion, "/key").to_owned(),
        None => format!("{} {} {pattern}", text(criterion, "/key"), text(criterion, "/operator")),
    };
    let why = match (text(criterion, "/reason"), criterion.pointer("/value_found")) {
        ("", _) => String::new(),
        (reason, None | Some(Value::Null)) => format!("  {reason}"),
        (reason, Some(_)) => format!("  found {}: {reason}", shown("/value_found")),
    };
    line = cut(&printable(&line).replace(['\n', '\t'], " "), width);
    let room = width.saturating_sub(line.chars().count());
    let why = if room > 8 { cut(&printable(&why).replace(['\n', '\t'], " "), room) } else { String::new() };
    format!("{} {line}{}", look.paint(ink, mark), look.paint(Ink::Dim, &why))
}

/// The criteria that a `search` has of the items, as one reads them.
fn search(children: &Map<String, Value>) -> String {
    let child = |(key, child): (&String, &Value)| {
        format!("{key} {} {}", text(child, "/type"), child.get("pattern").map(compact).unwrap_or_default())
    };
    children.iter().map(child).collect::<Vec<_>>().join(", ")
}

struct Timeline<'a> {
    look: Look,
    start: &'a str,
    text: String,
}

impl Timeline<'_> {
    fn event(&mut self, instance: &Value) {
        let status = self.status(instance);
        let id = self.look.paint(Ink::Bold, text(instance, "/id"));
        let start = self.start.to_owned();
        self.line(Some(&start), "● ", &format!("trigger instance {id} {status}"));
        let trigger = format!("{}, {}", text(instance, "/trigger"), Kind::Time.text(&Value::from(self.start)));
        self.quiet("│ ", &trigger);
        let reason = text(instance, "/failure_reason");
        if !reason.is_empty() {
            self.line(None, "│ ", &self.look.paint(Ink::Red, &printable(reason)));
        }
        self.line(None, "│", "");
    }

    fn rule(&mut self, rule: &Value, last: bool) {
        let (branch, rail) = if last { ("└ ", "  ") } else { ("├ ", "│ ") };
        let name = self.look.paint(Ink::Bold, text(rule, "/rule"));
        let (mark, ink, verdict) = verdict(rule);
        let room = self.width().saturating_sub(text(rule, "/rule").len() + 5);
        let (mark, verdict) = (self.look.paint(ink, mark), self.look.paint(ink, &cut(&verdict, room)));
        let at = rule.pointer("/enforcement/enforced_at").and_then(Value::as_str);
        self.line(at, branch, &format!("{mark} {name} {verdict}"));
        let width = self.width().saturating_sub(8);
        for item in rule.get("criteria").and_then(Value::as_array).into_iter().flatten() {
            for line in criterion(self.look, item, width) {
                self.line(None, rail, &format!("    {line}"));
            }
        }
        self.enforcement(rule, rail);
        if !last {
            self.line(None, "│", "");
        }
    }

    fn enforcement(&mut self, rule: &Value, rail: &str) {
        let Some(enforcement) = rule.get("enforcement").filter(|enforcement| enforcement.is_object()) else { return };
        let (id, status) = (text(enforcement, "/id"), self.status(enforcement));
        self.line(Some(text(enforcement, "/enforced_at")), rail, &format!("  enforcement {id} {status}"));
        let reason = text(enforcement, "/failure_reason");
        if !reason.is_empty() {
            self.line(None, rail, &format!("    {}", self.look.paint(Ink::Red, &printable(reason))));
        }
        if let Some(execution) = rule.get("execution").filter(|execution| execution.is_object()) {
            let chunks = rule.get("output").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            self.execution(execution, chunks, rail);
        }
    }

    /// The statuses that it took, and its output between that of its start and that of its end.
    fn execution(&mut self, execution: &Value, chunks: &[Value], rail: &str) {
        let (id, action) = (text(execution, "/id"), self.look.paint(Ink::Bold, text(execution, "/action/ref")));
        self.line(Some(text(execution, "/start_timestamp")), rail, &format!("  execution {id} {action}"));
        let log = execution.get("log").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let is_end = |entry: &&Value| text(entry, "/timestamp") == text(execution, "/end_timestamp");
        for entry in log.iter().filter(|entry| !is_end(entry)) {
            let status = self.status(entry);
            self.line(Some(text(entry, "/timestamp")), rail, &format!("    {status}"));
        }
        self.output(chunks, rail);
        for entry in log.iter().filter(is_end) {
            let status = self.status(entry);
            self.line(Some(text(entry, "/timestamp")), rail, &format!("    {status}"));
        }
    }

    fn output(&mut self, chunks: &[Value], rail: &str) {
        let mut shown = 0;
        for chunk in chunks {
            for (at, line) in text(chunk, "/data").lines().enumerate() {
                shown += 1;
                if shown > MOST_OUTPUT {
                    return self.quiet(&format!("{rail}      "), "…");
                }
                let line = cut(&printable(line), self.width().saturating_sub(10));
                let ink = if text(chunk, "/stream") == "stderr" { Ink::Yellow } else { Ink::Cyan };
                let bar = self.look.paint(ink, "┃");
                self.line(Some(text(chunk, "/timestamp")).filter(|_| at == 0), rail, &format!("      {bar} {line}"));
            }
        }
    }

    fn status(&self, value: &Value) -> String {
        Kind::Status.painted(self.look, value.get("status").unwrap_or(&Value::Null))
    }

    fn width(&self) -> usize {
        self.look.width.map_or(LONGEST, usize::from).saturating_sub(MARGIN)
    }

    fn quiet(&mut self, rail: &str, text: &str) {
        let text = self.look.paint(Ink::Dim, &printable(text));
        self.line(None, rail, &text);
    }

    fn line(&mut self, at: Option<&str>, rail: &str, text: &str) {
        let margin = at.and_then(|at| since(self.start, at)).map(|ms| format!("+{ms:.1} ms")).unwrap_or_default();
        let margin = self.look.paint(Ink::Dim, &format!("{margin:>width$}  ", width = MARGIN - 2));
        let line = format!("{margin}{}{text}", self.look.paint(Ink::Dim, rail));
        self.text.push_str(&format!("{}\n", line.trim_end()));
    }
}

/// What became of a rule: mark, ink, words.
fn verdict(rule: &Value) -> (&'static str, Ink, String) {
    let is = |key: &str| rule.get(key).and_then(Value::as_bool) == Some(true);
    let enforced = rule.get("enforcement").is_some_and(Value::is_object);
    let failure = text(rule, "/failure");
    let note = text(rule, "/note");
    match (is("enabled"), is("matched"), enforced) {
        (false, ..) => ("○", Ink::Dim, "is disabled".to_owned()),
        (true, true, true) if note.is_empty() => ("✔", Ink::Green, "matched".to_owned()),
        (true, true, true) => ("✔", Ink::Green, format!("matched: {note}")),
        (true, true, false) => ("○", Ink::Dim, "stood back: it is a backstop, and another rule matched".to_owned()),
        (true, false, _) if !failure.is_empty() => {
            ("!", Ink::Red, format!("could not be evaluated: {}", printable(failure)))
        }
        (true, false, _) if note.is_empty() => ("✘", Ink::Red, "did not match".to_owned()),
        (true, false, _) => ("✘", Ink::Red, format!("did not match: {note}")),
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A value in one line: JSON, so that a text and a number look different.
pub(super) fn compact(value: &Value) -> String {
    cut(&value.to_string(), LONGEST)
}

/// The text, or its beginning and `…` where it is too long.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let begin: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{begin}…")
}

/// Milliseconds between two times of the API.
fn since(start: &str, at: &str) -> Option<f64> {
    let micros = |text: &str| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond);
    let span = u32::try_from(micros(at)?.saturating_sub(micros(start)?)).ok()?;
    Some(f64::from(span) / 1_000.0)
}

#[cfg(test)]
mod tests;

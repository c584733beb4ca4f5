//! What a replay of rules came to.

use rules::{Change, Difference, Report, RuleReport};
use serde_json::Value;

use super::{
    counted,
    trail::{compact, cut},
};
use crate::console::{Ink, Look, printable};

/// Lines are cut to this where there is no terminal to fit.
const LONGEST: usize = 160;

/// Each rule that differs or was written otherwise, with what becomes of the events, and how many do the same.
pub(crate) fn differences(look: Look, report: &Report) -> String {
    let mut text = counted(count(report.events), "event");
    if report.unheard > 0 {
        text.push_str(&format!(", {} of them of triggers that no rule listens to", report.unheard));
    }
    text.push('\n');
    let shown = |rule: &&RuleReport| rule.differs() || rule.change != Change::Unchanged;
    for rule in report.rules.iter().filter(shown) {
        text.push_str(&format!("\n{}", one_rule(look, rule)));
    }
    let differ = report.rules.iter().filter(|rule| rule.differs()).count();
    let same = report.rules.len() - differ;
    let differ = match differ {
        0 => "nothing differs".to_owned(),
        1 => "1 rule differs".to_owned(),
        more => format!("{} differ", counted(more, "rule")),
    };
    text.push_str(&format!("\n{differ}, {} the same\n", does(same)));
    text
}

fn does(rules: usize) -> String {
    format!("{} {}", counted(rules, "rule"), if rules == 1 { "does" } else { "do" })
}

fn one_rule(look: Look, rule: &RuleReport) -> String {
    let (mark, ink) = match rule.change {
        Change::Added => ("+", Ink::Green),
        Change::Removed => ("-", Ink::Red),
        Change::Changed => ("~", Ink::Yellow),
        Change::Unchanged => ("=", Ink::Dim),
    };
    let name = look.paint(Ink::Bold, rule.rule.as_str());
    let mark = look.paint(ink, mark);
    let mut text = format!("{mark} {name} fired {}, would fire {}\n", rule.fired_before, rule.fires_after);
    if !rule.differs() {
        text.push_str("    the same on these events\n");
    }
    let found = [
        (&rule.newly_fires, "newly fires on"),
        (&rule.no_longer_fires, "no longer fires on"),
        (&rule.other_inputs, "has other inputs on"),
    ];
    for (difference, words) in found {
        text.push_str(&one_difference(look, difference, words));
    }
    if rule.failed_before + rule.failed_after > 0 {
        let counts = format!("could not be evaluated on {} before, {} after", rule.failed_before, rule.failed_after);
        text.push_str(&format!("    {}\n", look.paint(Ink::Red, &counts)));
    }
    text
}

fn one_difference(look: Look, difference: &Difference, words: &str) -> String {
    if difference.count == 0 {
        return String::new();
    }
    let width = look.width.map_or(LONGEST, usize::from);
    let mut text = format!("    {words} {}\n", counted(count(difference.count), "event"));
    for example in &difference.examples {
        let mut line = format!("{} {}", example.trigger_instance, example.occurrence_time);
        if let Some(why) = &example.why {
            line.push_str(&format!("  {why}"));
        }
        text.push_str(&format!("      {}\n", look.paint(Ink::Dim, &fit(&line, width, 6))));
        let inputs = inputs(example.before.as_ref(), example.after.as_ref());
        inputs.iter().for_each(|line| text.push_str(&format!("        {}\n", fit(line, width, 8))));
    }
    if count(difference.count) > difference.examples.len() && !difference.examples.is_empty() {
        text.push_str("      …\n");
    }
    text
}

/// Action by action what differs: `host: "a" → "b"`.
fn inputs(before: Option<&Value>, after: Option<&Value>) -> Vec<String> {
    let list = |side: Option<&Value>| side.and_then(Value::as_array).cloned().unwrap_or_default();
    let (before, after) = (list(before), list(after));
    let mut lines = Vec::new();
    for at in 0..before.len().max(after.len()) {
        let (was, is) = (before.get(at), after.get(at));
        let action =
            |side: Option<&Value>| side.and_then(|side| side.get("action")?.as_str()).unwrap_or("nothing").to_owned();
        let (old, new) = (action(was), action(is));
        lines.push(if old == new { old } else { format!("{old} → {new}") });
        let parameter = |side: Option<&Value>, name: &str| {
            side.and_then(|side| side.pointer("/parameters")?.get(name)).map_or_else(|| "nothing".to_owned(), compact)
        };
        let names = |side: Option<&Value>| -> Vec<String> {
            let parameters = side.and_then(|side| side.get("parameters")?.as_object());
            parameters.map(|parameters| parameters.keys().cloned().collect()).unwrap_or_default()
        };
        let mut all = names(was);
        all.extend(names(is).into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
        let line = |name: &String| format!("  {name}: {} → {}", parameter(was, name), parameter(is, name));
        lines.extend(all.iter().map(line));
    }
    lines
}

fn fit(line: &str, width: usize, indent: usize) -> String {
    cut(&printable(line).replace(['\n', '\t'], " "), width.saturating_sub(indent))
}

fn count(events: u64) -> usize {
    usize::try_from(events).unwrap_or(usize::MAX)
}

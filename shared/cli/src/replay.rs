//! What a replay reads: rules from files, events from a file.

use embedded::{find_packs, read_pack_directory};
use model::{Ref, Rule, Timestamp};
use rules::Recorded;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufRead, BufReader, stdin},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{documents::read_document, failure::Failure};

/// Rules of files, and the packs of which these are all.
#[derive(Debug, Default)]
pub(crate) struct RuleFiles {
    rules: BTreeMap<Ref, Rule>,
    packs: BTreeSet<String>,
}

impl RuleFiles {
    /// Packs, directories of packs or of rules, and rules.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<RuleFiles, Failure> {
        let mut files = RuleFiles::default();
        for path in paths {
            if path.is_file() {
                files.add_rule(path)?;
                continue;
            }
            match find_packs(path) {
                Ok(packs) => packs.iter().try_for_each(|pack| files.add_pack(pack))?,
                Err(error) => files.add_directory(path, &error.to_string())?,
            }
        }
        Ok(files)
    }

    /// These alone.
    pub(crate) fn into_rules(self) -> Vec<Rule> {
        self.rules.into_values().collect()
    }

    /// Those that are there now, with these in the place of what they replace.
    pub(crate) fn in_place_of(self, now: &[Rule]) -> Vec<Rule> {
        let replaced =
            |rule: &&Rule| self.packs.contains(rule.reference.pack()) || self.rules.contains_key(&rule.reference);
        let mut rules: Vec<_> = now.iter().filter(|rule| !replaced(rule)).cloned().collect();
        rules.extend(self.rules.into_values());
        rules
    }

    fn add_pack(&mut self, directory: &Path) -> Result<(), Failure> {
        let files = read_pack_directory(directory).map_err(|error| Failure::usage(error.to_string()))?;
        let (content, _) = model::load_pack(&files).map_err(|diagnostics| {
            let first = diagnostics.iter().find(|diagnostic| diagnostic.is_error()).map(ToString::to_string);
            Failure::usage(format!("{}: {}", directory.display(), first.unwrap_or_default()))
                .hint(format!("`squall pack validate {}` shows all that is wrong", directory.display()))
        })?;
        self.packs.insert(content.pack.reference.clone());
        self.rules.extend(content.rules.into_iter().map(|rule| (rule.reference.clone(), rule)));
        Ok(())
    }

    /// A directory without packs: its files, in the order of their names.
    fn add_directory(&mut self, directory: &Path, otherwise: &str) -> Result<(), Failure> {
        let unreadable = |error: std::io::Error| Failure::usage(format!("{}: {error}", directory.display()));
        let entries = std::fs::read_dir(directory).map_err(unreadable)?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let is_rule =
            |path: &PathBuf| path.extension().is_some_and(|kind| kind == "yaml" || kind == "yml" || kind == "json");
        paths.retain(is_rule);
        paths.sort();
        if paths.is_empty() {
            return Err(Failure::usage(otherwise).hint("or give a directory of rule files, or rule files"));
        }
        paths.iter().try_for_each(|path| self.add_rule(path))
    }

    fn add_rule(&mut self, path: &Path) -> Result<(), Failure> {
        let name = path.display().to_string();
        let mut body = read_document(&name)?;
        if let (Value::Object(fields), Some(pack)) = (&mut body, pack_around(path)) {
            fields.entry("pack").or_insert(Value::from(pack));
        }
        let rule = model::parse_rule(&body).map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            Failure::usage(format!("{name} is no rule: {}", problems.join("; ")))
        })?;
        match self.rules.insert(rule.reference.clone(), rule) {
            Some(other) => Err(Failure::usage(format!("{name}: there are two rules {}", other.reference))),
            None => Ok(()),
        }
    }
}

/// The pack whose folder `rules` the file lies in: it need not be named in it.
fn pack_around(path: &Path) -> Option<String> {
    let metadata = path.parent()?.parent()?.join("pack.yaml");
    let metadata = metadata.is_file().then(|| read_document(&metadata.display().to_string()))?.ok()?;
    metadata.get("ref").or_else(|| metadata.get("name"))?.as_str().map(str::to_owned)
}

/// A line of a file of events.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    trigger: Cow<'a, str>,
    #[serde(borrow, default)]
    occurrence_time: Option<Cow<'a, str>>,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// The events of a file, one after the other.
pub(crate) struct RecordedEvents {
    name: String,
    reader: Box<dyn BufRead>,
    number: usize,
    line: String,
    id: String,
    trigger: String,
}

impl RecordedEvents {
    /// Of a file, or of the standard input.
    pub(crate) fn open(name: &str) -> Result<RecordedEvents, Failure> {
        let reader: Box<dyn BufRead> = if name == "-" {
            Box::new(stdin().lock())
        } else {
            let file = File::open(name).map_err(|error| Failure::usage(format!("{name} can't be read: {error}")))?;
            Box::new(BufReader::with_capacity(1 << 20, file))
        };
        let (line, id, trigger) = (String::new(), String::new(), String::new());
        Ok(RecordedEvents { name: name.to_owned(), reader, number: 0, line, id, trigger })
    }

    /// The next event. One without an id is called by its line, one without a time happened in 1970.
    pub(crate) fn next(&mut self) -> Result<Option<Recorded<'_>>, Failure> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.reader.read_line(&mut self.line);
            let read = read.map_err(|error| Failure::usage(format!("{}:{}: {error}", self.name, self.number)))?;
            if read == 0 {
                return Ok(None);
            }
            if !self.line.trim().is_empty() {
                break;
            }
        }
        let wrong = |column: usize, error: &str| {
            Failure::usage(format!("{}:{}:{column}: this is no event: {error}", self.name, self.number))
                .hint("a line is {\"id\": …, \"trigger\": REF, \"occurrence_time\": …, \"payload\": {…}}")
        };
        let line: Line<'_> = serde_json::from_str(&self.line).map_err(|error| {
            let text = error.to_string();
            wrong(error.column(), text.split(" at line ").next().unwrap_or_default())
        })?;
        let at = match line.occurrence_time {
            Some(time) => time.parse().map_err(|error: model::TimeError| wrong(1, &error.to_string()))?,
            None => Timestamp::from_millis(0),
        };
        self.id.clear();
        match line.id {
            Some(id) => self.id.push_str(&id),
            None => self.id = format!("line {}", self.number),
        }
        self.trigger.clear();
        self.trigger.push_str(&line.trigger);
        let payload = line.payload.get().as_bytes();
        Ok(Some(Recorded { id: &self.id, trigger: &self.trigger, at, payload }))
    }
}

/// A time as it is written, or so long before `now`.
pub(crate) fn since(text: &str, now: jiff::Timestamp) -> Result<Timestamp, Failure> {
    let unit = |unit: char| match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let mut letters = text.chars();
    let seconds = letters.next_back().and_then(unit).zip(letters.as_str().parse::<u64>().ok());
    if let Some(ago) = seconds.and_then(|(unit, count)| count.checked_mul(unit)) {
        let then = now.checked_sub(Duration::from_secs(ago));
        return then.map(Timestamp::from).map_err(|_| Failure::usage(format!("{text} is too long ago")));
    }
    text.parse().map_err(|_| {
        Failure::usage(format!("\"{text}\" is no time")).hint("such as 7d, 12h, 30m, or 2026-01-15T12:00:00Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_or_so_long_ago() {
        let now: jiff::Timestamp = "2026-01-15T12:00:00Z".parse().unwrap();
        let of = |text: &str| since(text, now).map(|time| time.to_string()).map_err(|failure| failure.to_string());
        assert_eq!(of("7d").as_deref(), Ok("2026-01-08T12:00:00.000000Z"));
        assert_eq!(of("90s").as_deref(), Ok("2026-01-15T11:58:30.000000Z"));
        assert_eq!(of("2026-01-01T00:00:00Z").as_deref(), Ok("2026-01-01T00:00:00.000000Z"));
        assert!(of("yesterday").is_err() && of("99999999999d").is_err() && of("d").is_err());
    }
}

//! The tables in which an event looks up its values.

use aho_corasick::{AhoCorasick, MatchKind};
use expressions::jsonpath::follow;
use serde_json::Value;
use std::{collections::HashMap, mem};

use super::access::{Access, NumberKey, Part, Probe};
use crate::operator::lower;

/// Who is found under a key.
type Ids = Vec<u32>;

/// A table for each path that rules ask for.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Found by every event.
    always: Ids,
    paths: Vec<PathTable>,
}

#[derive(Debug)]
struct PathTable {
    names: Box<[Box<str>]>,
    null: Ids,
    numbers: HashMap<NumberKey, Ids>,
    texts: HashMap<Box<str>, Ids>,
    parts: PartTable,
    lower_parts: PartTable,
}

/// Texts that must be the whole, the beginning or any part of a value.
#[derive(Debug, Default)]
struct PartTable {
    whole: HashMap<Box<str>, Ids>,
    /// By length in bytes.
    beginnings: Vec<(usize, HashMap<Box<str>, Ids>)>,
    anywhere: Option<(AhoCorasick, Vec<Ids>)>,
    /// Everyone: who is found where the value is no text.
    all: Ids,
}

impl Tables {
    /// Everyone by its own way, and those without one always.
    pub(super) fn build(always: Ids, entries: impl IntoIterator<Item = (u32, Access)>) -> Tables {
        let mut builders: HashMap<Box<[Box<str>]>, Builder> = HashMap::new();
        let mut tables = Tables { always, paths: Vec::new() };
        for (id, access) in entries {
            let builder = builders.entry(access.names).or_default();
            access.probes.into_iter().for_each(|probe| builder.add(id, probe));
        }
        for (names, builder) in builders {
            let (table, unplaced) = builder.finish(names);
            tables.paths.push(table);
            tables.always.extend(unplaced);
        }
        tables
    }

    /// Adds everyone whom this payload finds, some perhaps twice.
    pub(super) fn candidates(&self, payload: &Value, found: &mut Ids) {
        found.extend(&self.always);
        self.paths.iter().for_each(|table| table.candidates(follow(payload, &table.names), found));
    }
}

impl PathTable {
    fn candidates(&self, value: &Value, found: &mut Ids) {
        match value {
            Value::Null => found.extend(&self.null),
            Value::String(text) => found.extend(self.texts.get(text.as_str()).into_iter().flatten()),
            other => {
                let ids = NumberKey::of(other).and_then(|number| self.numbers.get(&number));
                found.extend(ids.into_iter().flatten());
            }
        }
        match value {
            Value::String(text) => {
                self.parts.candidates(text, found);
                if !self.lower_parts.all.is_empty() {
                    self.lower_parts.candidates(&lower(text), found);
                }
            }
            _ => {
                found.extend(&self.parts.all);
                found.extend(&self.lower_parts.all);
            }
        }
    }
}

impl PartTable {
    fn candidates(&self, text: &str, found: &mut Ids) {
        found.extend(self.whole.get(text).into_iter().flatten());
        for (length, beginnings) in &self.beginnings {
            let ids = text.get(..*length).and_then(|beginning| beginnings.get(beginning));
            found.extend(ids.into_iter().flatten());
        }
        let Some((automaton, ids)) = &self.anywhere else { return };
        for hit in automaton.find_overlapping_iter(text) {
            found.extend(ids.get(hit.pattern().as_usize()).into_iter().flatten());
        }
    }
}

#[derive(Default)]
struct Builder {
    null: Ids,
    numbers: HashMap<NumberKey, Ids>,
    texts: HashMap<Box<str>, Ids>,
    parts: PartBuilder,
    lower_parts: PartBuilder,
}

#[derive(Default)]
struct PartBuilder {
    whole: HashMap<Box<str>, Ids>,
    beginnings: HashMap<Box<str>, Ids>,
    anywhere: HashMap<Box<str>, Ids>,
    all: Ids,
}

impl Builder {
    fn add(&mut self, id: u32, probe: Probe) {
        match probe {
            Probe::Null => self.null.push(id),
            Probe::Number(number) => self.numbers.entry(number).or_default().push(id),
            Probe::Text(text) => self.texts.entry(text).or_default().push(id),
            Probe::Part { part, text, lower } => {
                let parts = if lower { &mut self.lower_parts } else { &mut self.parts };
                parts.all.push(id);
                let table = match part {
                    Part::Whole => &mut parts.whole,
                    Part::Beginning => &mut parts.beginnings,
                    Part::Anywhere => &mut parts.anywhere,
                };
                table.entry(text).or_default().push(id);
            }
        }
    }

    /// The table, and who found no place in it.
    fn finish(mut self, names: Box<[Box<str>]>) -> (PathTable, Ids) {
        let mut unplaced = Ids::new();
        let parts = mem::take(&mut self.parts).finish(&mut unplaced);
        let lower_parts = mem::take(&mut self.lower_parts).finish(&mut unplaced);
        let Builder { null, numbers, texts, .. } = self;
        (PathTable { names, null, numbers, texts, parts, lower_parts }, unplaced)
    }
}

impl PartBuilder {
    /// An automaton that grows too large is done without.
    fn finish(self, unplaced: &mut Ids) -> PartTable {
        let mut by_length: HashMap<usize, HashMap<Box<str>, Ids>> = HashMap::new();
        for (text, ids) in self.beginnings {
            by_length.entry(text.len()).or_default().insert(text, ids);
        }
        let mut beginnings: Vec<_> = by_length.into_iter().collect();
        beginnings.sort_by_key(|(length, _)| *length);
        let (texts, ids): (Vec<Box<str>>, Vec<Ids>) = self.anywhere.into_iter().unzip();
        let anywhere = if texts.is_empty() { None } else { automaton(&texts) };
        let anywhere = match anywhere {
            Some(automaton) => Some((automaton, ids)),
            None => {
                unplaced.extend(ids.into_iter().flatten());
                None
            }
        };
        PartTable { whole: self.whole, beginnings, anywhere, all: self.all }
    }
}

fn automaton(texts: &[Box<str>]) -> Option<AhoCorasick> {
    AhoCorasick::builder().match_kind(MatchKind::Standard).build(texts.iter().map(|text| text.as_bytes())).ok()
}

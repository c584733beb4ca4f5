//! The library, one room per chapter, and its table.

mod branching;
mod collections;
mod dates;
mod dictionaries;
mod generators;
mod grouping;
mod lists;
mod math;
mod order;
mod queries;
pub(super) mod regex;
mod sets;
mod stackstorm;
mod strings;
mod system;
mod zips;

use std::collections::HashMap;
use std::sync::LazyLock;

pub(super) use order::Ordering;

use super::eval::Eval;
use super::fail::Res;
use super::feed::Feed;
use super::overload::{Overload, Row};
use super::value::{Kind, Val};

const CHAPTERS: [&[Row]; 16] = [
    system::FUNCTIONS,
    branching::FUNCTIONS,
    math::FUNCTIONS,
    strings::FUNCTIONS,
    collections::FUNCTIONS,
    lists::FUNCTIONS,
    dictionaries::FUNCTIONS,
    sets::FUNCTIONS,
    queries::FUNCTIONS,
    zips::FUNCTIONS,
    generators::FUNCTIONS,
    grouping::FUNCTIONS,
    order::FUNCTIONS,
    regex::FUNCTIONS,
    dates::FUNCTIONS,
    stackstorm::FUNCTIONS,
];

static TABLE: LazyLock<HashMap<&'static str, Vec<Overload>>> = LazyLock::new(|| {
    let mut table: HashMap<&'static str, Vec<Overload>> = HashMap::new();
    for row in CHAPTERS.into_iter().flatten() {
        table.entry(row.0).or_default().extend(Overload::new(row));
    }
    table
});

/// The functions and methods of a name. As in YAQL, underscores at its end don't count.
pub(super) fn named(name: &str) -> &'static [Overload] {
    TABLE.get(name.trim_end_matches('_')).map(Vec::as_slice).unwrap_or_default()
}

/// Everything that can be iterated over, read to its end, as a list of the frozen kind.
fn to_list<'a>(ev: &Eval<'a>, feed: Feed<'a>) -> Res<Val<'a>> {
    let items = feed.rest(ev)?;
    ev.list(items, Kind::Frozen)
}

#[cfg(test)]
mod tests {
    use super::{CHAPTERS, Overload};

    #[test]
    fn every_signature_can_be_read() {
        for row in CHAPTERS.into_iter().flatten() {
            assert!(Overload::new(row).is_some(), "{} {}", row.0, row.2);
        }
    }
}

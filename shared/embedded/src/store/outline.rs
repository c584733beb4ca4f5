//! How many rows a scope has, and which is the n-th, without reading them.

use ports::{Key, Scope, Slot};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Rows between two marks, as an outline is made.
const BLOCK: usize = 512;
/// Rows between two marks from which an outline is too coarse, and made again when it is next asked for.
const MAX_BLOCK: usize = 8 * BLOCK;
/// Scopes that are outlined at once. An outline takes about 200 bytes per 512 rows.
const MAX_OUTLINES: usize = 256;

/// A row's place in the order of its scope. In a partition there is no key: the sort key says all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) sort: String,
    pub(super) key: Option<Key>,
}

/// A partition of the records (no slot), or of an index.
pub(super) type Area = (Option<Slot>, String);

/// The area of a scope; what is due has none.
pub(super) fn area(scope: &Scope) -> Option<Area> {
    match scope {
        Scope::Partition(name) => Some((None, name.clone())),
        Scope::Index(slot, name) => Some((Some(*slot), name.clone())),
        Scope::Due(_) => None,
    }
}

/// A row that came or went.
pub(super) struct Change {
    pub(super) area: Area,
    pub(super) place: Place,
    pub(super) came: bool,
}

/// Where to begin: within these marks, behind `rest` more rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) low: Option<Place>,
    pub(super) high: Option<Place>,
    pub(super) rest: u64,
}

/// Marks in the order of an area, with the number of rows from each to the next. Rows before the first mark count to it.
#[derive(Debug)]
pub(super) struct Outline {
    blocks: Vec<Block>,
    total: usize,
    /// No row is behind this.
    end: Option<Place>,
}

#[derive(Debug)]
struct Block {
    first: Place,
    count: usize,
}

impl Outline {
    /// An outline of rows of which `end` is the last.
    pub(super) fn new(end: Option<Place>) -> Outline {
        Outline { blocks: Vec::new(), total: 0, end }
    }

    /// Takes the next row in order; asks for its place only where a mark belongs.
    pub(super) fn push<E>(&mut self, place: impl FnOnce() -> Result<Place, E>) -> Result<(), E> {
        self.total += 1;
        match self.blocks.last_mut() {
            Some(block) if block.count < BLOCK => block.count += 1,
            _ => self.blocks.push(Block { first: place()?, count: 1 }),
        }
        Ok(())
    }

    pub(super) fn total(&self) -> u64 {
        self.total as u64
    }

    /// False where the outline is of no more use.
    fn change(&mut self, place: Place, came: bool) -> bool {
        let at = self.blocks.partition_point(|block| block.first <= place).saturating_sub(1);
        if came { self.insert(at, place) } else { self.remove(at) }
    }

    fn insert(&mut self, at: usize, place: Place) -> bool {
        self.total += 1;
        let beyond = self.end.as_ref().is_none_or(|end| place > *end);
        if beyond {
            self.end = Some(place.clone());
        }
        match self.blocks.get_mut(at) {
            Some(block) if !beyond || block.count < BLOCK => {
                block.count += 1;
                block.count <= MAX_BLOCK
            }
            _ => {
                self.blocks.push(Block { first: place, count: 1 });
                true
            }
        }
    }

    fn remove(&mut self, at: usize) -> bool {
        let Some(block) = self.blocks.get_mut(at) else { return false };
        self.total -= 1;
        block.count -= 1;
        if block.count == 0 {
            self.blocks.remove(at);
        }
        true
    }

    /// Where the row behind the first `skip` is; `None` where there are not so many.
    pub(super) fn start(&self, skip: u64, descending: bool) -> Option<Start> {
        let mut rest = usize::try_from(skip).ok().filter(|skip| *skip < self.total)?;
        let mut fits = |block: &Block| {
            let fits = rest < block.count;
            rest -= if fits { 0 } else { block.count };
            fits
        };
        let mark = |at: usize| self.blocks.get(at).filter(|_| at > 0).map(|block| block.first.clone());
        let at = if descending {
            self.blocks.iter().rposition(&mut fits)?
        } else {
            self.blocks.iter().position(&mut fits)?
        };
        let (low, high) = if descending { (None, mark(at + 1)) } else { (mark(at), None) };
        Some(Start { low, high, rest: rest as u64 })
    }
}

enum State {
    /// Its rows are being read; what came and went since.
    Reading(Vec<(Place, bool)>),
    Ready(Outline),
}

/// By partition, for each slot: so that looking one up makes no copy of its name.
type Areas = HashMap<Option<Slot>, HashMap<String, State>>;

/// The outlines of the areas that were asked for. The writer keeps them right.
#[derive(Default)]
pub(super) struct Outlines(Mutex<Areas>);

impl Outlines {
    fn lock(&self) -> MutexGuard<'_, Areas> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether changes in this area are of interest.
    pub(super) fn follows(&self, slot: Option<Slot>, partition: &str) -> bool {
        self.lock().get(&slot).is_some_and(|areas| areas.contains_key(partition))
    }

    fn begin(&self, (slot, partition): &Area) -> bool {
        let mut outlines = self.lock();
        if outlines.values().map(HashMap::len).sum::<usize>() >= MAX_OUTLINES {
            outlines.values_mut().for_each(|areas| areas.retain(|_, state| matches!(state, State::Reading(_))));
        }
        let areas = outlines.entry(*slot).or_default();
        let new = !areas.contains_key(partition);
        if new {
            areas.insert(partition.clone(), State::Reading(Vec::new()));
        }
        new
    }

    fn finish(&self, (slot, partition): &Area, outline: Option<Outline>) {
        let mut outlines = self.lock();
        let Some(areas) = outlines.get_mut(slot) else { return };
        let (Some(State::Reading(changes)), Some(mut outline)) = (areas.remove(partition), outline) else { return };
        if changes.into_iter().all(|(place, came)| outline.change(place, came)) {
            areas.insert(partition.clone(), State::Ready(outline));
        }
    }

    /// What a transaction changed.
    pub(super) fn apply(&self, changes: Vec<Change>) {
        if changes.is_empty() {
            return;
        }
        let mut outlines = self.lock();
        for Change { area: (slot, partition), place, came } in changes {
            let Some(areas) = outlines.get_mut(&slot) else { continue };
            let useful = match areas.get_mut(&partition) {
                Some(State::Ready(outline)) => outline.change(place, came),
                Some(State::Reading(changes)) => {
                    changes.push((place, came));
                    true
                }
                None => true,
            };
            if !useful {
                areas.remove(&partition);
            }
        }
    }

    /// The number of rows and where to begin, where the area is outlined. The inner `None`: not so many rows.
    pub(super) fn look(&self, area: &Area, skip: u64, descending: bool) -> Option<(u64, Option<Start>)> {
        match self.lock().get(&area.0)?.get(&area.1)? {
            State::Ready(outline) => Some((outline.total(), outline.start(skip, descending))),
            State::Reading(_) => None,
        }
    }
}

/// An area whose rows are being read. Its changes are kept until it is finished or dropped.
pub(super) struct Unfinished {
    outlines: Arc<Outlines>,
    area: Area,
    outline: Option<Outline>,
}

impl Unfinished {
    /// From now on the changes in the area are kept; `None` where they are already.
    pub(super) fn begin(outlines: &Arc<Outlines>, area: Area) -> Option<Unfinished> {
        outlines.begin(&area).then(|| Unfinished { outlines: Arc::clone(outlines), area, outline: None })
    }

    /// The rows as they were when it began.
    pub(super) fn finish(mut self, outline: Outline) {
        self.outline = Some(outline);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.outlines.finish(&self.area, self.outline.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn place(n: u32) -> Place {
        Place { sort: format!("{n:06}"), key: None }
    }

    /// The n-th row by the outline: the marks, then row by row.
    fn nth(rows: &BTreeSet<Place>, start: &Start, descending: bool) -> Option<Place> {
        let inside = |row: &&Place| {
            start.low.as_ref().is_none_or(|low| *row >= low) && start.high.as_ref().is_none_or(|high| *row < high)
        };
        let rest = start.rest as usize;
        if descending {
            rows.iter().rev().filter(inside).nth(rest).cloned()
        } else {
            rows.iter().filter(inside).nth(rest).cloned()
        }
    }

    proptest! {
        #[test]
        fn finds_what_counting_finds(
            first in proptest::collection::btree_set(0u32..4_000, 0..3_000),
            changes in proptest::collection::vec((0u32..6_000, any::<bool>()), 0..2_000),
            skips in proptest::collection::vec(0u64..4_000, 1..20),
        ) {
            let mut rows: BTreeSet<Place> = first.into_iter().map(place).collect();
            let mut outline = Outline::new(rows.last().cloned());
            for row in &rows {
                outline.push(|| Ok::<_, ()>(row.clone())).unwrap();
            }
            for (n, came) in changes {
                let changed = if came { rows.insert(place(n)) } else { rows.remove(&place(n)) };
                prop_assert!(!changed || outline.change(place(n), came));
            }
            prop_assert_eq!(outline.total(), rows.len() as u64);
            for skip in skips {
                for descending in [false, true] {
                    let mut ordered: Vec<_> = rows.iter().cloned().collect();
                    if descending { ordered.reverse(); }
                    let found = outline.start(skip, descending);
                    prop_assert_eq!(found.and_then(|start| nth(&rows, &start, descending)), ordered.get(skip as usize).cloned());
                }
            }
        }
    }
}

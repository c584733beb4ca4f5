//! Where pages ended, so that a client that walks a listing by `offset` goes on where it was instead of counting from the start.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Ends of pages that are remembered.
const CAPACITY: usize = 4_096;
/// How long one is good. A walker asks for the next page at once; one who comes later is better served by counting anew, because the
/// listing has grown at its head since.
const LIFETIME: Duration = Duration::from_secs(30);

/// A bounded memory of (listing, offset) → cursor. Losing an entry costs time, never correctness.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    ends: HashMap<(String, u64), (String, Instant)>,
    order: VecDeque<((String, u64), Instant)>,
}

impl Positions {
    /// The cursor that leads to `offset` of that listing.
    pub(crate) fn find(&self, listing: &str, offset: u64, now: Instant) -> Option<String> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (cursor, at) = inner.ends.get(&(listing.to_owned(), offset))?;
        (now.saturating_duration_since(*at) < LIFETIME).then(|| cursor.clone())
    }

    /// Remembers it; the oldest goes where there is no room.
    pub(crate) fn remember(&self, listing: &str, offset: u64, cursor: &str, now: Instant) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (listing.to_owned(), offset);
        inner.ends.insert(key.clone(), (cursor.to_owned(), now));
        inner.order.push_back((key, now));
        while inner.order.len() > CAPACITY {
            let Some((oldest, at)) = inner.order.pop_front() else { break };
            // An entry that was renewed since stands further back in the order, too.
            if inner.ends.get(&oldest).is_some_and(|(_, renewed)| *renewed == at) {
                inner.ends.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a starting point in time to count from")]
mod tests {
    use super::*;

    #[test]
    fn finds_what_it_was_told_until_it_is_old() {
        let (positions, now) = (Positions::default(), Instant::now());
        positions.remember("executions", 100, "c", now);
        assert_eq!(positions.find("executions", 100, now).as_deref(), Some("c"));
        assert_eq!(positions.find("executions", 200, now), None);
        assert_eq!(positions.find("rules", 100, now), None);
        assert_eq!(positions.find("executions", 100, now + LIFETIME), None);
    }

    #[test]
    fn its_size_is_bounded_and_renewed_entries_stay() {
        let (positions, now) = (Positions::default(), Instant::now());
        positions.remember("l", 0, "old", now);
        positions.remember("l", 0, "new", now + Duration::from_millis(1));
        for offset in 1..CAPACITY as u64 {
            positions.remember("l", offset, "c", now);
        }
        assert_eq!(positions.find("l", 0, now).as_deref(), Some("new"));
        for offset in 0..CAPACITY as u64 {
            positions.remember("m", offset, "c", now);
        }
        let inner = positions.inner.lock().unwrap();
        assert_eq!((inner.ends.len(), inner.order.len()), (CAPACITY, CAPACITY));
        assert!(!inner.ends.contains_key(&("l".to_owned(), 1)));
    }
}

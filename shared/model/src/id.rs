//! 24-digit ids, as StackStorm's clients expect them, ordered by time where a time is known.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

use crate::Timestamp;

/// An id of 12 bytes, written as 24 lower-case hex digits: 48 bits of Unix milliseconds, then 48 bits of entropy or of a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 12]);

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an id: 24 hex digits are wanted")]
pub struct IdError(pub String);

impl Id {
    /// A fresh id at `time`; only the low 48 bits of `entropy` are used.
    pub fn at(time: Timestamp, entropy: u64) -> Id {
        Id::from_halves(time.millis().max(0).unsigned_abs(), entropy)
    }

    /// The id that is a function of `time` and of `parts`: the same event asked for twice finds the first.
    pub fn derived(time: Timestamp, parts: &[&str]) -> Id {
        let (_, low) = hash_halves(parts);
        Id::from_halves(time.millis().max(0).unsigned_abs(), low)
    }

    /// The id that is a function of `parts` alone, for what has a name of its own (a rule's ref, a delivery id). Not ordered by time.
    pub fn named(parts: &[&str]) -> Id {
        let (high, low) = hash_halves(parts);
        Id::from_halves(high, low)
    }

    fn from_halves(high: u64, low: u64) -> Id {
        let [_, _, a, b, c, d, e, f] = high.to_be_bytes();
        let [_, _, g, h, i, j, k, l] = low.to_be_bytes();
        Id([a, b, c, d, e, f, g, h, i, j, k, l])
    }
}

/// Two times 48 bits of the parts' SHA-256. Each part is prefixed by its length, so that no two lists hash alike by concatenation.
fn hash_halves(parts: &[&str]) -> (u64, u64) {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let digest = hasher.finalize();
    let take = |from: usize| digest.iter().skip(from).take(6).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
    (take(0), take(6))
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 24];
        hex::encode_to_slice(self.0, &mut text).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Id, IdError> {
        let mut bytes = [0u8; 12];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError(text.chars().take(64).collect()))?;
        Ok(Id(bytes))
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text() {
        let early = Id::at(Timestamp::from_millis(1_000), u64::MAX);
        let late = Id::at(Timestamp::from_millis(1_001), 0);
        assert!(early < late && early.to_string() < late.to_string());
        assert_eq!(late.to_string().parse::<Id>(), Ok(late));
        assert!("xyz".parse::<Id>().is_err());
    }

    #[test]
    fn derived_ids_depend_on_every_part_and_its_limits() {
        let time = Timestamp::from_millis(5);
        assert_eq!(Id::derived(time, &["a", "b"]), Id::derived(time, &["a", "b"]));
        assert_ne!(Id::derived(time, &["a", "b"]), Id::derived(time, &["ab", ""]));
        assert_ne!(Id::named(&["a"]), Id::named(&["b"]));
    }
}

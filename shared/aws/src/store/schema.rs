//! How a record stands in the table.
//!
//! An item has the record's key, version and body. Each place in an index is a pair of attributes that are the key of a secondary
//! index: the partition, and the entry's place with the record's key behind it, so that equal places are ordered by key. A record
//! without an entry lacks the attributes and costs that index nothing. The indexes hold keys alone: what a listing shows is read from
//! the table, and entries that have not followed their record yet are left out.

use aws_sdk_dynamodb::types::AttributeValue;
use model::Timestamp;
use ports::{Key, NewRecord, Record, Slot, StoreError};
use std::collections::HashMap;

/// An item or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
pub(super) const VERSION: &str = "version";
const BODY: &str = "body";
/// The exact end, in microseconds; [`TTL`] is the second from which DynamoDB may remove the item.
pub(super) const EXPIRES: &str = "expires";
const TTL: &str = "ttl";
/// Which write made the item, so that a writer who did not get its answer knows its own work again.
pub(super) const WRITE: &str = "write";
/// What is due is spread over so many partitions of its index.
pub(super) const DUE_SHARDS: u32 = 8;

/// A secondary index of the table: sparse, keys only, string keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// The index's name.
    pub name: &'static str,
    /// The attribute that is its partition key.
    pub partition: &'static str,
    /// The attribute that is its sort key.
    pub sort: &'static str,
}

/// All secondary indexes, as the template makes them: those of the slots, and what is due.
pub const INDEXES: [IndexSchema; 9] = [
    IndexSchema { name: "kind", partition: "kind", sort: "kind_at" },
    IndexSchema { name: "action", partition: "action", sort: "action_at" },
    IndexSchema { name: "rule", partition: "rule", sort: "rule_at" },
    IndexSchema { name: "status", partition: "status", sort: "status_at" },
    IndexSchema { name: "parent", partition: "parent", sort: "parent_at" },
    IndexSchema { name: "trigger", partition: "trigger", sort: "trigger_at" },
    IndexSchema { name: "trace", partition: "trace", sort: "trace_at" },
    IndexSchema { name: "user", partition: "user", sort: "user_at" },
    DUE,
];

/// What is due, by time.
pub(super) const DUE: IndexSchema = IndexSchema { name: "due", partition: "due_shard", sort: "due_at" };

pub(super) const fn index_of(slot: Slot) -> IndexSchema {
    let [kind, action, rule, status, parent, trigger, trace, user, _] = INDEXES;
    match slot {
        Slot::Kind => kind,
        Slot::Action => action,
        Slot::Rule => rule,
        Slot::Status => status,
        Slot::Parent => parent,
        Slot::Trigger => trigger,
        Slot::Trace => trace,
        Slot::User => user,
    }
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn key_item(key: &Key) -> Item {
    Item::from([(PK.to_owned(), text(&key.partition)), (SK.to_owned(), text(&key.sort))])
}

/// The item of a record that gets this version.
pub(super) fn item_of(record: NewRecord, version: u64) -> Result<Item, StoreError> {
    let NewRecord { key, body, index, due, ttl } = record;
    let body = String::from_utf8(body.into())
        .map_err(|_| StoreError::Limit(format!("the body of record {key} is no JSON text: it is not UTF-8")))?;
    let mut item = key_item(&key);
    item.insert(VERSION.to_owned(), number(version));
    item.insert(BODY.to_owned(), text(body));
    for entry in index {
        let schema = index_of(entry.slot);
        item.insert(schema.partition.to_owned(), text(entry.partition));
        item.insert(schema.sort.to_owned(), text(place(&entry.sort, &key)));
    }
    if let Some(due) = due {
        item.insert(DUE.partition.to_owned(), text(due_shard(&key)));
        item.insert(DUE.sort.to_owned(), text(place(&due_sort(due), &key)));
    }
    if let Some(ttl) = ttl {
        item.insert(EXPIRES.to_owned(), number(ttl.micros()));
        item.insert(TTL.to_owned(), number(ttl.seconds().saturating_add(1)));
    }
    Ok(item)
}

/// The record of an item; `None` where it has expired.
pub(super) fn record_of(item: &Item, now: Timestamp) -> Result<Option<Record>, StoreError> {
    let key = key_of(item)?;
    let damaged = |what: &str| StoreError::Damaged(format!("item {key} has no {what} that can be read"));
    let ttl = match item.get(EXPIRES) {
        Some(value) => Some(parse(value).map(Timestamp::from_micros).ok_or_else(|| damaged(EXPIRES))?),
        None => None,
    };
    if ttl.is_some_and(|ttl| ttl <= now) {
        return Ok(None);
    }
    let due = match item.get(DUE.sort) {
        Some(value) => Some(value.as_s().ok().and_then(|place| due_of(place)).ok_or_else(|| damaged(DUE.sort))?),
        None => None,
    };
    let version = item.get(VERSION).and_then(parse).ok_or_else(|| damaged(VERSION))?;
    let body = item.get(BODY).and_then(|body| body.as_s().ok()).ok_or_else(|| damaged(BODY))?;
    Ok(Some(Record { body: body.clone().into(), key, version, due, ttl }))
}

pub(super) fn key_of(item: &Item) -> Result<Key, StoreError> {
    let part = |name| item.get(name).and_then(|value| value.as_s().ok());
    match (part(PK), part(SK)) {
        (Some(partition), Some(sort)) => Ok(Key::new(partition, sort)),
        _ => Err(StoreError::Damaged("an item has no key that can be read".to_owned())),
    }
}

fn parse<T: std::str::FromStr>(value: &AttributeValue) -> Option<T> {
    value.as_n().ok()?.parse().ok()
}

/// Ends a part of a place. A NUL inside of a part is written as NUL and 1, which comes after it.
const END: &str = "\0\0";
const NUL: &str = "\0\u{1}";

/// A text whose bytes are ordered as (sort, partition of the key, sort of the key) are.
pub(super) fn place(sort: &str, key: &Key) -> String {
    [&escape(sort), END, &escape(&key.partition), END, &escape(&key.sort)].concat()
}

/// What all places of this sort and of later ones are not before, and those of earlier ones are.
pub(super) fn escape(part: &str) -> String {
    part.replace('\0', NUL)
}

/// The sort that a place was made of.
pub(super) fn sort_of(place: &str) -> String {
    place.split(END).next().unwrap_or_default().replace(NUL, "\0")
}

/// 16 digits whose order is that of time, before 1970 as well.
pub(super) fn due_sort(due: Timestamp) -> String {
    format!("{:016x}", due.micros().cast_unsigned() ^ (1 << 63))
}

/// What every place of a record that is due then or before is before, and no other.
pub(super) fn due_end(due: Timestamp) -> String {
    due_sort(due) + NUL
}

pub(super) fn due_of(place: &str) -> Option<Timestamp> {
    let digits = u64::from_str_radix(place.split(END).next()?, 16).ok()?;
    Some(Timestamp::from_micros((digits ^ (1 << 63)).cast_signed()))
}

/// FNV-1a: any hash that never changes would do.
fn due_shard(key: &Key) -> String {
    let bytes = key.partition.bytes().chain([0]).chain(key.sort.bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash % DUE_SHARDS).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ordered_as_their_parts() {
        let parts = ["\u{1}", "a", "a\0", "a\0\0", "a\0\u{1}", "a\u{1}", "b", "\u{10000}"];
        let mut tuples = Vec::new();
        for sort in parts {
            for partition in parts {
                tuples.extend(parts.map(|last| (sort, partition, last)));
            }
        }
        tuples.sort_unstable();
        let places: Vec<_> = tuples.iter().map(|(sort, p, s)| place(sort, &Key::new(*p, *s))).collect();
        assert!(places.is_sorted_by(|a, b| a < b));
        for ((sort, ..), place) in tuples.iter().zip(&places) {
            assert_eq!(sort_of(place), *sort);
            for bound in parts {
                assert_eq!(*place >= escape(bound), *sort >= bound, "{sort:?} {bound:?}");
            }
        }
    }

    #[test]
    fn due_times_are_ordered_and_come_back() {
        let key = Key::new("p", "s");
        let times = [i64::MIN, -1, 0, 1, 255, 256, i64::MAX].map(Timestamp::from_micros);
        let places = times.map(|time| place(&due_sort(time), &key));
        assert!(places.is_sorted());
        for (time, place) in times.iter().zip(&places) {
            assert_eq!(due_of(place), Some(*time));
            assert!(*place < due_end(*time));
        }
        assert!(places.windows(2).zip(times).all(|(pair, time)| pair[1] > due_end(time)));
    }

    #[test]
    fn what_is_due_is_spread() {
        let shards: std::collections::BTreeSet<_> =
            (0..100).map(|n| due_shard(&Key::new(format!("execution/{n}"), "record"))).collect();
        assert_eq!(shards.len(), DUE_SHARDS as usize);
    }
}

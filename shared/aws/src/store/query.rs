//! Pages of partitions and of indexes.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::KeysAndAttributes};
use futures::{StreamExt, TryStreamExt, stream};
use model::Timestamp;
use ports::{Cursor, Key, Page, Query, Record, Scope, StoreError};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::{Bound, RangeBounds},
};

use super::{
    DynamoStore,
    schema::{self, DUE, DUE_SHARDS, IndexSchema, Item, PK, SK},
    store_error,
};

/// Keys in one request of `BatchGetItem`.
const BATCH: usize = 100;
/// Batches asked for at once.
const BATCHES: usize = 4;
/// Keys read at once, at most.
const MOST_KEYS: usize = 1_000;

/// The part of a sort key's order that a query goes through.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) low: Bound<String>,
    pub(super) high: Bound<String>,
}

impl Span {
    /// From one place on, up to another that is not in it, and behind the cursor.
    fn of(from: Option<String>, until: Option<String>, behind: Option<String>, descending: bool) -> Span {
        let mut span = Span {
            low: from.filter(|from| !from.is_empty()).map_or(Bound::Unbounded, Bound::Included),
            high: until.map_or(Bound::Unbounded, Bound::Excluded),
        };
        if let Some(behind) = behind {
            let cuts_low = ends(&span.low).is_none_or(|low| *low <= behind);
            let cuts_high = ends(&span.high).is_none_or(|high| *high >= behind);
            if descending && cuts_high {
                span.high = Bound::Excluded(behind);
            } else if !descending && cuts_low {
                span.low = Bound::Excluded(behind);
            }
        }
        span
    }

    fn contains(&self, place: &str) -> bool {
        let (low, high) = (self.low.as_ref().map(String::as_str), self.high.as_ref().map(String::as_str));
        RangeBounds::<str>::contains(&(low, high), place)
    }

    /// Nothing can be in it; DynamoDB refuses to be asked.
    fn is_empty(&self) -> bool {
        match (ends(&self.low), ends(&self.high)) {
            (Some(low), Some(high)) => low > high,
            (None, Some(high)) => high.is_empty(),
            _ => false,
        }
    }

    /// Asks for it, and where an end is not inside, for that as well: it is left out of the answer.
    fn ask(&self, request: QueryFluentBuilder, partition: (&str, &str), sort: &str) -> QueryFluentBuilder {
        let request = request
            .expression_attribute_names("#p", partition.0)
            .expression_attribute_values(":p", schema::text(partition.1));
        let named = |request: QueryFluentBuilder, ends: &[(&str, &String)]| {
            ends.iter().fold(request.expression_attribute_names("#s", sort), |request, (name, end)| {
                request.expression_attribute_values(*name, schema::text(*end))
            })
        };
        match (ends(&self.low), ends(&self.high)) {
            (None, None) => request.key_condition_expression("#p = :p"),
            (Some(low), None) => named(request, &[(":l", low)]).key_condition_expression("#p = :p AND #s >= :l"),
            (None, Some(high)) => named(request, &[(":h", high)]).key_condition_expression("#p = :p AND #s <= :h"),
            (Some(low), Some(high)) => named(request, &[(":l", low), (":h", high)])
                .key_condition_expression("#p = :p AND #s BETWEEN :l AND :h"),
        }
    }
}

fn ends(bound: &Bound<String>) -> Option<&String> {
    match bound {
        Bound::Included(end) | Bound::Excluded(end) => Some(end),
        Bound::Unbounded => None,
    }
}

/// Takes rows in order until the page is full and it is known whether another one follows.
struct Collector<'a, T> {
    query: &'a Query,
    skip: u64,
    rows: Vec<T>,
}

impl<'a, T> Collector<'a, T> {
    fn new(query: &'a Query) -> Collector<'a, T> {
        Collector { query, skip: query.skip, rows: Vec::new() }
    }

    /// How many more rows it takes.
    fn wanted(&self) -> usize {
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        (self.query.limit + 1 - self.rows.len()).saturating_add(skip).min(MOST_KEYS)
    }

    /// False when it takes no more.
    fn take(&mut self, row: T) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
        } else {
            self.rows.push(row);
        }
        self.rows.len() <= self.query.limit
    }

    fn page(mut self, record: impl Fn(T) -> Record, cursor: impl FnOnce(&T) -> Cursor) -> Page {
        let more = self.rows.len() > self.query.limit;
        self.rows.truncate(self.query.limit);
        let next = self.rows.last().filter(|_| more).map(cursor);
        Page { records: self.rows.into_iter().map(record).collect(), next, total: None }
    }
}

impl DynamoStore {
    pub(super) async fn partition_page(&self, name: &str, query: &Query) -> Result<Page, StoreError> {
        let behind = query.cursor.as_ref().map(|cursor| cursor.sort.clone());
        let span = Span::of(query.from.clone(), query.until.clone(), behind, query.descending);
        let mut collector = Collector::new(query);
        if !span.is_empty() {
            self.collect_partition(name, &span, &mut collector).await?;
        }
        let cursor = |record: &Record| Cursor { sort: record.key.sort.clone(), key: None };
        Ok(collector.page(|record| record, cursor))
    }

    async fn collect_partition(
        &self,
        name: &str,
        span: &Span,
        collector: &mut Collector<'_, Record>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let base = self.client.query().table_name(&self.table).consistent_read(true);
        let base = span.ask(base, (PK, name), SK).scan_index_forward(!collector.query.descending);
        let mut start = None;
        loop {
            let limit = limit(collector.wanted() + 1);
            let request = base.clone().limit(limit).set_exclusive_start_key(start);
            let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| store_error(&error))?;
            for item in answer.items() {
                let record = schema::record_of(item, now)?.filter(|record| span.contains(&record.key.sort));
                if record.is_some_and(|record| !collector.take(record)) {
                    return Ok(());
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    pub(super) async fn index_page(&self, query: &Query) -> Result<Page, StoreError> {
        let mut walk = self.walk(query);
        let mut collector = Collector::new(query);
        let now = self.clock.now();
        'page: loop {
            let entries = walk.next(collector.wanted()).await?;
            if entries.is_empty() {
                break;
            }
            for (entry, record) in self.follow(walk.index, entries, now).await? {
                if !collector.take((entry, record)) {
                    break 'page;
                }
            }
        }
        let is_due = matches!(query.scope, Scope::Due(_));
        let cursor = |(entry, record): &(Entry, Record)| {
            let due = record.due.filter(|_| is_due).map(|due| due.micros().to_string());
            Cursor { sort: due.unwrap_or_else(|| schema::sort_of(&entry.place)), key: Some(record.key.clone()) }
        };
        Ok(collector.page(|(_, record)| record, cursor))
    }

    fn walk(&self, query: &Query) -> Walk<'_> {
        let cursor = query.cursor.as_ref();
        match &query.scope {
            Scope::Index(slot, partition) => {
                let behind = cursor.and_then(|cursor| Some(schema::place(&cursor.sort, cursor.key.as_ref()?)));
                let escaped = |end: &Option<String>| end.as_deref().map(schema::escape);
                let span = Span::of(escaped(&query.from), escaped(&query.until), behind, query.descending);
                Walk::new(self, schema::index_of(*slot), vec![partition.clone()], span, query.descending)
            }
            Scope::Due(time) => {
                let behind = cursor.and_then(|cursor| {
                    let due = Timestamp::from_micros(cursor.sort.parse().ok()?);
                    Some(schema::place(&schema::due_sort(due), cursor.key.as_ref()?))
                });
                let span = Span::of(None, Some(schema::due_end(*time)), behind, false);
                Walk::new(self, DUE, (0..DUE_SHARDS).map(|shard| shard.to_string()).collect(), span, false)
            }
            // A partition is no index; nobody asks.
            Scope::Partition(_) => Walk::new(self, DUE, Vec::new(), Span::of(None, None, None, false), false),
        }
    }

    /// The records of these entries, in their order, without those that have gone or moved since.
    async fn follow(
        &self,
        index: IndexSchema,
        entries: Vec<Entry>,
        now: Timestamp,
    ) -> Result<Vec<(Entry, Record)>, StoreError> {
        // A record that has just moved may stand at both of its places.
        let keys: HashSet<&Key> = entries.iter().map(|entry| &entry.key).collect();
        let keys: Vec<Key> = keys.into_iter().cloned().collect();
        let batches: Vec<Vec<Key>> = keys.chunks(BATCH).map(<[Key]>::to_vec).collect();
        let found = stream::iter(batches).map(|keys| self.load(keys)).buffered(BATCHES);
        let items: HashMap<Key, Item> = found.try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            let Some(item) = items.get(&entry.key) else { continue };
            let stands = |name: &str, value: &str| {
                item.get(name).is_some_and(|found| found.as_s().is_ok_and(|found| found == value))
            };
            if !stands(index.partition, &entry.partition) || !stands(index.sort, &entry.place) {
                continue;
            }
            if let Some(record) = schema::record_of(item, now)? {
                rows.push((entry, record));
            }
        }
        Ok(rows)
    }

    async fn load(&self, keys: Vec<Key>) -> Result<Vec<(Key, Item)>, StoreError> {
        let mut wanted: Vec<Item> = keys.iter().map(schema::key_item).collect();
        let mut loaded = Vec::with_capacity(wanted.len());
        let mut pauses = self.patience.begin();
        while !wanted.is_empty() {
            let table = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let table = table.map_err(|error| StoreError::Damaged(error.to_string()))?;
            let request = self.client.batch_get_item().request_items(&self.table, table);
            let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| store_error(&error))?;
            for item in answer.responses.into_iter().flat_map(HashMap::into_values).flatten() {
                loaded.push((schema::key_of(&item)?, item));
            }
            // What did not fit into the answer, or was throttled.
            let rest = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
            wanted = rest.flat_map(|rest| rest.keys).collect();
            if !wanted.is_empty() && !pauses.pause().await {
                return Err(StoreError::Unavailable("the table does not keep up with reads".to_owned()));
            }
        }
        Ok(loaded)
    }
}

fn limit(count: usize) -> i32 {
    i32::try_from(count.min(MOST_KEYS + 1)).unwrap_or(i32::MAX)
}

/// A row of an index.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) partition: String,
    pub(super) place: String,
    pub(super) key: Key,
}

/// One partition of an index, read as far as was needed.
struct Lane {
    partition: String,
    read: VecDeque<Entry>,
    start: Option<Item>,
    ended: bool,
}

/// Goes through partitions of an index as if they were one.
pub(super) struct Walk<'a> {
    store: &'a DynamoStore,
    index: IndexSchema,
    span: Span,
    descending: bool,
    lanes: Vec<Lane>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        store: &'a DynamoStore,
        index: IndexSchema,
        partitions: Vec<String>,
        span: Span,
        descending: bool,
    ) -> Walk<'a> {
        let ended = span.is_empty();
        let lane = |partition| Lane { partition, read: VecDeque::new(), start: None, ended };
        Walk { store, index, span, descending, lanes: partitions.into_iter().map(lane).collect() }
    }

    /// The next entries in order, at most so many; none at the end.
    pub(super) async fn next(&mut self, wanted: usize) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        while entries.len() < wanted {
            self.fill(wanted - entries.len()).await?;
            let heads = self.lanes.iter_mut().filter(|lane| !lane.read.is_empty());
            let place = |lane: &Lane| lane.read.front().map(|entry| entry.place.clone());
            let first = if self.descending {
                heads.max_by_key(|lane| place(lane))
            } else {
                heads.min_by_key(|lane| place(lane))
            };
            match first.and_then(|lane| lane.read.pop_front()) {
                Some(entry) => entries.push(entry),
                None => break,
            }
        }
        Ok(entries)
    }

    /// Reads on in every partition of which nothing is left.
    async fn fill(&mut self, wanted: usize) -> Result<(), StoreError> {
        let Walk { store, index, span, descending, lanes } = self;
        let (store, index, span, descending) = (*store, *index, &*span, *descending);
        let empty = lanes.iter_mut().filter(|lane| lane.read.is_empty() && !lane.ended);
        let filled = empty.map(|lane| async move {
            while lane.read.is_empty() && !lane.ended {
                store.read_lane(index, span, descending, (lane, wanted)).await?;
            }
            Ok(())
        });
        futures::future::try_join_all(filled).await.map(drop)
    }
}

impl DynamoStore {
    async fn read_lane(
        &self,
        index: IndexSchema,
        span: &Span,
        descending: bool,
        (lane, wanted): (&mut Lane, usize),
    ) -> Result<(), StoreError> {
        let request = self.client.query().table_name(&self.table).index_name(index.name);
        let request = span
            .ask(request, (index.partition, &lane.partition), index.sort)
            .scan_index_forward(!descending)
            .limit(limit(wanted + 1))
            .set_exclusive_start_key(lane.start.take());
        let answer = self.patience.send(|| request.clone().send()).await.map_err(|error| store_error(&error))?;
        for item in answer.items() {
            let place = item.get(index.sort).and_then(|place| place.as_s().ok()).cloned().unwrap_or_default();
            if span.contains(&place) {
                let partition = lane.partition.clone();
                lane.read.push_back(Entry { partition, place, key: schema::key_of(item)? });
            }
        }
        lane.start = answer.last_evaluated_key;
        lane.ended = lane.start.is_none();
        Ok(())
    }
}

//! Reading: single records, pages, and the rows of a whole area.

use model::Timestamp;
use ports::{Cursor, Key, Page, Query, Record, Scope};
use rusqlite::{
    CachedStatement, Connection, OptionalExtension, Row,
    types::{ToSqlOutput, ValueRef},
};

use super::outline::{Area, Outline, Place, Start};

/// The columns that [`record`] reads.
const COLUMNS: &str = "r.partition, r.sort, r.version, r.due, r.ttl, r.body";
const VISIBLE: &str = "(r.ttl IS NULL OR r.ttl > :now)";

/// The record of that key, unless it has expired.
pub(super) fn get(connection: &Connection, key: &Key, now: Timestamp) -> rusqlite::Result<Option<Record>> {
    let text = "SELECT version, due, ttl, body FROM records INDEXED BY records_key WHERE partition = ?1 AND sort = ?2";
    let found = connection
        .prepare_cached(text)?
        .query_row((&key.partition, &key.sort), |row| record(key.clone(), row, 0))
        .optional()?;
    Ok(found.filter(|record| record.ttl.is_none_or(|ttl| ttl > now)))
}

fn record(key: Key, row: &Row<'_>, first: usize) -> rusqlite::Result<Record> {
    let body = match row.get_ref(first + 3)? {
        ValueRef::Text(body) => body,
        other => return Err(rusqlite::Error::InvalidColumnType(first + 3, "body".to_owned(), other.data_type())),
    };
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
    Ok(Record {
        key,
        version: row.get::<_, i64>(first)?.unsigned_abs(),
        due: time(first + 1)?,
        ttl: time(first + 2)?,
        body: bytes::Bytes::copy_from_slice(body),
    })
}

/// The part of an area's order that a query goes through. `low` is inside, `high` is not.
pub(super) struct Span {
    low: Place,
    high: Option<Place>,
}

impl Span {
    /// All of it.
    fn whole() -> Span {
        Span { low: Place { sort: String::new(), key: None }, high: None }
    }

    /// By range and cursor.
    fn of(query: &Query) -> Span {
        let at = |sort: &String| Place { sort: sort.clone(), key: None };
        let mut span = Span::whole();
        span.narrow(query.from.as_ref().map(at), query.until.as_ref().map(at));
        match (&query.cursor, query.descending) {
            (Some(cursor), false) => span.narrow(Some(behind(place(cursor, query))), None),
            (Some(cursor), true) => span.narrow(None, Some(place(cursor, query))),
            (None, _) => {}
        }
        span
    }

    /// Whether it is the whole order.
    pub(super) fn is_whole(query: &Query) -> bool {
        query.from.is_none() && query.until.is_none() && query.cursor.is_none()
    }

    fn narrow(&mut self, low: Option<Place>, high: Option<Place>) {
        if let Some(low) = low.filter(|low| *low > self.low) {
            self.low = low;
        }
        if let Some(high) = high.filter(|high| self.high.as_ref().is_none_or(|old| high < old)) {
            self.high = Some(high);
        }
    }
}

fn place(cursor: &Cursor, query: &Query) -> Place {
    let key = cursor.key.clone().filter(|_| matches!(query.scope, Scope::Index(..)));
    Place { sort: cursor.sort.clone(), key }
}

/// The first place after this one: no text lies between a text and itself with a zero byte behind.
fn behind(mut place: Place) -> Place {
    match &mut place.key {
        Some(key) => key.sort.push('\0'),
        None => place.sort.push('\0'),
    }
    place
}

/// How the rows of an area are read. A place is compared as three texts; a high end that is open is bound as a blob, for blobs are
/// behind every text.
struct Rows {
    from: &'static str,
    /// The columns that order an area, which are a row's place.
    order: &'static [&'static str],
    within: &'static str,
    join: &'static str,
}

const PARTITION: Rows = Rows {
    from: "records AS r INDEXED BY records_key",
    order: &["r.sort"],
    within: "r.partition = :partition AND r.sort >= :low AND r.sort < :high",
    join: "",
};
const INDEX: Rows = Rows {
    from: "places AS p",
    order: &["p.sort", "p.record_partition", "p.record_sort"],
    within: "p.slot = :slot AND p.partition = :partition
        AND (p.sort, p.record_partition, p.record_sort) >= (:low, :low_partition, :low_sort)
        AND (p.sort, p.record_partition, p.record_sort) < (:high, :high_partition, :high_sort)",
    join: "CROSS JOIN records AS r ON r.id = p.record",
};

type Parameter<'a> = (&'static str, ToSqlOutput<'a>);

fn text(text: &str) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
}

impl Rows {
    fn of(area: &Area) -> &'static Rows {
        if area.0.is_some() { &INDEX } else { &PARTITION }
    }

    /// The places only, read from the index alone.
    fn places(&self, descending: bool) -> String {
        let (columns, order) = (self.order.join(", "), self.ordered(descending));
        format!("SELECT {columns} FROM {} WHERE {} ORDER BY {order} LIMIT :limit OFFSET :skip", self.from, self.within)
    }

    /// The records, but not those that have expired.
    fn records(&self, descending: bool) -> String {
        let (place, order) = (self.order.first().unwrap_or(&"r.sort"), self.ordered(descending));
        let Rows { from, join, within, .. } = self;
        format!(
            "SELECT {place}, {COLUMNS} FROM {from} {join} WHERE {within} AND {VISIBLE} ORDER BY {order} LIMIT :limit OFFSET :skip"
        )
    }

    fn ordered(&self, descending: bool) -> String {
        let direction = if descending { " DESC" } else { "" };
        self.order.iter().map(|column| format!("{column}{direction}")).collect::<Vec<_>>().join(", ")
    }
}

fn within<'a>((slot, partition): &'a Area, span: &'a Span) -> Vec<Parameter<'a>> {
    let open = ToSqlOutput::Borrowed(ValueRef::Blob(&[]));
    let high = span.high.as_ref().map_or(open, |high| text(&high.sort));
    let mut parameters = vec![(":partition", text(partition)), (":low", text(&span.low.sort)), (":high", high)];
    if let Some(slot) = slot {
        let key = |place: Option<&'a Place>| place.and_then(|place| place.key.as_ref());
        let parts = |key: Option<&'a Key>| key.map_or(("", ""), |key| (&key.partition, &key.sort));
        let (low, high) = (parts(key(Some(&span.low))), parts(key(span.high.as_ref())));
        parameters.extend([
            (":slot", ToSqlOutput::from(slot.number())),
            (":low_partition", text(low.0)),
            (":low_sort", text(low.1)),
            (":high_partition", text(high.0)),
            (":high_sort", text(high.1)),
        ]);
    }
    parameters
}

fn bind(statement: &mut CachedStatement<'_>, parameters: &[Parameter<'_>]) -> rusqlite::Result<()> {
    for (name, value) in parameters {
        let index = statement
            .parameter_index(name)?
            .ok_or_else(|| rusqlite::Error::InvalidParameterName((*name).to_owned()))?;
        statement.raw_bind_parameter(index, value)?;
    }
    Ok(())
}

/// The place in the order of an area that a row of [`Rows::places`] is.
fn place_of(area: &Area, row: &Row<'_>) -> rusqlite::Result<Place> {
    let key = match area.0 {
        Some(_) => Some(Key::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?)),
        None => None,
    };
    Ok(Place { sort: row.get(0)?, key })
}

/// Whether anything has expired that was not taken out yet.
pub(super) fn any_expired(connection: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM records INDEXED BY records_ttl WHERE ttl <= ?1 LIMIT 1")?
        .exists([now.micros()])
}

/// The page that `query` asks for, whatever it costs.
pub(super) fn read(connection: &Connection, query: &Query, now: Timestamp) -> rusqlite::Result<Page> {
    let area = match &query.scope {
        Scope::Partition(name) => (None, name.clone()),
        Scope::Index(slot, name) => (Some(*slot), name.clone()),
        Scope::Due(time) => return due(connection, *time, query, now),
    };
    page(connection, &area, query, &Span::of(query), now)
}

/// The same of an area where nothing has expired: what is skipped is not read.
pub(super) fn page_behind(
    connection: &Connection,
    area: &Area,
    query: &Query,
    start: Start,
    now: Timestamp,
) -> rusqlite::Result<Page> {
    let mut span = Span::of(query);
    if !span.skip(connection, area, query.descending, start)? {
        return Ok(Page::default());
    }
    page(connection, area, &Query { skip: 0, ..query.clone() }, &span, now)
}

fn page(connection: &Connection, area: &Area, query: &Query, span: &Span, now: Timestamp) -> rusqlite::Result<Page> {
    let mut statement = connection.prepare_cached(&Rows::of(area).records(query.descending))?;
    let mut parameters = within(area, span);
    parameters.extend([
        (":now", now.micros().into()),
        (":limit", number(query.limit + 1)),
        (":skip", number(query.skip)),
    ]);
    bind(&mut statement, &parameters)?;
    let keyed = area.0.is_some();
    collect(statement, query.limit, |sort, key| Cursor { sort, key: keyed.then(|| key.clone()) })
}

/// A page of what is due.
fn due(connection: &Connection, time: Timestamp, query: &Query, now: Timestamp) -> rusqlite::Result<Page> {
    let mut statement = connection.prepare_cached(&due_records())?;
    let last = query.cursor.as_ref().and_then(|cursor| Some((cursor.sort.parse::<i64>().ok()?, cursor.key.as_ref()?)));
    let (due, partition, sort) = last.map_or((i64::MIN, "", ""), |(due, key)| (due, &key.partition, &key.sort));
    let parameters = [
        (":time", time.micros().into()),
        (":due", due.into()),
        (":partition", text(partition)),
        (":sort", text(sort)),
        (":now", now.micros().into()),
        (":limit", number(query.limit + 1)),
        (":skip", number(query.skip)),
    ];
    bind(&mut statement, &parameters)?;
    collect(statement, query.limit, |sort, key| Cursor { sort, key: Some(key.clone()) })
}

fn due_records() -> String {
    format!(
        "SELECT CAST(r.due AS TEXT), {COLUMNS} FROM records AS r INDEXED BY records_due
         WHERE r.due <= :time AND (r.due, r.partition, r.sort) > (:due, :partition, :sort) AND {VISIBLE}
         ORDER BY r.due, r.partition, r.sort LIMIT :limit OFFSET :skip"
    )
}

/// Every statement that goes through many rows, for the test that looks at their plans.
#[cfg(test)]
pub(super) fn statements() -> Vec<String> {
    let of = |rows: &Rows| [false, true].map(|descending| [rows.places(descending), rows.records(descending)]).concat();
    [of(&PARTITION), of(&INDEX), vec![due_records()]].concat()
}

fn collect(
    mut statement: CachedStatement<'_>,
    limit: usize,
    cursor: impl Fn(String, &Key) -> Cursor,
) -> rusqlite::Result<Page> {
    let mut page = Page::default();
    let mut last = String::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if page.records.len() == limit {
            page.next = page.records.last().map(|record| cursor(last, &record.key));
            break;
        }
        if page.records.len() + 1 == limit {
            last = row.get(0)?;
        }
        let key = Key::new(row.get::<_, String>(1)?, row.get::<_, String>(2)?);
        page.records.push(record(key, row, 3)?);
    }
    Ok(page)
}

impl Span {
    /// Leaves out the first `skip` rows, expired ones among them; false where there are not so many.
    fn skip(&mut self, connection: &Connection, area: &Area, descending: bool, start: Start) -> rusqlite::Result<bool> {
        self.narrow(start.low, start.high);
        if start.rest == 0 {
            return Ok(true);
        }
        let mut statement = connection.prepare_cached(&Rows::of(area).places(descending))?;
        let mut parameters = within(area, self);
        parameters.extend([(":limit", number(1usize)), (":skip", number(start.rest))]);
        bind(&mut statement, &parameters)?;
        let Some(first) = statement.raw_query().mapped(|row| place_of(area, row)).next().transpose()? else {
            return Ok(false);
        };
        if descending {
            self.narrow(None, Some(behind(first)))
        } else {
            self.narrow(Some(first), None)
        }
        Ok(true)
    }
}

/// Reads the places of all rows of an area.
pub(super) fn outline(connection: &Connection, area: &Area) -> rusqlite::Result<Outline> {
    let span = Span::whole();
    let rows = |descending: bool, limit: i64| {
        let mut statement = connection.prepare_cached(&Rows::of(area).places(descending))?;
        let mut parameters = within(area, &span);
        parameters.extend([(":limit", limit.into()), (":skip", 0.into())]);
        bind(&mut statement, &parameters)?;
        Ok::<_, rusqlite::Error>(statement)
    };
    let end = rows(true, 1)?.raw_query().mapped(|row| place_of(area, row)).next().transpose()?;
    let mut outline = Outline::new(end);
    let mut statement = rows(false, -1)?;
    let mut all = statement.raw_query();
    while let Some(row) = all.next()? {
        outline.push(|| place_of(area, row))?;
    }
    Ok(outline)
}

/// A number as SQLite has it; what is more than it can count to is more than there can be.
fn number(number: impl TryInto<i64>) -> ToSqlOutput<'static> {
    number.try_into().unwrap_or(i64::MAX).into()
}

-- Small columns stand before the body: what a guard needs is read without it.
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    version INTEGER NOT NULL,
    due INTEGER, -- microseconds since 1970, as all times here
    ttl INTEGER,
    entries TEXT NOT NULL, -- the record's rows in `places`: [[slot, partition, sort], ...]
    body TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX records_key ON records (partition, sort);
CREATE INDEX records_due ON records (due, partition, sort) WHERE due IS NOT NULL;
CREATE INDEX records_ttl ON records (ttl) WHERE ttl IS NOT NULL;

-- Slots: 0 kind, 1 action, 2 rule, 3 status, 4 parent, 5 trigger, 6 trace, 7 user.
CREATE TABLE places (
    slot INTEGER NOT NULL,
    partition TEXT NOT NULL,
    sort TEXT NOT NULL,
    record_partition TEXT NOT NULL,
    record_sort TEXT NOT NULL,
    record INTEGER NOT NULL, -- records.id
    PRIMARY KEY (slot, partition, sort, record_partition, record_sort)
) STRICT, WITHOUT ROWID;

-- The story of a booklet gets more kinds: 5 sent, 6 received, 7 kept (its transfer was cancelled), 8 replaced. A CHECK
-- can't be widened in place on both engines: the rows are put aside, the table is made anew, the rows come back.
CREATE TABLE booklet_entries_kept (
    booklet          INTEGER NOT NULL,
    part             INTEGER NOT NULL,
    kind             INTEGER NOT NULL,
    point_id         TEXT    NOT NULL,
    day              INTEGER NOT NULL,
    person_number    INTEGER NULL,
    anonymous        INTEGER NULL,
    age_band         TEXT    NULL,
    gender           TEXT    NULL,
    social_status    TEXT    NULL,
    commune          TEXT    NULL,
    publics          TEXT    NULL,
    channel          TEXT    NULL,
    pic_ground       TEXT    NULL,
    pic_evidence     TEXT    NULL,
    needs            TEXT    NULL,
    oriented_site_id TEXT    NULL,
    oriented_at_ms   INTEGER NULL,
    notice_version   TEXT    NULL,
    notice_given     INTEGER NULL,
    reason           TEXT    NULL,
    organisation_id  TEXT    NOT NULL,
    operation_id     TEXT    NOT NULL,
    body_hash        TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (booklet, part)
) STRICT;
INSERT INTO booklet_entries_kept (
       booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch)
SELECT booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch
  FROM booklet_entries;
DROP TABLE booklet_entries;
CREATE TABLE booklet_entries (
    booklet          INTEGER NOT NULL,
    part             INTEGER NOT NULL,
    kind             INTEGER NOT NULL,
    point_id         TEXT    NOT NULL,
    day              INTEGER NOT NULL,
    person_number    INTEGER NULL,
    anonymous        INTEGER NULL,
    age_band         TEXT    NULL,
    gender           TEXT    NULL,
    social_status    TEXT    NULL,
    commune          TEXT    NULL,
    publics          TEXT    NULL,
    channel          TEXT    NULL,
    pic_ground       TEXT    NULL,
    pic_evidence     TEXT    NULL,
    needs            TEXT    NULL,
    oriented_site_id TEXT    NULL,
    oriented_at_ms   INTEGER NULL,
    notice_version   TEXT    NULL,
    notice_given     INTEGER NULL,
    reason           TEXT    NULL,
    organisation_id  TEXT    NOT NULL,
    operation_id     TEXT    NOT NULL,
    body_hash        TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (booklet, part),
    CHECK (kind IN (1, 2, 3, 4, 5, 6, 7, 8)),
    CHECK (part > 0),
    CHECK (kind NOT IN (1, 4) OR person_number IS NOT NULL)
) STRICT;
INSERT INTO booklet_entries (
       booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch)
SELECT booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch
  FROM booklet_entries_kept;
DROP TABLE booklet_entries_kept;
CREATE UNIQUE INDEX booklet_entries_operation_id ON booklet_entries (organisation_id, operation_id);
CREATE INDEX booklet_entries_point_id ON booklet_entries (point_id, day);
CREATE INDEX booklet_entries_batch ON booklet_entries (batch);

-- Booklets on their way from one point of a collectivité to another.
CREATE TABLE transfers (
    id            TEXT    NOT NULL,
    authority_id  TEXT    NOT NULL,
    from_point_id TEXT    NOT NULL,
    to_point_id   TEXT    NOT NULL,
    booklet_count INTEGER NOT NULL,
    comment       TEXT    NULL,
    sent_day      INTEGER NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (from_point_id) REFERENCES distribution_points (id),
    FOREIGN KEY (to_point_id) REFERENCES distribution_points (id),
    CHECK (booklet_count > 0),
    CHECK (from_point_id <> to_point_id)
) STRICT;
CREATE INDEX transfers_authority_id ON transfers (authority_id, id);
CREATE INDEX transfers_batch ON transfers (batch);

-- Which booklets: the part of its story by which each was sent. What followed is the next part of that story.
CREATE TABLE transfer_booklets (
    transfer_id TEXT    NOT NULL,
    booklet     INTEGER NOT NULL,
    sent_part   INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (transfer_id, booklet),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id)
) STRICT;
CREATE UNIQUE INDEX transfer_booklets_sent_part ON transfer_booklets (booklet, sent_part);
CREATE INDEX transfer_booklets_batch ON transfer_booklets (batch);

-- What arrived, the first time and any later one; what is missing is explained.
CREATE TABLE transfer_receipts (
    transfer_id    TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    received_count INTEGER NOT NULL,
    missing_count  INTEGER NOT NULL,
    explanation    TEXT    NULL,
    received_day   INTEGER NOT NULL,
    actor_id       TEXT    NOT NULL,
    recorded_ms    INTEGER NOT NULL,
    batch          INTEGER NULL,
    PRIMARY KEY (transfer_id, position),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id),
    CHECK (received_count > 0 OR missing_count > 0),
    CHECK (missing_count = 0 OR explanation IS NOT NULL)
) STRICT;
CREATE INDEX transfer_receipts_batch ON transfer_receipts (batch);

CREATE TABLE transfer_cancellations (
    transfer_id TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (transfer_id),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id)
) STRICT;
CREATE INDEX transfer_cancellations_batch ON transfer_cancellations (batch);

-- Booklets counted in a drawer, beside those that the facts say lay there at the end of that day.
CREATE TABLE inventories (
    id                TEXT    NOT NULL,
    point_id          TEXT    NOT NULL,
    on_day            INTEGER NOT NULL,
    by_number         INTEGER NOT NULL,
    expected_booklets INTEGER NOT NULL,
    counted_booklets  INTEGER NOT NULL,
    explanation       TEXT    NULL,
    actor_id          TEXT    NOT NULL,
    recorded_ms       INTEGER NOT NULL,
    batch             INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (by_number IN (0, 1)),
    CHECK (expected_booklets >= 0 AND counted_booklets >= 0),
    CHECK (expected_booklets = counted_booklets OR explanation IS NOT NULL)
) STRICT;
CREATE INDEX inventories_point_id ON inventories (point_id, on_day);
CREATE INDEX inventories_batch ON inventories (batch);

-- The numbers that an inventory did not find, or did not expect.
CREATE TABLE inventory_differences (
    inventory_id TEXT    NOT NULL,
    booklet      INTEGER NOT NULL,
    difference   TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (inventory_id, booklet),
    FOREIGN KEY (inventory_id) REFERENCES inventories (id),
    CHECK (difference IN ('missing', 'surplus'))
) STRICT;
CREATE INDEX inventory_differences_batch ON inventory_differences (batch);

-- An order of 0 euro: the one booklet that stands for a lost one. It is in no budget and never counts as issued.
CREATE TABLE replacement_orders (
    order_id         TEXT    NOT NULL,
    replaced_booklet INTEGER NOT NULL,
    reason           TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE UNIQUE INDEX replacement_orders_replaced_booklet ON replacement_orders (replaced_booklet);
CREATE INDEX replacement_orders_batch ON replacement_orders (batch);

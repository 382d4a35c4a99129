-- The story of a voucher, dense from part 1: 1 redemption, 2 capture, 3 hold, 4 release, 5 closing, 6 reversal.
-- Two deciders collide on the key; the row is the idempotency record and the leaf of the journal too.
CREATE TABLE voucher_entries (
    serial           INTEGER NOT NULL,
    part             INTEGER NOT NULL,
    kind             INTEGER NOT NULL,
    minutes          INTEGER NOT NULL,
    used_after       INTEGER NOT NULL,
    credit_minutes   INTEGER NOT NULL,
    value_cents      INTEGER NOT NULL,
    hold_minutes     INTEGER NOT NULL,
    hold_until_ms    INTEGER NULL,
    closed_minutes   INTEGER NOT NULL,
    reversed_part    INTEGER NULL,
    convention_id    TEXT    NOT NULL,
    terms_version    INTEGER NOT NULL,
    site_id          TEXT    NULL,
    service          TEXT    NULL,
    activity_kind    TEXT    NULL,
    duration_minutes INTEGER NOT NULL,
    workshop_id      TEXT    NULL,
    thematiques      TEXT    NULL,
    level            TEXT    NULL,
    autonomy         TEXT    NULL,
    first_visit      TEXT    NULL,
    evidence         TEXT    NULL,
    service_day      INTEGER NOT NULL,
    month            INTEGER NOT NULL,
    reason           TEXT    NULL,
    organisation_id  TEXT    NOT NULL,
    operation_id     TEXT    NOT NULL,
    line             INTEGER NOT NULL,
    body_hash        TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (kind IN (1, 2, 3, 4, 5, 6)),
    CHECK (part > 0),
    CONSTRAINT voucher_entries_credit CHECK (used_after BETWEEN 0 AND credit_minutes)
) STRICT;
CREATE UNIQUE INDEX voucher_entries_operation_id ON voucher_entries (organisation_id, operation_id, line);
CREATE INDEX voucher_entries_site_id ON voucher_entries (site_id, month);
CREATE INDEX voucher_entries_batch ON voucher_entries (batch);

-- Undone or in a payment run: both under one key, so only one of them happens.
CREATE TABLE redemption_outcomes (
    serial      INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    outcome     TEXT    NOT NULL,
    run_id      TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (outcome IN ('undone', 'in-run')),
    CHECK ((outcome = 'in-run' AND run_id IS NOT NULL) OR (outcome = 'undone' AND run_id IS NULL))
) STRICT;
CREATE INDEX redemption_outcomes_run_id ON redemption_outcomes (run_id);
CREATE INDEX redemption_outcomes_batch ON redemption_outcomes (batch);

CREATE TABLE workshops (
    id               TEXT    NOT NULL,
    site_id          TEXT    NOT NULL,
    on_day           INTEGER NOT NULL,
    service          TEXT    NOT NULL,
    duration_minutes INTEGER NOT NULL,
    title            TEXT    NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (duration_minutes > 0)
) STRICT;
CREATE INDEX workshops_site_id ON workshops (site_id, on_day);
CREATE INDEX workshops_batch ON workshops (batch);

-- Loss or theft of a range of serials, cut at the borders of orders.
CREATE TABLE blocks (
    id           TEXT    NOT NULL,
    order_serial INTEGER NOT NULL,
    first_serial INTEGER NOT NULL,
    last_serial  INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (id),
    CHECK (first_serial <= last_serial)
) STRICT;
CREATE INDEX blocks_order_serial ON blocks (order_serial, first_serial);
CREATE INDEX blocks_batch ON blocks (batch);

CREATE TABLE block_lifts (
    block_id    TEXT    NOT NULL,
    reason      TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (block_id),
    FOREIGN KEY (block_id) REFERENCES blocks (id)
) STRICT;
CREATE INDEX block_lifts_batch ON block_lifts (batch);

-- The paper that stands for another: its credit and face are the minutes and cents that were left.
CREATE TABLE replacements (
    serial          INTEGER NOT NULL,
    replaced_serial INTEGER NOT NULL,
    credit_minutes  INTEGER NOT NULL,
    face_cents      INTEGER NOT NULL,
    actor_id        TEXT    NOT NULL,
    recorded_ms     INTEGER NOT NULL,
    batch           INTEGER NULL,
    PRIMARY KEY (serial)
) STRICT;
CREATE UNIQUE INDEX replacements_replaced_serial ON replacements (replaced_serial);
CREATE INDEX replacements_batch ON replacements (batch);

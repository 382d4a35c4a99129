-- The services that came second: rendered offline with a pass that others had spent, reserved or withdrawn by the
-- time they were recorded. A story beside that of the pass, dense from part 1: no minute of the pass moves.
CREATE TABLE offline_services (
    serial           INTEGER NOT NULL,
    part             INTEGER NOT NULL,
    refusal          TEXT    NOT NULL,
    minutes          INTEGER NOT NULL,
    value_cents      INTEGER NOT NULL,
    convention_id    TEXT    NOT NULL,
    terms_version    INTEGER NOT NULL,
    site_id          TEXT    NOT NULL,
    device_id        TEXT    NOT NULL,
    service          TEXT    NOT NULL,
    activity_kind    TEXT    NOT NULL,
    duration_minutes INTEGER NOT NULL,
    workshop_id      TEXT    NULL,
    thematiques      TEXT    NULL,
    level            TEXT    NULL,
    autonomy         TEXT    NULL,
    first_visit      TEXT    NULL,
    evidence         TEXT    NULL,
    service_day      INTEGER NOT NULL,
    month            INTEGER NOT NULL,
    organisation_id  TEXT    NOT NULL,
    operation_id     TEXT    NOT NULL,
    line             INTEGER NOT NULL,
    body_hash        TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (part > 0),
    CHECK (minutes > 0),
    CHECK (value_cents >= 0)
) STRICT;
CREATE UNIQUE INDEX offline_services_operation_id ON offline_services (organisation_id, operation_id, line);
CREATE INDEX offline_services_site_id ON offline_services (site_id, serial, part);
CREATE INDEX offline_services_batch ON offline_services (batch);

-- What is owed for such a service, the n-th of a device, a convention and a month: within the limit of the
-- convention, or because a dispute was settled so.
CREATE TABLE guarantees (
    serial        INTEGER NOT NULL,
    part          INTEGER NOT NULL,
    convention_id TEXT    NOT NULL,
    terms_version INTEGER NOT NULL,
    site_id       TEXT    NOT NULL,
    device_id     TEXT    NOT NULL,
    month         INTEGER NOT NULL,
    ground        TEXT    NOT NULL,
    ordinal       INTEGER NOT NULL,
    value_cents   INTEGER NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (ground IN ('limit', 'settlement')),
    CHECK (ordinal > 0)
) STRICT;
CREATE UNIQUE INDEX guarantees_ordinal ON guarantees (convention_id, device_id, month, ground, ordinal);
CREATE INDEX guarantees_site_id ON guarantees (site_id, month);
CREATE INDEX guarantees_batch ON guarantees (batch);

-- Above the limit, or without money for it: somebody decides until the deadline.
CREATE TABLE disputes (
    serial        INTEGER NOT NULL,
    part          INTEGER NOT NULL,
    convention_id TEXT    NOT NULL,
    site_id       TEXT    NOT NULL,
    cause         TEXT    NOT NULL,
    deadline_ms   INTEGER NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (cause IN ('limit', 'funds', 'device'))
) STRICT;
CREATE INDEX disputes_convention_id ON disputes (convention_id, serial, part);
CREATE INDEX disputes_site_id ON disputes (site_id, serial, part);
CREATE INDEX disputes_batch ON disputes (batch);

-- Decided once: the key lets one decision in.
CREATE TABLE dispute_settlements (
    serial      INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    decision    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (decision IN ('paid', 'rejected'))
) STRICT;
CREATE INDEX dispute_settlements_batch ON dispute_settlements (batch);

-- A guarantee is undone or in a payment run: both under one key, as for redemptions.
CREATE TABLE guarantee_outcomes (
    serial      INTEGER NOT NULL,
    part        INTEGER NOT NULL,
    outcome     TEXT    NOT NULL,
    run_id      TEXT    NULL,
    reason      TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (serial, part),
    CHECK (outcome IN ('undone', 'in-run')),
    CHECK ((outcome = 'in-run' AND run_id IS NOT NULL) OR (outcome = 'undone' AND run_id IS NULL))
) STRICT;
CREATE INDEX guarantee_outcomes_run_id ON guarantee_outcomes (run_id);
CREATE INDEX guarantee_outcomes_batch ON guarantee_outcomes (batch);

-- What the store knows of itself: the check value of each key version, whether it holds the demonstration.
CREATE TABLE store_settings (
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
) STRICT;

-- One row a batch: its instant, the Merkle root of its facts, the chain to the batch before.
CREATE TABLE seals (
    batch       INTEGER NOT NULL,
    sealed_ms   INTEGER NOT NULL,
    leaf_count  INTEGER NOT NULL,
    root        TEXT    NOT NULL,
    chain       TEXT    NOT NULL,
    key_version INTEGER NOT NULL,
    mac         TEXT    NOT NULL,
    PRIMARY KEY (batch),
    CHECK (batch > 0)
) STRICT;
CREATE UNIQUE INDEX seals_sealed_ms ON seals (sealed_ms);

-- Numbers given out once: serials, and the persons of each convention.
CREATE TABLE counters (
    name       TEXT    NOT NULL,
    next_value INTEGER NOT NULL,
    PRIMARY KEY (name),
    CHECK (next_value > 0)
) STRICT;

-- The first answer to each Idempotency-Key, kept thirty days.
CREATE TABLE idempotency_keys (
    organisation_id TEXT    NOT NULL,
    idempotency_key TEXT    NOT NULL,
    fingerprint     TEXT    NOT NULL,
    answer          TEXT    NOT NULL,
    recorded_ms     INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, idempotency_key)
) STRICT;
CREATE INDEX idempotency_keys_recorded_ms ON idempotency_keys (recorded_ms);

INSERT INTO counters (name, next_value) VALUES ('serial', 1);
INSERT INTO counters (name, next_value) VALUES ('sealer', 1);

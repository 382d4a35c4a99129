-- What the store knows of itself: the check value of each key version, whether it holds the demonstration.
CREATE TABLE store_settings (
    name  varchar(40) COLLATE Latin1_General_BIN2 NOT NULL,
    value nvarchar(400)                           NOT NULL,
    PRIMARY KEY (name)
);

-- One row a batch: its instant, the Merkle root of its facts, the chain to the batch before.
CREATE TABLE seals (
    batch       bigint                               NOT NULL,
    sealed_ms   bigint                               NOT NULL,
    leaf_count  bigint                               NOT NULL,
    root        char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    chain       char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    key_version bigint                               NOT NULL,
    mac         char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    PRIMARY KEY (batch),
    CHECK (batch > 0)
);
CREATE UNIQUE INDEX seals_sealed_ms ON seals (sealed_ms);

-- Numbers given out once: serials, and the persons of each convention.
CREATE TABLE counters (
    name       varchar(80) COLLATE Latin1_General_BIN2 NOT NULL,
    next_value bigint                                  NOT NULL,
    PRIMARY KEY (name),
    CHECK (next_value > 0)
);

-- The first answer to each Idempotency-Key, kept thirty days.
CREATE TABLE idempotency_keys (
    organisation_id char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    idempotency_key varchar(200) COLLATE Latin1_General_BIN2 NOT NULL,
    fingerprint     char(64) COLLATE Latin1_General_BIN2     NOT NULL,
    answer          nvarchar(max)                            NOT NULL,
    recorded_ms     bigint                                   NOT NULL,
    PRIMARY KEY (organisation_id, idempotency_key)
);
CREATE INDEX idempotency_keys_recorded_ms ON idempotency_keys (recorded_ms);

INSERT INTO counters (name, next_value) VALUES ('serial', 1);
INSERT INTO counters (name, next_value) VALUES ('sealer', 1);

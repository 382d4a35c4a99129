-- Long work, as it is shown while it runs: kept by the process that does it, at most once a second. Of a process
-- that died the lease lapses; what can go on by itself is begun again as its next run.
CREATE TABLE jobs (
    id              TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    actor_id        TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    subject_id      TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    run             INTEGER NOT NULL,
    done            INTEGER NOT NULL,
    total           INTEGER NOT NULL,
    run_done        INTEGER NOT NULL,
    run_ms          INTEGER NULL,
    owner_id        TEXT    NULL,
    lease_ms        INTEGER NULL,
    made_id         TEXT    NULL,
    error_code      TEXT    NULL,
    error           TEXT    NULL,
    created_ms      INTEGER NOT NULL,
    changed_ms      INTEGER NOT NULL,
    PRIMARY KEY (id),
    CHECK (state IN ('queued', 'running', 'done', 'failed', 'interrupted')),
    CHECK (done BETWEEN 0 AND total)
) STRICT;
CREATE INDEX jobs_organisation_id ON jobs (organisation_id, id);
CREATE INDEX jobs_state ON jobs (state, id);

-- A file of an order on its way in: its lines are staged here and count for nothing until one command makes the
-- order of them. One at a time of the same content.
CREATE TABLE order_file_stagings (
    job_id               TEXT    NOT NULL,
    fingerprint          TEXT    NOT NULL,
    convention_id        TEXT    NOT NULL,
    line_count           INTEGER NOT NULL,
    booklet_count        INTEGER NOT NULL,
    vouchers_per_booklet INTEGER NOT NULL,
    valid_until_day      INTEGER NOT NULL,
    campaign             TEXT    NULL,
    wave                 TEXT    NULL,
    comment              TEXT    NULL,
    PRIMARY KEY (job_id),
    FOREIGN KEY (job_id) REFERENCES jobs (id)
) STRICT;
CREATE UNIQUE INDEX order_file_stagings_fingerprint ON order_file_stagings (fingerprint);

CREATE TABLE order_file_lines (
    job_id          TEXT    NOT NULL,
    position        INTEGER NOT NULL,
    point_id        TEXT    NOT NULL,
    booklets_before INTEGER NOT NULL,
    booklet_count   INTEGER NOT NULL,
    pic_booklets    INTEGER NULL,
    PRIMARY KEY (job_id, position),
    FOREIGN KEY (job_id) REFERENCES order_file_stagings (job_id),
    CHECK (booklet_count > 0)
) STRICT;

-- The file that an order was made of, recognised when it comes again: another turn only after the order was
-- cancelled.
CREATE TABLE order_files (
    fingerprint TEXT    NOT NULL,
    turn        INTEGER NOT NULL,
    order_id    TEXT    NOT NULL,
    line_count  INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (fingerprint, turn),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (turn > 0)
) STRICT;
CREATE UNIQUE INDEX order_files_order_id ON order_files (order_id);
CREATE INDEX order_files_batch ON order_files (batch);

-- The codes of a lot left the house for the n-th time: the first time freely, then with a permission each.
CREATE TABLE code_releases (
    order_id    TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    turn        INTEGER NOT NULL,
    export_id   TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (order_id, position, turn),
    FOREIGN KEY (order_id, position) REFERENCES lots (order_id, position),
    FOREIGN KEY (export_id) REFERENCES code_exports (id),
    CHECK (turn > 0)
) STRICT;
CREATE INDEX code_releases_export_id ON code_releases (export_id);
CREATE INDEX code_releases_batch ON code_releases (batch);

-- Each time that an export goes to somebody, from its first byte or from where it broke off: on record before a
-- byte leaves.
CREATE TABLE code_transfers (
    export_id   TEXT    NOT NULL,
    part        INTEGER NOT NULL,
    from_byte   INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (export_id, part),
    FOREIGN KEY (export_id) REFERENCES code_exports (id),
    CHECK (part BETWEEN 1 AND 1000),
    CHECK (from_byte >= 0)
) STRICT;
CREATE INDEX code_transfers_batch ON code_transfers (batch);

-- The last byte of an export left: from then on it is not gone on with.
CREATE TABLE code_export_ends (
    export_id     TEXT    NOT NULL,
    byte_count    INTEGER NOT NULL,
    voucher_count INTEGER NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (export_id),
    FOREIGN KEY (export_id) REFERENCES code_exports (id)
) STRICT;
CREATE INDEX code_export_ends_batch ON code_export_ends (batch);

-- One person asks that codes leave once more.
CREATE TABLE reprint_requests (
    id              TEXT    NOT NULL,
    order_id        TEXT    NOT NULL,
    point_id        TEXT    NULL,
    kind            TEXT    NULL,
    reason          TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    actor_id        TEXT    NOT NULL,
    recorded_ms     INTEGER NOT NULL,
    batch           INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id)
) STRICT;
CREATE INDEX reprint_requests_order_id ON reprint_requests (order_id, id);
CREATE INDEX reprint_requests_batch ON reprint_requests (batch);

-- Another person allows it.
CREATE TABLE reprints (
    request_id   TEXT    NOT NULL,
    requested_by TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (request_id),
    FOREIGN KEY (request_id) REFERENCES reprint_requests (id),
    CHECK (actor_id <> requested_by)
) STRICT;
CREATE INDEX reprints_batch ON reprints (batch);

-- A permission is good for one export.
CREATE TABLE reprint_uses (
    request_id  TEXT    NOT NULL,
    export_id   TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (request_id),
    FOREIGN KEY (request_id) REFERENCES reprints (request_id),
    FOREIGN KEY (export_id) REFERENCES code_exports (id)
) STRICT;
CREATE UNIQUE INDEX reprint_uses_export_id ON reprint_uses (export_id);
CREATE INDEX reprint_uses_batch ON reprint_uses (batch);

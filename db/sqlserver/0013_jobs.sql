-- Long work, as it is shown while it runs: kept by the process that does it, at most once a second. Of a process
-- that died the lease lapses; what can go on by itself is begun again as its next run.
CREATE TABLE jobs (
    id              char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    kind            varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    actor_id        char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    role            varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    subject_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    state           varchar(12) COLLATE Latin1_General_BIN2 NOT NULL,
    run             bigint                                  NOT NULL,
    done            bigint                                  NOT NULL,
    total           bigint                                  NOT NULL,
    run_done        bigint                                  NOT NULL,
    run_ms          bigint                                  NULL,
    owner_id        char(36) COLLATE Latin1_General_BIN2    NULL,
    lease_ms        bigint                                  NULL,
    made_id         char(36) COLLATE Latin1_General_BIN2    NULL,
    error_code      varchar(40) COLLATE Latin1_General_BIN2 NULL,
    error           nvarchar(400)                           NULL,
    created_ms      bigint                                  NOT NULL,
    changed_ms      bigint                                  NOT NULL,
    PRIMARY KEY (id),
    CHECK (state IN ('queued', 'running', 'done', 'failed', 'interrupted')),
    CHECK (done BETWEEN 0 AND total)
);
CREATE INDEX jobs_organisation_id ON jobs (organisation_id, id);
CREATE INDEX jobs_state ON jobs (state, id);

-- A file of an order on its way in: its lines are staged here and count for nothing until one command makes the
-- order of them. One at a time of the same content.
CREATE TABLE order_file_stagings (
    job_id               char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    fingerprint          char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    convention_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    line_count           bigint                               NOT NULL,
    booklet_count        bigint                               NOT NULL,
    vouchers_per_booklet bigint                               NOT NULL,
    valid_until_day      bigint                               NOT NULL,
    campaign             nvarchar(80)                         NULL,
    wave                 nvarchar(80)                         NULL,
    comment              nvarchar(400)                        NULL,
    PRIMARY KEY (job_id),
    FOREIGN KEY (job_id) REFERENCES jobs (id)
);
CREATE UNIQUE INDEX order_file_stagings_fingerprint ON order_file_stagings (fingerprint);

CREATE TABLE order_file_lines (
    job_id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    position        bigint                               NOT NULL,
    point_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    booklets_before bigint                               NOT NULL,
    booklet_count   bigint                               NOT NULL,
    pic_booklets    bigint                               NULL,
    PRIMARY KEY (job_id, position),
    FOREIGN KEY (job_id) REFERENCES order_file_stagings (job_id),
    CHECK (booklet_count > 0)
);

-- The file that an order was made of, recognised when it comes again: another turn only after the order was
-- cancelled.
CREATE TABLE order_files (
    fingerprint char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    turn        bigint                               NOT NULL,
    order_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    line_count  bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (fingerprint, turn),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (turn > 0)
);
CREATE UNIQUE INDEX order_files_order_id ON order_files (order_id);
CREATE INDEX order_files_batch ON order_files (batch);

-- The codes of a lot left the house for the n-th time: the first time freely, then with a permission each.
CREATE TABLE code_releases (
    order_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    position    bigint                               NOT NULL,
    turn        bigint                               NOT NULL,
    export_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (order_id, position, turn),
    FOREIGN KEY (order_id, position) REFERENCES lots (order_id, position),
    FOREIGN KEY (export_id) REFERENCES code_exports (id),
    CHECK (turn > 0)
);
CREATE INDEX code_releases_export_id ON code_releases (export_id);
CREATE INDEX code_releases_batch ON code_releases (batch);

-- Each time that an export goes to somebody, from its first byte or from where it broke off: on record before a
-- byte leaves.
CREATE TABLE code_transfers (
    export_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    part        bigint                               NOT NULL,
    from_byte   bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (export_id, part),
    FOREIGN KEY (export_id) REFERENCES code_exports (id),
    CHECK (part BETWEEN 1 AND 1000),
    CHECK (from_byte >= 0)
);
CREATE INDEX code_transfers_batch ON code_transfers (batch);

-- The last byte of an export left: from then on it is not gone on with.
CREATE TABLE code_export_ends (
    export_id     char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    byte_count    bigint                               NOT NULL,
    voucher_count bigint                               NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms   bigint                               NOT NULL,
    batch         bigint                               NULL,
    PRIMARY KEY (export_id),
    FOREIGN KEY (export_id) REFERENCES code_exports (id)
);
CREATE INDEX code_export_ends_batch ON code_export_ends (batch);

-- One person asks that codes leave once more.
CREATE TABLE reprint_requests (
    id              char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    order_id        char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    point_id        char(36) COLLATE Latin1_General_BIN2    NULL,
    kind            varchar(20) COLLATE Latin1_General_BIN2 NULL,
    reason          nvarchar(400)                           NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    actor_id        char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms     bigint                                  NOT NULL,
    batch           bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id)
);
CREATE INDEX reprint_requests_order_id ON reprint_requests (order_id, id);
CREATE INDEX reprint_requests_batch ON reprint_requests (batch);

-- Another person allows it.
CREATE TABLE reprints (
    request_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    requested_by char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms  bigint                               NOT NULL,
    batch        bigint                               NULL,
    PRIMARY KEY (request_id),
    FOREIGN KEY (request_id) REFERENCES reprint_requests (id),
    CHECK (actor_id <> requested_by)
);
CREATE INDEX reprints_batch ON reprints (batch);

-- A permission is good for one export.
CREATE TABLE reprint_uses (
    request_id  char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    export_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (request_id),
    FOREIGN KEY (request_id) REFERENCES reprints (request_id),
    FOREIGN KEY (export_id) REFERENCES code_exports (id)
);
CREATE UNIQUE INDEX reprint_uses_export_id ON reprint_uses (export_id);
CREATE INDEX reprint_uses_batch ON reprint_uses (batch);

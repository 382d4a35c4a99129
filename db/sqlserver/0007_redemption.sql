-- The story of a voucher, dense from part 1: 1 redemption, 2 capture, 3 hold, 4 release, 5 closing, 6 reversal.
-- Two deciders collide on the key; the row is the idempotency record and the leaf of the journal too.
CREATE TABLE voucher_entries (
    serial           bigint                                   NOT NULL,
    part             bigint                                   NOT NULL,
    kind             bigint                                   NOT NULL,
    minutes          bigint                                   NOT NULL,
    used_after       bigint                                   NOT NULL,
    credit_minutes   bigint                                   NOT NULL,
    value_cents      bigint                                   NOT NULL,
    hold_minutes     bigint                                   NOT NULL,
    hold_until_ms    bigint                                   NULL,
    closed_minutes   bigint                                   NOT NULL,
    reversed_part    bigint                                   NULL,
    convention_id    char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    terms_version    bigint                                   NOT NULL,
    site_id          char(36) COLLATE Latin1_General_BIN2     NULL,
    service          nvarchar(80)                             NULL,
    activity_kind    varchar(20) COLLATE Latin1_General_BIN2  NULL,
    duration_minutes bigint                                   NOT NULL,
    workshop_id      char(36) COLLATE Latin1_General_BIN2     NULL,
    thematiques      varchar(600) COLLATE Latin1_General_BIN2 NULL,
    level            varchar(20) COLLATE Latin1_General_BIN2  NULL,
    autonomy         varchar(40) COLLATE Latin1_General_BIN2  NULL,
    first_visit      varchar(8) COLLATE Latin1_General_BIN2   NULL,
    evidence         nvarchar(200)                            NULL,
    service_day      bigint                                   NOT NULL,
    month            bigint                                   NOT NULL,
    reason           nvarchar(400)                            NULL,
    organisation_id  char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    operation_id     char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    line             bigint                                   NOT NULL,
    body_hash        char(64) COLLATE Latin1_General_BIN2     NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    recorded_ms      bigint                                   NOT NULL,
    batch            bigint                                   NULL,
    PRIMARY KEY (serial, part),
    CHECK (kind IN (1, 2, 3, 4, 5, 6)),
    CHECK (part > 0),
    CONSTRAINT voucher_entries_credit CHECK (used_after BETWEEN 0 AND credit_minutes)
);
CREATE UNIQUE INDEX voucher_entries_operation_id ON voucher_entries (organisation_id, operation_id, line);
CREATE INDEX voucher_entries_site_id ON voucher_entries (site_id, month);
CREATE INDEX voucher_entries_batch ON voucher_entries (batch);

-- Undone or in a payment run: both under one key, so only one of them happens.
CREATE TABLE redemption_outcomes (
    serial      bigint                                  NOT NULL,
    part        bigint                                  NOT NULL,
    outcome     varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    run_id      char(36) COLLATE Latin1_General_BIN2    NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (serial, part),
    CHECK (outcome IN ('undone', 'in-run')),
    CHECK ((outcome = 'in-run' AND run_id IS NOT NULL) OR (outcome = 'undone' AND run_id IS NULL))
);
CREATE INDEX redemption_outcomes_run_id ON redemption_outcomes (run_id);
CREATE INDEX redemption_outcomes_batch ON redemption_outcomes (batch);

CREATE TABLE workshops (
    id               char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    site_id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day           bigint                               NOT NULL,
    service          nvarchar(80)                         NOT NULL,
    duration_minutes bigint                               NOT NULL,
    title            nvarchar(200)                        NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms      bigint                               NOT NULL,
    batch            bigint                               NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (duration_minutes > 0)
);
CREATE INDEX workshops_site_id ON workshops (site_id, on_day);
CREATE INDEX workshops_batch ON workshops (batch);

-- Loss or theft of a range of serials, cut at the borders of orders.
CREATE TABLE blocks (
    id           char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    order_serial bigint                               NOT NULL,
    first_serial bigint                               NOT NULL,
    last_serial  bigint                               NOT NULL,
    reason       nvarchar(400)                        NOT NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms  bigint                               NOT NULL,
    batch        bigint                               NULL,
    PRIMARY KEY (id),
    CHECK (first_serial <= last_serial)
);
CREATE INDEX blocks_order_serial ON blocks (order_serial, first_serial);
CREATE INDEX blocks_batch ON blocks (batch);

CREATE TABLE block_lifts (
    block_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    reason      nvarchar(400)                        NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (block_id),
    FOREIGN KEY (block_id) REFERENCES blocks (id)
);
CREATE INDEX block_lifts_batch ON block_lifts (batch);

-- The paper that stands for another: its credit and face are the minutes and cents that were left.
CREATE TABLE replacements (
    serial          bigint                               NOT NULL,
    replaced_serial bigint                               NOT NULL,
    credit_minutes  bigint                               NOT NULL,
    face_cents      bigint                               NOT NULL,
    actor_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms     bigint                               NOT NULL,
    batch           bigint                               NULL,
    PRIMARY KEY (serial)
);
CREATE UNIQUE INDEX replacements_replaced_serial ON replacements (replaced_serial);
CREATE INDEX replacements_batch ON replacements (batch);

-- The services that came second: rendered offline with a pass that others had spent, reserved or withdrawn by the
-- time they were recorded. A story beside that of the pass, dense from part 1: no minute of the pass moves.
CREATE TABLE offline_services (
    serial           bigint                                   NOT NULL,
    part             bigint                                   NOT NULL,
    refusal          varchar(40) COLLATE Latin1_General_BIN2  NOT NULL,
    minutes          bigint                                   NOT NULL,
    value_cents      bigint                                   NOT NULL,
    convention_id    char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    terms_version    bigint                                   NOT NULL,
    site_id          char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    device_id        char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    service          nvarchar(80)                             NOT NULL,
    activity_kind    varchar(20) COLLATE Latin1_General_BIN2  NOT NULL,
    duration_minutes bigint                                   NOT NULL,
    workshop_id      char(36) COLLATE Latin1_General_BIN2     NULL,
    thematiques      varchar(600) COLLATE Latin1_General_BIN2 NULL,
    level            varchar(20) COLLATE Latin1_General_BIN2  NULL,
    autonomy         varchar(40) COLLATE Latin1_General_BIN2  NULL,
    first_visit      varchar(8) COLLATE Latin1_General_BIN2   NULL,
    evidence         nvarchar(200)                            NULL,
    service_day      bigint                                   NOT NULL,
    month            bigint                                   NOT NULL,
    organisation_id  char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    operation_id     char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    line             bigint                                   NOT NULL,
    body_hash        char(64) COLLATE Latin1_General_BIN2     NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    recorded_ms      bigint                                   NOT NULL,
    batch            bigint                                   NULL,
    PRIMARY KEY (serial, part),
    CHECK (part > 0),
    CHECK (minutes > 0),
    CHECK (value_cents >= 0)
);
CREATE UNIQUE INDEX offline_services_operation_id ON offline_services (organisation_id, operation_id, line);
CREATE INDEX offline_services_site_id ON offline_services (site_id, serial, part);
CREATE INDEX offline_services_batch ON offline_services (batch);

-- What is owed for such a service, the n-th of a device, a convention and a month: within the limit of the
-- convention, or because a dispute was settled so.
CREATE TABLE guarantees (
    serial        bigint                                  NOT NULL,
    part          bigint                                  NOT NULL,
    convention_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    terms_version bigint                                  NOT NULL,
    site_id       char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    device_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    month         bigint                                  NOT NULL,
    ground        varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    ordinal       bigint                                  NOT NULL,
    value_cents   bigint                                  NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms   bigint                                  NOT NULL,
    batch         bigint                                  NULL,
    PRIMARY KEY (serial, part),
    CHECK (ground IN ('limit', 'settlement')),
    CHECK (ordinal > 0)
);
CREATE UNIQUE INDEX guarantees_ordinal ON guarantees (convention_id, device_id, month, ground, ordinal);
CREATE INDEX guarantees_site_id ON guarantees (site_id, month);
CREATE INDEX guarantees_batch ON guarantees (batch);

-- Above the limit, or without money for it: somebody decides until the deadline.
CREATE TABLE disputes (
    serial        bigint                                  NOT NULL,
    part          bigint                                  NOT NULL,
    convention_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    site_id       char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    cause         varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    deadline_ms   bigint                                  NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms   bigint                                  NOT NULL,
    batch         bigint                                  NULL,
    PRIMARY KEY (serial, part),
    CHECK (cause IN ('limit', 'funds', 'device'))
);
CREATE INDEX disputes_convention_id ON disputes (convention_id, serial, part);
CREATE INDEX disputes_site_id ON disputes (site_id, serial, part);
CREATE INDEX disputes_batch ON disputes (batch);

-- Decided once: the key lets one decision in.
CREATE TABLE dispute_settlements (
    serial      bigint                                  NOT NULL,
    part        bigint                                  NOT NULL,
    decision    varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    reason      nvarchar(400)                           NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (serial, part),
    CHECK (decision IN ('paid', 'rejected'))
);
CREATE INDEX dispute_settlements_batch ON dispute_settlements (batch);

-- A guarantee is undone or in a payment run: both under one key, as for redemptions.
CREATE TABLE guarantee_outcomes (
    serial      bigint                                  NOT NULL,
    part        bigint                                  NOT NULL,
    outcome     varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    run_id      char(36) COLLATE Latin1_General_BIN2    NULL,
    reason      nvarchar(400)                           NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (serial, part),
    CHECK (outcome IN ('undone', 'in-run')),
    CHECK ((outcome = 'in-run' AND run_id IS NOT NULL) OR (outcome = 'undone' AND run_id IS NULL))
);
CREATE INDEX guarantee_outcomes_run_id ON guarantee_outcomes (run_id);
CREATE INDEX guarantee_outcomes_batch ON guarantee_outcomes (batch);

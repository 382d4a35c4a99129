CREATE TABLE sites (
    id              char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    name            nvarchar(200)                           NOT NULL,
    address         nvarchar(300)                           NOT NULL,
    postcode        varchar(5) COLLATE Latin1_General_BIN2  NOT NULL,
    commune         varchar(5) COLLATE Latin1_General_BIN2  NOT NULL,
    services        nvarchar(1000)                          NOT NULL,
    phone           varchar(40) COLLATE Latin1_General_BIN2 NULL,
    hours           nvarchar(400)                           NULL,
    actor_id        char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms     bigint                                  NOT NULL,
    batch           bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
CREATE INDEX sites_organisation_id ON sites (organisation_id, id);
CREATE INDEX sites_batch ON sites (batch);

-- The dated history of a label: the last row that covers a day decides that day.
CREATE TABLE site_labels (
    site_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    position    bigint                                  NOT NULL,
    status      varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    from_day    bigint                                  NOT NULL,
    until_day   bigint                                  NULL,
    reason      nvarchar(400)                           NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (site_id, position),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (status IN ('labelled', 'suspended', 'withdrawn'))
);
CREATE INDEX site_labels_batch ON site_labels (batch);

CREATE TABLE distribution_points (
    id           char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    authority_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    name         nvarchar(200)                           NOT NULL,
    channel      varchar(40) COLLATE Latin1_General_BIN2 NOT NULL,
    address      nvarchar(300)                           NOT NULL,
    commune      varchar(5) COLLATE Latin1_General_BIN2  NOT NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms  bigint                                  NOT NULL,
    batch        bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (authority_id) REFERENCES organisations (id)
);
CREATE INDEX distribution_points_authority_id ON distribution_points (authority_id, id);
CREATE INDEX distribution_points_batch ON distribution_points (batch);

CREATE TABLE trainings (
    id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    point_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day      bigint                               NOT NULL,
    agents      bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (agents > 0)
);
CREATE INDEX trainings_batch ON trainings (batch);

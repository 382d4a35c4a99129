CREATE TABLE sites (
    id              TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    address         TEXT    NOT NULL,
    postcode        TEXT    NOT NULL,
    commune         TEXT    NOT NULL,
    services        TEXT    NOT NULL,
    phone           TEXT    NULL,
    hours           TEXT    NULL,
    actor_id        TEXT    NOT NULL,
    recorded_ms     INTEGER NOT NULL,
    batch           INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
) STRICT;
CREATE INDEX sites_organisation_id ON sites (organisation_id, id);
CREATE INDEX sites_batch ON sites (batch);

-- The dated history of a label: the last row that covers a day decides that day.
CREATE TABLE site_labels (
    site_id     TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    from_day    INTEGER NOT NULL,
    until_day   INTEGER NULL,
    reason      TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (site_id, position),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (status IN ('labelled', 'suspended', 'withdrawn'))
) STRICT;
CREATE INDEX site_labels_batch ON site_labels (batch);

CREATE TABLE distribution_points (
    id           TEXT    NOT NULL,
    authority_id TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    address      TEXT    NOT NULL,
    commune      TEXT    NOT NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (authority_id) REFERENCES organisations (id)
) STRICT;
CREATE INDEX distribution_points_authority_id ON distribution_points (authority_id, id);
CREATE INDEX distribution_points_batch ON distribution_points (batch);

CREATE TABLE trainings (
    id          TEXT    NOT NULL,
    point_id    TEXT    NOT NULL,
    on_day      INTEGER NOT NULL,
    agents      INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (agents > 0)
) STRICT;
CREATE INDEX trainings_batch ON trainings (batch);

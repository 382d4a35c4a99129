CREATE TABLE organisations (
    id          TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    siret       TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (id),
    CHECK (kind IN ('operator', 'state', 'authority', 'hub', 'structure', 'auditor'))
) STRICT;
CREATE INDEX organisations_batch ON organisations (batch);

-- People with a password. Their names are no facts: they can be deleted.
CREATE TABLE members (
    id              TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    login           TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    password_hash   TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    disabled_ms     INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
) STRICT;
CREATE UNIQUE INDEX members_login ON members (login);

-- The sites or distribution points a member works at.
CREATE TABLE member_places (
    member_id TEXT NOT NULL,
    place_id  TEXT NOT NULL,
    PRIMARY KEY (member_id, place_id),
    FOREIGN KEY (member_id) REFERENCES members (id)
) STRICT;

CREATE TABLE api_keys (
    id              TEXT    NOT NULL,
    organisation_id TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    place_id        TEXT    NULL,
    label           TEXT    NOT NULL,
    secret_hash     TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    revoked_ms      INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
) STRICT;
CREATE UNIQUE INDEX api_keys_secret_hash ON api_keys (secret_hash);

CREATE TABLE web_sessions (
    token_hash TEXT    NOT NULL,
    member_id  TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    PRIMARY KEY (token_hash),
    FOREIGN KEY (member_id) REFERENCES members (id)
) STRICT;
CREATE INDEX web_sessions_expires_ms ON web_sessions (expires_ms);

CREATE TABLE organisations (
    id          char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    kind        varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    name        nvarchar(200)                           NOT NULL,
    siret       varchar(14) COLLATE Latin1_General_BIN2 NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (id),
    CHECK (kind IN ('operator', 'state', 'authority', 'hub', 'structure', 'auditor'))
);
CREATE INDEX organisations_batch ON organisations (batch);

-- People with a password. Their names are no facts: they can be deleted.
CREATE TABLE members (
    id              char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    role            varchar(20) COLLATE Latin1_General_BIN2  NOT NULL,
    login           varchar(200) COLLATE Latin1_General_BIN2 NOT NULL,
    name            nvarchar(200)                            NOT NULL,
    password_hash   varchar(200) COLLATE Latin1_General_BIN2 NOT NULL,
    created_ms      bigint                                   NOT NULL,
    disabled_ms     bigint                                   NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
CREATE UNIQUE INDEX members_login ON members (login);

-- The sites or distribution points a member works at.
CREATE TABLE member_places (
    member_id char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    place_id  char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    PRIMARY KEY (member_id, place_id),
    FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE TABLE api_keys (
    id              char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    role            varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    place_id        char(36) COLLATE Latin1_General_BIN2    NULL,
    label           nvarchar(200)                           NOT NULL,
    secret_hash     char(64) COLLATE Latin1_General_BIN2    NOT NULL,
    created_ms      bigint                                  NOT NULL,
    revoked_ms      bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
CREATE UNIQUE INDEX api_keys_secret_hash ON api_keys (secret_hash);

CREATE TABLE web_sessions (
    token_hash char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    member_id  char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    created_ms bigint                               NOT NULL,
    expires_ms bigint                               NOT NULL,
    PRIMARY KEY (token_hash),
    FOREIGN KEY (member_id) REFERENCES members (id)
);
CREATE INDEX web_sessions_expires_ms ON web_sessions (expires_ms);

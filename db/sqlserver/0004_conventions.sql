CREATE TABLE conventions (
    id           char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    reference    varchar(80) COLLATE Latin1_General_BIN2 NOT NULL,
    authority_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    hub_id       char(36) COLLATE Latin1_General_BIN2    NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms  bigint                                  NOT NULL,
    batch        bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (authority_id) REFERENCES organisations (id),
    FOREIGN KEY (hub_id) REFERENCES organisations (id)
);
CREATE UNIQUE INDEX conventions_reference ON conventions (reference);
CREATE INDEX conventions_authority_id ON conventions (authority_id, id);
CREATE INDEX conventions_batch ON conventions (batch);

-- The terms, and each amendment of them, as one canonical JSON document a version.
CREATE TABLE convention_terms (
    convention_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    version       bigint                                  NOT NULL,
    reference     varchar(80) COLLATE Latin1_General_BIN2 NOT NULL,
    signed_day    bigint                                  NOT NULL,
    effective_day bigint                                  NOT NULL,
    terms         nvarchar(max)                           NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms   bigint                                  NOT NULL,
    batch         bigint                                  NULL,
    PRIMARY KEY (convention_id, version),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (version > 0)
);
CREATE INDEX convention_terms_batch ON convention_terms (batch);

-- A state row: it exists to hold the two constraints, verify recomputes it from the facts.
CREATE TABLE convention_balances (
    convention_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    budget_cents    bigint                               NOT NULL,
    ordered_cents   bigint                               NOT NULL,
    received_cents  bigint                               NOT NULL,
    derogated_cents bigint                               NOT NULL,
    committed_cents bigint                               NOT NULL,
    PRIMARY KEY (convention_id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CONSTRAINT convention_balances_budget CHECK (ordered_cents BETWEEN 0 AND budget_cents),
    CONSTRAINT convention_balances_funds CHECK (committed_cents BETWEEN 0 AND received_cents + derogated_cents)
);

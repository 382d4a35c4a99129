CREATE TABLE conventions (
    id           TEXT    NOT NULL,
    reference    TEXT    NOT NULL,
    authority_id TEXT    NOT NULL,
    hub_id       TEXT    NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (authority_id) REFERENCES organisations (id),
    FOREIGN KEY (hub_id) REFERENCES organisations (id)
) STRICT;
CREATE UNIQUE INDEX conventions_reference ON conventions (reference);
CREATE INDEX conventions_authority_id ON conventions (authority_id, id);
CREATE INDEX conventions_batch ON conventions (batch);

-- The terms, and each amendment of them, as one canonical JSON document a version.
CREATE TABLE convention_terms (
    convention_id TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    reference     TEXT    NOT NULL,
    signed_day    INTEGER NOT NULL,
    effective_day INTEGER NOT NULL,
    terms         TEXT    NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (convention_id, version),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (version > 0)
) STRICT;
CREATE INDEX convention_terms_batch ON convention_terms (batch);

-- A state row: it exists to hold the two constraints, verify recomputes it from the facts.
CREATE TABLE convention_balances (
    convention_id   TEXT    NOT NULL,
    budget_cents    INTEGER NOT NULL,
    ordered_cents   INTEGER NOT NULL,
    received_cents  INTEGER NOT NULL,
    derogated_cents INTEGER NOT NULL,
    committed_cents INTEGER NOT NULL,
    PRIMARY KEY (convention_id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CONSTRAINT convention_balances_budget CHECK (ordered_cents BETWEEN 0 AND budget_cents),
    CONSTRAINT convention_balances_funds CHECK (committed_cents BETWEEN 0 AND received_cents + derogated_cents)
) STRICT;

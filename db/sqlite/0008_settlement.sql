CREATE TABLE funds_receipts (
    id               TEXT    NOT NULL,
    convention_id    TEXT    NOT NULL,
    funder           TEXT    NOT NULL,
    amount_cents     INTEGER NOT NULL,
    face_value_cents INTEGER NOT NULL,
    received_day     INTEGER NOT NULL,
    bank_reference   TEXT    NOT NULL,
    prefunding       INTEGER NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (amount_cents > 0),
    CHECK (face_value_cents BETWEEN 0 AND amount_cents)
) STRICT;
CREATE UNIQUE INDEX funds_receipts_bank_reference ON funds_receipts (convention_id, bank_reference);
CREATE INDEX funds_receipts_batch ON funds_receipts (batch);

CREATE TABLE costs (
    id            TEXT    NOT NULL,
    convention_id TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    amount_cents  INTEGER NOT NULL,
    on_day        INTEGER NOT NULL,
    source        TEXT    NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (amount_cents > 0)
) STRICT;
CREATE INDEX costs_convention_id ON costs (convention_id, on_day);
CREATE INDEX costs_batch ON costs (batch);

CREATE TABLE payment_runs (
    id          TEXT    NOT NULL,
    month       INTEGER NOT NULL,
    line_count  INTEGER NOT NULL,
    total_cents INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (id)
) STRICT;
CREATE INDEX payment_runs_month ON payment_runs (month);
CREATE INDEX payment_runs_batch ON payment_runs (batch);

CREATE TABLE payouts (
    run_id      TEXT    NOT NULL,
    site_id     TEXT    NOT NULL,
    line_count  INTEGER NOT NULL,
    gross_cents INTEGER NOT NULL,
    fee_cents   INTEGER NOT NULL,
    net_cents   INTEGER NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (run_id, site_id),
    FOREIGN KEY (run_id) REFERENCES payment_runs (id),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (net_cents = gross_cents - fee_cents)
) STRICT;
CREATE INDEX payouts_site_id ON payouts (site_id);
CREATE INDEX payouts_batch ON payouts (batch);

-- The bank paid the run: confirmed by another person than the one who made it.
CREATE TABLE payment_confirmations (
    run_id         TEXT    NOT NULL,
    paid_day       INTEGER NOT NULL,
    bank_reference TEXT    NOT NULL,
    actor_id       TEXT    NOT NULL,
    recorded_ms    INTEGER NOT NULL,
    batch          INTEGER NULL,
    PRIMARY KEY (run_id),
    FOREIGN KEY (run_id) REFERENCES payment_runs (id)
) STRICT;
CREATE INDEX payment_confirmations_batch ON payment_confirmations (batch);

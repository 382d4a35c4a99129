CREATE TABLE funds_receipts (
    id               char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    convention_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    funder           nvarchar(200)                           NOT NULL,
    amount_cents     bigint                                  NOT NULL,
    face_value_cents bigint                                  NOT NULL,
    received_day     bigint                                  NOT NULL,
    bank_reference   varchar(80) COLLATE Latin1_General_BIN2 NOT NULL,
    prefunding       bigint                                  NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms      bigint                                  NOT NULL,
    batch            bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (amount_cents > 0),
    CHECK (face_value_cents BETWEEN 0 AND amount_cents)
);
CREATE UNIQUE INDEX funds_receipts_bank_reference ON funds_receipts (convention_id, bank_reference);
CREATE INDEX funds_receipts_batch ON funds_receipts (batch);

CREATE TABLE costs (
    id            char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    convention_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    kind          varchar(40) COLLATE Latin1_General_BIN2 NOT NULL,
    amount_cents  bigint                                  NOT NULL,
    on_day        bigint                                  NOT NULL,
    source        nvarchar(400)                           NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms   bigint                                  NOT NULL,
    batch         bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (amount_cents > 0)
);
CREATE INDEX costs_convention_id ON costs (convention_id, on_day);
CREATE INDEX costs_batch ON costs (batch);

CREATE TABLE payment_runs (
    id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    month       bigint                               NOT NULL,
    line_count  bigint                               NOT NULL,
    total_cents bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (id)
);
CREATE INDEX payment_runs_month ON payment_runs (month);
CREATE INDEX payment_runs_batch ON payment_runs (batch);

CREATE TABLE payouts (
    run_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    site_id     char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    line_count  bigint                               NOT NULL,
    gross_cents bigint                               NOT NULL,
    fee_cents   bigint                               NOT NULL,
    net_cents   bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (run_id, site_id),
    FOREIGN KEY (run_id) REFERENCES payment_runs (id),
    FOREIGN KEY (site_id) REFERENCES sites (id),
    CHECK (net_cents = gross_cents - fee_cents)
);
CREATE INDEX payouts_site_id ON payouts (site_id);
CREATE INDEX payouts_batch ON payouts (batch);

-- The bank paid the run: confirmed by another person than the one who made it.
CREATE TABLE payment_confirmations (
    run_id         char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    paid_day       bigint                                  NOT NULL,
    bank_reference varchar(80) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id       char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms    bigint                                  NOT NULL,
    batch          bigint                                  NULL,
    PRIMARY KEY (run_id),
    FOREIGN KEY (run_id) REFERENCES payment_runs (id)
);
CREATE INDEX payment_confirmations_batch ON payment_confirmations (batch);

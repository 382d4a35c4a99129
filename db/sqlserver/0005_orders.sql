CREATE TABLE orders (
    id                   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    convention_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    authority_id         char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    first_serial         bigint                               NOT NULL,
    last_serial          bigint                               NOT NULL,
    booklet_count        bigint                               NOT NULL,
    vouchers_per_booklet bigint                               NOT NULL,
    voucher_count        bigint                               NOT NULL,
    face_cents           bigint                               NOT NULL,
    credit_minutes       bigint                               NOT NULL,
    total_cents          bigint                               NOT NULL,
    valid_until_day      bigint                               NOT NULL,
    terms_version        bigint                               NOT NULL,
    salt                 binary(16)                           NOT NULL,
    key_version          bigint                               NOT NULL,
    campaign             nvarchar(80)                         NULL,
    wave                 nvarchar(80)                         NULL,
    comment              nvarchar(400)                        NULL,
    ordered_day          bigint                               NOT NULL,
    actor_id             char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms          bigint                               NOT NULL,
    batch                bigint                               NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (booklet_count > 0),
    CHECK (voucher_count = booklet_count * vouchers_per_booklet),
    CHECK (last_serial = first_serial + voucher_count - 1),
    CHECK (total_cents = voucher_count * face_cents),
    CHECK (credit_minutes > 0),
    CHECK (face_cents > 0)
);
CREATE UNIQUE INDEX orders_first_serial ON orders (first_serial);
CREATE INDEX orders_convention_id ON orders (convention_id, first_serial);
CREATE INDEX orders_authority_id ON orders (authority_id, first_serial);
CREATE INDEX orders_batch ON orders (batch);

-- A dense range of serials for one distribution point: the only rows an order writes, whatever its size.
CREATE TABLE lots (
    order_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    position      bigint                               NOT NULL,
    first_serial  bigint                               NOT NULL,
    last_serial   bigint                               NOT NULL,
    booklet_count bigint                               NOT NULL,
    pic_booklets  bigint                               NULL,
    point_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms   bigint                               NOT NULL,
    batch         bigint                               NULL,
    PRIMARY KEY (order_id, position),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (booklet_count > 0),
    CHECK (pic_booklets BETWEEN 0 AND booklet_count)
);
CREATE UNIQUE INDEX lots_first_serial ON lots (first_serial);
CREATE INDEX lots_point_id ON lots (point_id, first_serial);
CREATE INDEX lots_batch ON lots (batch);

-- Each step once. Production and cancellation share a slot, so that only one of them happens.
CREATE TABLE order_steps (
    order_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    slot        bigint                                  NOT NULL,
    step        varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day      bigint                                  NOT NULL,
    comment     nvarchar(400)                           NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms bigint                                  NOT NULL,
    batch       bigint                                  NULL,
    PRIMARY KEY (order_id, slot),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK ((slot = 1 AND step = 'approved') OR (slot = 2 AND step = 'proof-approved') OR (slot = 3 AND step IN ('produced', 'cancelled')) OR (slot = 4 AND step = 'shipped') OR (slot = 5 AND step = 'delivered') OR (slot = 6 AND step = 'activated'))
);
CREATE INDEX order_steps_batch ON order_steps (batch);

-- One person asks that an order be activated before its money is there.
CREATE TABLE derogation_requests (
    order_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    reason      nvarchar(400)                        NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
CREATE INDEX derogation_requests_batch ON derogation_requests (batch);

-- Another person confirms it.
CREATE TABLE derogations (
    order_id       char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    requested_by   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    exposure_cents bigint                               NOT NULL,
    actor_id       char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms    bigint                               NOT NULL,
    batch          bigint                               NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES derogation_requests (order_id),
    CHECK (actor_id <> requested_by),
    CHECK (exposure_cents > 0)
);
CREATE INDEX derogations_batch ON derogations (batch);

CREATE TABLE order_extensions (
    order_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    valid_until_day bigint                               NOT NULL,
    reason          nvarchar(400)                        NOT NULL,
    actor_id        char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms     bigint                               NOT NULL,
    batch           bigint                               NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
CREATE INDEX order_extensions_batch ON order_extensions (batch);

-- A secret left the house: who took the codes of which order, and when.
CREATE TABLE code_exports (
    id            char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    order_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    kind          varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    voucher_count bigint                                  NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms   bigint                                  NOT NULL,
    batch         bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
CREATE INDEX code_exports_order_id ON code_exports (order_id);
CREATE INDEX code_exports_batch ON code_exports (batch);

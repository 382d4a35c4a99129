CREATE TABLE orders (
    id                   TEXT    NOT NULL,
    convention_id        TEXT    NOT NULL,
    authority_id         TEXT    NOT NULL,
    first_serial         INTEGER NOT NULL,
    last_serial          INTEGER NOT NULL,
    booklet_count        INTEGER NOT NULL,
    vouchers_per_booklet INTEGER NOT NULL,
    voucher_count        INTEGER NOT NULL,
    face_cents           INTEGER NOT NULL,
    credit_minutes       INTEGER NOT NULL,
    total_cents          INTEGER NOT NULL,
    valid_until_day      INTEGER NOT NULL,
    terms_version        INTEGER NOT NULL,
    salt                 BLOB    NOT NULL,
    key_version          INTEGER NOT NULL,
    campaign             TEXT    NULL,
    wave                 TEXT    NULL,
    comment              TEXT    NULL,
    ordered_day          INTEGER NOT NULL,
    actor_id             TEXT    NOT NULL,
    recorded_ms          INTEGER NOT NULL,
    batch                INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (booklet_count > 0),
    CHECK (voucher_count = booklet_count * vouchers_per_booklet),
    CHECK (last_serial = first_serial + voucher_count - 1),
    CHECK (total_cents = voucher_count * face_cents),
    CHECK (credit_minutes > 0),
    CHECK (face_cents > 0)
) STRICT;
CREATE UNIQUE INDEX orders_first_serial ON orders (first_serial);
CREATE INDEX orders_convention_id ON orders (convention_id, first_serial);
CREATE INDEX orders_authority_id ON orders (authority_id, first_serial);
CREATE INDEX orders_batch ON orders (batch);

-- A dense range of serials for one distribution point: the only rows an order writes, whatever its size.
CREATE TABLE lots (
    order_id      TEXT    NOT NULL,
    position      INTEGER NOT NULL,
    first_serial  INTEGER NOT NULL,
    last_serial   INTEGER NOT NULL,
    booklet_count INTEGER NOT NULL,
    pic_booklets  INTEGER NULL,
    point_id      TEXT    NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (order_id, position),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (booklet_count > 0),
    CHECK (pic_booklets BETWEEN 0 AND booklet_count)
) STRICT;
CREATE UNIQUE INDEX lots_first_serial ON lots (first_serial);
CREATE INDEX lots_point_id ON lots (point_id, first_serial);
CREATE INDEX lots_batch ON lots (batch);

-- Each step once. Production and cancellation share a slot, so that only one of them happens.
CREATE TABLE order_steps (
    order_id    TEXT    NOT NULL,
    slot        INTEGER NOT NULL,
    step        TEXT    NOT NULL,
    on_day      INTEGER NOT NULL,
    comment     TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (order_id, slot),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK ((slot = 1 AND step = 'approved') OR (slot = 2 AND step = 'proof-approved') OR (slot = 3 AND step IN ('produced', 'cancelled')) OR (slot = 4 AND step = 'shipped') OR (slot = 5 AND step = 'delivered') OR (slot = 6 AND step = 'activated'))
) STRICT;
CREATE INDEX order_steps_batch ON order_steps (batch);

-- One person asks that an order be activated before its money is there.
CREATE TABLE derogation_requests (
    order_id    TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE INDEX derogation_requests_batch ON derogation_requests (batch);

-- Another person confirms it.
CREATE TABLE derogations (
    order_id       TEXT    NOT NULL,
    requested_by   TEXT    NOT NULL,
    exposure_cents INTEGER NOT NULL,
    actor_id       TEXT    NOT NULL,
    recorded_ms    INTEGER NOT NULL,
    batch          INTEGER NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES derogation_requests (order_id),
    CHECK (actor_id <> requested_by),
    CHECK (exposure_cents > 0)
) STRICT;
CREATE INDEX derogations_batch ON derogations (batch);

CREATE TABLE order_extensions (
    order_id        TEXT    NOT NULL,
    valid_until_day INTEGER NOT NULL,
    reason          TEXT    NOT NULL,
    actor_id        TEXT    NOT NULL,
    recorded_ms     INTEGER NOT NULL,
    batch           INTEGER NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE INDEX order_extensions_batch ON order_extensions (batch);

-- A secret left the house: who took the codes of which order, and when.
CREATE TABLE code_exports (
    id            TEXT    NOT NULL,
    order_id      TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    voucher_count INTEGER NOT NULL,
    actor_id      TEXT    NOT NULL,
    recorded_ms   INTEGER NOT NULL,
    batch         INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
) STRICT;
CREATE INDEX code_exports_order_id ON code_exports (order_id);
CREATE INDEX code_exports_batch ON code_exports (batch);

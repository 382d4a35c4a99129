-- The parcel of an order for one of its distribution points: sent once, with all booklets of its lot.
CREATE TABLE dispatches (
    order_id           TEXT    NOT NULL,
    point_id           TEXT    NOT NULL,
    on_day             INTEGER NOT NULL,
    booklets           INTEGER NOT NULL,
    carrier            TEXT    NULL,
    tracking_reference TEXT    NULL,
    actor_id           TEXT    NOT NULL,
    recorded_ms        INTEGER NOT NULL,
    batch              INTEGER NULL,
    PRIMARY KEY (order_id, point_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (booklets > 0)
) STRICT;
CREATE INDEX dispatches_point_id ON dispatches (point_id);
CREATE INDEX dispatches_batch ON dispatches (batch);

-- What the point counted when it came: as many as were sent, or why not.
CREATE TABLE dispatch_receipts (
    order_id    TEXT    NOT NULL,
    point_id    TEXT    NOT NULL,
    on_day      INTEGER NOT NULL,
    expected    INTEGER NOT NULL,
    booklets    INTEGER NOT NULL,
    explanation TEXT    NULL,
    actor_id    TEXT    NOT NULL,
    recorded_ms INTEGER NOT NULL,
    batch       INTEGER NULL,
    PRIMARY KEY (order_id, point_id),
    FOREIGN KEY (order_id, point_id) REFERENCES dispatches (order_id, point_id),
    CHECK (booklets >= 0),
    CONSTRAINT dispatch_receipts_explained CHECK (booklets = expected OR explanation IS NOT NULL)
) STRICT;
CREATE INDEX dispatch_receipts_batch ON dispatch_receipts (batch);

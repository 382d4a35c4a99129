-- The parcel of an order for one of its distribution points: sent once, with all booklets of its lot.
CREATE TABLE dispatches (
    order_id           char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    point_id           char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day             bigint                               NOT NULL,
    booklets           bigint                               NOT NULL,
    carrier            nvarchar(80)                         NULL,
    tracking_reference nvarchar(80)                         NULL,
    actor_id           char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms        bigint                               NOT NULL,
    batch              bigint                               NULL,
    PRIMARY KEY (order_id, point_id),
    FOREIGN KEY (order_id) REFERENCES orders (id),
    CHECK (booklets > 0)
);
CREATE INDEX dispatches_point_id ON dispatches (point_id);
CREATE INDEX dispatches_batch ON dispatches (batch);

-- What the point counted when it came: as many as were sent, or why not.
CREATE TABLE dispatch_receipts (
    order_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    point_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day      bigint                               NOT NULL,
    expected    bigint                               NOT NULL,
    booklets    bigint                               NOT NULL,
    explanation nvarchar(400)                        NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (order_id, point_id),
    FOREIGN KEY (order_id, point_id) REFERENCES dispatches (order_id, point_id),
    CHECK (booklets >= 0),
    CONSTRAINT dispatch_receipts_explained CHECK (booklets = expected OR explanation IS NOT NULL)
);
CREATE INDEX dispatch_receipts_batch ON dispatch_receipts (batch);

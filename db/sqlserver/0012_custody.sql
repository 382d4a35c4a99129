-- The story of a booklet gets more kinds: 5 sent, 6 received, 7 kept (its transfer was cancelled), 8 replaced. A CHECK
-- can't be widened in place on both engines: the rows are put aside, the table is made anew, the rows come back.
CREATE TABLE booklet_entries_kept (
    booklet          bigint                                   NOT NULL,
    part             bigint                                   NOT NULL,
    kind             bigint                                   NOT NULL,
    point_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    day              bigint                                   NOT NULL,
    person_number    bigint                                   NULL,
    anonymous        bigint                                   NULL,
    age_band         varchar(40) COLLATE Latin1_General_BIN2  NULL,
    gender           varchar(20) COLLATE Latin1_General_BIN2  NULL,
    social_status    varchar(20) COLLATE Latin1_General_BIN2  NULL,
    commune          varchar(5) COLLATE Latin1_General_BIN2   NULL,
    publics          varchar(400) COLLATE Latin1_General_BIN2 NULL,
    channel          varchar(40) COLLATE Latin1_General_BIN2  NULL,
    pic_ground       varchar(40) COLLATE Latin1_General_BIN2  NULL,
    pic_evidence     varchar(60) COLLATE Latin1_General_BIN2  NULL,
    needs            varchar(600) COLLATE Latin1_General_BIN2 NULL,
    oriented_site_id char(36) COLLATE Latin1_General_BIN2     NULL,
    oriented_at_ms   bigint                                   NULL,
    notice_version   varchar(20) COLLATE Latin1_General_BIN2  NULL,
    notice_given     bigint                                   NULL,
    reason           nvarchar(400)                            NULL,
    organisation_id  char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    operation_id     char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    body_hash        char(64) COLLATE Latin1_General_BIN2     NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    recorded_ms      bigint                                   NOT NULL,
    batch            bigint                                   NULL,
    PRIMARY KEY (booklet, part)
);
INSERT INTO booklet_entries_kept (
       booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch)
SELECT booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch
  FROM booklet_entries;
DROP TABLE booklet_entries;
CREATE TABLE booklet_entries (
    booklet          bigint                                   NOT NULL,
    part             bigint                                   NOT NULL,
    kind             bigint                                   NOT NULL,
    point_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    day              bigint                                   NOT NULL,
    person_number    bigint                                   NULL,
    anonymous        bigint                                   NULL,
    age_band         varchar(40) COLLATE Latin1_General_BIN2  NULL,
    gender           varchar(20) COLLATE Latin1_General_BIN2  NULL,
    social_status    varchar(20) COLLATE Latin1_General_BIN2  NULL,
    commune          varchar(5) COLLATE Latin1_General_BIN2   NULL,
    publics          varchar(400) COLLATE Latin1_General_BIN2 NULL,
    channel          varchar(40) COLLATE Latin1_General_BIN2  NULL,
    pic_ground       varchar(40) COLLATE Latin1_General_BIN2  NULL,
    pic_evidence     varchar(60) COLLATE Latin1_General_BIN2  NULL,
    needs            varchar(600) COLLATE Latin1_General_BIN2 NULL,
    oriented_site_id char(36) COLLATE Latin1_General_BIN2     NULL,
    oriented_at_ms   bigint                                   NULL,
    notice_version   varchar(20) COLLATE Latin1_General_BIN2  NULL,
    notice_given     bigint                                   NULL,
    reason           nvarchar(400)                            NULL,
    organisation_id  char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    operation_id     char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    body_hash        char(64) COLLATE Latin1_General_BIN2     NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    recorded_ms      bigint                                   NOT NULL,
    batch            bigint                                   NULL,
    PRIMARY KEY (booklet, part),
    CHECK (kind IN (1, 2, 3, 4, 5, 6, 7, 8)),
    CHECK (part > 0),
    CHECK (kind NOT IN (1, 4) OR person_number IS NOT NULL)
);
INSERT INTO booklet_entries (
       booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch)
SELECT booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
       commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
       notice_version, notice_given, reason, organisation_id, operation_id, body_hash, actor_id, recorded_ms,
       batch
  FROM booklet_entries_kept;
DROP TABLE booklet_entries_kept;
CREATE UNIQUE INDEX booklet_entries_operation_id ON booklet_entries (organisation_id, operation_id);
CREATE INDEX booklet_entries_point_id ON booklet_entries (point_id, day);
CREATE INDEX booklet_entries_batch ON booklet_entries (batch);

-- Booklets on their way from one point of a collectivité to another.
CREATE TABLE transfers (
    id            char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    authority_id  char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    from_point_id char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    to_point_id   char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    booklet_count bigint                               NOT NULL,
    comment       nvarchar(400)                        NULL,
    sent_day      bigint                               NOT NULL,
    actor_id      char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms   bigint                               NOT NULL,
    batch         bigint                               NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (from_point_id) REFERENCES distribution_points (id),
    FOREIGN KEY (to_point_id) REFERENCES distribution_points (id),
    CHECK (booklet_count > 0),
    CHECK (from_point_id <> to_point_id)
);
CREATE INDEX transfers_authority_id ON transfers (authority_id, id);
CREATE INDEX transfers_batch ON transfers (batch);

-- Which booklets: the part of its story by which each was sent. What followed is the next part of that story.
CREATE TABLE transfer_booklets (
    transfer_id char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    booklet     bigint                               NOT NULL,
    sent_part   bigint                               NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (transfer_id, booklet),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id)
);
CREATE UNIQUE INDEX transfer_booklets_sent_part ON transfer_booklets (booklet, sent_part);
CREATE INDEX transfer_booklets_batch ON transfer_booklets (batch);

-- What arrived, the first time and any later one; what is missing is explained.
CREATE TABLE transfer_receipts (
    transfer_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    position       bigint                               NOT NULL,
    received_count bigint                               NOT NULL,
    missing_count  bigint                               NOT NULL,
    explanation    nvarchar(400)                        NULL,
    received_day   bigint                               NOT NULL,
    actor_id       char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms    bigint                               NOT NULL,
    batch          bigint                               NULL,
    PRIMARY KEY (transfer_id, position),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id),
    CHECK (received_count > 0 OR missing_count > 0),
    CHECK (missing_count = 0 OR explanation IS NOT NULL)
);
CREATE INDEX transfer_receipts_batch ON transfer_receipts (batch);

CREATE TABLE transfer_cancellations (
    transfer_id char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    reason      nvarchar(400)                        NOT NULL,
    actor_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms bigint                               NOT NULL,
    batch       bigint                               NULL,
    PRIMARY KEY (transfer_id),
    FOREIGN KEY (transfer_id) REFERENCES transfers (id)
);
CREATE INDEX transfer_cancellations_batch ON transfer_cancellations (batch);

-- Booklets counted in a drawer, beside those that the facts say lay there at the end of that day.
CREATE TABLE inventories (
    id                char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    point_id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    on_day            bigint                               NOT NULL,
    by_number         bigint                               NOT NULL,
    expected_booklets bigint                               NOT NULL,
    counted_booklets  bigint                               NOT NULL,
    explanation       nvarchar(400)                        NULL,
    actor_id          char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms       bigint                               NOT NULL,
    batch             bigint                               NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (point_id) REFERENCES distribution_points (id),
    CHECK (by_number IN (0, 1)),
    CHECK (expected_booklets >= 0 AND counted_booklets >= 0),
    CHECK (expected_booklets = counted_booklets OR explanation IS NOT NULL)
);
CREATE INDEX inventories_point_id ON inventories (point_id, on_day);
CREATE INDEX inventories_batch ON inventories (batch);

-- The numbers that an inventory did not find, or did not expect.
CREATE TABLE inventory_differences (
    inventory_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    booklet      bigint                                  NOT NULL,
    difference   varchar(10) COLLATE Latin1_General_BIN2 NOT NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms  bigint                                  NOT NULL,
    batch        bigint                                  NULL,
    PRIMARY KEY (inventory_id, booklet),
    FOREIGN KEY (inventory_id) REFERENCES inventories (id),
    CHECK (difference IN ('missing', 'surplus'))
);
CREATE INDEX inventory_differences_batch ON inventory_differences (batch);

-- An order of 0 euro: the one booklet that stands for a lost one. It is in no budget and never counts as issued.
CREATE TABLE replacement_orders (
    order_id         char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    replaced_booklet bigint                               NOT NULL,
    reason           nvarchar(400)                        NOT NULL,
    actor_id         char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    recorded_ms      bigint                               NOT NULL,
    batch            bigint                               NULL,
    PRIMARY KEY (order_id),
    FOREIGN KEY (order_id) REFERENCES orders (id)
);
CREATE UNIQUE INDEX replacement_orders_replaced_booklet ON replacement_orders (replaced_booklet);
CREATE INDEX replacement_orders_batch ON replacement_orders (batch);

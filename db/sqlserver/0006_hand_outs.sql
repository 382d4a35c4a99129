-- The story of a booklet, dense from part 1: 1 hand-out, 2 its reversal, 3 return, 4 correction of the coded facts.
-- No row names a person: person_number counts within a convention and points to nothing.
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
    CHECK (kind IN (1, 2, 3, 4)),
    CHECK (part > 0),
    CHECK (kind NOT IN (1, 4) OR person_number IS NOT NULL)
);
CREATE UNIQUE INDEX booklet_entries_operation_id ON booklet_entries (organisation_id, operation_id);
CREATE INDEX booklet_entries_point_id ON booklet_entries (point_id, day);
CREATE INDEX booklet_entries_batch ON booklet_entries (batch);

-- All that ties a person number to somebody: the keyed digest of the agent's own reference.
-- Erasure and the 24-month job delete these rows; no figure reads them.
CREATE TABLE person_links (
    convention_id    char(36) COLLATE Latin1_General_BIN2 NOT NULL,
    reference_digest char(64) COLLATE Latin1_General_BIN2 NOT NULL,
    person_number    bigint                               NOT NULL,
    created_ms       bigint                               NOT NULL,
    PRIMARY KEY (convention_id, reference_digest),
    FOREIGN KEY (convention_id) REFERENCES conventions (id)
);
CREATE INDEX person_links_person_number ON person_links (convention_id, person_number);
CREATE INDEX person_links_created_ms ON person_links (created_ms);

-- How to reach somebody who agreed to it. Deleted like the links.
CREATE TABLE person_contacts (
    id            char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    convention_id char(36) COLLATE Latin1_General_BIN2     NOT NULL,
    person_number bigint                                   NOT NULL,
    phone         varchar(40) COLLATE Latin1_General_BIN2  NOT NULL,
    agreed_for    varchar(200) COLLATE Latin1_General_BIN2 NOT NULL,
    created_ms    bigint                                   NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id)
);
CREATE INDEX person_contacts_person_number ON person_contacts (convention_id, person_number);
CREATE INDEX person_contacts_created_ms ON person_contacts (created_ms);

CREATE TABLE assessments (
    id                 char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    convention_id      char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    booklet            bigint                                  NULL,
    person_number      bigint                                  NOT NULL,
    instrument         varchar(40) COLLATE Latin1_General_BIN2 NOT NULL,
    instrument_version varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    phase              varchar(4) COLLATE Latin1_General_BIN2  NOT NULL,
    score              bigint                                  NOT NULL,
    max_score          bigint                                  NOT NULL,
    mode               varchar(20) COLLATE Latin1_General_BIN2 NOT NULL,
    taken_day          bigint                                  NOT NULL,
    actor_id           char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms        bigint                                  NOT NULL,
    batch              bigint                                  NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (phase IN ('t0', 't1', 't2')),
    CHECK (score BETWEEN 0 AND max_score)
);
CREATE INDEX assessments_convention_id ON assessments (convention_id, person_number);
CREATE INDEX assessments_batch ON assessments (batch);

-- The story of a booklet, dense from part 1: 1 hand-out, 2 its reversal, 3 return, 4 correction of the coded facts.
-- No row names a person: person_number counts within a convention and points to nothing.
CREATE TABLE booklet_entries (
    booklet          INTEGER NOT NULL,
    part             INTEGER NOT NULL,
    kind             INTEGER NOT NULL,
    point_id         TEXT    NOT NULL,
    day              INTEGER NOT NULL,
    person_number    INTEGER NULL,
    anonymous        INTEGER NULL,
    age_band         TEXT    NULL,
    gender           TEXT    NULL,
    social_status    TEXT    NULL,
    commune          TEXT    NULL,
    publics          TEXT    NULL,
    channel          TEXT    NULL,
    pic_ground       TEXT    NULL,
    pic_evidence     TEXT    NULL,
    needs            TEXT    NULL,
    oriented_site_id TEXT    NULL,
    oriented_at_ms   INTEGER NULL,
    notice_version   TEXT    NULL,
    notice_given     INTEGER NULL,
    reason           TEXT    NULL,
    organisation_id  TEXT    NOT NULL,
    operation_id     TEXT    NOT NULL,
    body_hash        TEXT    NOT NULL,
    actor_id         TEXT    NOT NULL,
    recorded_ms      INTEGER NOT NULL,
    batch            INTEGER NULL,
    PRIMARY KEY (booklet, part),
    CHECK (kind IN (1, 2, 3, 4)),
    CHECK (part > 0),
    CHECK (kind NOT IN (1, 4) OR person_number IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX booklet_entries_operation_id ON booklet_entries (organisation_id, operation_id);
CREATE INDEX booklet_entries_point_id ON booklet_entries (point_id, day);
CREATE INDEX booklet_entries_batch ON booklet_entries (batch);

-- All that ties a person number to somebody: the keyed digest of the agent's own reference.
-- Erasure and the 24-month job delete these rows; no figure reads them.
CREATE TABLE person_links (
    convention_id    TEXT    NOT NULL,
    reference_digest TEXT    NOT NULL,
    person_number    INTEGER NOT NULL,
    created_ms       INTEGER NOT NULL,
    PRIMARY KEY (convention_id, reference_digest),
    FOREIGN KEY (convention_id) REFERENCES conventions (id)
) STRICT;
CREATE INDEX person_links_person_number ON person_links (convention_id, person_number);
CREATE INDEX person_links_created_ms ON person_links (created_ms);

-- How to reach somebody who agreed to it. Deleted like the links.
CREATE TABLE person_contacts (
    id            TEXT    NOT NULL,
    convention_id TEXT    NOT NULL,
    person_number INTEGER NOT NULL,
    phone         TEXT    NOT NULL,
    agreed_for    TEXT    NOT NULL,
    created_ms    INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id)
) STRICT;
CREATE INDEX person_contacts_person_number ON person_contacts (convention_id, person_number);
CREATE INDEX person_contacts_created_ms ON person_contacts (created_ms);

CREATE TABLE assessments (
    id                 TEXT    NOT NULL,
    convention_id      TEXT    NOT NULL,
    booklet            INTEGER NULL,
    person_number      INTEGER NOT NULL,
    instrument         TEXT    NOT NULL,
    instrument_version TEXT    NOT NULL,
    phase              TEXT    NOT NULL,
    score              INTEGER NOT NULL,
    max_score          INTEGER NOT NULL,
    mode               TEXT    NOT NULL,
    taken_day          INTEGER NOT NULL,
    actor_id           TEXT    NOT NULL,
    recorded_ms        INTEGER NOT NULL,
    batch              INTEGER NULL,
    PRIMARY KEY (id),
    FOREIGN KEY (convention_id) REFERENCES conventions (id),
    CHECK (phase IN ('t0', 't1', 't2')),
    CHECK (score BETWEEN 0 AND max_score)
) STRICT;
CREATE INDEX assessments_convention_id ON assessments (convention_id, person_number);
CREATE INDEX assessments_batch ON assessments (batch);

-- What a collectivité prints on its passes: the last row of it counts. Without a logo there are no bytes.
CREATE TABLE print_settings (
    authority_id TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    print_text   TEXT    NULL,
    telephone    TEXT    NULL,
    logo         BLOB    NOT NULL,
    actor_id     TEXT    NOT NULL,
    recorded_ms  INTEGER NOT NULL,
    batch        INTEGER NULL,
    PRIMARY KEY (authority_id, position),
    FOREIGN KEY (authority_id) REFERENCES organisations (id),
    CHECK (position > 0)
) STRICT;
CREATE INDEX print_settings_batch ON print_settings (batch);

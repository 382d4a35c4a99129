-- What a collectivité prints on its passes: the last row of it counts. Without a logo there are no bytes.
CREATE TABLE print_settings (
    authority_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    position     bigint                                  NOT NULL,
    print_text   nvarchar(120)                           NULL,
    telephone    varchar(40) COLLATE Latin1_General_BIN2 NULL,
    logo         varbinary(max)                          NOT NULL,
    actor_id     char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    recorded_ms  bigint                                  NOT NULL,
    batch        bigint                                  NULL,
    PRIMARY KEY (authority_id, position),
    FOREIGN KEY (authority_id) REFERENCES organisations (id),
    CHECK (position > 0)
);
CREATE INDEX print_settings_batch ON print_settings (batch);

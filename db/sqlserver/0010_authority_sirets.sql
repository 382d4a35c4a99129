-- A state row: it exists to hold the constraint that a SIRET is of one authority, verify recomputes it. Other
-- kinds may share one, and the fact itself stays as it is.
CREATE TABLE authority_sirets (
    siret           varchar(14) COLLATE Latin1_General_BIN2 NOT NULL,
    organisation_id char(36) COLLATE Latin1_General_BIN2    NOT NULL,
    PRIMARY KEY (siret),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

INSERT INTO authority_sirets (siret, organisation_id)
SELECT siret, MIN(id)
  FROM organisations
 WHERE kind = 'authority' AND siret IS NOT NULL
 GROUP BY siret;

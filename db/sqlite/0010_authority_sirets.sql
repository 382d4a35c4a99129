-- A state row: it exists to hold the constraint that a SIRET is of one authority, verify recomputes it. Other
-- kinds may share one, and the fact itself stays as it is.
CREATE TABLE authority_sirets (
    siret           TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    PRIMARY KEY (siret),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
) STRICT;

INSERT INTO authority_sirets (siret, organisation_id)
SELECT siret, MIN(id)
  FROM organisations
 WHERE kind = 'authority' AND siret IS NOT NULL
 GROUP BY siret;

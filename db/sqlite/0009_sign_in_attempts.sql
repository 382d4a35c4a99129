-- Tries to sign in, of a login or of an address, in the minute that began with the first of them: keyed digests,
-- no name and no address in clear.
CREATE TABLE sign_in_attempts (
    name_digest TEXT    NOT NULL,
    since_ms    INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    PRIMARY KEY (name_digest),
    CONSTRAINT sign_in_attempts_tries CHECK (tries BETWEEN 0 AND 5)
) STRICT;
CREATE INDEX sign_in_attempts_since_ms ON sign_in_attempts (since_ms);

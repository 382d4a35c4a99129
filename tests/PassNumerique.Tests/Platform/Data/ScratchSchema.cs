namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// A small pair of migrations of its own, so that the walk is tested apart from the service.
/// </summary>
internal static class ScratchSchema
{
    public const string SqliteSide = """
        CREATE TABLE orders (
            first_serial   INTEGER NOT NULL PRIMARY KEY,
            id             TEXT    NOT NULL UNIQUE,
            face_cents     INTEGER NOT NULL CHECK (face_cents > 0),
            credit_minutes INTEGER NOT NULL CHECK (credit_minutes BETWEEN 1 AND 6000),
            status         TEXT    NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
            label          TEXT    NULL
        ) STRICT;

        CREATE TABLE voucher_entries (
            serial        INTEGER NOT NULL,
            part          INTEGER NOT NULL,
            kind          INTEGER NOT NULL,
            minutes       INTEGER NOT NULL,
            used_after    INTEGER NOT NULL,
            value_cents   INTEGER NOT NULL,
            hold_minutes  INTEGER NOT NULL,
            hold_until_ms INTEGER NULL,
            operation_id  TEXT    NOT NULL,
            body_hash     BLOB    NULL,
            order_serial  INTEGER NOT NULL REFERENCES orders (first_serial),
            CHECK (used_after >= 0 AND kind <> 9), -- nobody is paid twice
            PRIMARY KEY (serial, part)
        ) STRICT;

        CREATE TABLE blocks (
            id           TEXT    NOT NULL PRIMARY KEY,
            order_serial INTEGER NOT NULL,
            first_serial INTEGER NOT NULL,
            last_serial  INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE block_lifts (
            block_id TEXT    NOT NULL PRIMARY KEY,
            at_ms    INTEGER NOT NULL
        ) STRICT;

        CREATE INDEX ix_blocks_order ON blocks (order_serial, first_serial);
        CREATE UNIQUE INDEX ux_entries_operation ON voucher_entries (operation_id, part DESC) WHERE part > 0;

        ALTER TABLE blocks ADD COLUMN reason TEXT NULL;
        """;

    public const string SqlServerSide = """
        CREATE TABLE orders (
            first_serial   bigint      NOT NULL PRIMARY KEY,
            id             char(36)    COLLATE Latin1_General_BIN2 NOT NULL UNIQUE,
            face_cents     bigint      NOT NULL CHECK (face_cents > 0),
            credit_minutes bigint      NOT NULL CHECK (credit_minutes BETWEEN 1 AND 6000),
            status         varchar(12) COLLATE Latin1_General_BIN2 NOT NULL DEFAULT 'open'
                                       CHECK (status IN ('open', 'closed')),
            label          nvarchar(200) NULL
        );

        CREATE TABLE voucher_entries (
            serial        bigint      NOT NULL,
            part          bigint      NOT NULL,
            kind          bigint      NOT NULL,
            minutes       bigint      NOT NULL,
            used_after    bigint      NOT NULL,
            value_cents   bigint      NOT NULL,
            hold_minutes  bigint      NOT NULL,
            hold_until_ms bigint      NULL,
            operation_id  char(36)    COLLATE Latin1_General_BIN2 NOT NULL,
            body_hash     binary(32)  NULL,
            order_serial  bigint      NOT NULL REFERENCES orders (first_serial),
            CHECK (used_after >= 0
                   AND kind <> 9),
            PRIMARY KEY (serial, part)
        );

        CREATE TABLE blocks (
            id           char(36) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            order_serial bigint   NOT NULL,
            first_serial bigint   NOT NULL,
            last_serial  bigint   NOT NULL
        );

        CREATE TABLE block_lifts (
            block_id char(36) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
            at_ms    bigint   NOT NULL
        );

        CREATE INDEX ix_blocks_order ON blocks (order_serial, first_serial);
        CREATE UNIQUE INDEX ux_entries_operation ON voucher_entries (operation_id, part DESC) WHERE part > 0;

        ALTER TABLE blocks ADD reason nvarchar(max) NULL;
        """;

    public static SqlSchema SqlServer { get; } = SqlSchema.Parse([new("scratch", SqlServerSide)]);

    public static SqliteSchema Sqlite { get; } = new([new("scratch", SqliteSide)]);
}

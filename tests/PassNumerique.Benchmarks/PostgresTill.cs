using System.Globalization;

namespace PassNumerique.Benchmarks;

/// <summary>
/// The work of a redemption for PostgreSQL: the same tables as far as the statement reads them, the same columns
/// and indexes of the entries, and the same conditional INSERT, in its best form there: one prepared statement,
/// one round trip, its row given back by RETURNING, the operations in the order of their time. It seals nothing, checks
/// no code and no access.
/// </summary>
internal static class PostgresTill
{
    public static string Schema(long vouchers) => string.Create(CultureInfo.InvariantCulture, $"""
        CREATE TABLE voucher_entries (
            serial bigint NOT NULL, part bigint NOT NULL, kind bigint NOT NULL, minutes bigint NOT NULL,
            used_after bigint NOT NULL, credit_minutes bigint NOT NULL, value_cents bigint NOT NULL,
            hold_minutes bigint NOT NULL, hold_until_ms bigint, closed_minutes bigint NOT NULL, reversed_part bigint,
            convention_id char(36) NOT NULL, terms_version bigint NOT NULL, site_id char(36), service varchar(100),
            activity_kind varchar(20), duration_minutes bigint NOT NULL, workshop_id char(36), thematiques varchar(600),
            level varchar(40), autonomy varchar(40), first_visit varchar(10), evidence varchar(200),
            service_day bigint NOT NULL, month bigint NOT NULL, reason varchar(400), organisation_id char(36) NOT NULL,
            operation_id char(36) NOT NULL, line bigint NOT NULL, body_hash char(64) NOT NULL, actor_id char(36) NOT NULL,
            recorded_ms bigint NOT NULL, batch bigint, PRIMARY KEY (serial, part),
            CHECK (kind IN (1, 2, 3, 4, 5, 6)), CHECK (part > 0), CHECK (used_after BETWEEN 0 AND credit_minutes));
        CREATE UNIQUE INDEX voucher_entries_operation_id ON voucher_entries (organisation_id, operation_id, line);
        CREATE INDEX voucher_entries_site_id ON voucher_entries (site_id, month);
        CREATE INDEX voucher_entries_batch ON voucher_entries (batch);
        CREATE TABLE order_extensions (order_id char(36) PRIMARY KEY, valid_until_day bigint NOT NULL);
        CREATE TABLE replacements (serial bigint PRIMARY KEY, replaced_serial bigint NOT NULL UNIQUE,
            credit_minutes bigint NOT NULL, face_cents bigint NOT NULL);
        CREATE TABLE booklet_entries (booklet bigint NOT NULL, part bigint NOT NULL, kind bigint NOT NULL,
            day bigint NOT NULL, PRIMARY KEY (booklet, part));
        CREATE TABLE order_steps (order_id char(36) NOT NULL, slot bigint NOT NULL, PRIMARY KEY (order_id, slot));
        CREATE TABLE blocks (id char(36) PRIMARY KEY, order_serial bigint NOT NULL, first_serial bigint NOT NULL,
            last_serial bigint NOT NULL);
        CREATE INDEX blocks_order_serial ON blocks (order_serial, first_serial);
        CREATE TABLE block_lifts (block_id char(36) PRIMARY KEY);
        CREATE TABLE site_labels (site_id char(36) NOT NULL, position bigint NOT NULL, status varchar(20) NOT NULL,
            from_day bigint NOT NULL, until_day bigint, PRIMARY KEY (site_id, position));
        CREATE TABLE convention_terms (convention_id char(36) NOT NULL, version bigint NOT NULL,
            PRIMARY KEY (convention_id, version));
        INSERT INTO convention_terms VALUES ('{Convention}', 1);
        INSERT INTO site_labels SELECT lpad(i::text, 36, '0'), 1, 'labelled', 0, NULL FROM generate_series(0, 63) i;
        INSERT INTO order_steps SELECT lpad(o::text, 36, '0'), s
          FROM generate_series(0, {vouchers / SpentStore.VouchersPerOrder}) o, generate_series(1, 6) s;
        INSERT INTO booklet_entries SELECT b * 10, 1, 1, 0 FROM generate_series(0, {vouchers / 10}) b;
        ANALYZE;
        """);

    /// <summary>Each client walks its own way through the passes; no two meet.</summary>
    public static string Script(long vouchers) => string.Create(CultureInfo.InvariantCulture, $"""
        \set start :start + 1
        \set serial 1 + permute(:client_id + 64 * :start, {vouchers}, 7)
        \set site random(0, 63)
        {Redeem};
        """);

    private const string Convention = "00000000-0000-8000-8000-000000000005";

    private const string Redeem = """
        INSERT INTO voucher_entries (
               serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
               convention_id, terms_version, site_id, service, activity_kind, duration_minutes, first_visit,
               service_day, month, organisation_id, operation_id, line, body_hash, actor_id, recorded_ms, batch)
        SELECT :serial, v.part + 1, 1, 120, v.used + 120, COALESCE(r.credit_minutes, 120),
               (2 * COALESCE(r.face_cents, 1000) * (v.used + 120) + COALESCE(r.credit_minutes, 120))
                 / (2 * COALESCE(r.credit_minutes, 120)) - v.cents,
               0, 0, '00000000-0000-8000-8000-000000000005', 1, lpad(:site::text, 36, '0'),
               'Aide aux démarches administratives', 'individuel', 60, 'no', 20000, 202611,
               '00000000-0000-8000-8000-000000000001', o.id, 1, repeat('a', 64), '00000000-0000-8000-8000-000000000002',
               1795000000000, 1
          FROM (SELECT COALESCE(MAX(part), 0) AS part, COALESCE(SUM(minutes), 0) AS used,
                       COALESCE(SUM(value_cents), 0) AS cents,
                       COALESCE(SUM(CASE WHEN hold_until_ms > 1795000000000 THEN hold_minutes ELSE 0 END), 0) AS held,
                       COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS closed
                  FROM voucher_entries WHERE serial = :serial) v
         CROSS JOIN (SELECT (left(t.ms, 8) || '-' || right(t.ms, 4) || '-7' || right(gen_random_uuid()::text, 21))::char(36) AS id
                       FROM (SELECT lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') AS ms) t) o
         CROSS JOIN (SELECT COALESCE(MAX(x.valid_until_day), 30000) AS until_day
                       FROM order_extensions x WHERE x.order_id = lpad((:serial / 50000)::text, 36, '0')) j
          LEFT JOIN replacements r ON r.serial = :serial
         WHERE v.closed = 0
           AND NOT EXISTS (SELECT 1 FROM voucher_entries e WHERE e.organisation_id = '00000000-0000-8000-8000-000000000001'
                              AND e.operation_id = o.id AND e.line = 1)
           AND v.used + v.held + 120 <= COALESCE(r.credit_minutes, 120)
           AND 20000 <= j.until_day + 30
           AND EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = lpad((:serial / 50000)::text, 36, '0') AND s.slot = 6)
           AND NOT EXISTS (SELECT 1 FROM booklet_entries t WHERE t.booklet = :serial / 10 * 10 AND t.kind = 3)
           AND NOT EXISTS (SELECT 1 FROM replacements p WHERE p.replaced_serial = :serial)
           AND NOT EXISTS (SELECT 1 FROM blocks k WHERE k.order_serial = :serial / 50000 AND k.first_serial <= :serial
                              AND k.last_serial >= :serial
                              AND NOT EXISTS (SELECT 1 FROM block_lifts l WHERE l.block_id = k.id))
           AND EXISTS (SELECT 1 FROM site_labels a WHERE a.site_id = lpad(:site::text, 36, '0') AND a.status = 'labelled'
                          AND a.position = (SELECT MAX(m.position) FROM site_labels m
                                             WHERE m.site_id = lpad(:site::text, 36, '0') AND m.from_day <= 20000
                                               AND (m.until_day IS NULL OR m.until_day >= 20000)))
           AND NOT EXISTS (SELECT 1 FROM convention_terms t WHERE t.convention_id = '00000000-0000-8000-8000-000000000005'
                              AND t.version > 1)
        RETURNING part, used_after, value_cents
        """;
}

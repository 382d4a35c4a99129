using PassNumerique.Conventions;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// What the seals can't tell: whether the facts agree with each other, and the state rows with the facts.
/// Each check is one statement that must find nothing, so that beside a running service it sees one moment.
/// </summary>
internal static class VerifyCounts
{
    /// <summary>Stories of this many vouchers at a time: well under a second.</summary>
    private const long SerialsPerPage = 50_000;

    /// <summary>A rule: what its first exception is named by, what to say of it, how to find it.</summary>
    private sealed record Check(string Table, string Columns, string What, string Sql);

    /// <summary>The first row that breaks a rule; its key in the order of the columns.</summary>
    private sealed record Found
    {
        public string? Id { get; init; }

        public string? OtherId { get; init; }

        public long? Number { get; init; }

        public long? Part { get; init; }
    }

    /// <summary>Checks of a range of serials.</summary>
    private static readonly Check[] Stories =
    [
        new("voucher_entries", "serial, part", "l'écriture précédente de ce pass manque.", Sql.VoucherGap),
        new("voucher_entries", "serial, part",
            "le cumul des minutes n'est pas la somme des écritures.", Sql.RunningSum),
        new("voucher_entries", "serial, part",
            "crédit ou convention ne sont pas ceux de la commande de ce pass.", Sql.OtherOrder),
        new("voucher_entries", "serial",
            "la valeur utilisée n'est pas celle des minutes, ou dépasse la valeur faciale.", Sql.Value),
        new("voucher_entries", "serial, part",
            "l'annulation ne reprend pas exactement une utilisation.", Sql.Reversal),
        new("voucher_entries", "serial, part",
            "l'utilisation annulée n'est ni défaite ni dans un paiement.", Sql.ReversedAndDue),
        new("voucher_entries", "serial, part",
            "la fin de séance ne rend pas exactement une réservation, ou en prend plus.", Sql.HoldEnd),
        new("voucher_entries", "serial, part",
            "ce qui est utilisé et réservé dépasse le crédit.", Sql.HeldBeyondCredit),
        new("booklet_entries", "booklet, part", "l'écriture précédente de ce carnet manque.", Sql.BookletGap),
        new("booklet_entries", "booklet", "ce numéro n'est pas celui d'un carnet commandé.", Sql.NoBooklet),
        new("booklet_entries", "booklet, part", "ce carnet a quitté un point sans transfert, ou sans y être.", Sql.Departed),
        new("booklet_entries", "booklet, part",
            "l'arrivée n'est pas celle d'un départ, ou pas au point de son transfert.", Sql.Arrived),
        new("booklet_entries", "booklet, part", "ce carnet a été remis là où il n'était pas.", Sql.GivenElsewhere),
        new("booklet_entries", "booklet, part", "aucun carnet ne remplace celui-ci, ou rien ne dit qu'il l'est.",
            Sql.NotReplaced),
        new("replacements", "serial",
            "ce qui est remplacé n'est pas ce qui restait du pass quand il a été clos.", Sql.NotWhatWasLeft),
        new("redemption_outcomes", "serial, part",
            "l'utilisation défaite n'a pas d'annulation.", Sql.UndoneWithout),
        new("redemption_outcomes", "serial, part", "son paiement ne verse rien à son lieu.", Sql.Unpaid),
        new("offline_services", "serial, part", "le service hors ligne précédent de ce pass manque.", Sql.OfflineGap),
        new("offline_services", "serial, part",
            "la valeur n'est pas celle des minutes, ou la convention n'est pas celle de ce pass.", Sql.OfflineValue),
        new("offline_services", "serial, part",
            "la même opération est aussi une utilisation de ce pass.", Sql.OfflineAndRedeemed),
        new("offline_services", "serial, part",
            "ce service n'est ni garanti ni en litige, ou les deux à la fois.", Sql.Undecided),
        new("guarantees", "serial, part",
            "la garantie n'est pas celle de son service, ou personne ne l'a décidée.", Sql.OtherService),
        new("dispute_settlements", "serial, part", "la décision n'a pas de litige, ou rien n'est dû pour elle.",
            Sql.UnpaidSettlement),
        new("guarantee_outcomes", "serial, part",
            "rien n'est garanti, ou son paiement ne verse rien à son lieu.", Sql.UnpaidGuarantee),
    ];

    private static readonly Check[] Whole =
    [
        new("orders", "id", "ses numéros sont aussi ceux d'une autre commande.", Sql.Overlap),
        new("orders", "id", "ses lots ne couvrent pas exactement ses carnets.", Sql.LotTotals),
        new("lots", "order_id, position",
            "le lot ne commence pas où un autre finit, ou sa taille est fausse.", Sql.LotGap),
        new("dispatches", "order_id, point_id", "l'envoi n'est pas celui d'un lot de sa commande.", Sql.OtherLot),
        new("dispatch_receipts", "order_id, point_id", "la réception n'est pas celle de son envoi.",
            Sql.OtherDispatch),
        new("counters", "name",
            "le compteur des numéros est en retard sur les commandes.", Sql.SerialCounter),
        new("authority_sirets", "siret", "la ligne manque.", Sql.NoSiret),
        new("authority_sirets", "siret",
            "la collectivité n'est pas la première de ce SIRET.", Sql.OtherAuthority),
        new("convention_balances", "convention_id", "la ligne manque.", Sql.NoBalance),
        new("convention_balances", "convention_id",
            "le montant commandé n'est pas celui des commandes.", Sql.Ordered),
        new("convention_balances", "convention_id",
            "le montant reçu n'est pas celui des encaissements.", Sql.Received),
        new("convention_balances", "convention_id",
            "le montant dérogé n'est pas celui des dérogations.", Sql.Derogated),
        new("convention_balances", "convention_id",
            "le montant engagé n'est pas celui des activations et des garanties.", Sql.Committed),
        new("transfers", "id", "les carnets de ce transfert ne sont pas ceux qu'il annonce.", Sql.TransferTotals),
        new("transfer_receipts", "transfer_id", "les carnets reçus ne sont pas ceux des réceptions.", Sql.ReceiptTotals),
        new("transfer_cancellations", "transfer_id", "ce transfert annulé a gardé des carnets en route.", Sql.CancelledOnTheWay),
        new("inventories", "id", "l'écart n'est pas celui de ses carnets, ou personne ne l'a expliqué.", Sql.InventoryTotals),
        new("replacement_orders", "order_id", "les pass de ce carnet ne sont pas tous de remplacement.", Sql.ReplacementPapers),
        new("guarantees", "convention_id, device_id, month, ordinal",
            "la garantie précédente de cet appareil manque.", Sql.OrdinalGap),
        new("order_files", "fingerprint", "le nombre de lignes n'est pas celui des lots de sa commande.", Sql.FileLots),
        new("order_files", "fingerprint", "le même fichier a deux commandes qui valent.", Sql.FileTwice),
        new("code_releases", "order_id, position", "la sortie précédente de ce lot manque.", Sql.ReleaseGap),
        new("code_releases", "order_id, position", "ce lot est sorti encore sans autorisation.", Sql.ReleaseAlone),
        new("code_exports", "id", "le nombre de pass n'est pas celui de ses lots.", Sql.ExportLots),
        new("code_transfers", "export_id", "l'envoi précédent de cette sortie manque.", Sql.TransferGap),
        new("reprint_uses", "request_id",
            "l'autorisation est celle d'une autre commande, ou demandée après.", Sql.OtherUse),
    ];

    private static readonly Check[] Runs =
    [
        new("payouts", "run_id, site_id", "le versement n'est pas la somme de ses utilisations.", Sql.Payout),
        new("payment_runs", "id", "le total n'est pas la somme des versements.", Sql.RunTotal),
    ];

    public static async Task<IReadOnlyList<VerifyStore.Problem>> RunAsync(Database database)
    {
        var db = new Session(database, TimeProvider.System);
        var problems = new List<VerifyStore.Problem>();
        foreach (var check in Whole) await AddAsync(db, problems, check, new { Take = 1L });
        await AddBudgetsAsync(db, problems);
        await AddPersonsAsync(db, problems);
        foreach (var run in await db.ListAsync<string>(Sql.PaymentRuns, new { }))
            foreach (var check in Runs) await AddAsync(db, problems, check, new { RunId = run, Take = 1L });
        await AddStoriesAsync(db, problems);
        return problems;
    }

    private static async Task AddStoriesAsync(Session db, List<VerifyStore.Problem> problems)
    {
        var last = await db.FindAsync<long>(Sql.LastSerial, new { });
        var open = Stories.ToList();
        for (var after = long.MinValue; open.Count > 0; after = Next(after))
        {
            // The last page has no end: a serial that was never given out is looked at as well.
            var through = Next(after) >= last ? long.MaxValue : Next(after);
            var args = new { After = after, Through = through, Take = 1L };
            foreach (var check in open.ToList())
                if (await AddAsync(db, problems, check, args)) open.Remove(check);
            if (args.Through == long.MaxValue) return;
        }
    }

    private static long Next(long after) => Math.Max(after, 0) + SerialsPerPage;

    private static async Task<bool> AddAsync(
        Session db, List<VerifyStore.Problem> problems, Check check, object args)
    {
        if (await db.FindAsync<Found>(check.Sql, args) is not { } found) return false;
        var columns = check.Columns.Split(", ");
        object?[] key = [found.Id, found.OtherId, found.Number, found.Part];
        var names = columns.Zip(key.Where(v => v is not null), (column, value) => $"{column} {value}");
        problems.Add(new($"{check.Table} ({string.Join(", ", names)})", check.What));
        return true;
    }

    /// <summary>The budget is a member of the terms: a document, compared here.</summary>
    private static async Task AddBudgetsAsync(Session db, List<VerifyStore.Problem> problems)
    {
        await foreach (var row in db.StreamAsync<Budget>(Sql.Budgets, new { }))
        {
            if (Terms.Parse(row.Document).BudgetCents == row.BudgetCents) continue;
            problems.Add(new($"convention_balances (convention_id {row.ConventionId})",
                "le budget n'est pas celui des dernières conditions."));
            return;
        }
    }

    /// <summary>A counter is read after the numbers it gave: beside a service it may only be ahead.</summary>
    private static async Task AddPersonsAsync(Session db, List<VerifyStore.Problem> problems)
    {
        var persons = await db.ListAsync<Persons>(Sql.LastPersons, new { });
        foreach (var row in persons)
        {
            var next = await db.FindAsync<long?>(Sql.Counter, new { Counter = $"person:{row.ConventionId}" });
            if (next > row.LastNumber) continue;
            problems.Add(new($"counters (name person:{row.ConventionId})",
                "le compteur des personnes est en retard sur les remises."));
            return;
        }
    }

    private sealed record Budget(string ConventionId, long BudgetCents, string Document);

    private sealed record Persons(string ConventionId, long LastNumber);

    private static class Sql
    {
        public const string VoucherGap = """
            SELECT e.serial AS Number,
                   e.part AS Part
              FROM voucher_entries e
             WHERE e.serial > @After AND e.serial <= @Through AND e.part > 1
               AND NOT EXISTS (SELECT 1 FROM voucher_entries p
                                 WHERE p.serial = e.serial AND p.part = e.part - 1)
             ORDER BY e.serial, e.part
            {limit}
            """;

        public const string RunningSum = """
            SELECT w.serial AS Number,
                   w.part AS Part
              FROM (SELECT e.serial AS serial,
                           e.part AS part,
                           e.used_after AS used_after,
                           CAST(SUM(e.minutes) OVER (PARTITION BY e.serial ORDER BY e.part
                                                      ROWS UNBOUNDED PRECEDING) AS bigint) AS used
                      FROM voucher_entries e
                     WHERE e.serial > @After AND e.serial <= @Through) w
             WHERE w.used_after <> w.used
             ORDER BY w.serial, w.part
            {limit}
            """;

        public const string OtherOrder = """
            SELECT e.serial AS Number,
                   e.part AS Part
              FROM voucher_entries e
              LEFT JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                       WHERE x.first_serial <= e.serial)
              LEFT JOIN replacements r ON r.serial = e.serial
             WHERE e.serial > @After AND e.serial <= @Through
               AND (o.id IS NULL OR o.last_serial < e.serial OR o.convention_id <> e.convention_id
                    OR COALESCE(r.credit_minutes, o.credit_minutes) <> e.credit_minutes)
             ORDER BY e.serial, e.part
            {limit}
            """;

        public const string Value = """
            SELECT v.serial AS Number
              FROM (SELECT e.serial AS serial,
                           CAST(COALESCE(SUM(e.minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(e.value_cents), 0) AS bigint) AS cents,
                           CAST(COALESCE(SUM(CASE WHEN e.kind = 6 THEN 1 ELSE 0 END), 0)
                                AS bigint) AS reversals
                      FROM voucher_entries e
                     WHERE e.serial > @After AND e.serial <= @Through
                     GROUP BY e.serial) v
              JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                       WHERE x.first_serial <= v.serial)
              LEFT JOIN replacements r ON r.serial = v.serial
             WHERE v.cents > COALESCE(r.face_cents, o.face_cents)
                OR (v.reversals = 0
                    AND v.cents <> (2 * COALESCE(r.face_cents, o.face_cents) * v.used
                                     + COALESCE(r.credit_minutes, o.credit_minutes))
                                     / (2 * COALESCE(r.credit_minutes, o.credit_minutes)))
             ORDER BY v.serial
            {limit}
            """;

        public const string Reversal = """
            SELECT u.serial AS Number,
                   u.part AS Part
              FROM voucher_entries u
             WHERE u.serial > @After AND u.serial <= @Through AND u.kind = 6
               AND (NOT EXISTS (SELECT 1 FROM voucher_entries e
                                 WHERE e.serial = u.serial AND e.part = u.reversed_part AND e.part < u.part
                                   AND e.kind IN (1, 2) AND e.minutes = -u.minutes
                                   AND e.value_cents = -u.value_cents
                                   AND e.duration_minutes = -u.duration_minutes)
                    OR EXISTS (SELECT 1 FROM voucher_entries t
                                WHERE t.serial = u.serial AND t.reversed_part = u.reversed_part
                                  AND t.part < u.part))
             ORDER BY u.serial, u.part
            {limit}
            """;

        public const string ReversedAndDue = """
            SELECT u.serial AS Number,
                   u.reversed_part AS Part
              FROM voucher_entries u
             WHERE u.serial > @After AND u.serial <= @Through AND u.kind = 6
               AND NOT EXISTS (SELECT 1 FROM redemption_outcomes o
                                 WHERE o.serial = u.serial AND o.part = u.reversed_part)
             ORDER BY u.serial, u.part
            {limit}
            """;

        public const string HoldEnd = """
            SELECT u.serial AS Number,
                   u.part AS Part
              FROM voucher_entries u
             WHERE u.serial > @After AND u.serial <= @Through
               AND (u.kind = 2 OR (u.kind = 4 AND (u.reversed_part IS NOT NULL OR u.hold_minutes <> 0)))
               AND (NOT EXISTS (SELECT 1 FROM voucher_entries h
                                 WHERE h.serial = u.serial AND h.part = u.reversed_part AND h.part < u.part
                                   AND h.kind = 3 AND h.hold_minutes = -u.hold_minutes
                                   AND h.hold_until_ms = u.hold_until_ms AND h.site_id = u.site_id
                                   AND h.hold_minutes >= u.minutes)
                    OR EXISTS (SELECT 1 FROM voucher_entries t
                                WHERE t.serial = u.serial AND t.reversed_part = u.reversed_part
                                  AND t.part < u.part))
             ORDER BY u.serial, u.part
            {limit}
            """;

        public const string HeldBeyondCredit = """
            SELECT e.serial AS Number,
                   e.part AS Part
              FROM voucher_entries f
              JOIN voucher_entries e ON e.serial = f.serial AND e.part >= f.part
             WHERE f.serial > @After AND f.serial <= @Through AND f.kind = 3 AND e.kind IN (1, 2, 3)
               AND e.used_after + (SELECT CAST(COALESCE(SUM(h.hold_minutes), 0) AS bigint)
                                     FROM voucher_entries h
                                    WHERE h.serial = e.serial AND h.part <= e.part
                                      AND h.hold_until_ms > e.recorded_ms) > e.credit_minutes
             ORDER BY e.serial, e.part
            {limit}
            """;

        public const string BookletGap = """
            SELECT b.booklet AS Number,
                   b.part AS Part
              FROM booklet_entries b
             WHERE b.booklet > @After AND b.booklet <= @Through AND b.part > 1
               AND NOT EXISTS (SELECT 1 FROM booklet_entries p
                                 WHERE p.booklet = b.booklet AND p.part = b.part - 1)
             ORDER BY b.booklet, b.part
            {limit}
            """;

        public const string NoBooklet = """
            SELECT b.booklet AS Number
              FROM booklet_entries b
              LEFT JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                       WHERE x.first_serial <= b.booklet)
             WHERE b.booklet > @After AND b.booklet <= @Through AND b.part = 1
               AND (o.id IS NULL OR o.last_serial < b.booklet
                    OR (b.booklet - o.first_serial) / o.vouchers_per_booklet * o.vouchers_per_booklet
                       <> b.booklet - o.first_serial)
             ORDER BY b.booklet
            {limit}
            """;

        /// <summary>A booklet leaves the point where it is, with the transfer of that very part.</summary>
        public const string Departed = """
            SELECT b.booklet AS Number,
                   b.part AS Part
              FROM booklet_entries b
              LEFT JOIN transfer_booklets l ON l.booklet = b.booklet AND l.sent_part = b.part
              LEFT JOIN transfers t ON t.id = l.transfer_id
              LEFT JOIN booklet_entries m
                ON m.booklet = b.booklet
               AND m.part = (SELECT MAX(x.part) FROM booklet_entries x
                              WHERE x.booklet = b.booklet AND x.part < b.part AND x.kind IN (5, 6, 7))
              LEFT JOIN lots o
                ON o.first_serial = (SELECT MAX(y.first_serial) FROM lots y WHERE y.first_serial <= b.booklet)
             WHERE b.booklet > @After AND b.booklet <= @Through AND b.kind = 5
               AND (t.id IS NULL OR t.from_point_id <> b.point_id OR m.kind = 5
                    OR COALESCE(m.point_id, o.point_id) <> b.point_id)
             ORDER BY b.booklet, b.part
            {limit}
            """;

        public const string Arrived = """
            SELECT b.booklet AS Number,
                   b.part AS Part
              FROM booklet_entries b
              LEFT JOIN transfer_booklets l ON l.booklet = b.booklet AND l.sent_part = b.part - 1
              LEFT JOIN transfers t ON t.id = l.transfer_id
             WHERE b.booklet > @After AND b.booklet <= @Through
               AND ((b.kind IN (6, 7)
                     AND (t.id IS NULL OR (b.kind = 6 AND t.to_point_id <> b.point_id)
                          OR (b.kind = 7 AND t.from_point_id <> b.point_id)))
                    OR (b.kind NOT IN (6, 7) AND t.id IS NOT NULL))
             ORDER BY b.booklet, b.part
            {limit}
            """;

        public const string GivenElsewhere = """
            SELECT b.booklet AS Number,
                   b.part AS Part
              FROM booklet_entries b
              JOIN booklet_entries m
                ON m.booklet = b.booklet
               AND m.part = (SELECT MAX(x.part) FROM booklet_entries x
                              WHERE x.booklet = b.booklet AND x.part < b.part AND x.kind IN (5, 6, 7))
             WHERE b.booklet > @After AND b.booklet <= @Through AND b.kind = 1 AND m.point_id <> b.point_id
             ORDER BY b.booklet, b.part
            {limit}
            """;

        /// <summary>Both ways: a replaced booklet has a new one, and a new one replaces a booklet that says so.</summary>
        public const string NotReplaced = """
            SELECT b.booklet AS Number,
                   b.part AS Part
              FROM booklet_entries b
             WHERE b.booklet > @After AND b.booklet <= @Through
               AND ((b.kind = 8
                     AND NOT EXISTS (SELECT 1 FROM replacement_orders r WHERE r.replaced_booklet = b.booklet))
                    OR (b.part = 1
                        AND EXISTS (SELECT 1 FROM replacement_orders q WHERE q.replaced_booklet = b.booklet)
                        AND NOT EXISTS (SELECT 1 FROM booklet_entries e WHERE e.booklet = b.booklet AND e.kind = 8)))
             ORDER BY b.booklet, b.part
            {limit}
            """;

        public const string NotWhatWasLeft = """
            SELECT r.serial AS Number
              FROM replacements r
              LEFT JOIN voucher_entries c ON c.serial = r.replaced_serial AND c.kind = 5
              LEFT JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x WHERE x.first_serial <= r.replaced_serial)
              LEFT JOIN replacements p ON p.serial = r.replaced_serial
             WHERE r.serial > @After AND r.serial <= @Through
               AND (c.serial IS NULL OR o.id IS NULL OR c.closed_minutes <> r.credit_minutes
                    OR COALESCE(p.face_cents, o.face_cents)
                       - (SELECT CAST(COALESCE(SUM(v.value_cents), 0) AS bigint) FROM voucher_entries v
                           WHERE v.serial = r.replaced_serial AND v.part < c.part) <> r.face_cents)
             ORDER BY r.serial
            {limit}
            """;

        public const string TransferTotals = """
            SELECT t.id AS Id
              FROM transfers t
             WHERE t.booklet_count <> (SELECT CAST(COUNT(*) AS bigint) FROM transfer_booklets b WHERE b.transfer_id = t.id)
             ORDER BY t.id
            {limit}
            """;

        public const string ReceiptTotals = """
            SELECT t.id AS Id
              FROM transfers t
             WHERE (SELECT CAST(COALESCE(SUM(r.received_count), 0) AS bigint) FROM transfer_receipts r
                     WHERE r.transfer_id = t.id)
                   <> (SELECT CAST(COUNT(*) AS bigint)
                         FROM transfer_booklets b
                         JOIN booklet_entries e ON e.booklet = b.booklet AND e.part = b.sent_part + 1 AND e.kind = 6
                        WHERE b.transfer_id = t.id)
             ORDER BY t.id
            {limit}
            """;

        public const string CancelledOnTheWay = """
            SELECT c.transfer_id AS Id
              FROM transfer_cancellations c
             WHERE EXISTS (SELECT 1
                             FROM transfer_booklets b
                             LEFT JOIN booklet_entries e ON e.booklet = b.booklet AND e.part = b.sent_part + 1
                            WHERE b.transfer_id = c.transfer_id AND (e.booklet IS NULL OR e.kind <> 7))
             ORDER BY c.transfer_id
            {limit}
            """;

        public const string InventoryTotals = """
            SELECT i.id AS Id
              FROM inventories i
             WHERE (i.by_number = 1
                    AND i.counted_booklets - i.expected_booklets
                        <> (SELECT CAST(COALESCE(SUM(CASE d.difference WHEN 'surplus' THEN 1 ELSE -1 END), 0) AS bigint)
                              FROM inventory_differences d
                             WHERE d.inventory_id = i.id))
                OR (i.explanation IS NULL AND EXISTS (SELECT 1 FROM inventory_differences e WHERE e.inventory_id = i.id))
             ORDER BY i.id
            {limit}
            """;

        public const string ReplacementPapers = """
            SELECT r.order_id AS Id
              FROM replacement_orders r
              JOIN orders o ON o.id = r.order_id
             WHERE o.voucher_count <> (SELECT CAST(COUNT(*) AS bigint) FROM replacements p
                                        WHERE p.serial BETWEEN o.first_serial AND o.last_serial)
             ORDER BY r.order_id
            {limit}
            """;

        public const string UndoneWithout = """
            SELECT o.serial AS Number,
                   o.part AS Part
              FROM redemption_outcomes o
             WHERE o.serial > @After AND o.serial <= @Through AND o.outcome = 'undone'
               AND NOT EXISTS (SELECT 1 FROM voucher_entries u
                                 WHERE u.serial = o.serial AND u.reversed_part = o.part)
             ORDER BY o.serial, o.part
            {limit}
            """;

        public const string OfflineGap = """
            SELECT s.serial AS Number,
                   s.part AS Part
              FROM offline_services s
             WHERE s.serial > @After AND s.serial <= @Through AND s.part > 1
               AND NOT EXISTS (SELECT 1 FROM offline_services p
                                WHERE p.serial = s.serial AND p.part = s.part - 1)
             ORDER BY s.serial, s.part
            {limit}
            """;

        public const string OfflineValue = """
            SELECT s.serial AS Number,
                   s.part AS Part
              FROM offline_services s
              LEFT JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                       WHERE x.first_serial <= s.serial)
              LEFT JOIN replacements r ON r.serial = s.serial
             WHERE s.serial > @After AND s.serial <= @Through
               AND (o.id IS NULL OR o.last_serial < s.serial OR o.convention_id <> s.convention_id
                    OR s.value_cents <> (2 * COALESCE(r.face_cents, o.face_cents) * s.minutes
                                          + COALESCE(r.credit_minutes, o.credit_minutes))
                                          / (2 * COALESCE(r.credit_minutes, o.credit_minutes)))
             ORDER BY s.serial, s.part
            {limit}
            """;

        public const string OfflineAndRedeemed = """
            SELECT s.serial AS Number,
                   s.part AS Part
              FROM offline_services s
             WHERE s.serial > @After AND s.serial <= @Through
               AND EXISTS (SELECT 1 FROM voucher_entries e
                            WHERE e.organisation_id = s.organisation_id AND e.operation_id = s.operation_id
                              AND e.line = s.line)
             ORDER BY s.serial, s.part
            {limit}
            """;

        public const string Undecided = """
            SELECT s.serial AS Number,
                   s.part AS Part
              FROM offline_services s
              LEFT JOIN guarantees g ON g.serial = s.serial AND g.part = s.part AND g.ground = 'limit'
              LEFT JOIN disputes d ON d.serial = s.serial AND d.part = s.part
             WHERE s.serial > @After AND s.serial <= @Through
               AND ((g.serial IS NULL AND d.serial IS NULL) OR (g.serial IS NOT NULL AND d.serial IS NOT NULL))
             ORDER BY s.serial, s.part
            {limit}
            """;

        public const string OtherService = """
            SELECT g.serial AS Number,
                   g.part AS Part
              FROM guarantees g
              LEFT JOIN offline_services s ON s.serial = g.serial AND s.part = g.part
             WHERE g.serial > @After AND g.serial <= @Through
               AND (s.serial IS NULL OR s.convention_id <> g.convention_id OR s.terms_version <> g.terms_version
                    OR s.site_id <> g.site_id OR s.device_id <> g.device_id OR s.value_cents <> g.value_cents
                    OR (g.ground = 'settlement'
                        AND NOT EXISTS (SELECT 1 FROM dispute_settlements t
                                         WHERE t.serial = g.serial AND t.part = g.part AND t.decision = 'paid')))
             ORDER BY g.serial, g.part
            {limit}
            """;

        public const string UnpaidSettlement = """
            SELECT t.serial AS Number,
                   t.part AS Part
              FROM dispute_settlements t
             WHERE t.serial > @After AND t.serial <= @Through
               AND (NOT EXISTS (SELECT 1 FROM disputes d WHERE d.serial = t.serial AND d.part = t.part)
                    OR (t.decision = 'paid'
                        AND NOT EXISTS (SELECT 1 FROM guarantees g
                                         WHERE g.serial = t.serial AND g.part = t.part AND g.ground = 'settlement')))
             ORDER BY t.serial, t.part
            {limit}
            """;

        public const string UnpaidGuarantee = """
            SELECT o.serial AS Number,
                   o.part AS Part
              FROM guarantee_outcomes o
              LEFT JOIN guarantees g ON g.serial = o.serial AND g.part = o.part
             WHERE o.serial > @After AND o.serial <= @Through
               AND (g.serial IS NULL
                    OR (o.run_id IS NOT NULL
                        AND NOT EXISTS (SELECT 1 FROM payouts p
                                         WHERE p.run_id = o.run_id AND p.site_id = g.site_id)))
             ORDER BY o.serial, o.part
            {limit}
            """;

        public const string OrdinalGap = """
            SELECT g.convention_id AS Id,
                   g.device_id AS OtherId,
                   g.month AS Number,
                   g.ordinal AS Part
              FROM guarantees g
             WHERE g.ordinal > 1
               AND NOT EXISTS (SELECT 1 FROM guarantees p
                                WHERE p.convention_id = g.convention_id AND p.device_id = g.device_id
                                  AND p.month = g.month AND p.ground = g.ground AND p.ordinal = g.ordinal - 1)
             ORDER BY g.convention_id, g.device_id, g.month, g.ordinal
            {limit}
            """;

        public const string FileLots = """
            SELECT f.fingerprint AS Id
              FROM order_files f
             WHERE f.line_count <> (SELECT CAST(COUNT(*) AS bigint) FROM lots l WHERE l.order_id = f.order_id)
             ORDER BY f.fingerprint
            {limit}
            """;

        public const string FileTwice = """
            SELECT f.fingerprint AS Id
              FROM order_files f
              JOIN order_files g ON g.fingerprint = f.fingerprint AND g.turn > f.turn
             WHERE NOT EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = f.order_id AND s.step = 'cancelled')
             ORDER BY f.fingerprint
            {limit}
            """;

        public const string ReleaseGap = """
            SELECT r.order_id AS Id,
                   r.position AS Number
              FROM code_releases r
             WHERE r.turn > 1
               AND NOT EXISTS (SELECT 1 FROM code_releases p
                                WHERE p.order_id = r.order_id AND p.position = r.position AND p.turn = r.turn - 1)
             ORDER BY r.order_id, r.position
            {limit}
            """;

        public const string ReleaseAlone = """
            SELECT r.order_id AS Id,
                   r.position AS Number
              FROM code_releases r
             WHERE r.turn > 1
               AND NOT EXISTS (SELECT 1 FROM reprint_uses u WHERE u.export_id = r.export_id)
             ORDER BY r.order_id, r.position
            {limit}
            """;

        /// <summary>An export from before lots were noted has none.</summary>
        public const string ExportLots = """
            SELECT e.id AS Id
              FROM code_exports e
             WHERE EXISTS (SELECT 1 FROM code_releases n WHERE n.export_id = e.id)
               AND e.voucher_count <> (SELECT CAST(COALESCE(SUM(l.last_serial - l.first_serial + 1), 0) AS bigint)
                                         FROM code_releases r
                                         JOIN lots l ON l.order_id = r.order_id AND l.position = r.position
                                        WHERE r.export_id = e.id AND l.order_id = e.order_id)
             ORDER BY e.id
            {limit}
            """;

        public const string TransferGap = """
            SELECT t.export_id AS Id
              FROM code_transfers t
             WHERE t.part > 1
               AND NOT EXISTS (SELECT 1 FROM code_transfers p
                                WHERE p.export_id = t.export_id AND p.part = t.part - 1)
             ORDER BY t.export_id
            {limit}
            """;

        public const string OtherUse = """
            SELECT u.request_id AS Id
              FROM reprint_uses u
              LEFT JOIN reprint_requests q ON q.id = u.request_id
              LEFT JOIN reprints p ON p.request_id = u.request_id
              LEFT JOIN code_exports e ON e.id = u.export_id
             WHERE q.id IS NULL OR p.request_id IS NULL OR e.id IS NULL OR e.order_id <> q.order_id
                OR e.recorded_ms < p.recorded_ms
             ORDER BY u.request_id
            {limit}
            """;

        public const string Overlap = """
            SELECT o.id AS Id
              FROM orders o
             WHERE EXISTS (SELECT 1 FROM orders p
                            WHERE p.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                                     WHERE x.first_serial < o.first_serial)
                              AND p.last_serial >= o.first_serial)
             ORDER BY o.id
            {limit}
            """;

        public const string LotTotals = """
            SELECT o.id AS Id
              FROM orders o
             WHERE o.booklet_count <> (SELECT CAST(COALESCE(SUM(l.booklet_count), 0) AS bigint)
                                         FROM lots l WHERE l.order_id = o.id)
                OR NOT EXISTS (SELECT 1 FROM lots f
                                WHERE f.order_id = o.id AND f.first_serial = o.first_serial)
                OR NOT EXISTS (SELECT 1 FROM lots e WHERE e.order_id = o.id AND e.last_serial = o.last_serial)
             ORDER BY o.id
            {limit}
            """;

        public const string LotGap = """
            SELECT l.order_id AS Id,
                   l.position AS Number
              FROM lots l
              JOIN orders o ON o.id = l.order_id
             WHERE l.last_serial <> l.first_serial + l.booklet_count * o.vouchers_per_booklet - 1
                OR (l.first_serial <> o.first_serial
                    AND NOT EXISTS (SELECT 1 FROM lots p
                                     WHERE p.order_id = l.order_id AND p.last_serial = l.first_serial - 1))
             ORDER BY l.order_id, l.position
            {limit}
            """;

        public const string OtherLot = """
            SELECT d.order_id AS Id,
                   d.point_id AS OtherId
              FROM dispatches d
             WHERE NOT EXISTS (SELECT 1 FROM lots l
                                WHERE l.order_id = d.order_id AND l.point_id = d.point_id
                                  AND l.booklet_count = d.booklets)
             ORDER BY d.order_id, d.point_id
            {limit}
            """;

        public const string OtherDispatch = """
            SELECT r.order_id AS Id,
                   r.point_id AS OtherId
              FROM dispatch_receipts r
             WHERE NOT EXISTS (SELECT 1 FROM dispatches d
                                WHERE d.order_id = r.order_id AND d.point_id = r.point_id
                                  AND d.booklets = r.expected AND d.on_day <= r.on_day)
             ORDER BY r.order_id, r.point_id
            {limit}
            """;

        public const string SerialCounter = """
            SELECT c.name AS Id
              FROM counters c
             WHERE c.name = 'serial'
               AND c.next_value <= (SELECT COALESCE(MAX(o.last_serial), 0) FROM orders o)
             ORDER BY c.name
            {limit}
            """;

        public const string NoSiret = """
            SELECT o.siret AS Id
              FROM organisations o
             WHERE o.kind = 'authority' AND o.siret IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM authority_sirets a WHERE a.siret = o.siret)
             ORDER BY o.siret
            {limit}
            """;

        public const string OtherAuthority = """
            SELECT a.siret AS Id
              FROM authority_sirets a
              LEFT JOIN (SELECT o.siret AS siret,
                                MIN(o.id) AS id
                           FROM organisations o
                          WHERE o.kind = 'authority' AND o.siret IS NOT NULL
                          GROUP BY o.siret) f
                ON f.siret = a.siret
             WHERE f.id IS NULL OR f.id <> a.organisation_id
             ORDER BY a.siret
            {limit}
            """;

        public const string NoBalance = """
            SELECT c.id AS Id
              FROM conventions c
             WHERE NOT EXISTS (SELECT 1 FROM convention_balances b WHERE b.convention_id = c.id)
             ORDER BY c.id
            {limit}
            """;

        public const string Ordered = """
            SELECT b.convention_id AS Id
              FROM convention_balances b
             WHERE b.ordered_cents <> (SELECT CAST(COALESCE(SUM(o.total_cents), 0) AS bigint)
                                         FROM orders o
                                        WHERE o.convention_id = b.convention_id
                                          AND NOT EXISTS (SELECT 1 FROM replacement_orders r WHERE r.order_id = o.id)
                                          AND NOT EXISTS (SELECT 1 FROM order_steps s
                                                           WHERE s.order_id = o.id AND s.step = 'cancelled'))
             ORDER BY b.convention_id
            {limit}
            """;

        public const string Received = """
            SELECT b.convention_id AS Id
              FROM convention_balances b
             WHERE b.received_cents <> (SELECT CAST(COALESCE(SUM(f.face_value_cents), 0) AS bigint)
                                          FROM funds_receipts f
                                         WHERE f.convention_id = b.convention_id AND f.prefunding = 1)
             ORDER BY b.convention_id
            {limit}
            """;

        public const string Derogated = """
            SELECT b.convention_id AS Id
              FROM convention_balances b
             WHERE b.derogated_cents <> (SELECT CAST(COALESCE(SUM(d.exposure_cents), 0) AS bigint)
                                           FROM derogations d
                                           JOIN orders o ON o.id = d.order_id
                                          WHERE o.convention_id = b.convention_id)
             ORDER BY b.convention_id
            {limit}
            """;

        public const string Committed = """
            SELECT b.convention_id AS Id
              FROM convention_balances b
             WHERE b.committed_cents <> (SELECT CAST(COALESCE(SUM(o.total_cents), 0) AS bigint)
                                           FROM orders o
                                          WHERE o.convention_id = b.convention_id
                                            AND NOT EXISTS (SELECT 1 FROM replacement_orders r WHERE r.order_id = o.id)
                                            AND EXISTS (SELECT 1 FROM order_steps s
                                                         WHERE s.order_id = o.id AND s.step = 'activated'))
                                        + (SELECT CAST(COALESCE(SUM(g.value_cents), 0) AS bigint)
                                             FROM guarantees g
                                            WHERE g.convention_id = b.convention_id
                                              AND NOT EXISTS (SELECT 1 FROM guarantee_outcomes u
                                                               WHERE u.serial = g.serial AND u.part = g.part
                                                                 AND u.outcome = 'undone'))
             ORDER BY b.convention_id
            {limit}
            """;

        public const string Budgets = """
            SELECT b.convention_id AS ConventionId,
                   b.budget_cents AS BudgetCents,
                   t.terms AS Document
              FROM convention_balances b
              JOIN convention_terms t
                ON t.convention_id = b.convention_id
               AND t.version = (SELECT MAX(v.version) FROM convention_terms v
                                 WHERE v.convention_id = b.convention_id)
             ORDER BY b.convention_id
            """;

        public const string LastPersons = """
            SELECT o.convention_id AS ConventionId,
                   MAX(b.person_number) AS LastNumber
              FROM booklet_entries b
              JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x
                                       WHERE x.first_serial <= b.booklet)
             WHERE b.person_number IS NOT NULL
             GROUP BY o.convention_id
             ORDER BY o.convention_id
            """;

        public const string Counter = """
            SELECT next_value AS NextValue
              FROM counters
             WHERE name = @Counter
            """;

        public const string LastSerial = """
            SELECT CAST(COALESCE(MAX(last_serial), 0) AS bigint) AS LastSerial
              FROM orders
            """;

        public const string PaymentRuns = """
            SELECT id AS Id
              FROM payment_runs
             ORDER BY id
            """;

        public const string Payout = """
            SELECT p.run_id AS Id,
                   p.site_id AS OtherId
              FROM payouts p
              LEFT JOIN (SELECT e.site_id AS site_id,
                                CAST(COUNT(*) AS bigint) AS line_count,
                                CAST(COALESCE(SUM(e.value_cents), 0) AS bigint) AS gross_cents
                           FROM redemption_outcomes o
                           JOIN voucher_entries e ON e.serial = o.serial AND e.part = o.part
                          WHERE o.run_id = @RunId
                          GROUP BY e.site_id) s
                ON s.site_id = p.site_id
              LEFT JOIN (SELECT g.site_id AS site_id,
                                CAST(COUNT(*) AS bigint) AS line_count,
                                CAST(COALESCE(SUM(g.value_cents), 0) AS bigint) AS gross_cents
                           FROM guarantee_outcomes o
                           JOIN guarantees g ON g.serial = o.serial AND g.part = o.part
                          WHERE o.run_id = @RunId
                          GROUP BY g.site_id) q
                ON q.site_id = p.site_id
             WHERE p.run_id = @RunId
               AND (p.gross_cents <> COALESCE(s.gross_cents, 0) + COALESCE(q.gross_cents, 0)
                    OR p.line_count <> COALESCE(s.line_count, 0) + COALESCE(q.line_count, 0))
             ORDER BY p.site_id
            {limit}
            """;

        public const string RunTotal = """
            SELECT r.id AS Id
              FROM payment_runs r
             WHERE r.id = @RunId
               AND (r.total_cents <> (SELECT CAST(COALESCE(SUM(p.gross_cents), 0) AS bigint)
                                        FROM payouts p WHERE p.run_id = r.id)
                    OR r.line_count <> (SELECT CAST(COALESCE(SUM(q.line_count), 0) AS bigint)
                                          FROM payouts q WHERE q.run_id = r.id))
             ORDER BY r.id
            {limit}
            """;

        public const string Unpaid = """
            SELECT o.serial AS Number,
                   o.part AS Part
              FROM redemption_outcomes o
              LEFT JOIN voucher_entries e ON e.serial = o.serial AND e.part = o.part
             WHERE o.serial > @After AND o.serial <= @Through AND o.run_id IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.run_id = o.run_id AND p.site_id = e.site_id)
             ORDER BY o.serial, o.part
            {limit}
            """;
    }
}

using System.Runtime.CompilerServices;
using PassNumerique.Conventions;
using PassNumerique.Platform.Data;

namespace PassNumerique.Reports;

/// <summary>An order that counts as issued at the cut-off, with the days of its steps.</summary>
internal sealed record OrderRow(
    string Id, long FirstSerial, long LastSerial, long VouchersPerBooklet, long VoucherCount, long FaceCents,
    long CreditMinutes, long TotalCents, long ValidUntilDay, long OrderedDay, long? DeliveredDay, long? ActivatedDay,
    long Replacements)
{
    /// <summary>One booklet of 0 euro that stands for a lost one: its papers are chained to it, and nothing else counts.</summary>
    public bool IsReplacement => Replacements > 0;

    public long BookletOf(long serial) => serial - ((serial - FirstSerial) % VouchersPerBooklet);
}

internal sealed record LotRow(long FirstSerial, long LastSerial, long BookletCount, long? PicBooklets, string PointId);

internal sealed record BlockRow(long FirstSerial, long LastSerial);

internal sealed record ReplacementRow(long Serial, long ReplacedSerial, long CreditMinutes);

internal sealed record BookletRow(
    long Booklet, long Part, long Kind, string PointId, long Day, long? PersonNumber, long? Anonymous, string? AgeBand,
    string? Gender, string? Commune, string? Publics, string? Channel, string? PicGround);

/// <summary>Outcome: 0 not in a payment run, 1 in one, 2 in one that was paid.</summary>
internal sealed record EntryRow(
    long Serial, long Part, long Kind, long Minutes, long ValueCents, long? ReversedPart, long TermsVersion,
    string? SiteId, string? Service, string? ActivityKind, long DurationMinutes, string? WorkshopId,
    string? FirstVisit, long ServiceDay, long Month, long Outcome);

/// <summary>A service rendered offline that is owed though it came second. Outcome: as for an entry.</summary>
internal sealed record GuaranteeRow(
    long Serial, long Part, string SiteId, string Service, string ActivityKind, string? WorkshopId, long ServiceDay,
    long Minutes, long DurationMinutes, long ValueCents, long Outcome);

internal sealed record ReceiptRow(string Funder, long AmountCents, long FaceValueCents);

internal sealed record CostRow(string Kind, long Cents);

internal sealed record AssessmentRow(
    long PersonNumber, string Instrument, string InstrumentVersion, string Phase, long Score, long MaxScore,
    long TakenDay, string Id);

internal sealed record PointRow(string Id, string Name, string Channel, string Commune);

internal sealed record SiteRow(string Id, string Name, string Commune);

/// <summary>
/// The facts a report reads, all of them sealed in the batch of the cut-off or before. What can be long is
/// read by key in bounded pages, so that no read stays open.
/// </summary>
internal sealed class ReportReads(Session db, string conventionId, long batch, long day)
{
    private const long PageRows = 4_000;

    private object Cut => new { Id = conventionId, Batch = batch, Day = day };

    /// <summary>The convention with the versions of its terms known at the cut-off; null outside the scope.</summary>
    public async Task<(ConventionCard Card, string AuthorityName)?> ConventionAsync(string? scope, CancellationToken ct)
    {
        var head = await db.FindAsync<HeadRow>(
            Sql.Convention, new { Id = conventionId, Batch = batch, Scope = scope }, ct);
        if (head is null) return null;
        var versions = await db.ListAsync<VersionRow>(Sql.Versions, new { Id = conventionId, Batch = batch }, ct);
        var card = new ConventionCard(head.Id, head.Reference, head.AuthorityId, head.HubId,
            [.. versions.Select(v => new TermsVersion(
                v.Version, v.Reference, v.SignedDay, v.EffectiveDay, Terms.Parse(v.Document)))]);
        return (card, head.AuthorityName);
    }

    public Task<IReadOnlyList<OrderRow>> OrdersAsync(CancellationToken ct) => db.ListAsync<OrderRow>(Sql.Orders, Cut, ct);

    public Task<IReadOnlyList<LotRow>> LotsAsync(OrderRow order, CancellationToken ct) =>
        db.ListAsync<LotRow>(Sql.Lots, new { order.Id, Batch = batch }, ct);

    public Task<IReadOnlyList<BlockRow>> BlocksAsync(OrderRow order, CancellationToken ct) =>
        db.ListAsync<BlockRow>(Sql.Blocks, new { order.FirstSerial, Batch = batch }, ct);

    public Task<IReadOnlyList<ReplacementRow>> ReplacementsAsync(CancellationToken ct) =>
        db.ListAsync<ReplacementRow>(Sql.Replacements, new { Id = conventionId, Batch = batch }, ct);

    public Task<IReadOnlyList<ReceiptRow>> ReceiptsAsync(CancellationToken ct) =>
        db.ListAsync<ReceiptRow>(Sql.Receipts, Cut, ct);

    public Task<IReadOnlyList<CostRow>> CostsAsync(CancellationToken ct) => db.ListAsync<CostRow>(Sql.Costs, Cut, ct);

    public Task<IReadOnlyList<AssessmentRow>> AssessmentsAsync(CancellationToken ct) =>
        db.ListAsync<AssessmentRow>(Sql.Assessments, Cut, ct);

    public Task<long> ExposureAsync(CancellationToken ct) =>
        db.FindAsync<long>(Sql.Exposure, new { Id = conventionId, Batch = batch }, ct);

    public async Task<PointRow> PointAsync(string id, CancellationToken ct) =>
        await db.FindAsync<PointRow>(Sql.Point, new { Id = id }, ct) ?? new(id, id, "autre", "");

    public async Task<SiteRow> SiteAsync(string id, CancellationToken ct) =>
        await db.FindAsync<SiteRow>(Sql.Site, new { Id = id }, ct) ?? new(id, id, "");

    /// <summary>The status of a site on the last day served; <c>none</c> where no label ever covered it.</summary>
    public async Task<string> LabelAsync(string siteId, CancellationToken ct) =>
        await db.FindAsync<string>(Sql.Label, new { Id = siteId, Batch = batch, Day = day, Take = 1L }, ct) ?? "none";

    public async Task<long?> WorkshopMinutesAsync(string id, CancellationToken ct) =>
        await db.FindAsync<long?>(Sql.Workshop, new { Id = id, Batch = batch }, ct);

    public async IAsyncEnumerable<BookletRow> BookletEntriesAsync(
        OrderRow order, [EnumeratorCancellation] CancellationToken ct)
    {
        var (from, part) = (order.FirstSerial, 0L);
        while (true)
        {
            var rows = await db.ListAsync<BookletRow>(Sql.BookletEntries,
                new { From = from, Part = part, order.LastSerial, Batch = batch, Day = day, Take = PageRows }, ct);
            foreach (var row in rows) yield return row;
            if (rows.Count < PageRows) yield break;
            (from, part) = (rows[^1].Booklet, rows[^1].Part);
        }
    }

    /// <summary>Every entry known at the cut-off, of whatever day: a reversal follows what it reverses.</summary>
    public async IAsyncEnumerable<EntryRow> EntriesAsync(OrderRow order, [EnumeratorCancellation] CancellationToken ct)
    {
        var (from, part) = (order.FirstSerial, 0L);
        while (true)
        {
            var rows = await db.ListAsync<EntryRow>(Sql.Entries,
                new { From = from, Part = part, order.LastSerial, Batch = batch, Take = PageRows }, ct);
            foreach (var row in rows) yield return row;
            if (rows.Count < PageRows) yield break;
            (from, part) = (rows[^1].Serial, rows[^1].Part);
        }
    }

    /// <summary>What is guaranteed of a convention, in the order of serials.</summary>
    public async Task<IReadOnlyList<GuaranteeRow>> GuaranteesAsync(CancellationToken ct)
    {
        var all = new List<GuaranteeRow>();
        var (from, part) = (0L, 0L);
        while (true)
        {
            var rows = await db.ListAsync<GuaranteeRow>(Sql.Guarantees,
                new { Id = conventionId, From = from, Part = part, Batch = batch, Day = day, Take = PageRows }, ct);
            all.AddRange(rows);
            if (rows.Count < PageRows) return all;
            (from, part) = (rows[^1].Serial, rows[^1].Part);
        }
    }

    private sealed record HeadRow(string Id, string Reference, string AuthorityId, string? HubId, string AuthorityName);

    private sealed record VersionRow(long Version, string Reference, long SignedDay, long EffectiveDay, string Document);

    private static class Sql
    {
        public const string Convention = """
            SELECT c.id AS Id,
                   c.reference AS Reference,
                   c.authority_id AS AuthorityId,
                   c.hub_id AS HubId,
                   a.name AS AuthorityName
              FROM conventions c
              JOIN organisations a ON a.id = c.authority_id
             WHERE c.id = @Id AND c.batch <= @Batch
               AND (@Scope IS NULL OR c.authority_id = @Scope OR c.hub_id = @Scope)
            """;

        public const string Versions = """
            SELECT version AS Version,
                   reference AS Reference,
                   signed_day AS SignedDay,
                   effective_day AS EffectiveDay,
                   terms AS Document
              FROM convention_terms
             WHERE convention_id = @Id AND batch <= @Batch
             ORDER BY version
            """;

        public const string Orders = """
            SELECT o.id AS Id,
                   o.first_serial AS FirstSerial,
                   o.last_serial AS LastSerial,
                   o.vouchers_per_booklet AS VouchersPerBooklet,
                   o.voucher_count AS VoucherCount,
                   o.face_cents AS FaceCents,
                   o.credit_minutes AS CreditMinutes,
                   o.total_cents AS TotalCents,
                   COALESCE(x.valid_until_day, o.valid_until_day) AS ValidUntilDay,
                   o.ordered_day AS OrderedDay,
                   d.on_day AS DeliveredDay,
                   v.on_day AS ActivatedDay,
                   (SELECT CAST(COUNT(*) AS bigint) FROM replacement_orders p
                     WHERE p.order_id = o.id AND p.batch <= @Batch) AS Replacements
              FROM orders o
              JOIN order_steps a ON a.order_id = o.id AND a.slot = 1 AND a.batch <= @Batch AND a.on_day <= @Day
              LEFT JOIN order_steps d ON d.order_id = o.id AND d.slot = 5 AND d.batch <= @Batch AND d.on_day <= @Day
              LEFT JOIN order_steps v ON v.order_id = o.id AND v.slot = 6 AND v.batch <= @Batch AND v.on_day <= @Day
              LEFT JOIN order_extensions x ON x.order_id = o.id AND x.batch <= @Batch
             WHERE o.convention_id = @Id AND o.batch <= @Batch AND o.ordered_day <= @Day
               AND NOT EXISTS (SELECT 1
                                 FROM order_steps c
                                WHERE c.order_id = o.id AND c.slot = 3 AND c.step = 'cancelled'
                                  AND c.batch <= @Batch AND c.on_day <= @Day)
             ORDER BY o.first_serial
            """;

        public const string Lots = """
            SELECT first_serial AS FirstSerial,
                   last_serial AS LastSerial,
                   booklet_count AS BookletCount,
                   pic_booklets AS PicBooklets,
                   point_id AS PointId
              FROM lots
             WHERE order_id = @Id AND batch <= @Batch
             ORDER BY first_serial
            """;

        public const string Blocks = """
            SELECT b.first_serial AS FirstSerial,
                   b.last_serial AS LastSerial
              FROM blocks b
             WHERE b.order_serial = @FirstSerial AND b.batch <= @Batch
               AND NOT EXISTS (SELECT 1
                                 FROM block_lifts l
                                WHERE l.block_id = b.id AND l.batch <= @Batch)
             ORDER BY b.first_serial, b.id
            """;

        public const string Replacements = """
            SELECT r.serial AS Serial,
                   r.replaced_serial AS ReplacedSerial,
                   r.credit_minutes AS CreditMinutes
              FROM orders o
              JOIN replacements r ON r.serial BETWEEN o.first_serial AND o.last_serial
             WHERE o.convention_id = @Id AND r.batch <= @Batch
             ORDER BY r.serial
            """;

        public const string Guarantees = """
            SELECT g.serial AS Serial,
                   g.part AS Part,
                   s.site_id AS SiteId,
                   s.service AS Service,
                   s.activity_kind AS ActivityKind,
                   s.workshop_id AS WorkshopId,
                   s.service_day AS ServiceDay,
                   s.minutes AS Minutes,
                   s.duration_minutes AS DurationMinutes,
                   g.value_cents AS ValueCents,
                   CASE WHEN c.run_id IS NOT NULL THEN CAST(2 AS bigint)
                        WHEN o.run_id IS NOT NULL THEN CAST(1 AS bigint)
                        ELSE CAST(0 AS bigint)
                   END AS Outcome
              FROM guarantees g
              JOIN offline_services s ON s.serial = g.serial AND s.part = g.part
              LEFT JOIN guarantee_outcomes o
                ON o.serial = g.serial AND o.part = g.part AND o.outcome = 'in-run' AND o.batch <= @Batch
              LEFT JOIN payment_confirmations c ON c.run_id = o.run_id AND c.batch <= @Batch
             WHERE g.convention_id = @Id AND g.batch <= @Batch AND s.service_day <= @Day
               AND (g.serial > @From OR (g.serial = @From AND g.part > @Part))
               AND NOT EXISTS (SELECT 1
                                 FROM guarantee_outcomes u
                                WHERE u.serial = g.serial AND u.part = g.part AND u.outcome = 'undone'
                                  AND u.batch <= @Batch)
             ORDER BY g.serial, g.part
             {limit}
            """;

        public const string Receipts = """
            SELECT funder AS Funder,
                   amount_cents AS AmountCents,
                   face_value_cents AS FaceValueCents
              FROM funds_receipts
             WHERE convention_id = @Id AND batch <= @Batch AND received_day <= @Day
             ORDER BY id
            """;

        public const string Costs = """
            SELECT kind AS Kind,
                   CAST(COALESCE(SUM(amount_cents), 0) AS bigint) AS Cents
              FROM costs
             WHERE convention_id = @Id AND batch <= @Batch AND on_day <= @Day
             GROUP BY kind
            """;

        public const string Assessments = """
            SELECT person_number AS PersonNumber,
                   instrument AS Instrument,
                   instrument_version AS InstrumentVersion,
                   phase AS Phase,
                   score AS Score,
                   max_score AS MaxScore,
                   taken_day AS TakenDay,
                   id AS Id
              FROM assessments
             WHERE convention_id = @Id AND batch <= @Batch AND taken_day <= @Day
             ORDER BY person_number, taken_day, id
            """;

        public const string Exposure = """
            SELECT CAST(COALESCE(SUM(d.exposure_cents), 0) AS bigint) AS Cents
              FROM derogations d
              JOIN orders o ON o.id = d.order_id
             WHERE o.convention_id = @Id AND d.batch <= @Batch
            """;

        public const string Point = """
            SELECT id AS Id,
                   name AS Name,
                   channel AS Channel,
                   commune AS Commune
              FROM distribution_points
             WHERE id = @Id
            """;

        public const string Site = """
            SELECT id AS Id,
                   name AS Name,
                   commune AS Commune
              FROM sites
             WHERE id = @Id
            """;

        public const string Label = """
            SELECT status
              FROM site_labels
             WHERE site_id = @Id AND batch <= @Batch AND from_day <= @Day
               AND (until_day IS NULL OR until_day >= @Day)
             ORDER BY position DESC
             {limit}
            """;

        public const string Workshop = """
            SELECT duration_minutes AS DurationMinutes
              FROM workshops
             WHERE id = @Id AND batch <= @Batch
            """;

        public const string BookletEntries = """
            SELECT booklet AS Booklet,
                   part AS Part,
                   kind AS Kind,
                   point_id AS PointId,
                   day AS Day,
                   person_number AS PersonNumber,
                   anonymous AS Anonymous,
                   age_band AS AgeBand,
                   gender AS Gender,
                   commune AS Commune,
                   publics AS Publics,
                   channel AS Channel,
                   pic_ground AS PicGround
              FROM booklet_entries
             WHERE booklet >= @From AND booklet <= @LastSerial AND (booklet > @From OR part > @Part)
               AND batch <= @Batch AND day <= @Day
             ORDER BY booklet, part
             {limit}
            """;

        public const string Entries = """
            SELECT e.serial AS Serial,
                   e.part AS Part,
                   e.kind AS Kind,
                   e.minutes AS Minutes,
                   e.value_cents AS ValueCents,
                   e.reversed_part AS ReversedPart,
                   e.terms_version AS TermsVersion,
                   e.site_id AS SiteId,
                   e.service AS Service,
                   e.activity_kind AS ActivityKind,
                   e.duration_minutes AS DurationMinutes,
                   e.workshop_id AS WorkshopId,
                   e.first_visit AS FirstVisit,
                   e.service_day AS ServiceDay,
                   e.month AS Month,
                   CASE WHEN c.run_id IS NOT NULL THEN CAST(2 AS bigint)
                        WHEN o.run_id IS NOT NULL THEN CAST(1 AS bigint)
                        ELSE CAST(0 AS bigint)
                   END AS Outcome
              FROM voucher_entries e
              LEFT JOIN redemption_outcomes o
                ON o.serial = e.serial AND o.part = e.part AND o.outcome = 'in-run' AND o.batch <= @Batch
              LEFT JOIN payment_confirmations c ON c.run_id = o.run_id AND c.batch <= @Batch
             WHERE e.serial >= @From AND e.serial <= @LastSerial AND (e.serial > @From OR e.part > @Part)
               AND e.batch <= @Batch AND e.kind IN (1, 2, 5, 6)
             ORDER BY e.serial, e.part
             {limit}
            """;
    }
}

using System.Globalization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Settlement;

/// <summary>
/// Takes every line due to the sites up to a month into one payment run. A line enters one run only: its
/// outcome is an insert under the key that an undo needs too. A reversal recorded after its redemption was in
/// a run is a negative line here. Offline services that are guaranteed are lines of their own. A site whose lines
/// would sum below zero waits for a later run, with all of them: nobody is asked for money, and nothing is forgotten.
/// </summary>
internal static class CreatePaymentRun
{
    internal sealed record Command(string Month) : ICommand<PaymentRun>;

    internal static readonly Refusal NothingToPay = new("nothing-to-pay", 409, "Il n'y a rien à payer.",
        "Toutes les utilisations jusqu'à ce mois sont déjà dans un paiement, annulées, ou couvertes par un incident.");

    internal static readonly Refusal MonthToCome = new("month-to-come", 409, "Ce mois n'a pas commencé.",
        "Choisissez le mois en cours ou un mois passé.");

    internal static void Map(IEndpointRouteBuilder runs) => runs
        .Post("/", Role.Operator, (Command body, Request _) => body, location: a => $"{Api.Root}/payment-runs/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Month).Must(m => MonthOf(m) is not null)
            .WithMessage("Un mois est attendu, sous la forme 2026-11.");
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<PaymentRun>>
    {
        public async Task<Result<PaymentRun>> Handle(Command command, CancellationToken ct)
        {
            var month = MonthOf(command.Month)!.Value;
            if (month > Clock.Month(db.Today)) return MonthToCome;
            var runId = Ids.New();
            var take = new { RunId = runId, Month = month, db.ActorId, db.NowMs, db.Batch };

            // Guarantees only add: what is taken without them later can't leave a site below zero.
            var guarantees = await db.ExecuteAsync(Sql.TakeGuarantees, take, ct);
            if (guarantees + await db.ExecuteAsync(Sql.Take, take, ct) == 0) return NothingToPay;

            var payouts = await PayoutsAsync(runId, ct);
            await db.ExecuteAsync(Sql.Run, new
            {
                Id = runId,
                Month = month,
                LineCount = payouts.Sum(p => p.LineCount),
                TotalCents = payouts.Sum(p => p.GrossCents),
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            foreach (var payout in payouts)
            {
                await db.ExecuteAsync(Sql.Payout, new
                {
                    RunId = runId,
                    payout.SiteId,
                    payout.LineCount,
                    payout.GrossCents,
                    payout.FeeCents,
                    payout.NetCents,
                    db.ActorId,
                    db.NowMs,
                    db.Batch,
                }, ct);
            }

            var row = new ListPaymentRuns.Row(runId, month, db.ActorId, db.NowMs, null, null);
            return (await ListPaymentRuns.ShowAsync(db, row, ct))!;
        }

        /// <summary>Computed from the lines that this run took, so that they can't differ from them.</summary>
        private async Task<IReadOnlyList<Sum>> PayoutsAsync(string runId, CancellationToken ct)
        {
            var rows = await db.ListAsync<SumRow>(Sql.Sums, new { RunId = runId }, ct);
            var payouts = new List<Sum>();
            foreach (var site in rows.GroupBy(r => r.SiteId).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                var fee = new DownstreamFee(0, 0);
                foreach (var terms in site.GroupBy(r => (r.ConventionId, r.TermsVersion)))
                {
                    fee += DownstreamFee.Of(terms.Sum(r => r.Cents),
                        await TermsOf.FindAsync(db, terms.Key.ConventionId, terms.Key.TermsVersion, ct));
                }

                var gross = site.Sum(r => r.Cents);
                payouts.Add(new(site.Key, site.Sum(r => r.Lines), gross, fee.Cents, gross - fee.Cents));
            }

            return payouts;
        }
    }

    /// <summary><c>2026-11</c> as 202611, null where it is no month.</summary>
    internal static long? MonthOf(string? text) =>
        DateOnly.TryParseExact(text + "-01", "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && day.Year is >= 2000 and <= 2100
            ? Clock.Month(day.ToDay())
            : null;

    private sealed record Sum(string SiteId, long LineCount, long GrossCents, long FeeCents, long NetCents);

    private sealed record SumRow(
        string SiteId, string ConventionId, long TermsVersion, long Lines, long Cents);

    private static class Sql
    {
        public const string Take = """
            INSERT INTO redemption_outcomes (serial, part, outcome, run_id, actor_id, recorded_ms, batch)
            SELECT d.serial, d.part, 'in-run', @RunId, @ActorId, @NowMs, @Batch
              FROM (SELECT e.serial AS serial,
                           e.part AS part,
                           e.site_id AS site_id,
                           CAST(SUM(e.value_cents) OVER (PARTITION BY e.site_id) AS bigint) AS site_cents
                      FROM voucher_entries e
                      LEFT JOIN redemption_outcomes o ON o.serial = e.serial AND o.part = e.part
                      LEFT JOIN redemption_outcomes p
                        ON p.serial = e.serial AND p.part = e.reversed_part AND p.outcome = 'in-run'
                     WHERE e.kind IN (1, 2, 6) AND e.month <= @Month AND e.site_id IS NOT NULL AND o.serial IS NULL
                       AND (e.kind <> 6 OR p.serial IS NOT NULL)) d
              LEFT JOIN (SELECT g.site_id AS site_id,
                                CAST(SUM(g.value_cents) AS bigint) AS cents
                           FROM guarantee_outcomes o
                           JOIN guarantees g ON g.serial = o.serial AND g.part = o.part
                          WHERE o.run_id = @RunId
                          GROUP BY g.site_id) t
                ON t.site_id = d.site_id
             WHERE d.site_cents + COALESCE(t.cents, 0) >= 0
            """;

        /// <summary>Of sites that what is due leaves at zero or above, redemptions and reversals included.</summary>
        public const string TakeGuarantees = """
            INSERT INTO guarantee_outcomes (serial, part, outcome, run_id, actor_id, recorded_ms, batch)
            SELECT d.serial, d.part, 'in-run', @RunId, @ActorId, @NowMs, @Batch
              FROM (SELECT g.serial AS serial,
                           g.part AS part,
                           g.site_id AS site_id,
                           CAST(SUM(g.value_cents) OVER (PARTITION BY g.site_id) AS bigint) AS site_cents
                      FROM guarantees g
                      LEFT JOIN guarantee_outcomes o ON o.serial = g.serial AND o.part = g.part
                     WHERE g.month <= @Month AND o.serial IS NULL) d
              LEFT JOIN (SELECT e.site_id AS site_id,
                                CAST(SUM(e.value_cents) AS bigint) AS cents
                           FROM voucher_entries e
                           LEFT JOIN redemption_outcomes o ON o.serial = e.serial AND o.part = e.part
                           LEFT JOIN redemption_outcomes p
                             ON p.serial = e.serial AND p.part = e.reversed_part AND p.outcome = 'in-run'
                          WHERE e.kind IN (1, 2, 6) AND e.month <= @Month AND o.serial IS NULL
                            AND (e.kind <> 6 OR p.serial IS NOT NULL)
                            AND e.site_id IN (SELECT w.site_id
                                                FROM guarantees w
                                                LEFT JOIN guarantee_outcomes x ON x.serial = w.serial AND x.part = w.part
                                               WHERE w.month <= @Month AND x.serial IS NULL)
                          GROUP BY e.site_id) t
                ON t.site_id = d.site_id
             WHERE d.site_cents + COALESCE(t.cents, 0) >= 0
            """;

        public const string Sums = """
            SELECT e.site_id AS SiteId,
                   e.convention_id AS ConventionId,
                   e.terms_version AS TermsVersion,
                   CAST(COUNT(*) AS bigint) AS Lines,
                   CAST(COALESCE(SUM(e.value_cents), 0) AS bigint) AS Cents
              FROM redemption_outcomes o
              JOIN voucher_entries e ON e.serial = o.serial AND e.part = o.part
             WHERE o.run_id = @RunId
             GROUP BY e.site_id, e.convention_id, e.terms_version
             UNION ALL
            SELECT g.site_id,
                   g.convention_id,
                   g.terms_version,
                   CAST(COUNT(*) AS bigint),
                   CAST(COALESCE(SUM(g.value_cents), 0) AS bigint)
              FROM guarantee_outcomes o
              JOIN guarantees g ON g.serial = o.serial AND g.part = o.part
             WHERE o.run_id = @RunId
             GROUP BY g.site_id, g.convention_id, g.terms_version
            """;

        public const string Run = """
            INSERT INTO payment_runs (id, month, line_count, total_cents, actor_id, recorded_ms, batch)
            VALUES (@Id, @Month, @LineCount, @TotalCents, @ActorId, @NowMs, @Batch)
            """;

        public const string Payout = """
            INSERT INTO payouts (
                   run_id, site_id, line_count, gross_cents, fee_cents, net_cents, actor_id, recorded_ms, batch)
            VALUES (@RunId, @SiteId, @LineCount, @GrossCents, @FeeCents, @NetCents, @ActorId, @NowMs, @Batch)
            """;
    }
}

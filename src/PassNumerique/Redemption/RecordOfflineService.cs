using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// A queued operation that was refused for what others did to its pass. Whoever was recorded first keeps the
/// minutes; this one, honest in itself, is recorded as a second service: owed out of the money that the
/// convention has not committed, within the limit of its offline guarantee, else a dispute with a deadline.
/// Passes of the same operation that are still good are redeemed with it, all in one transaction.
/// </summary>
internal static class RecordOfflineService
{
    internal sealed record Command(RedeemVouchers.Command Operation) : ICommand<Answer>, IOperation
    {
        /// <summary>The fingerprint of the operation as a redemption: it is the same operation here.</summary>
        [JsonIgnore]
        public string BodyHash { get; init; } = "";

        /// <summary>Why it is no redemption; the answer where it is no second service either.</summary>
        [JsonIgnore]
        public Refusal Refused { get; init; } = Refusals.Spent;
    }

    internal sealed record Answer(RedeemVouchers.Answer? Redeemed, IReadOnlyList<OfflineService> Services);

    /// <summary>The shape was looked at when it was tried as a redemption.</summary>
    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(
        Session db, ReadCode codes, OrderCards orders, SiteCards sites, ConventionCards conventions,
        RecentlyRefused lately)
        : IRequestHandler<Command, Result<Answer>>
    {
        private readonly RedeemVouchers.Handler _redeem = new(db, codes, orders, sites, conventions, lately);

        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            db.Fingerprint = () => command.BodyHash;
            var operation = command.Operation;
            var operationId = Ids.Normalise(operation.OperationId)!;
            var recorded = await OfflineServices.FindAsync(db, operationId, ct);
            if (recorded.Count > 0) return await AgainAsync(operation, operationId, recorded, ct);
            var place = await _redeem.PlaceAsync(operation);
            if (place.Refused is { } elsewhere) return elsewhere;
            var passes = await PassesAsync(operation, place.Value!);
            if (passes.Refused is { } refused) return refused;

            var known = await KnownAsync(passes.Value!, place.Value!, ct);
            var debits = OfflineRules.Debits(
                operation, passes.Value![0].Version.Terms, [.. known.Select(k => k.AsBelieved)]);
            if (debits.IsRefused) return command.Refused;
            foreach (var debit in debits.Value!.OrderBy(d => passes.Value![(int)d.Line].Serial))
            {
                var pass = passes.Value![(int)debit.Line];
                var redeemed = await db.ExecuteAsync(
                    RedeemVouchers.Sql.Redeem, _redeem.Arguments(operation, operationId, place.Value!, pass, debit), ct);
                if (redeemed == 1) continue;
                var args = Arguments(operation, operationId, place.Value!, pass, known[(int)debit.Line], debit);
                if (await db.ExecuteAsync(Sql.Insert, args, ct) == 0) return command.Refused;
            }

            await DecideAsync(operationId, place.Value!, passes.Value!, ct);
            return await AnswerAsync(operation, operationId, ct);
        }

        private async Task<Result<Answer>> AgainAsync(
            RedeemVouchers.Command operation, string operationId, IReadOnlyList<OfflineService> recorded, CancellationToken ct) =>
            recorded[0].BodyHash == db.BodyHash
                ? new Result<Answer>(await AnswerAsync(operation, operationId, ct), null).AsReplay()
                : Problems.KeyReused;

        private async Task<Answer> AnswerAsync(RedeemVouchers.Command operation, string operationId, CancellationToken ct)
        {
            var services = await OfflineServices.FindAsync(db, operationId, ct);
            var rows = await _redeem.ReadAsync(operationId, ct);
            return new(rows.Count == 0 ? null : await _redeem.AnswerAsync(operationId, operation, rows), services);
        }

        /// <summary>The passes by the latest terms: what is refused here by older ones would stay refused.</summary>
        private async Task<Result<IReadOnlyList<RedeemVouchers.Pass>>> PassesAsync(
            RedeemVouchers.Command operation, RedeemVouchers.Place place)
        {
            var passes = await _redeem.PassesAsync(operation, place);
            return !passes.IsRefused && await _redeem.AreAmendedAsync(passes.Value!)
                ? await _redeem.PassesAsync(operation, place)
                : passes;
        }

        private async Task<IReadOnlyList<Known>> KnownAsync(
            IReadOnlyList<RedeemVouchers.Pass> passes, RedeemVouchers.Place place, CancellationToken ct)
        {
            var known = new List<Known>();
            foreach (var pass in passes)
            {
                var state = await VoucherState.ReadAsync(db, pass.Order, pass.Serial, db.Caller.OrganisationId, "");
                var own = await db.FindAsync<Own>(
                    Sql.Own, new { pass.Serial, SiteId = place.Site.Id, db.NowMs }, ct);
                known.Add(new(state, OfflineRules.AsBelieved(state, own!.Minutes, own.HeldMinutes)));
            }

            return known;
        }

        /// <summary>Each second service of the operation is owed, or becomes a dispute.</summary>
        private async Task DecideAsync(
            string operationId, RedeemVouchers.Place place, IReadOnlyList<RedeemVouchers.Pass> passes, CancellationToken ct)
        {
            var madeMs = await db.FindAsync<long?>(Sql.DeviceMade, new { KeyId = db.ActorId }, ct);
            var isNew = madeMs is not { } ms || Clock.Day(ms, place.Site.Zone) > place.ServiceDay;
            var services = await OfflineServices.FindAsync(db, operationId, ct);
            foreach (var service in services.OrderBy(s => s.ConventionId, StringComparer.Ordinal).ThenBy(s => s.Line))
            {
                var terms = passes[(int)service.Line].Version.Terms;
                var args = new GuaranteeFunds.Owed(
                    service.Serial, service.Part, service.ConventionId, db.ActorId, service.ValueCents, Clock.Month(db.Today),
                    GuaranteeFunds.Limit, isNew ? 0 : terms.OfflineGuaranteePasses);
                if (!isNew && await GuaranteeFunds.TakeAsync(db, args, ct)) continue;
                var used = await GuaranteeFunds.UsedAsync(db, args.ConventionId, args.DeviceId, args.Month, ct);
                await db.ExecuteAsync(Sql.Dispute, new
                {
                    service.Serial,
                    service.Part,
                    service.ConventionId,
                    SiteId = place.Site.Id,
                    Cause = OfflineRules.Cause(isNew, used, terms.OfflineGuaranteePasses),
                    DeadlineMs = Clock.ParisMidnightMs(db.Today + terms.DisputeDays + 1),
                    db.ActorId,
                    db.NowMs,
                    db.Batch,
                }, ct);
            }
        }

        private object Arguments(
            RedeemVouchers.Command operation, string operationId, RedeemVouchers.Place place, RedeemVouchers.Pass pass,
            Known known, RedeemVouchers.Debit debit)
        {
            var terms = pass.Version.Terms;
            return new
            {
                pass.Serial,
                Booklet = pass.Order.BookletOf(pass.Serial),
                Refusal = OfflineRules.Reason(known.State, terms, place.Today, place.ServiceDay, debit.Minutes),
                debit.Minutes,
                ValueCents = VoucherValue.Of(debit.Minutes, known.State.FaceCents, known.State.CreditMinutes),
                known.State.CreditMinutes,
                pass.Order.ValidUntilDay,
                OrderId = pass.Order.Id,
                OrderSerial = pass.Order.FirstSerial,
                ConventionId = pass.Convention.Id,
                TermsVersion = pass.Version.Version,
                KnownVersion = pass.Convention.Latest.Version,
                terms.ToleranceDays,
                RequireHandOut = terms.RequireHandOut == "refuse" ? 1L : 0L,
                SiteId = place.Site.Id,
                DeviceId = db.ActorId,
                operation.Service,
                ActivityKind = operation.Activity.Kind,
                debit.DurationMinutes,
                WorkshopId = Ids.Normalise(operation.Activity.WorkshopId),
                Thematiques = operation.Activity.ThematiquesText,
                operation.Activity.Level,
                operation.Activity.Autonomy,
                FirstVisit = operation.FirstVisitText,
                Evidence = operation.EvidenceText,
                place.ServiceDay,
                ValidDay = place.ServiceDay,
                JudgedDay = place.Today,
                ServiceFromMs = Clock.MidnightMs(place.ServiceDay, place.Site.Zone),
                Month = Clock.Month(db.Today),
                db.Caller.OrganisationId,
                OperationId = operationId,
                debit.Line,
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
        }
    }

    /// <summary>A pass as it stands, and as the device had to believe it.</summary>
    private sealed record Known(VoucherState State, VoucherState AsBelieved);

    private sealed record Own(long Minutes, long HeldMinutes);

    private static class Sql
    {
        /// <summary>What this very site did to the pass: redeemed, reserved, had accepted as second services.</summary>
        public const string Own = """
            SELECT e.minutes + f.minutes AS Minutes,
                   e.held AS HeldMinutes
              FROM (SELECT CAST(COALESCE(SUM(minutes), 0) AS bigint) AS minutes,
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS held
                      FROM voucher_entries
                     WHERE serial = @Serial AND site_id = @SiteId) e
             CROSS JOIN (SELECT CAST(COALESCE(SUM(s.minutes), 0) AS bigint) AS minutes
                           FROM offline_services s
                           LEFT JOIN guarantee_outcomes u
                             ON u.serial = s.serial AND u.part = s.part AND u.outcome = 'undone'
                          WHERE s.serial = @Serial AND s.site_id = @SiteId AND u.serial IS NULL) f
            """;

        /// <summary>
        /// As the statement of a redemption, but for what others did since the service day began. Two devices with
        /// the same pass collide on the part, and the second reads what the first did.
        /// </summary>
        public const string Insert = """
            INSERT INTO offline_services (
                   serial, part, refusal, minutes, value_cents, convention_id, terms_version, site_id, device_id, service,
                   activity_kind, duration_minutes, workshop_id, thematiques, level, autonomy, first_visit, evidence,
                   service_day, month, organisation_id, operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   @Refusal,
                   @Minutes,
                   @ValueCents,
                   @ConventionId,
                   @TermsVersion,
                   @SiteId,
                   @DeviceId,
                   @Service,
                   @ActivityKind,
                   @DurationMinutes,
                   @WorkshopId,
                   @Thematiques,
                   @Level,
                   @Autonomy,
                   @FirstVisit,
                   @Evidence,
                   @ServiceDay,
                   @Month,
                   @OrganisationId,
                   @OperationId,
                   @Line,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(s.part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(CASE WHEN s.site_id = @SiteId AND u.serial IS NULL THEN s.minutes ELSE 0 END), 0)
                                AS bigint) AS own,
                           (SELECT COALESCE(MAX(x.valid_until_day), @ValidUntilDay)
                              FROM order_extensions x
                             WHERE x.order_id = @OrderId) AS until_day
                      FROM offline_services s
                      LEFT JOIN guarantee_outcomes u
                        ON u.serial = s.serial AND u.part = s.part AND u.outcome = 'undone'
                     WHERE s.serial = @Serial) v
             CROSS JOIN (SELECT CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                                CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs THEN hold_minutes ELSE 0 END), 0)
                                     AS bigint) AS held
                           FROM voucher_entries
                          WHERE serial = @Serial AND site_id = @SiteId) i
             WHERE v.own + i.used + i.held + @Minutes <= @CreditMinutes
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.organisation_id = @OrganisationId AND e.operation_id = @OperationId
                                  AND e.line = @Line)
               AND NOT EXISTS (SELECT 1 FROM voucher_entries c
                                WHERE c.serial = @Serial AND c.kind = 5 AND c.recorded_ms < @ServiceFromMs)
               AND NOT EXISTS (SELECT 1 FROM booklet_entries t
                                WHERE t.booklet = @Booklet AND t.kind = 3 AND t.recorded_ms < @ServiceFromMs)
               AND NOT EXISTS (SELECT 1 FROM replacements p
                                WHERE p.replaced_serial = @Serial AND p.recorded_ms < @ServiceFromMs)
               AND NOT EXISTS (SELECT 1 FROM blocks k
                                WHERE k.order_serial = @OrderSerial
                                  AND k.first_serial <= @Serial AND k.last_serial >= @Serial
                                  AND k.recorded_ms < @ServiceFromMs
                                  AND NOT EXISTS (SELECT 1 FROM block_lifts l WHERE l.block_id = k.id))
            """ + UsablePass.InForce;

        public const string DeviceMade = """
            SELECT created_ms AS CreatedMs
              FROM api_keys
             WHERE id = @KeyId
            """;

        public const string Dispute = """
            INSERT INTO disputes (
                   serial, part, convention_id, site_id, cause, deadline_ms, actor_id, recorded_ms, batch)
            VALUES (@Serial, @Part, @ConventionId, @SiteId, @Cause, @DeadlineMs, @ActorId, @NowMs, @Batch)
            """;
    }
}

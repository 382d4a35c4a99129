using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Redemption;

/// <summary>
/// The end of a session: a redemption that names its reservation takes up to what is held, and the same row
/// gives the rest back. Any device of the site may send it, with or without the code; no other site can. A
/// reservation whose instant has passed is no reason to send somebody home: it is a plain redemption by then,
/// if the minutes are still there. Blocks and returns are asked again, for their pass may live on elsewhere.
/// </summary>
internal static class CaptureReservation
{
    internal static Refusal TooSmall(long heldMinutes, long neededMinutes) => new Refusal(
        "reservation-too-small", 409, "La séance demande plus que ce qui est réservé.",
        $"{French.Duration(heldMinutes)} sont réservées, il en faut {French.Duration(neededMinutes)} : terminez avec "
        + $"« minutes » : {heldMinutes}, puis enregistrez le reste par une autre opération, sans réservation.")
        .With("heldMinutes", heldMinutes).With("neededMinutes", neededMinutes);

    /// <summary>Called by <see cref="RedeemVouchers"/>, whose command and answer these are.</summary>
    internal sealed class Handler(
        Session db, ReadCode codes, OrderCards orders, SiteCards sites, ConventionCards conventions,
        RedeemVouchers.Handler redemptions)
    {
        private const int MaxRounds = 50;

        public async Task<Result<RedeemVouchers.Answer>> Handle(RedeemVouchers.Command command, CancellationToken ct)
        {
            var operationId = Ids.Normalise(command.OperationId)!;
            for (var round = 0; round < MaxRounds; round++)
            {
                // What is recorded answers first: the reservation is ended by this very operation.
                if (await redemptions.RecordedAsync(command, operationId, ct) is { } before) return before;
                var capture = await DecideAsync(command, ct);
                if (capture.Refused is { } refused)
                    return await redemptions.RecordedAsync(command, operationId, ct) ?? refused;
                if (await db.ExecuteAsync(Sql.Capture, Arguments(command, operationId, capture.Value!), ct) == 0) continue;
                return await redemptions.AnswerAsync(operationId, command, await redemptions.ReadAsync(operationId, ct));
            }

            throw new StoreUnavailableException($"No decision after {MaxRounds} rounds.");
        }

        private async Task<Result<Capture>> DecideAsync(RedeemVouchers.Command command, CancellationToken ct)
        {
            var held = await Reservation.FindAsync(db, command.ReservationId!, ct);
            if (held is null || !IsMine(held, command.SiteId)) return Reservation.Unknown;
            if (held.IsEnded) return held.Ended();
            if (await NotItsPassAsync(command, held) is { } unknown) return unknown;

            var site = (await sites.FindAsync(db, held.SiteId))!;
            var order = (await orders.FindAsync(db, held.Serial))!;
            var convention = (await conventions.FindLatestAsync(db, order.ConventionId))!;
            var days = Days.Of(held, site.Today(db.NowMs), command.ServedOn?.ToDay(), db.NowMs);
            var version = convention.InForce(days.Service);
            var why = RedemptionRules.Judge(
                    version.Terms, site.Commune, days.Asked, days.Service, command.Service, command.Activity.Kind)
                ?? await Refusals.WorkshopAsync(db, command, site);
            if (why is not null) return why;
            if (!await SiteLabels.IsLabelledAsync(db, site.Id, days.Service, ct)) return Refusals.SiteNotLabelled;

            var debit = await DebitAsync(command, held, site, order, version.Terms, days);
            return debit.Refused is { } refused
                ? refused.With("serial", held.Serial)
                : new Capture(held, order, convention, version, days, debit.Value!.Minutes);
        }

        /// <summary>Where a site is named besides, it is the one that holds the pass.</summary>
        private bool IsMine(Reservation held, string? siteId) =>
            db.Caller.PlaceIds.Contains(held.SiteId) && (siteId is null || Ids.Normalise(siteId) == held.SiteId);

        /// <summary>The reservation says which pass it is; a code that is sent all the same must be of that pass.</summary>
        private async Task<Refusal?> NotItsPassAsync(RedeemVouchers.Command command, Reservation held)
        {
            if (command.AllCodes.Count == 0) return null;
            var pass = await codes.FindAsync(db, command.AllCodes[0]);
            if (pass.Refused is { } unknown) return unknown;
            return pass.Value!.Serial == held.Serial ? null : throw new InvalidRequestException(
                command.Code is null ? "codes[0]" : "code",
                "Ce code n'est pas celui du pass réservé : vérifiez « reservationId », ou laissez le code de côté.");
        }

        private async Task<Result<RedeemVouchers.Debit>> DebitAsync(
            RedeemVouchers.Command command, Reservation held, SiteCard site, OrderCard order, Terms terms, Days days)
        {
            var state = await VoucherState.ReadAsync(db, order, held.Serial, "", "");
            var why = RedemptionRules.WhyNot(state, terms, days.Judged, days.Valid);
            if (why == Refusals.Spent) return await Refusals.SpentAsync(db, held.Serial);
            if (why is not null) return why;

            var wanted = command.Minutes
                ?? terms.TariffOf(command.Service, command.Activity.Kind)!.Debit(command.Activity.DurationMinutes);
            if (wanted > held.Minutes) return TooSmall(held.Minutes, wanted);

            // What this reservation holds is free for its own capture.
            var own = held.IsLive(db.NowMs) ? held.Minutes : 0;
            var debits = RedemptionRules.Debits(command, terms, [state with { Held = state.Held - own }]);
            if (debits.Refused == Refusals.Reserved) return await Refusals.ReservedAsync(db, site, held.Serial);
            if (debits.Refused is { } refused) return refused;

            // Where terms that came after the reservation ask for whole passes, a whole one is taken.
            var debit = debits.Value![0];
            return debit.Minutes <= held.Minutes ? debit : TooSmall(held.Minutes, debit.Minutes);
        }

        private object Arguments(RedeemVouchers.Command command, string operationId, Capture capture)
        {
            var (held, order, terms) = (capture.Held, capture.Order, capture.Version.Terms);
            return new
            {
                held.Serial,
                HoldPart = held.Part,
                held.SiteId,
                Booklet = order.BookletOf(held.Serial),
                capture.Minutes,
                order.CreditMinutes,
                order.FaceCents,
                order.ValidUntilDay,
                OrderId = order.Id,
                OrderSerial = order.FirstSerial,
                ConventionId = capture.Convention.Id,
                TermsVersion = capture.Version.Version,
                KnownVersion = capture.Convention.Latest.Version,
                terms.ToleranceDays,
                RequireHandOut = terms.RequireHandOut == "refuse" ? 1L : 0L,
                command.Service,
                ActivityKind = command.Activity.Kind,
                command.Activity.DurationMinutes,
                WorkshopId = Ids.Normalise(command.Activity.WorkshopId),
                Thematiques = command.Activity.ThematiquesText,
                command.Activity.Level,
                command.Activity.Autonomy,
                FirstVisit = command.FirstVisitText,
                Evidence = command.EvidenceText,
                ServiceDay = capture.Days.Service,
                ValidDay = capture.Days.Valid,
                JudgedDay = capture.Days.Judged,
                Month = Clock.Month(db.Today),
                db.Caller.OrganisationId,
                OperationId = operationId,
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
        }
    }

    /// <summary>What is taken of which pass, judged by which terms on which days.</summary>
    private sealed record Capture(
        Reservation Held, OrderCard Order, ConventionCard Convention, TermsVersion Version, Days Days, long Minutes);

    /// <summary>
    /// The days of a capture. The service date is the day the session began where nothing is said. In time, the
    /// pass is judged by that day, so that no midnight between start and end takes anything away: neither its
    /// last day, nor the delay for recording. Afterwards, by today, like any redemption.
    /// </summary>
    /// <param name="Service">The service date: label, tariff, terms.</param>
    /// <param name="Valid">The day by which the service must have taken place within the validity.</param>
    /// <param name="Judged">The day by which it must be recorded.</param>
    /// <param name="Asked">The day from which the delay for recording counts back.</param>
    internal readonly record struct Days(long Service, long Valid, long Judged, long Asked)
    {
        public static Days Of(Reservation held, long today, long? servedDay, long nowMs)
        {
            var service = servedDay ?? held.StartDay;
            if (!held.IsLive(nowMs)) return new(service, service, today, today);
            var isOfTheSession = service >= held.StartDay && service <= today;
            return new(service, Math.Min(service, held.StartDay), held.StartDay, isOfTheSession ? service : today);
        }
    }

    private static class Sql
    {
        public const string Capture = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, hold_until_ms,
                   closed_minutes, reversed_part, convention_id, terms_version, site_id, service, activity_kind,
                   duration_minutes, workshop_id, thematiques, level, autonomy, first_visit, evidence, service_day,
                   month, organisation_id, operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   2,
                   @Minutes,
                   v.used + @Minutes,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   (2 * COALESCE(r.face_cents, @FaceCents) * (v.used + @Minutes)
                     + COALESCE(r.credit_minutes, @CreditMinutes))
                     / (2 * COALESCE(r.credit_minutes, @CreditMinutes)) - v.cents,
                   -v.mine,
                   v.until_ms,
                   0,
                   @HoldPart,
                   @ConventionId,
                   @TermsVersion,
                   @SiteId,
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
                   0,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(value_cents), 0) AS bigint) AS cents,
                           CAST(COALESCE(SUM(CASE WHEN part = @HoldPart AND kind = 3 THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS mine,
                           CAST(COALESCE(MAX(CASE WHEN part = @HoldPart THEN hold_until_ms ELSE 0 END), 0)
                                AS bigint) AS until_ms,
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs AND part <> @HoldPart
                                                  THEN hold_minutes ELSE 0 END), 0) AS bigint) AS others,
                           CAST(COALESCE(SUM(CASE WHEN reversed_part = @HoldPart THEN 1 ELSE 0 END), 0)
                                AS bigint) AS ended,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed,
                           (SELECT COALESCE(MAX(x.valid_until_day), @ValidUntilDay)
                              FROM order_extensions x
                             WHERE x.order_id = @OrderId) AS until_day
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.closed = 0 AND v.ended = 0 AND @Minutes <= v.mine
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.organisation_id = @OrganisationId AND e.operation_id = @OperationId)
               AND v.used + v.others + @Minutes <= COALESCE(r.credit_minutes, @CreditMinutes)
            """ + UsablePass.InForce + UsablePass.NotTakenBack;
    }
}

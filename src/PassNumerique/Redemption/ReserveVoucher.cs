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
/// A site holds a pass at the start of a session, so that what is on it is still there at the end. The hold
/// takes the next part of the pass's story by the same conditional INSERT as a redemption, out of one
/// aggregate over one scan: of a hold and a scan at the same moment one sees the other. It falls away at its
/// instant by itself.
/// </summary>
internal static class ReserveVoucher
{
    internal const long DefaultExpiryMinutes = 240;
    internal const long MaxExpiryMinutes = 1_440;

    /// <summary>Holds of one pass for ever: each makes the one scan of every later decision longer.</summary>
    internal const long MaxHolds = 100;

    /// <param name="Minutes">How much is held; all that is free where nothing is said.</param>
    internal sealed record Command(
        string OperationId, string Code, long? Minutes = null, long? ExpiresAfterMinutes = null, string? SiteId = null)
        : ICommand<Answer>, IOperation
    {
        bool IOperation.EntersItself => true;
    }

    /// <param name="RemainingMinutes">What is left on the pass, what is held included.</param>
    internal sealed record Answer(
        string Id, long Serial, string SiteId, long Minutes, long RemainingMinutes, string ReservedAt, string ExpiresAt);

    internal static readonly Refusal TooMany = new("too-many-reservations", 409,
        "Ce pass a été réservé trop souvent.",
        "Il reste utilisable : scannez-le à la fin de la séance, sans réservation.");

    internal static void Map(IEndpointRouteBuilder reservations) => reservations
        .Post("/", Role.Site, (Command body, Request _) => body, location: a => $"{Api.Root}/reservations/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.OperationId).Uuid();
            RuleFor(c => c.Code).Custom((code, context) =>
            {
                if (ReadCode.Mistake(code) is { } mistake) context.AddFailure("Code", mistake);
            });
            RuleFor(c => c.Minutes).Between(1, 6_000);
            RuleFor(c => c.ExpiresAfterMinutes).Between(1, MaxExpiryMinutes);
            RuleFor(c => c.SiteId).Uuid().When(c => c.SiteId is not null);
        }
    }

    internal sealed class Handler(
        Session db, ReadCode codes, SiteCards sites, ConventionCards conventions)
        : IRequestHandler<Command, Result<Answer>>
    {
        private const int MaxRounds = 50;

        /// <summary>The place and the code come before the transaction, as for a redemption.</summary>
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var operationId = Ids.Normalise(command.OperationId)!;
            if (await sites.OfCallerAsync(db, command.SiteId) is not { } site)
                return await RecordedAsync(operationId, ct) ?? Refusals.SiteUnknown;
            var pass = await codes.FindAsync(db, command.Code);
            if (pass.Refused is { } unknown) return await RecordedAsync(operationId, ct) ?? unknown;
            return await db.TransactAsync(
                () => HoldAsync(command, operationId, site, pass.Value!, ct), oneStatement: true);
        }

        private async Task<Result<Answer>> HoldAsync(
            Command command, string operationId, SiteCard site, ReadCode.Found pass, CancellationToken ct)
        {
            if (await RecordedAsync(operationId, ct) is { } before) return before;
            for (var round = 0; round < MaxRounds; round++)
            {
                var convention = (await conventions.FindLatestAsync(db, pass.Order.ConventionId))!;
                var hold = new Hold(command, site, site.Today(db.NowMs), pass, convention);
                var why = hold.WhyNot();
                if (why is null && await db.ExecuteAsync(Sql.Hold, Arguments(hold, operationId), ct) == 1)
                    return Show((await FindAsync(operationId, ct))!);
                why ??= await WhyNotAsync(hold, ct);
                // A twin may have recorded this very operation since it was looked for.
                if (await RecordedAsync(operationId, ct) is { } twin) return twin;
                if (why is not null) return why.With("serial", pass.Serial);
            }

            throw new StoreUnavailableException($"No decision after {MaxRounds} rounds.");
        }

        /// <summary>The same operation again gets the same answer; with another body, 422.</summary>
        private async Task<Result<Answer>?> RecordedAsync(string operationId, CancellationToken ct)
        {
            if (await FindAsync(operationId, ct) is not { } row) return null;
            return row.BodyHash == db.BodyHash
                ? new Result<Answer>(Show(row), null, Replayed: true)
                : Problems.KeyReused;
        }

        private Task<Row?> FindAsync(string operationId, CancellationToken ct) =>
            db.FindAsync<Row>(Sql.ByOperation, new { db.Caller.OrganisationId, OperationId = operationId }, ct);

        /// <summary>Why the statement held nothing; null where nothing stands against it any more.</summary>
        private async Task<Refusal?> WhyNotAsync(Hold hold, CancellationToken ct)
        {
            if (!await SiteLabels.IsLabelledAsync(db, hold.Site.Id, hold.Today, ct)) return Refusals.SiteNotLabelled;
            var serial = hold.Pass.Serial;
            var state = await VoucherState.ReadAsync(db, hold.Pass.Order, serial, "", "");
            var why = RedemptionRules.WhyNot(state, hold.Version.Terms, hold.Today, hold.Today)
                ?? WhyNotHeld(state, hold.Version.Terms, hold.Command.Minutes);
            if (why == Refusals.Spent) return await Refusals.SpentAsync(db, serial);
            if (why == Refusals.Reserved) return await Refusals.ReservedAsync(db, hold.Site, serial);
            if (why is not null) return why;
            var holds = await db.FindAsync<long>(Sql.Holds, new { Serial = serial }, ct);
            return holds >= MaxHolds ? TooMany.With("maxReservations", MaxHolds) : null;
        }

        private object Arguments(Hold hold, string operationId) => new
        {
            hold.Pass.Serial,
            hold.Pass.Booklet,
            Minutes = hold.Command.Minutes ?? 0,
            UntilMs = db.NowMs + ((hold.Command.ExpiresAfterMinutes ?? DefaultExpiryMinutes) * Clock.MinuteMs),
            WholeOnly = hold.Version.Terms.WholeVouchersOnly ? 1L : 0L,
            MaxHolds,
            hold.Pass.Order.CreditMinutes,
            hold.Pass.Order.ValidUntilDay,
            OrderId = hold.Pass.Order.Id,
            OrderSerial = hold.Pass.Order.FirstSerial,
            ConventionId = hold.Convention.Id,
            TermsVersion = hold.Version.Version,
            KnownVersion = hold.Convention.Latest.Version,
            hold.Version.Terms.ToleranceDays,
            RequireHandOut = hold.Version.Terms.RequireHandOut == "refuse" ? 1L : 0L,
            SiteId = hold.Site.Id,
            ServiceDay = hold.Today,
            ValidDay = hold.Today,
            JudgedDay = hold.Today,
            Month = Clock.Month(db.Today),
            db.Caller.OrganisationId,
            OperationId = operationId,
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        };
    }

    /// <summary>
    /// What stands against holding so much of a voucher; with whole vouchers, an untouched one is held whole.
    /// </summary>
    internal static Refusal? WhyNotHeld(VoucherState state, Terms terms, long? minutes)
    {
        var whole = terms.WholeVouchersOnly;
        if (whole && minutes is not null && minutes != state.CreditMinutes)
            return Refusals.WholeOnly(state.CreditMinutes);
        var wanted = whole ? state.CreditMinutes : minutes ?? 1;
        if (wanted > state.RemainingMinutes)
            return Refusals.CreditTooSmall(wanted, whole ? 0 : state.RemainingMinutes);
        return wanted > state.RemainingMinutes - state.Held ? Refusals.Reserved : null;
    }

    private static Answer Show(Row row) => new(
        EntryId.Pack(row.Serial, row.Part), row.Serial, row.SiteId, row.Minutes, row.LeftMinutes,
        Clock.InstantText(row.RecordedMs), Clock.InstantText(row.UntilMs));

    /// <summary>What is asked, by whom, of which pass, under the latest terms.</summary>
    private sealed record Hold(
        Command Command, SiteCard Site, long Today, ReadCode.Found Pass, ConventionCard Convention)
    {
        public TermsVersion Version { get; } = Convention.InForce(Today);

        /// <summary>What the terms say before the store is asked; the service is not known yet.</summary>
        public Refusal? WhyNot() =>
            Territories.Contains([.. Version.Terms.Territory], Site.Commune) ? null : Refusals.OutsideTerritory;
    }

    private sealed record Row(
        long Serial, long Part, string SiteId, long Minutes, long UntilMs, long LeftMinutes, string BodyHash,
        long RecordedMs);

    private static class Sql
    {
        public const string Hold = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, hold_until_ms,
                   closed_minutes, convention_id, terms_version, site_id, duration_minutes, service_day, month,
                   organisation_id, operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   3,
                   0,
                   v.used,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   0,
                   CASE WHEN @Minutes > 0 THEN @Minutes
                        ELSE COALESCE(r.credit_minutes, @CreditMinutes) - v.used - v.held END,
                   @UntilMs,
                   0,
                   @ConventionId,
                   @TermsVersion,
                   @SiteId,
                   0,
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
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS held,
                           CAST(COALESCE(SUM(CASE WHEN kind = 3 THEN 1 ELSE 0 END), 0) AS bigint) AS holds,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed,
                           (SELECT COALESCE(MAX(x.valid_until_day), @ValidUntilDay)
                              FROM order_extensions x
                             WHERE x.order_id = @OrderId) AS until_day
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.closed = 0 AND v.holds < @MaxHolds
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.organisation_id = @OrganisationId AND e.operation_id = @OperationId)
               AND v.used + v.held + CASE WHEN @Minutes > 0 THEN @Minutes ELSE 1 END
                   <= COALESCE(r.credit_minutes, @CreditMinutes)
               AND (@WholeOnly = 0
                    OR (v.used + v.held = 0 AND @Minutes IN (0, COALESCE(r.credit_minutes, @CreditMinutes))))
            """ + UsablePass.InForce + UsablePass.NotTakenBack;

        public const string ByOperation = """
            SELECT serial AS Serial,
                   part AS Part,
                   site_id AS SiteId,
                   hold_minutes AS Minutes,
                   COALESCE(hold_until_ms, 0) AS UntilMs,
                   credit_minutes - used_after AS LeftMinutes,
                   body_hash AS BodyHash,
                   recorded_ms AS RecordedMs
              FROM voucher_entries
             WHERE organisation_id = @OrganisationId AND operation_id = @OperationId AND line = 0
            """;

        public const string Holds = """
            SELECT CAST(COUNT(*) AS bigint) AS Holds
              FROM voucher_entries
             WHERE serial = @Serial AND kind = 3
            """;
    }
}

using System.Text.Json;
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
/// A site scans one pass, or several of one person for one service. The conditional INSERT is the lock: its
/// inputs come from one aggregate over one scan of the voucher's entries, so of two sites that scan the same
/// pass exactly one takes the next part. The row is the idempotency record and the leaf of the journal too.
/// </summary>
internal static class RedeemVouchers
{
    internal const int MaxCodes = 20;
    private const int MaxThematiques = 19;

    private static readonly string[] FirstVisits = ["yes", "no", Vocabularies.Unknown];

    internal sealed record Command(
        string OperationId, string Service, Activity Activity, string? Code = null, IReadOnlyList<string>? Codes = null,
        long? Minutes = null, DateOnly? ServedOn = null, string? FirstVisit = null, Evidence? Evidence = null,
        string? SiteId = null) : ICommand<Answer>, IOperation
    {
        /// <summary>
        /// The session that this ends. Left out of what is fingerprinted where it is not given, so that an
        /// operation recorded before there were reservations is still recognised.
        /// </summary>
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public string? ReservationId { get; init; }

        internal IReadOnlyList<string> AllCodes => Codes ?? (Code is null ? [] : [Code]);

        internal string FirstVisitText => FirstVisit ?? "unknown";

        internal string? EvidenceText => Evidence is null ? null : $"{Evidence.Kind}: {Evidence.Reference}";

        bool IOperation.EntersItself => true;
    }

    /// <summary>What was delivered, apart from what is debited.</summary>
    internal sealed record Activity(
        string Kind, long DurationMinutes, string? WorkshopId = null, IReadOnlyList<string>? Thematiques = null,
        string? Level = null, string? Autonomy = null)
    {
        internal string? ThematiquesText => Thematiques is { Count: > 0 } ? string.Join('|', Thematiques) : null;
    }

    /// <summary>The proof that the service took place: a signature sheet, a photo's number.</summary>
    internal sealed record Evidence(string Kind, string Reference);

    /// <summary>One receipt is given as such, several under their operation.</summary>
    [JsonConverter(typeof(AnswerJson))]
    internal sealed record Answer(string OperationId, bool IsSingle, IReadOnlyList<Receipt> Redemptions);

    internal sealed record Receipt(
        string Id, long Serial, long Minutes, long ValueCents, IReadOnlyList<FunderCents> IndicativeFunding,
        long RemainingMinutes, string RecordedAt, DateOnly PayableBy);

    internal sealed record FunderCents(string Funder, long Cents);

    internal static void Map(IEndpointRouteBuilder redemptions) => redemptions
        .Post("/", Role.Site, (Command body, Request _) => body,
            location: a => $"{Api.Root}/redemptions/{a.Redemptions[0].Id}");

    /// <summary>One rule that looks at everything: each rule has its price, and every scan pays it.</summary>
    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c).Custom(Check);

        private static void Check(Command c, ValidationContext<Command> context)
        {
            if (!Rules.IsUuid(c.OperationId)) context.AddFailure("OperationId", Rules.NoUuid);
            if (c is { Code: not null, Codes: not null } or { Code: null, Codes: null, ReservationId: null })
                context.AddFailure("Code", "Donnez « code » pour un pass, ou « codes » pour plusieurs, mais pas les deux.");
            if (c.Code is not null && ReadCode.Mistake(c.Code) is { } mistake) context.AddFailure("Code", mistake);
            if (c.Codes is not null) CheckCodes(c.Codes, context);
            if (!Vocabularies.Services.Has(c.Service)) context.AddFailure("Service",
                $"Nommez le service rendu, l'un de : {string.Join(" ; ", Vocabularies.Services.Codes)}.");
            if (c.Minutes is < 1 or > 6_000) context.AddFailure("Minutes", Rules.NotBetween(1, 6_000));
            if (c.ServedOn is { } servedOn && !Rules.IsSensible(servedOn)) context.AddFailure("ServedOn", Rules.NotSensible);
            if (!Rules.IsOneOf(c.FirstVisit, FirstVisits)) context.AddFailure("FirstVisit", Rules.NotOneOf(FirstVisits));
            if (c.SiteId is not null && !Rules.IsUuid(c.SiteId)) context.AddFailure("SiteId", Rules.NoUuid);
            if (c.ReservationId is not null) CheckReservation(c, context);
            if (c.Activity is not null) CheckActivity(c.Activity, context);
            if (c.Evidence is null) return;
            if (!Rules.IsName(c.Evidence.Kind, 40)) context.AddFailure("Evidence.Kind", Rules.NoName(40));
            if (!Rules.IsName(c.Evidence.Reference, 120)) context.AddFailure("Evidence.Reference", Rules.NoName(120));
        }

        private static void CheckReservation(Command c, ValidationContext<Command> context)
        {
            if (!Rules.IsUuid(c.ReservationId)) context.AddFailure("ReservationId", Rules.NoUuid);
            if (c.AllCodes.Count > 1) context.AddFailure("ReservationId",
                "Une réservation est d'un seul pass : terminez-la seule, les autres pass à part.");
        }

        private static void CheckActivity(Activity a, ValidationContext<Command> context)
        {
            if (!Rules.IsOneOf(a.Kind, Vocabularies.ActivityKinds.Codes))
                context.AddFailure("Activity.Kind", Rules.NotOneOf(Vocabularies.ActivityKinds.Codes));
            if (a.DurationMinutes is < 1 or > 1_440)
                context.AddFailure("Activity.DurationMinutes", Rules.NotBetween(1, 1_440));
            if (a.WorkshopId is not null && !Rules.IsUuid(a.WorkshopId))
                context.AddFailure("Activity.WorkshopId", Rules.NoUuid);
            if (a.Thematiques is not null) CheckThematiques(a.Thematiques, context);
            if (!Rules.IsOneOf(a.Level, Vocabularies.Levels.Codes))
                context.AddFailure("Activity.Level", Rules.NotOneOf(Vocabularies.Levels.Codes));
            if (!Rules.IsOneOf(a.Autonomy, Vocabularies.Autonomy.Codes))
                context.AddFailure("Activity.Autonomy", Rules.NotOneOf(Vocabularies.Autonomy.Codes));
        }

        private static void CheckThematiques(IReadOnlyList<string> thematiques, ValidationContext<Command> context)
        {
            if (thematiques.Count > MaxThematiques)
                context.AddFailure("Activity.Thematiques", $"Au plus {MaxThematiques} thématiques.");
            for (var i = 0; i < Math.Min(thematiques.Count, MaxThematiques); i++)
            {
                if (!Rules.IsOneOf(thematiques[i], Vocabularies.Thematiques.Codes))
                    context.AddFailure($"Activity.Thematiques[{i}]", Rules.NotOneOf(Vocabularies.Thematiques.Codes));
            }
        }

        private static void CheckCodes(IReadOnlyList<string> codes, ValidationContext<Command> context)
        {
            if (codes.Count is < 1 or > MaxCodes)
                context.AddFailure("Codes", $"Donnez de 1 à {MaxCodes} codes : les 20 signes de chaque pass.");
            var seen = new HashSet<long>();
            for (var i = 0; i < Math.Min(codes.Count, MaxCodes); i++)
            {
                if (ReadCode.Mistake(codes[i]) is { } mistake) context.AddFailure($"Codes[{i}]", mistake);
                else if (VoucherCode.TryRead(codes[i], out var code, out _) && !seen.Add(code.Serial))
                    context.AddFailure($"Codes[{i}]", "Ce pass est donné deux fois : une fois suffit.");
            }
        }
    }

    internal sealed class Handler(
        Session db, ReadCode codes, OrderCards orders, SiteCards sites, ConventionCards conventions,
        RecentlyRefused refused)
        : IRequestHandler<Command, Result<Answer>>
    {
        private const int MaxRounds = 50;

        /// <summary>
        /// What needs no transaction comes before it: the code, the place, the terms; and for a pass that was
        /// refused a moment ago also its state, so that those who come too late don't stand in the queue of those
        /// who don't.
        /// </summary>
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (command.ReservationId is not null)
            {
                var end = new CaptureReservation.Handler(db, codes, orders, sites, conventions, this);
                return await db.TransactAsync(() => end.Handle(command, ct), oneStatement: true);
            }

            var operationId = Ids.Normalise(command.OperationId)!;
            var place = await PlaceAsync(command);
            if (place.Refused is { } elsewhere) return await RecordedAsync(command, operationId, ct) ?? elsewhere;
            var passes = await JudgeAsync(command, place.Value!);
            if (passes.Refused is { } why) return await RecordedAsync(command, operationId, ct) ?? why;
            var isOne = passes.Value!.Count == 1;
            if (isOne && await LookAsync(command, operationId, place.Value!, passes.Value, ct) is { } told) return told;
            var answer = await db.TransactAsync(
                () => WriteAsync(command, operationId, place.Value!, passes.Value, ct), oneStatement: isOne);
            if (isOne && (answer.IsRefused || answer.Replayed)) refused.Note(passes.Value[0].Serial);
            return answer;
        }

        private async Task<Result<Answer>> WriteAsync(
            Command command, string operationId, Place place, IReadOnlyList<Pass> passes, CancellationToken ct)
        {
            var (redeemed, rows) = await TryAtOnceAsync(command, operationId, place, passes, ct);
            if (redeemed is not null) return await AnswerAsync(operationId, command, [redeemed]);
            if (rows.Count > 0) return await AgainAsync(command, operationId, rows);
            for (var round = 0; round < MaxRounds; round++)
            {
                if (await RedeemAsync(command, operationId, place, passes, ct) is { } answer) return answer;
                var judged = await JudgeAsync(command, place);
                if (judged.Refused is { } why) return await RecordedAsync(command, operationId, ct) ?? why;
                passes = judged.Value!;
            }

            throw new StoreUnavailableException($"No decision after {MaxRounds} rounds.");
        }

        /// <summary>
        /// One pass is redeemed without looking first, as if nobody had touched it; the statement itself says
        /// whether that is so, and the rows of the operation tell a repetition. Whoever loses, or brings several
        /// passes, looks and decides.
        /// </summary>
        private async Task<(Row? Redeemed, IReadOnlyList<Row> Others)> TryAtOnceAsync(
            Command command, string operationId, Place place, IReadOnlyList<Pass> passes, CancellationToken ct)
        {
            if (passes.Count > 1) return (null, await ReadAsync(operationId, ct));
            var debits = RedemptionRules.Debits(
                command, passes[0].Version.Terms, [VoucherState.Untouched(passes[0].Order)]);
            if (debits.Refused is not null) return (null, await ReadAsync(operationId, ct));
            return await db.InsertOrListAsync<Row>(
                Sql.Redeem, Sql.ByOperation, Arguments(command, operationId, place, passes[0], debits.Value![0]), ct);
        }

        /// <summary>The same operation again gets the same answer; with another body, 422.</summary>
        internal async Task<Result<Answer>?> RecordedAsync(Command command, string operationId, CancellationToken ct)
        {
            var rows = await ReadAsync(operationId, ct);
            return rows.Count == 0 ? (Result<Answer>?)null : await AgainAsync(command, operationId, rows);
        }

        private async Task<Result<Answer>> AgainAsync(Command command, string operationId, IReadOnlyList<Row> rows) =>
            rows[0].BodyHash == db.BodyHash
                ? new Result<Answer>(await AnswerAsync(operationId, command, rows), null, Replayed: true)
                : Problems.KeyReused;

        internal Task<IReadOnlyList<Row>> ReadAsync(string operationId, CancellationToken ct) =>
            db.ListAsync<Row>(Sql.ByOperation, new { db.Caller.OrganisationId, OperationId = operationId }, ct);

        private async Task<Result<IReadOnlyList<Pass>>> JudgeAsync(Command command, Place place)
        {
            var passes = await PassesAsync(command, place);
            return passes.IsRefused || await Refusals.WorkshopAsync(db, command, place.Site) is not { } why ? passes : why;
        }

        internal async Task<Result<Place>> PlaceAsync(Command command)
        {
            if (await sites.OfCallerAsync(db, command.SiteId) is not { } site) return Refusals.SiteUnknown;
            var today = site.Today(db.NowMs);
            return new Place(site, today, command.ServedOn?.ToDay() ?? today);
        }

        /// <summary>
        /// The passes under their terms in force, or why the terms are against it. One pass is judged from
        /// memory, as its row is written only if that was up to date, and a "no" is asked again of the latest
        /// terms; several passes are judged by the latest at once, as they can't be taken up again halfway.
        /// </summary>
        internal async Task<Result<IReadOnlyList<Pass>>> PassesAsync(Command command, Place place)
        {
            var passes = new List<Pass>();
            foreach (var typed in command.AllCodes)
            {
                var found = await codes.FindAsync(db, typed);
                if (found.Refused is { } unknown) return unknown;
                var id = found.Value!.Order.ConventionId;
                var card = command.AllCodes.Count == 1
                    ? await conventions.FindAsync(db, id)
                    : await conventions.FindLatestAsync(db, id);
                var pass = Judge(command, place, found.Value, card!);
                if (pass.IsRefused)
                    pass = Judge(command, place, found.Value, (await conventions.FindLatestAsync(db, id))!);
                if (pass.Refused is { } refused) return refused;
                passes.Add(pass.Value!);
            }

            return passes;
        }

        private static Result<Pass> Judge(
            Command command, Place place, ReadCode.Found found, ConventionCard convention)
        {
            var version = convention.InForce(place.ServiceDay);
            var refusal = RedemptionRules.Judge(version.Terms, place.Site.Commune, place.Today, place.ServiceDay,
                command.Service, command.Activity.Kind);
            return refusal is not null
                ? refusal
                : new Pass(found.Serial, found.Order, convention, version);
        }

        /// <summary>
        /// The answer to a scan that writes nothing; null where it may succeed, or nobody came too late for this
        /// pass before. Memory is asked first: what it knows was committed, and so is seen by the read after it.
        /// </summary>
        private async Task<Result<Answer>?> LookAsync(
            Command command, string operationId, Place place, IReadOnlyList<Pass> passes, CancellationToken ct)
        {
            var serial = passes[0].Serial;
            if (!refused.Holds(serial)) return null;
            var version = db.Version;
            if (refused.SpentBy(version, serial, place) is { } use)
            {
                var isNew = refused.IsNew(version, db.Caller.OrganisationId, operationId);
                return (isNew ? null : await RecordedAsync(command, operationId, ct)) ?? use.Again(db, serial);
            }

            return await db.TogetherAsync(async () =>
            {
                var told = await RecordedAsync(command, operationId, ct)
                    ?? (await DecideAsync(command, operationId, place, passes, ct)).Answer;
                if (version is not null && told?.Refused?.Code == Refusals.Spent.Code
                    && await LastUse.ReadAsync(db, serial) is { } last)
                {
                    refused.Keep(version, serial, last, place);
                    refused.KeepGap(version, db.Caller.OrganisationId, operationId, await NextAsync(operationId, ct));
                }

                return told;
            });
        }

        /// <summary>The operation of this organisation that comes after this one; null where none does.</summary>
        private async Task<string?> NextAsync(string operationId, CancellationToken ct) =>
            (await db.FindAsync<Next>(
                Sql.Next, new { db.Caller.OrganisationId, OperationId = operationId }, ct))?.OperationId;

        /// <summary>
        /// What the passes are debited, or why not; neither where the terms were amended since they were judged.
        /// </summary>
        private async Task<(IReadOnlyList<Debit>? Debits, Result<Answer>? Answer)> DecideAsync(
            Command command, string operationId, Place place, IReadOnlyList<Pass> passes, CancellationToken ct)
        {
            var states = new List<VoucherState>();
            foreach (var pass in passes)
                states.Add(await VoucherState.ReadAsync(db, pass.Order, pass.Serial, db.Caller.OrganisationId, operationId));
            var debits = await DebitsAsync(command, place, passes, states);
            if (debits.Refused is not { } refused) return (debits.Value, null);

            // A twin may have recorded this very operation since it was looked for.
            if (states.Any(s => s.Seen > 0)) return (null, await RecordedAsync(command, operationId, ct));
            if (refused.Code == Refusals.Spent.Code) return (null, refused); // Whatever the terms say.
            return await AreAmendedAsync(passes) ? (null, null) : (null, refused);
        }

        /// <summary>The answer; null where passes or terms changed meanwhile, and all is to be decided again.</summary>
        private async Task<Result<Answer>?> RedeemAsync(
            Command command, string operationId, Place place, IReadOnlyList<Pass> passes, CancellationToken ct)
        {
            var (debits, answer) = await DecideAsync(command, operationId, place, passes, ct);
            if (debits is null) return answer;

            var stale = false;
            foreach (var line in debits.OrderBy(d => passes[(int)d.Line].Serial))
            {
                stale |= await db.ExecuteAsync(
                    Sql.Redeem, Arguments(command, operationId, place, passes[(int)line.Line], line), ct) == 0;
            }

            if (!stale) return await AnswerAsync(operationId, command, await ReadAsync(operationId, ct));
            if (await OfflineServices.AreRecordedAsync(db, operationId, ct)) return Refusals.RecordedOffline;
            if (passes.Count > 1) throw new StoreUnavailableException("The passes changed while they were redeemed.");
            await AreAmendedAsync(passes);
            return await RecordedAsync(command, operationId, ct);
        }

        /// <summary>
        /// Whether these passes were judged by terms that were amended since; memory then knows the new ones.
        /// </summary>
        internal async Task<bool> AreAmendedAsync(IReadOnlyList<Pass> passes)
        {
            var amended = false;
            foreach (var card in passes.Select(p => p.Convention))
                amended |= (await conventions.FindLatestAsync(db, card.Id))!.Latest.Version > card.Latest.Version;
            return amended;
        }

        /// <summary>How many minutes of which pass, or the reason why one of them can't be used.</summary>
        private async Task<Result<IReadOnlyList<Debit>>> DebitsAsync(
            Command command, Place place, IReadOnlyList<Pass> passes, IReadOnlyList<VoucherState> states)
        {
            if (!await SiteLabels.IsLabelledAsync(db, place.Site.Id, place.ServiceDay)) return Refusals.SiteNotLabelled;
            for (var i = 0; i < passes.Count; i++)
            {
                var why = RedemptionRules.WhyNot(states[i], passes[i].Version.Terms, place.Today, place.ServiceDay);
                if (why == Refusals.Spent) why = await Refusals.SpentAsync(db, passes[i].Serial);
                if (why is not null) return why.With("serial", passes[i].Serial);
            }

            var debits = RedemptionRules.Debits(command, passes[0].Version.Terms, states);
            if (debits.Refused != Refusals.Reserved) return debits;
            var serial = passes.Zip(states).Where(p => p.Second.Held > 0)
                .MinBy(p => p.Second.RemainingMinutes - p.Second.Held).First.Serial;
            return (await Refusals.ReservedAsync(db, place.Site, serial)).With("serial", serial);
        }

        internal object Arguments(Command command, string operationId, Place place, Pass pass, Debit debit)
        {
            var terms = pass.Version.Terms;
            return new
            {
                pass.Serial,
                Booklet = pass.Order.BookletOf(pass.Serial),
                debit.Minutes,
                pass.Order.CreditMinutes,
                pass.Order.FaceCents,
                pass.Order.ValidUntilDay,
                OrderId = pass.Order.Id,
                OrderSerial = pass.Order.FirstSerial,
                ConventionId = pass.Convention.Id,
                TermsVersion = pass.Version.Version,
                KnownVersion = pass.Convention.Latest.Version,
                terms.ToleranceDays,
                RequireHandOut = terms.RequireHandOut == "refuse" ? 1L : 0L,
                SiteId = place.Site.Id,
                command.Service,
                ActivityKind = command.Activity.Kind,
                DurationMinutes = debit.DurationMinutes,
                WorkshopId = Ids.Normalise(command.Activity.WorkshopId),
                Thematiques = command.Activity.ThematiquesText,
                command.Activity.Level,
                command.Activity.Autonomy,
                FirstVisit = command.FirstVisitText,
                Evidence = command.EvidenceText,
                place.ServiceDay,
                ValidDay = place.ServiceDay,
                JudgedDay = place.Today,
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

        internal async Task<Answer> AnswerAsync(string operationId, Command command, IReadOnlyList<Row> rows)
        {
            var receipts = new List<Receipt>();
            foreach (var row in rows)
            {
                var convention = await conventions.FindAsync(db, row.ConventionId, row.TermsVersion);
                var funders = convention!.Versions.First(v => v.Version == row.TermsVersion).Terms.Funders;
                var cents = FunderShares.Split(row.ValueCents, [.. funders.Select(f => f.ShareBasisPoints)]);
                receipts.Add(new(
                    EntryId.Pack(row.Serial, row.Part), row.Serial, row.Minutes, row.ValueCents,
                    [.. funders.Select((f, i) => new FunderCents(f.Name, cents[i]))],
                    row.CreditMinutes - row.UsedAfter, Clock.InstantText(row.RecordedMs),
                    RedemptionRules.PayableBy(row.Month)));
            }

            return new(operationId, command.Codes is null, receipts);
        }
    }

    internal sealed record Place(SiteCard Site, long Today, long ServiceDay);

    internal sealed record Pass(long Serial, OrderCard Order, ConventionCard Convention, TermsVersion Version);

    /// <summary>Line n of an operation: what it takes, and the duration delivered (counted once, on the first).</summary>
    internal sealed record Debit(long Line, long Minutes, long DurationMinutes);

    internal sealed record Row(
        long Serial, long Part, long Minutes, long UsedAfter, long CreditMinutes, long ValueCents, string ConventionId,
        long TermsVersion, long Month, string BodyHash, long RecordedMs);

    private sealed record Next(string? OperationId);

    private sealed class AnswerJson : JsonConverter<Answer>
    {
        public override Answer Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("A redemption is remembered by its own rows.");

        public override void Write(Utf8JsonWriter writer, Answer value, JsonSerializerOptions options)
        {
            if (value.IsSingle) JsonSerializer.Serialize(writer, value.Redemptions[0], options);
            else JsonSerializer.Serialize(writer, new { value.OperationId, value.Redemptions }, options);
        }
    }

    internal static class Sql
    {
        public const string Redeem = """
            INSERT INTO voucher_entries (
                   serial, part, kind, minutes, used_after, credit_minutes, value_cents, hold_minutes, closed_minutes,
                   convention_id, terms_version, site_id, service, activity_kind, duration_minutes, workshop_id,
                   thematiques, level, autonomy, first_visit, evidence, service_day, month, organisation_id,
                   operation_id, line, body_hash, actor_id, recorded_ms, batch)
            SELECT @Serial,
                   v.part + 1,
                   1,
                   @Minutes,
                   v.used + @Minutes,
                   COALESCE(r.credit_minutes, @CreditMinutes),
                   (2 * COALESCE(r.face_cents, @FaceCents) * (v.used + @Minutes)
                     + COALESCE(r.credit_minutes, @CreditMinutes))
                     / (2 * COALESCE(r.credit_minutes, @CreditMinutes)) - v.cents,
                   0,
                   0,
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
                   @Line,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(value_cents), 0) AS bigint) AS cents,
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @NowMs THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS held,
                           CAST(COALESCE(SUM(CASE WHEN operation_id = @OperationId AND organisation_id = @OrganisationId
                                                  THEN 1 ELSE 0 END), 0) AS bigint) AS seen,
                           CAST(COALESCE(SUM(CASE WHEN kind = 5 THEN 1 ELSE 0 END), 0) AS bigint) AS closed,
                           (SELECT COALESCE(MAX(x.valid_until_day), @ValidUntilDay)
                              FROM order_extensions x
                             WHERE x.order_id = @OrderId) AS until_day
                      FROM voucher_entries
                     WHERE serial = @Serial) v
              LEFT JOIN replacements r ON r.serial = @Serial
             WHERE v.seen = 0 AND v.closed = 0
               AND NOT EXISTS (SELECT 1 FROM voucher_entries e
                                WHERE e.organisation_id = @OrganisationId AND e.operation_id = @OperationId
                                  AND e.line = @Line)
               AND NOT EXISTS (SELECT 1 FROM offline_services f
                                WHERE f.organisation_id = @OrganisationId AND f.operation_id = @OperationId
                                  AND f.line = @Line)
               AND v.used + v.held + @Minutes <= COALESCE(r.credit_minutes, @CreditMinutes)
            """ + UsablePass.InForce + UsablePass.NotTakenBack;

        public const string ByOperation = """
            SELECT serial AS Serial,
                   part AS Part,
                   minutes AS Minutes,
                   used_after AS UsedAfter,
                   credit_minutes AS CreditMinutes,
                   value_cents AS ValueCents,
                   convention_id AS ConventionId,
                   terms_version AS TermsVersion,
                   month AS Month,
                   body_hash AS BodyHash,
                   recorded_ms AS RecordedMs
              FROM voucher_entries
             WHERE organisation_id = @OrganisationId AND operation_id = @OperationId
             ORDER BY line
            """;

        public const string Next = """
            SELECT MIN(operation_id) AS OperationId
              FROM voucher_entries
             WHERE organisation_id = @OrganisationId AND operation_id > @OperationId
            """;
    }
}

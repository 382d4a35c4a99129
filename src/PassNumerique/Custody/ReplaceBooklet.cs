using System.Security.Cryptography;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Custody;

/// <summary>
/// A person lost the booklet: another one stands for it, with what was left, at any point of the collectivité. Each old
/// pass is closed in its own story before its minutes are written on new paper, so that of a scan at the same moment
/// and this, one sees the other: a pass and its replacement are never worth twice. The new booklet is an order of
/// 0 euro of its own: no budget, no funds, never issued a second time.
/// </summary>
internal static class ReplaceBooklet
{
    private const long MaxConventions = 200;

    /// <summary>
    /// The booklet by its number; or, where nobody knows it, by the point and the day of the hand-out and the agent's own
    /// reference for the person. <paramref name="DistributionPointId"/> is the desk that gives the new one.
    /// </summary>
    internal sealed record Command(
        string Reason, long? BookletNumber = null, string? PointId = null, DateOnly? HandedOutOn = null,
        string? Reference = null, string? DistributionPointId = null) : ICommand<Answer>;

    /// <summary><paramref name="Id"/> is the order of the new booklet: its passes are printed by it.</summary>
    internal sealed record Answer(
        string Id, long ReplacedBookletNumber, long BookletNumber, long FirstSerial, long LastSerial, long VoucherCount,
        long Minutes, long ValueCents, string DistributionPointId, DateOnly ValidUntil, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder replacements) => replacements
        .Post("/", Role.Agent | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/replacements/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Reason).Name(400);
            RuleFor(c => c.BookletNumber).Between(1, VoucherCode.SerialMax);
            RuleFor(c => c.BookletNumber).Must((c, number) =>
                    number is not null != (c.PointId is not null || c.HandedOutOn is not null || c.Reference is not null))
                .WithMessage("Donnez soit « bookletNumber », soit ensemble « pointId », « handedOutOn » et « reference ».");
            RuleFor(c => c.PointId).Uuid().When(c => c.BookletNumber is null);
            RuleFor(c => c.HandedOutOn).Must(d => d is { Year: >= 2000 and <= 2100 }).When(c => c.BookletNumber is null)
                .WithMessage("Donnez la date de la remise, entre 2000 et 2100.");
            RuleFor(c => c.Reference).Must(r => !string.IsNullOrWhiteSpace(r)).When(c => c.BookletNumber is null)
                .WithMessage("Donnez la référence du dossier de la personne, telle que l'agent l'a saisie à la remise.");
            RuleFor(c => c.Reference).Note(80);
            RuleFor(c => c.DistributionPointId).Uuid().When(c => c.DistributionPointId is not null);
        }
    }

    internal sealed class Handler(Session db, KeyRing keys, OrderCards orders, ConventionCards conventions)
        : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var desk = await DeskAsync(command, ct);
            if (desk.Refused is { } elsewhere) return elsewhere;
            var number = command.BookletNumber is { } given ? given : await SearchAsync(command, ct);
            if (number.Refused is { } notFound) return notFound;
            var booklet = number.Value;
            var order = await orders.FindAsync(db, booklet);
            if (order is null || order.AuthorityId != db.Caller.OrganisationId || !order.IsBooklet(booklet))
                return HandOutRefusals.UnknownBooklet;
            var state = await BookletState.ReadAsync(db, order, booklet);
            if (await WhyNotAsync(order, booklet, state, ct) is { } refusal) return refusal;

            var reason = command.Reason.Trim();
            if (await db.ExecuteAsync(Sql.Replace, Args(booklet, state, desk.Value!, reason), ct) == 0)
                throw new StoreUnavailableException("The booklet changed while it was replaced.");
            var closed = await ClosedPasses.CloseAsync(db, order, booklet, reason, ct);
            if (closed.Refused is { } reserved) return reserved;
            var left = await LeftAsync(order, booklet, closed.Value!, ct);
            if (left.Count == 0) return ReplacementRefusals.NothingLeft;
            return await IssueAsync(order, booklet, state, desk.Value!, left, reason, ct);
        }

        /// <summary>The point that gives the new booklet: the only one of an agent, else the one named.</summary>
        private async Task<Result<string>> DeskAsync(Command command, CancellationToken ct)
        {
            var places = db.Caller.PlaceIds;
            var id = Ids.Normalise(command.DistributionPointId) ?? (places.Count == 1 ? places[0] : null);
            if (id is null) throw new InvalidRequestException("distributionPointId", "Dites quel point remet le nouveau carnet.");
            return await CustodyPoint.FindAsync(db, id, ct) is null || !db.Caller.Reaches(id, Role.Agent)
                ? HandOutRefusals.UnknownPoint
                : id;
        }

        /// <summary>
        /// The reference is known by its digest alone, one in each convention; whoever was erased is not found.
        /// </summary>
        private async Task<Result<long>> SearchAsync(Command command, CancellationToken ct)
        {
            var args = new { AuthorityId = db.Caller.OrganisationId, Take = MaxConventions };
            var found = new List<Candidate>();
            foreach (var conventionId in await db.ListAsync<string>(Sql.Conventions, args, ct))
            {
                found.AddRange(await db.ListAsync<Candidate>(Sql.Search, new
                {
                    ConventionId = conventionId,
                    Digest = keys.PersonDigest(conventionId, command.Reference!),
                    PointId = Ids.Normalise(command.PointId),
                    Day = command.HandedOutOn!.Value.ToDay(),
                }, ct));
            }

            var open = found.Where(c => c.Ended == 0).ToList();
            var chosen = open.Count > 0 ? open : found;
            return chosen.Count switch
            {
                0 => ReplacementRefusals.NotFound,
                1 => chosen[0].Booklet,
                _ => ReplacementRefusals.Ambiguous.With("bookletNumbers", chosen.Select(c => c.Booklet).ToList()),
            };
        }

        private async Task<Refusal?> WhyNotAsync(OrderCard order, long booklet, BookletState state, CancellationToken ct)
        {
            if (state.Replaced > 0)
            {
                var next = await db.FindAsync<long>(Sql.NewBooklet, new { Booklet = booklet }, ct);
                return ReplacementRefusals.AlreadyReplaced
                    .Because($"Le nouveau carnet porte le n° {next} ; s'il est perdu à son tour, déclarez celui-là.")
                    .With("bookletNumber", next);
            }

            if (state.Returned > 0) return HandOutRefusals.Returned;
            if (!state.IsHandedOut) return ReplacementRefusals.NotHandedOut;
            var convention = await conventions.FindLatestAsync(db, order.ConventionId);
            return db.Today > state.UntilDay + convention!.InForce(db.Today).Terms.ToleranceDays
                ? HandOutRefusals.Expired.Because("Il n'y a plus rien à remplacer : seule la collectivité peut prolonger.")
                    .With("validUntil", state.UntilDay.ToDate())
                : null;
        }

        private async Task<IReadOnlyList<Left>> LeftAsync(
            OrderCard order, long booklet, IReadOnlyList<long> closed, CancellationToken ct)
        {
            var args = new { First = booklet, Last = booklet + order.VouchersPerBooklet - 1, order.FaceCents };
            return [.. (await db.ListAsync<Left>(Sql.Left, args, ct)).Where(l => closed.Contains(l.Serial))];
        }

        /// <summary>The new paper, handed out to the same person, valid as long as the old.</summary>
        private async Task<Result<Answer>> IssueAsync(
            OrderCard order, long booklet, BookletState state, string deskId, IReadOnlyList<Left> left, string reason,
            CancellationToken ct)
        {
            if (await SerialNumbers.TakeAsync(db, left.Count, ct) is not { } first) return SerialNumbers.Exhausted;
            var answer = new Answer(
                Ids.New(), booklet, first, first, first + left.Count - 1, left.Count, left.Sum(l => l.Minutes),
                left.Sum(l => l.Cents), deskId, state.UntilDay.ToDate(), Clock.InstantText(db.NowMs));
            var args = OrderArgs(order, booklet, state, answer, reason);
            await db.ExecuteAsync(Sql.InsertOrder, args, ct);
            await db.ExecuteAsync(Sql.InsertLot, args, ct);
            for (var slot = OrderStep.Approved; slot <= OrderStep.Activated; slot++)
                await db.ExecuteAsync(Sql.InsertStep, StepArgs(answer, slot), ct);
            for (var i = 0; i < left.Count; i++) await InsertPaperAsync(first + i, left[i], ct);
            await db.ExecuteAsync(Sql.InsertReplacement, args, ct);
            await db.ExecuteAsync(Sql.HandOut, args, ct);
            return answer;
        }

        private object OrderArgs(OrderCard order, long booklet, BookletState state, Answer answer, string reason) => new
        {
            OrderId = answer.Id,
            order.ConventionId,
            order.AuthorityId,
            answer.FirstSerial,
            answer.LastSerial,
            answer.VoucherCount,
            order.FaceCents,
            order.CreditMinutes,
            TotalCents = answer.VoucherCount * order.FaceCents,
            ValidUntilDay = state.UntilDay,
            OrderSerial = order.FirstSerial,
            Salt = RandomNumberGenerator.GetBytes(VoucherCode.SaltBytes),
            KeyVersion = (long)keys.Current,
            OrderedDay = db.Today,
            PointId = answer.DistributionPointId,
            Booklet = booklet,
            state.GivenPart,
            Reason = reason,
            db.Caller.OrganisationId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        };

        private object StepArgs(Answer answer, long slot) => new
        {
            OrderId = answer.Id,
            Slot = slot,
            Step = OrderStep.Name(slot),
            OnDay = db.Today,
            db.ActorId,
            db.NowMs,
            db.Batch,
        };

        private Task<long> InsertPaperAsync(long serial, Left left, CancellationToken ct) =>
            db.ExecuteAsync(Sql.InsertPaper, new
            {
                Serial = serial,
                ReplacedSerial = left.Serial,
                CreditMinutes = left.Minutes,
                FaceCents = left.Cents,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);

        private object Args(long booklet, BookletState state, string deskId, string reason) => new
        {
            Booklet = booklet,
            state.GivenPart,
            PointId = deskId,
            Day = db.Today,
            Reason = reason,
            db.Caller.OrganisationId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        };
    }

    private sealed record Candidate(long Booklet, long Ended);

    /// <summary>What was left of a pass when it was closed.</summary>
    private sealed record Left(long Serial, long Minutes, long Cents);

    private static class Sql
    {
        public const string Conventions = """
            SELECT id AS Id
              FROM conventions
             WHERE authority_id = @AuthorityId
             ORDER BY id
            {limit}
            """;

        public const string Search = """
            SELECT b.booklet AS Booklet,
                   (SELECT CAST(COUNT(*) AS bigint) FROM booklet_entries u
                     WHERE u.booklet = b.booklet AND u.kind IN (3, 8)) AS Ended
              FROM person_links p
              JOIN booklet_entries b ON b.point_id = @PointId AND b.day = @Day AND b.person_number = p.person_number
              JOIN orders o
                ON o.first_serial = (SELECT MAX(x.first_serial) FROM orders x WHERE x.first_serial <= b.booklet)
             WHERE p.convention_id = @ConventionId AND p.reference_digest = @Digest
               AND b.kind = 1 AND o.convention_id = @ConventionId
               AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                WHERE u.booklet = b.booklet AND u.kind = 2 AND u.part > b.part)
             ORDER BY b.booklet
            """;

        public const string NewBooklet = """
            SELECT o.first_serial AS Booklet
              FROM replacement_orders r
              JOIN orders o ON o.id = r.order_id
             WHERE r.replaced_booklet = @Booklet
            """;

        public const string Replace = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, reason, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   b.part + 1,
                   8,
                   @PointId,
                   @Day,
                   @Reason,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(MAX(CASE WHEN kind = 1 THEN part ELSE 0 END), 0) AS bigint) AS given,
                           CAST(COALESCE(MAX(CASE WHEN kind IN (2, 3, 8) THEN part ELSE 0 END), 0) AS bigint) AS ended
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             WHERE b.given = @GivenPart AND b.ended < @GivenPart
            """;

        public const string Left = """
            SELECT v.serial AS Serial,
                   v.minutes AS Minutes,
                   COALESCE(r.face_cents, @FaceCents) - v.cents AS Cents
              FROM (SELECT e.serial AS serial,
                           CAST(COALESCE(SUM(e.closed_minutes), 0) AS bigint) AS minutes,
                           CAST(COALESCE(SUM(e.value_cents), 0) AS bigint) AS cents
                      FROM voucher_entries e
                     WHERE e.serial BETWEEN @First AND @Last
                     GROUP BY e.serial) v
              LEFT JOIN replacements r ON r.serial = v.serial
             ORDER BY v.serial
            """;

        public const string InsertOrder = """
            INSERT INTO orders (id, convention_id, authority_id, first_serial, last_serial, booklet_count,
                                vouchers_per_booklet, voucher_count, face_cents, credit_minutes, total_cents,
                                valid_until_day, terms_version, salt, key_version, ordered_day,
                                actor_id, recorded_ms, batch)
            SELECT @OrderId, @ConventionId, @AuthorityId, @FirstSerial, @LastSerial, 1,
                   @VoucherCount, @VoucherCount, @FaceCents, @CreditMinutes, @TotalCents,
                   @ValidUntilDay, o.terms_version, @Salt, @KeyVersion, @OrderedDay,
                   @ActorId, @NowMs, @Batch
              FROM orders o
             WHERE o.first_serial = @OrderSerial
            """;

        public const string InsertLot = """
            INSERT INTO lots (order_id, position, first_serial, last_serial, booklet_count, point_id,
                              actor_id, recorded_ms, batch)
            VALUES (@OrderId, 1, @FirstSerial, @LastSerial, 1, @PointId, @ActorId, @NowMs, @Batch)
            """;

        public const string InsertStep = """
            INSERT INTO order_steps (order_id, slot, step, on_day, actor_id, recorded_ms, batch)
            VALUES (@OrderId, @Slot, @Step, @OnDay, @ActorId, @NowMs, @Batch)
            """;

        public const string InsertPaper = """
            INSERT INTO replacements (serial, replaced_serial, credit_minutes, face_cents, actor_id, recorded_ms, batch)
            VALUES (@Serial, @ReplacedSerial, @CreditMinutes, @FaceCents, @ActorId, @NowMs, @Batch)
            """;

        public const string InsertReplacement = """
            INSERT INTO replacement_orders (order_id, replaced_booklet, reason, actor_id, recorded_ms, batch)
            VALUES (@OrderId, @Booklet, @Reason, @ActorId, @NowMs, @Batch)
            """;

        /// <summary>
        /// The coded facts of the hand-out that stands, corrections included, and its day: the person has had these
        /// passes since then, and the end of their validity is judged by it.
        /// </summary>
        public const string HandOut = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
                   commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
                   notice_version, notice_given, reason, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @FirstSerial,
                   1,
                   1,
                   @PointId,
                   g.day,
                   g.person_number,
                   g.anonymous,
                   g.age_band,
                   g.gender,
                   g.social_status,
                   g.commune,
                   g.publics,
                   g.channel,
                   g.pic_ground,
                   g.pic_evidence,
                   g.needs,
                   g.oriented_site_id,
                   g.oriented_at_ms,
                   g.notice_version,
                   g.notice_given,
                   @Reason,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM booklet_entries g
             WHERE g.booklet = @Booklet
               AND g.part = (SELECT MAX(c.part) FROM booklet_entries c
                              WHERE c.booklet = @Booklet AND c.kind IN (1, 4) AND c.part >= @GivenPart)
            """;
    }
}

/// <summary>Why a booklet is not replaced.</summary>
internal static class ReplacementRefusals
{
    public static readonly Refusal NotFound = new("replacement-not-found", 404,
        "Aucune remise ne correspond à ce point, à cette date et à cette référence.",
        "Vérifiez la date et la référence telle qu'elle a été saisie ; si le lien avec la personne est effacé, il faut le "
        + "numéro du carnet, inscrit sur le talon.");

    public static readonly Refusal Ambiguous = new("replacement-ambiguous", 409,
        "Plusieurs carnets ont été remis à cette personne ce jour-là.",
        "Refaites la demande avec le numéro de celui qui est perdu : « bookletNumbers » les donne tous.");

    public static readonly Refusal AlreadyReplaced = new("booklet-already-replaced", 409, "Ce carnet est déjà remplacé.",
        "Le nouveau carnet est nommé dans « bookletNumber ».");

    public static readonly Refusal NotHandedOut = new("booklet-not-handed-out", 409,
        "La remise de ce carnet n'est pas enregistrée.",
        "Enregistrez-la d'abord ; un carnet perdu avant d'être remis se bloque, et un autre est pris du stock.");

    public static readonly Refusal NothingLeft = new("booklet-spent", 409,
        "Tous les pass de ce carnet sont déjà utilisés ou clos.",
        "Il n'y a rien à remplacer ; la personne peut recevoir un autre carnet.");
}

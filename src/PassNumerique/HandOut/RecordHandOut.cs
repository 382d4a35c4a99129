using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// An agent hands a booklet to a person. One conditional INSERT takes the next part of the booklet's story, so
/// a booklet is handed out once, whoever types at the same time. Coded facts stay; what ties them to somebody
/// is kept apart and can be erased.
/// </summary>
internal static class RecordHandOut
{
    internal sealed record Command(
        string OperationId, long BookletNumber, DateOnly HandedOutOn, string? DistributionPointId = null,
        Person? Person = null, Eligibility? Eligibility = null, IReadOnlyList<string>? Needs = null,
        Assessment? Assessment = null, Orientation? OrientedTo = null, Notice? Notice = null,
        FollowUp? FollowUp = null) : ICommand<Answer>, IOperation;

    internal sealed record Answer(
        string Id, string OperationId, long BookletNumber, long FirstSerial, long LastSerial, long MinutesPerVoucher,
        DateOnly HandedOutOn, DateOnly ValidUntil, long PersonNumber, bool Anonymous, string? OrientedSiteId,
        string RecordedAt);

    internal static void Map(IEndpointRouteBuilder handOuts) => handOuts
        .Post("/", Role.Agent | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/hand-outs/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.OperationId).Uuid();
            RuleFor(c => c.BookletNumber).Between(1, uint.MaxValue);
            RuleFor(c => c.HandedOutOn).Sensible();
            RuleFor(c => c.DistributionPointId).Uuid().When(c => c.DistributionPointId is not null);
            RuleFor(c => c.Person).SetValidator(new PersonValidator()).When(c => c.Person is not null);
            RuleFor(c => c.Eligibility!.PicGround).OneOf(Vocabularies.PicGrounds.Codes!).When(c => c.Eligibility is not null);
            RuleFor(c => c.Eligibility!.Evidence).OneOf([.. Vocabularies.PicEvidence.Codes, Vocabularies.Unknown])
                .When(c => c.Eligibility is not null);
            RuleForEach(c => c.Needs).OneOf([.. Vocabularies.Thematiques.Codes, Vocabularies.Unknown]);
            RuleFor(c => c.Needs).Must(n => n is null || n.Count <= 19).WithMessage("Au plus 19 besoins.");
            RuleFor(c => c.Assessment).SetValidator(new AssessmentValidator()).When(c => c.Assessment is not null);
            RuleFor(c => c.OrientedTo!.SiteId).Uuid().When(c => c.OrientedTo is not null);
            RuleFor(c => c.Notice!.Version).Reference(20).When(c => c.Notice is not null);
            RuleFor(c => c.FollowUp!.For!).Reference(200).When(c => c.FollowUp?.For is not null);
            RuleFor(c => c.FollowUp!.Phone!).Reference(40).When(c => c.FollowUp?.Phone is not null);
            RuleFor(c => c.FollowUp!.Phone).Null().When(c => c.FollowUp is { Agreed: false })
                .WithMessage("Sans accord de la personne, son numéro n'est pas enregistré.");
        }
    }

    internal sealed class Handler(Session db, KeyRing keys, OrderCards orders, SiteCards sites)
        : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var operationId = Ids.Normalise(command.OperationId)!;
            if (await RecordedAsync(operationId, ct) is { } before) return before;
            var point = await PointAsync(command);
            if (point.Refused is { } elsewhere) return elsewhere;
            var order = await orders.FindAsync(db, command.BookletNumber);
            if (order is null || order.AuthorityId != point.Value!.AuthorityId || !order.IsBooklet(command.BookletNumber))
                return HandOutRefusals.UnknownBooklet;
            var day = command.HandedOutOn.ToDay();
            if (day > db.Today || day < db.Today - 60) return HandOutRefusals.DateOutOfRange;
            var site = Ids.Normalise(command.OrientedTo?.SiteId);
            if (site is not null && await sites.FindAsync(db, site) is null) return HandOutRefusals.UnknownSite;

            var state = await BookletState.ReadAsync(db, order, command.BookletNumber);
            if (state.WhyNot(point.Value.Id, day, db.Today) is { } refusal)
            {
                // This very operation may be what stands against it, sent twice and recorded meanwhile.
                return await RecordedAsync(operationId, ct) ?? refusal;
            }

            return await WriteAsync(command, operationId, point.Value, order, site, ct);
        }

        private async Task<Result<Answer>> WriteAsync(
            Command command, string operationId, Point point, OrderCard order, string? siteId, CancellationToken ct)
        {
            var person = await PersonNumbers.OfAsync(db, keys, order.ConventionId, command.Person?.Reference);
            var written = await db.ExecuteAsync(Sql.Insert, Row(command, operationId, point, order, siteId, person), ct);
            if (written == 0) throw new StoreUnavailableException("The booklet changed while it was handed out.");
            if (command.Assessment is { } assessment)
                await RecordAssessment.InsertAsync(db, order.ConventionId, command.BookletNumber, person, assessment, command.HandedOutOn.ToDay());
            if (command.FollowUp is { Agreed: true, Phone: { Length: > 0 } phone } followUp)
            {
                await db.ExecuteAsync(Sql.Contact, new
                {
                    Id = Ids.New(),
                    order.ConventionId,
                    PersonNumber = person,
                    Phone = phone.Trim(),
                    AgreedFor = followUp.For ?? "",
                    db.NowMs,
                }, ct);
            }

            return (await AnswerAsync(operationId, ct))!;
        }

        private object Row(
            Command command, string operationId, Point point, OrderCard order, string? siteId, long personNumber) => new
            {
                Booklet = command.BookletNumber,
                LastSerial = command.BookletNumber + order.VouchersPerBooklet - 1,
                OrderId = order.Id,
                OrderSerial = order.FirstSerial,
                PointId = point.Id,
                Day = command.HandedOutOn.ToDay(),
                PersonNumber = personNumber,
                Anonymous = string.IsNullOrWhiteSpace(command.Person?.Reference) ? 1L : 0L,
                AgeBand = command.Person?.AgeBand ?? Vocabularies.Unknown,
                Gender = command.Person?.Gender ?? Vocabularies.Unknown,
                SocialStatus = command.Person?.SocialStatus ?? Vocabularies.Unknown,
                Commune = command.Person?.Commune is { } c and not Vocabularies.Unknown ? c : null,
                Publics = CodeList.Of(command.Person?.Publics),
                point.Channel,
                PicGround = command.Eligibility?.PicGround ?? Vocabularies.Unknown,
                PicEvidence = command.Eligibility?.Evidence ?? Vocabularies.Unknown,
                Needs = CodeList.Of(command.Needs),
                OrientedSiteId = siteId,
                OrientedAtMs = command.OrientedTo?.At?.ToUnixTimeMilliseconds(),
                NoticeVersion = command.Notice?.Version,
                NoticeGiven = command.Notice is { } n ? (n.Given ? 1L : 0L) : (long?)null,
                db.Caller.OrganisationId,
                OperationId = operationId,
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };

        private async Task<Result<Point>> PointAsync(Command command)
        {
            var places = db.Caller.PlaceIds;
            var id = Ids.Normalise(command.DistributionPointId) ?? (places.Count == 1 ? places[0] : null);
            if (id is null) throw new InvalidRequestException("distributionPointId", "Dites à quel point de remise vous êtes.");
            var point = await db.FindAsync<Point>(Sql.Point, new { PointId = id });
            if (point is null || point.AuthorityId != db.Caller.OrganisationId) return HandOutRefusals.UnknownPoint;
            return db.Caller.Is(Role.Agent) && !places.Contains(id) ? HandOutRefusals.UnknownPoint : point;
        }

        private async Task<Result<Answer>?> RecordedAsync(string operationId, CancellationToken ct)
        {
            var hash = await db.FindAsync<string>(
                Sql.Recorded, new { db.Caller.OrganisationId, OperationId = operationId }, ct);
            if (hash is null) return null;
            if (hash != db.BodyHash) return Problems.KeyReused;
            return new Result<Answer>(await AnswerAsync(operationId, ct), null, Replayed: true);
        }

        private async Task<Answer?> AnswerAsync(string operationId, CancellationToken ct)
        {
            var row = await db.FindAsync<Given>(
                Sql.Given, new { db.Caller.OrganisationId, OperationId = operationId }, ct);
            var order = await orders.FindAsync(db, row!.Booklet);
            var state = await BookletState.ReadAsync(db, order!, row.Booklet);
            return new(
                EntryId.Pack(row.Booklet, row.Part), operationId, row.Booklet, row.Booklet,
                row.Booklet + order!.VouchersPerBooklet - 1, order.CreditMinutes, row.Day.ToDate(),
                state.UntilDay.ToDate(), row.PersonNumber, row.Anonymous == 1, row.OrientedSiteId,
                Clock.InstantText(row.RecordedMs));
        }
    }

    internal sealed record Point(string Id, string AuthorityId, string Channel);

    private sealed record Given(
        long Booklet, long Part, long Day, long PersonNumber, long Anonymous, string? OrientedSiteId, long RecordedMs);

    private static class Sql
    {
        public const string Point = """
            SELECT id AS Id,
                   authority_id AS AuthorityId,
                   channel AS Channel
              FROM distribution_points
             WHERE id = @PointId
            """;

        public const string Recorded = """
            SELECT body_hash AS BodyHash
              FROM booklet_entries
             WHERE organisation_id = @OrganisationId AND operation_id = @OperationId
            """;

        public const string Given = """
            SELECT booklet AS Booklet,
                   part AS Part,
                   day AS Day,
                   person_number AS PersonNumber,
                   anonymous AS Anonymous,
                   oriented_site_id AS OrientedSiteId,
                   recorded_ms AS RecordedMs
              FROM booklet_entries
             WHERE organisation_id = @OrganisationId AND operation_id = @OperationId
            """;

        public const string Insert = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
                   commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
                   notice_version, notice_given, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT @Booklet,
                   b.part + 1,
                   1,
                   @PointId,
                   @Day,
                   @PersonNumber,
                   @Anonymous,
                   @AgeBand,
                   @Gender,
                   @SocialStatus,
                   @Commune,
                   @Publics,
                   @Channel,
                   @PicGround,
                   @PicEvidence,
                   @Needs,
                   @OrientedSiteId,
                   @OrientedAtMs,
                   @NoticeVersion,
                   @NoticeGiven,
                   @OrganisationId,
                   @OperationId,
                   @BodyHash,
                   @ActorId,
                   @NowMs,
                   @Batch
            """ + StockedBooklet.AtPoint + """

               AND EXISTS (SELECT 1 FROM order_steps s WHERE s.order_id = @OrderId AND s.slot = 6)
            """;

        public const string Contact = """
            INSERT INTO person_contacts (id, convention_id, person_number, phone, agreed_for, created_ms)
            VALUES (@Id, @ConventionId, @PersonNumber, @Phone, @AgreedFor, @NowMs)
            """;
    }
}

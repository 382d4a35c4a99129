using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// Corrects the coded facts of a hand-out: a fact of its own that names the corrected one by standing after it.
/// What is left out becomes unknown; the person's number stays.
/// </summary>
internal static class CorrectHandOut
{
    internal sealed record Command(
        string Reason, Person? Person = null, Eligibility? Eligibility = null, IReadOnlyList<string>? Needs = null)
        : ICommand<Answer>
    {
        [JsonIgnore]
        public string HandOutId { get; init; } = "";
    }

    internal sealed record Answer(string Id, string HandOutId, long BookletNumber, string RecordedAt);

    internal static void Map(IEndpointRouteBuilder handOuts) => handOuts
        .Post("/{id}/correction", Role.Agent | Role.Authority,
            (Command body, Request request) => body with { HandOutId = request.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Reason).Name(400);
            RuleFor(c => c.Person).SetValidator(new PersonValidator()).When(c => c.Person is not null);
            RuleFor(c => c.Person!.Reference).Null().When(c => c.Person is not null)
                .WithMessage("La référence d'une personne ne se corrige pas : annulez la remise et refaites-la.");
            RuleFor(c => c.Eligibility!.PicGround).OneOf(Vocabularies.PicGrounds.Codes!).When(c => c.Eligibility is not null);
            RuleFor(c => c.Eligibility!.Evidence).OneOf([.. Vocabularies.PicEvidence.Codes, Vocabularies.Unknown])
                .When(c => c.Eligibility is not null);
            RuleForEach(c => c.Needs).OneOf([.. Vocabularies.Thematiques.Codes, Vocabularies.Unknown]);
        }
    }

    internal sealed class Handler(Session db, OrderCards orders) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var handOut = await CurrentHandOut.FindAsync(db, orders, command.HandOutId);
            if (handOut.Refused is { } refused) return refused;
            var (_, booklet, part, _) = handOut.Value!;
            var written = await db.ExecuteAsync(Sql.Insert, new
            {
                Booklet = booklet,
                Part = part,
                AgeBand = command.Person?.AgeBand ?? Vocabularies.Unknown,
                Gender = command.Person?.Gender ?? Vocabularies.Unknown,
                SocialStatus = command.Person?.SocialStatus ?? Vocabularies.Unknown,
                Commune = command.Person?.Commune is { } c and not Vocabularies.Unknown ? c : null,
                Publics = CodeList.Of(command.Person?.Publics),
                PicGround = command.Eligibility?.PicGround ?? Vocabularies.Unknown,
                PicEvidence = command.Eligibility?.Evidence ?? Vocabularies.Unknown,
                Needs = CodeList.Of(command.Needs),
                Reason = command.Reason.Trim(),
                db.Caller.OrganisationId,
                OperationId = Ids.New(),
                db.BodyHash,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (written == 0) return HandOutRefusals.NotHandedOut;
            var last = await db.FindAsync<long>(CurrentHandOut.LastPart, new { Booklet = booklet }, ct);
            return new Answer(EntryId.Pack(booklet, last), command.HandOutId, booklet, Clock.InstantText(db.NowMs));
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO booklet_entries (
                   booklet, part, kind, point_id, day, person_number, anonymous, age_band, gender, social_status,
                   commune, publics, channel, pic_ground, pic_evidence, needs, oriented_site_id, oriented_at_ms,
                   notice_version, notice_given, reason, organisation_id, operation_id, body_hash,
                   actor_id, recorded_ms, batch)
            SELECT g.booklet,
                   b.part + 1,
                   4,
                   g.point_id,
                   g.day,
                   g.person_number,
                   g.anonymous,
                   @AgeBand,
                   @Gender,
                   @SocialStatus,
                   @Commune,
                   @Publics,
                   g.channel,
                   @PicGround,
                   @PicEvidence,
                   @Needs,
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
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(MAX(CASE WHEN kind = 1 THEN part ELSE 0 END), 0) AS bigint) AS given,
                           CAST(COALESCE(MAX(CASE WHEN kind = 2 THEN part ELSE 0 END), 0) AS bigint) AS undone
                      FROM booklet_entries
                     WHERE booklet = @Booklet) b
             CROSS JOIN booklet_entries g
             WHERE g.booklet = @Booklet AND g.part = @Part AND g.kind = 1
               AND b.given = @Part AND b.undone < @Part
            """;
    }
}

using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.HandOut;

/// <summary>
/// Where a person stands before (t0), after (t1) and some time later (t2): found by the booklet, by one of its
/// codes, or by the agent's own reference. It is kept under the person's number in the convention.
/// </summary>
internal static class RecordAssessment
{
    internal sealed record Command(
        string Instrument, string Version, string Phase, long Score, long MaxScore, string Mode, DateOnly TakenOn,
        string? Code = null, long? BookletNumber = null, string? Reference = null, string? ConventionId = null)
        : ICommand<Answer>;

    internal sealed record Answer(string Id, string ConventionId, long PersonNumber, string Phase, long Score, long MaxScore);

    internal static readonly Refusal UnknownPerson = new("person-unknown", 404, "Personne inconnue.",
        "Aucune remise en cours ne correspond : vérifiez le carnet ou la référence.");

    internal static void Map(IEndpointRouteBuilder assessments) => assessments
        .Post("/", Role.Agent | Role.Site | Role.Authority, (Command body, Request _) => body);

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => new Assessment(c.Instrument, c.Version, c.Phase, c.Score, c.MaxScore, c.Mode))
                .SetValidator(new AssessmentValidator()!).OverridePropertyName("");
            RuleFor(c => c.TakenOn).Sensible();
            RuleFor(c => c.Code).Must((c, _) => new object?[] { c.Code, c.BookletNumber, c.Reference }.Count(x => x is not null) == 1)
                .WithMessage("Donnez soit « code », soit « bookletNumber », soit « reference » avec « conventionId ».");
            RuleFor(c => c.Code).Must(c => c is null || ReadCode.Mistake(c) is null)
                .WithMessage("Ce code est mal recopié : relisez-le groupe par groupe.");
            RuleFor(c => c.Reference).Note(80);
            RuleFor(c => c.ConventionId).Uuid().When(c => c.Reference is not null);
        }
    }

    internal sealed class Handler(Session db, KeyRing keys, OrderCards orders, ReadCode codes)
        : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var day = command.TakenOn.ToDay();
            if (day > db.Today) return HandOutRefusals.DateOutOfRange;
            var person = await PersonAsync(command);
            if (person.Refused is { } refused) return refused;
            var (conventionId, booklet, number) = person.Value;
            var assessment = new Assessment(
                command.Instrument, command.Version, command.Phase, command.Score, command.MaxScore, command.Mode);
            var id = await InsertAsync(db, conventionId, booklet, number, assessment, day);
            return new Answer(id, conventionId, number, command.Phase, command.Score, command.MaxScore);
        }

        private async Task<Result<(string ConventionId, long? Booklet, long Number)>> PersonAsync(Command command)
        {
            if (command.Reference is { } reference)
            {
                var conventionId = Ids.Normalise(command.ConventionId)!;
                var digest = keys.PersonDigest(conventionId, reference);
                var known = await db.FindAsync<long?>(
                    Sql.ByReference, new { ConventionId = conventionId, Digest = digest, db.Caller.OrganisationId });
                return known is { } number ? (conventionId, null, number) : UnknownPerson;
            }

            var serial = command.BookletNumber;
            if (command.Code is { } code)
            {
                var found = await codes.FindAsync(db, code);
                if (found.Refused is { } refused) return refused;
                serial = found.Value!.Booklet;
            }

            var order = await orders.FindAsync(db, serial!.Value);
            if (order is null || (command.Code is null && order.AuthorityId != db.Caller.OrganisationId)) return UnknownPerson;
            var given = await db.FindAsync<long?>(Sql.ByBooklet, new { Booklet = serial.Value });
            return given is { } of ? (order.ConventionId, serial, of) : UnknownPerson;
        }
    }

    /// <summary>Writes one assessment and gives its id.</summary>
    public static async Task<string> InsertAsync(
        Session db, string conventionId, long? booklet, long personNumber, Assessment assessment, long takenDay)
    {
        var id = Ids.New();
        await db.ExecuteAsync(Sql.Insert, new
        {
            Id = id,
            ConventionId = conventionId,
            Booklet = booklet,
            PersonNumber = personNumber,
            assessment.Instrument,
            InstrumentVersion = assessment.Version,
            assessment.Phase,
            assessment.Score,
            assessment.MaxScore,
            assessment.Mode,
            TakenDay = takenDay,
            db.ActorId,
            db.NowMs,
            db.Batch,
        });
        return id;
    }

    private static class Sql
    {
        public const string ByReference = """
            SELECT p.person_number
              FROM person_links p
              JOIN conventions c ON c.id = p.convention_id
             WHERE p.convention_id = @ConventionId AND p.reference_digest = @Digest
               AND c.authority_id = @OrganisationId
            """;

        public const string ByBooklet = """
            SELECT b.person_number
              FROM booklet_entries b
             WHERE b.booklet = @Booklet
               AND b.part = (SELECT MAX(g.part) FROM booklet_entries g
                              WHERE g.booklet = @Booklet AND g.kind = 1
                                AND NOT EXISTS (SELECT 1 FROM booklet_entries u
                                                 WHERE u.booklet = g.booklet AND u.kind = 2 AND u.part > g.part))
            """;

        public const string Insert = """
            INSERT INTO assessments (
                   id, convention_id, booklet, person_number, instrument, instrument_version, phase, score, max_score,
                   mode, taken_day, actor_id, recorded_ms, batch)
            VALUES (@Id, @ConventionId, @Booklet, @PersonNumber, @Instrument, @InstrumentVersion, @Phase, @Score, @MaxScore,
                   @Mode, @TakenDay, @ActorId, @NowMs, @Batch)
            """;
    }
}

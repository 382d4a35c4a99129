using FluentValidation;
using MediatR;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.HandOut;

/// <summary>
/// Erases all that ties a person's number to somebody: the digest of the reference and the contact. The coded
/// facts stay and point to nothing, so that no report, ledger line or proof moves.
/// </summary>
internal static class ErasePerson
{
    internal sealed record Command(
        string ConventionId, string? Reference = null, long? BookletNumber = null, bool Everybody = false) : ICommand<Answer>;

    internal sealed record Answer(long Links, long Contacts);

    internal static void Map(IEndpointRouteBuilder persons) => persons
        .Post("/erasures", Role.Authority | Role.Operator, (Command body, Request _) => body, status: 200);

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.ConventionId).Uuid();
            RuleFor(c => c.Reference).Note(80);
            RuleFor(c => c.Reference).Must((c, _) =>
                    (c.Reference is not null ? 1 : 0) + (c.BookletNumber is not null ? 1 : 0) + (c.Everybody ? 1 : 0) == 1)
                .WithMessage("Donnez soit « reference », soit « bookletNumber », soit « everybody »: true.");
        }
    }

    internal sealed class Handler(Session db, KeyRing keys) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var conventionId = Ids.Normalise(command.ConventionId)!;
            var authority = await db.FindAsync<string>(Sql.Authority, new { ConventionId = conventionId }, ct);
            if (authority is null || (db.Caller.Scope is { } scope && scope != authority)) return Problems.NotFound;
            if (command.Everybody) return await DeleteAsync(conventionId, null, ct);
            var number = await NumberAsync(conventionId, command, ct);
            return number is null ? RecordAssessment.UnknownPerson : await DeleteAsync(conventionId, number, ct);
        }

        private Task<long?> NumberAsync(string conventionId, Command command, CancellationToken ct) =>
            command.Reference is { } reference
                ? db.FindAsync<long?>(Sql.ByReference,
                    new { ConventionId = conventionId, Digest = keys.PersonDigest(conventionId, reference) }, ct)
                : db.FindAsync<long?>(Sql.ByBooklet,
                    new { ConventionId = conventionId, Booklet = command.BookletNumber!.Value }, ct);

        private async Task<Answer> DeleteAsync(string conventionId, long? number, CancellationToken ct)
        {
            var args = new { ConventionId = conventionId, PersonNumber = number };
            return new(await db.ExecuteAsync(Sql.Links, args, ct), await db.ExecuteAsync(Sql.Contacts, args, ct));
        }
    }

    private static class Sql
    {
        public const string Authority = """
            SELECT authority_id AS AuthorityId
              FROM conventions
             WHERE id = @ConventionId
            """;

        public const string ByReference = """
            SELECT person_number
              FROM person_links
             WHERE convention_id = @ConventionId AND reference_digest = @Digest
            """;

        public const string ByBooklet = """
            SELECT MAX(b.person_number) AS PersonNumber
              FROM booklet_entries b
              JOIN orders o ON o.first_serial <= b.booklet AND o.last_serial >= b.booklet
             WHERE b.booklet = @Booklet AND b.kind = 1 AND o.convention_id = @ConventionId
            """;

        public const string Links = """
            DELETE FROM person_links
             WHERE convention_id = @ConventionId AND (@PersonNumber IS NULL OR person_number = @PersonNumber)
            """;

        public const string Contacts = """
            DELETE FROM person_contacts
             WHERE convention_id = @ConventionId AND (@PersonNumber IS NULL OR person_number = @PersonNumber)
            """;
    }
}

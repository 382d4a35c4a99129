using FluentValidation;
using MediatR;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Conventions;

/// <summary>
/// A convention signed with a collectivité: its terms become version 1, its budget is open for orders. The
/// collectivité is found by its SIRET, or becomes known with its first convention.
/// </summary>
internal static class CreateConvention
{
    /// <summary>The terms, and between whom they are agreed.</summary>
    internal sealed record Command : Terms, ICommand<Answer>
    {
        public required string Reference { get; init; }

        public required Signatory Authority { get; init; }

        public string? HubId { get; init; }

        public required DateOnly SignedOn { get; init; }
    }

    internal sealed record Signatory(string Siret, string Name);

    internal sealed record Answer(
        string Id, string Reference, string AuthorityId, string? HubId, long Version, long BudgetCents);

    internal static readonly Refusal HubUnknown = new("hub-unknown", 404, "Hub inconnu.",
        "Vérifiez « hubId » : il nomme une organisation de genre « hub ».");

    internal static readonly Refusal ReferenceTaken = new("reference-taken", 409,
        "Une convention porte déjà cette référence.",
        "Prenez une autre référence ou, pour changer la convention, enregistrez un avenant.");

    internal static readonly Refusal NotOwnAuthority = new("authority-not-own", 409,
        "Une collectivité n'enregistre que ses propres conventions.",
        "Donnez le SIRET de votre collectivité, ou demandez l'enregistrement à l'opérateur.");

    internal static void Map(IEndpointRouteBuilder conventions) => conventions
        .Post("/", Role.Operator | Role.State | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/conventions/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            Include(new TermsValidator());
            RuleFor(c => c.Reference).Reference(80);
            RuleFor(c => c.Authority.Siret).Must(Identifiers.IsSiret)
                .WithMessage("Ce SIRET n'est pas valable : 14 chiffres, dont la clé de contrôle.");
            RuleFor(c => c.Authority.Name).Name(200);
            RuleFor(c => c.HubId).Uuid().When(c => c.HubId is not null);
            RuleFor(c => c.SignedOn).Sensible();
            RuleFor(c => c.SignedOn).LessThanOrEqualTo(c => c.EndsOn)
                .WithMessage("La convention est signée après sa fin : vérifiez « signedOn » et « endsOn ».");
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var hubId = Ids.Normalise(command.HubId);
            if (hubId is not null && await db.FindAsync<string>(Sql.Hub, new { HubId = hubId }, ct) is null)
                return HubUnknown;
            if (await FindAuthorityAsync(command.Authority, ct) is not { } authorityId) return NotOwnAuthority;

            var answer = new Answer(
                Ids.New(), command.Reference.Trim(), authorityId, hubId, Version: 1, command.BudgetCents);
            var args = new
            {
                answer.Id,
                answer.Reference,
                answer.AuthorityId,
                answer.HubId,
                answer.Version,
                answer.BudgetCents,
                SignedDay = command.SignedOn.ToDay(),
                EffectiveDay = command.StartsOn.ToDay(),
                Terms = command.ToDocument(),
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            if (await db.ExecuteAsync(Sql.Insert, args, ct) == 0) return ReferenceTaken;
            await db.ExecuteAsync(Sql.InsertTerms, args, ct);
            await db.ExecuteAsync(Sql.InsertBalances, args, ct);
            return answer;
        }

        /// <summary>The collectivité of a SIRET, made known where new; null where not the caller's.</summary>
        private async Task<string?> FindAuthorityAsync(Signatory signatory, CancellationToken ct)
        {
            if (db.Caller.Is(Role.Authority))
            {
                var own = new { db.Caller.OrganisationId, signatory.Siret };
                return await db.FindAsync<string>(Sql.OwnAuthority, own, ct);
            }

            // Made within this command, and found where it is known: that order leaves no gap between the two.
            var made = await new CreateOrganisation.Handler(db).Handle(
                new("authority", signatory.Name, signatory.Siret), ct);
            return made.Value?.Id ?? await CreateOrganisation.FindAuthorityAsync(db, signatory.Siret, ct);
        }
    }

    private static class Sql
    {
        public const string Hub = """
            SELECT id
              FROM organisations
             WHERE id = @HubId AND kind = 'hub'
            """;

        public const string OwnAuthority = """
            SELECT id
              FROM organisations
             WHERE id = @OrganisationId AND kind = 'authority' AND siret = @Siret
            """;

        public const string Insert = """
            INSERT INTO conventions (id, reference, authority_id, hub_id, actor_id, recorded_ms, batch)
            SELECT @Id, @Reference, @AuthorityId, @HubId, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM conventions WHERE reference = @Reference)
            """;

        public const string InsertTerms = """
            INSERT INTO convention_terms (convention_id, version, reference, signed_day, effective_day, terms,
                                          actor_id, recorded_ms, batch)
            VALUES (@Id, @Version, @Reference, @SignedDay, @EffectiveDay, @Terms,
                    @ActorId, @NowMs, @Batch)
            """;

        public const string InsertBalances = """
            INSERT INTO convention_balances (convention_id, budget_cents, ordered_cents, received_cents,
                                             derogated_cents, committed_cents)
            VALUES (@Id, @BudgetCents, 0, 0, 0, 0)
            """;
    }
}

using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// An organisation that acts in the service: the operator, the State, a collectivité, a hub, a structure that
/// runs sites, an auditor. Only the operator adds them. <c>/hubs</c> and <c>/structures</c> are the same
/// command with its kind filled in.
/// </summary>
internal static class CreateOrganisation
{
    internal sealed record Command(string Kind, string Name, string? Siret = null) : ICommand<Answer>;

    internal sealed record Answer(string Id, string Kind, string Name, string? Siret);

    /// <summary>A hub or a structure: the path says which.</summary>
    internal sealed record OfKind(string Name, string? Siret = null);

    internal static readonly Refusal SiretTaken = new("siret-taken", 409,
        "Une collectivité porte déjà ce SIRET.",
        "Utilisez-la (« organisationId »), ou vérifiez le SIRET : deux collectivités n'en partagent pas.");

    internal static void Map(IEndpointRouteBuilder api)
    {
        api.Post("/organisations", Role.Operator, (Command body, Request _) => body,
            location: a => $"{Api.Root}/organisations/{a.Id}");
        api.Post("/hubs", Role.Operator,
            (OfKind body, Request _) => new Command("hub", body.Name, body.Siret),
            location: a => $"{Api.Root}/hubs/{a.Id}");
        api.Post("/structures", Role.Operator,
            (OfKind body, Request _) => new Command("structure", body.Name, body.Siret),
            location: a => $"{Api.Root}/structures/{a.Id}");
    }

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Kind).Must(OrganisationKinds.Has)
                .WithMessage($"Choisissez l'un de : {string.Join(", ", OrganisationKinds.Codes)}.");
            RuleFor(c => c.Name).Name(200);
            RuleFor(c => c.Siret).Must(s => s is null || Identifiers.IsSiret(s))
                .WithMessage("Ce SIRET n'est pas valable : 14 chiffres, dont la clé de contrôle.");
            RuleFor(c => c.Siret).NotNull().When(c => OrganisationKinds.NeedsSiret(c.Kind))
                .WithMessage("Le SIRET est obligatoire pour une collectivité et pour une structure.");
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var answer = new Answer(Ids.New(), command.Kind, command.Name.Trim(), command.Siret);
            var args = new
            {
                answer.Id,
                answer.Kind,
                answer.Name,
                answer.Siret,
                db.ActorId,
                db.NowMs,
                db.Batch,
            };
            var inserted = await db.ExecuteAsync(Sql.Insert, args, ct);
            if (inserted == 0)
                return SiretTaken.With("organisationId", await FindAuthorityAsync(db, command.Siret!, ct));
            if (answer is { Kind: "authority", Siret: not null }) await db.ExecuteAsync(Sql.InsertSiret, args, ct);
            return answer;
        }
    }

    /// <summary>The one authority of a SIRET.</summary>
    internal static Task<string?> FindAuthorityAsync(Session db, string siret, CancellationToken ct) =>
        db.FindAsync<string>(Sql.Authority, new { Siret = siret }, ct);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO organisations (id, kind, name, siret, actor_id, recorded_ms, batch)
            SELECT @Id, @Kind, @Name, @Siret, @ActorId, @NowMs, @Batch
             WHERE @Kind <> 'authority' OR NOT EXISTS (SELECT 1 FROM authority_sirets WHERE siret = @Siret)
            """;

        /// <summary>Two at once: the primary key lets one in, and the other command runs again.</summary>
        public const string InsertSiret = """
            INSERT INTO authority_sirets (siret, organisation_id)
            VALUES (@Siret, @Id)
            """;

        public const string Authority = """
            SELECT organisation_id
              FROM authority_sirets
             WHERE siret = @Siret
            """;
    }
}

/// <summary>The kinds of organisation, and the role each one's people have.</summary>
internal static class OrganisationKinds
{
    public static readonly IReadOnlyList<string> Codes =
        ["operator", "state", "authority", "hub", "structure", "auditor"];

    public static bool Has(string kind) => Codes.Contains(kind, StringComparer.Ordinal);

    /// <summary>Those whose identity a payment or a subsidy rests on.</summary>
    public static bool NeedsSiret(string kind) => kind is "authority" or "structure";

    /// <summary>The kind of organisation whose people have this role.</summary>
    public static string KindOf(Role role) => Codes.Single(kind => (RolesOf(kind) & role) != 0);

    /// <summary>The roles that people and keys of an organisation may have.</summary>
    public static Role RolesOf(string kind) => kind switch
    {
        "operator" => Role.Operator,
        "state" => Role.State,
        "authority" => Role.Authority | Role.Agent,
        "hub" => Role.Hub,
        "structure" => Role.Site,
        "auditor" => Role.Auditor,
        _ => Role.None,
    };
}

using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// A key for a machine, shown once. A key of role site or agent belongs to one site or distribution point,
/// so that a stolen one opens a single door. An authority gives keys to its own agents; the people of a site to
/// its devices, one each, so that a lost one is revoked alone; the operator to all.
/// </summary>
internal static class CreateApiKey
{
    /// <summary>Devices of a site in a month, revoked ones included: what each is guaranteed offline adds up.</summary>
    private const long MaxDevices = 20;

    internal static readonly Refusal PersonNeeded = new("person-needed", 403,
        "Une clé ne crée pas d'autres clés.",
        "Une personne du lieu les crée, avec ses propres accès : un appareil perdu n'en fait pas d'autres.");

    internal static readonly Refusal TooManyDevices = new("too-many-devices", 409,
        "Ce lieu a déjà toutes les clés d'appareil permises ce mois-ci.",
        "Révoquez celles qui ne servent plus ; elles comptent jusqu'à la fin du mois. Au besoin, adressez-vous à l'opérateur.");

    internal sealed record Command(string OrganisationId, string Role, string Label, string? PlaceId = null)
        : ICommand<Answer>;

    internal sealed record Answer(
        string Id, string Role, string OrganisationId, string? PlaceId, string Label, string ApiKey);

    internal static void Map(IEndpointRouteBuilder keys) => keys
        .Post("/", Role.Operator | Role.Authority | Role.Site, (Command body, Request _) => body,
            location: a => $"{Api.Root}/api-keys/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.OrganisationId).Uuid();
            RuleFor(c => c.Label).Name(200);
            RuleFor(c => c.Role).Must(Roles.Codes.Contains)
                .WithMessage($"Choisissez l'un de : {string.Join(", ", Roles.Codes)}.");
            RuleFor(c => c.PlaceId).Uuid().When(c => c.PlaceId is not null);
            RuleFor(c => c.PlaceId).NotNull().When(c => Grants.NeedPlace(c.Role))
                .WithMessage("Une clé d'agent ou de lieu nomme son point de remise ou son lieu.");
            RuleFor(c => c.PlaceId).Null().When(c => !Grants.NeedPlace(c.Role))
                .WithMessage("Seules les clés d'agent et de lieu nomment un lieu.");
        }
    }

    internal sealed class Handler(Session db, KeyRing keys) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var isOfSite = db.Caller.Is(Platform.Role.Site);
            if (isOfSite && db.Caller.IsKey) return PersonNeeded;
            var organisationId = Ids.Normalise(command.OrganisationId)!;
            var placeId = Ids.Normalise(command.PlaceId);
            IReadOnlyList<string> places = placeId is null ? [] : [placeId];
            var refusal = await Grants.RefuseAsync(db, organisationId, command.Role, places, ct);
            if (refusal is not null) return refusal;

            var secret = "pn_" + Digests.NewSecret();
            var answer = new Answer(
                Ids.New(), command.Role, organisationId, placeId, command.Label.Trim(), secret);
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.OrganisationId,
                answer.Role,
                answer.PlaceId,
                answer.Label,
                SecretHash = keys.SecretHash(secret),
                db.NowMs,
                MaxKeys = isOfSite ? MaxDevices : (long?)null,
                Since = Clock.ParisMidnightMs(FirstOfMonth(db.Today)),
            }, ct);
            return inserted == 1 ? answer : TooManyDevices.With("maxDevices", MaxDevices);
        }
    }

    private static long FirstOfMonth(long day) => day - day.ToDate().Day + 1;

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO api_keys (id, organisation_id, role, place_id, label, secret_hash, created_ms)
            SELECT @Id, @OrganisationId, @Role, @PlaceId, @Label, @SecretHash, @NowMs
             WHERE @MaxKeys IS NULL
                OR (SELECT CAST(COUNT(*) AS bigint) FROM api_keys k
                     WHERE k.organisation_id = @OrganisationId AND k.place_id = @PlaceId
                       AND (k.revoked_ms IS NULL OR k.revoked_ms >= @Since)) < @MaxKeys
            """;
    }
}

using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// A person with a password. An agent or a site's person names the places they work at. Without a password,
/// one is made and shown once.
/// </summary>
internal static class CreateMember
{
    internal const int MaxPlaces = 100;

    internal sealed record Command(
        string OrganisationId, string Role, string Login, string Name, string? Password = null,
        IReadOnlyList<string>? PlaceIds = null) : ICommand<Answer>
    {
        /// <summary>Hashed here, as the request is read: no command may keep the writer that long.</summary>
        [JsonIgnore]
        public NewPassword NewPassword { get; } = NewPassword.From(Password);
    }

    /// <summary><paramref name="Password"/> only where it was generated.</summary>
    internal sealed record Answer(
        string Id, string OrganisationId, string Role, string Login, string Name,
        IReadOnlyList<string> PlaceIds, string? Password);

    internal static readonly Refusal LoginTaken = new("login-taken", 409, "Cet identifiant est déjà pris.",
        "Choisissez-en un autre : une adresse électronique professionnelle convient.");

    internal static void Map(IEndpointRouteBuilder members) => members
        .Post("/", Role.Operator | Role.Authority, (Command body, Request _) => body,
            location: a => $"{Api.Root}/members/{a.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.OrganisationId).Uuid();
            RuleFor(c => c.Role).OneOf(Roles.Codes);
            RuleFor(c => c.Login).Login();
            RuleFor(c => c.Name).Name(200);
            RuleFor(c => c.Password).Password();
            RuleForEach(c => c.PlaceIds).Uuid();
            RuleFor(c => c.PlaceIds).Must(places => places is null || places.Count <= MaxPlaces)
                .WithMessage($"Au plus {MaxPlaces} lieux.");
            RuleFor(c => c.PlaceIds).NotEmpty().When(c => Grants.NeedPlace(c.Role))
                .WithMessage("Un agent ou une personne d'un lieu nomme ses points de remise ou ses lieux.");
            RuleFor(c => c.PlaceIds).Empty().When(c => !Grants.NeedPlace(c.Role))
                .WithMessage("Seuls les agents et les personnes d'un lieu nomment des lieux.");
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var organisationId = Ids.Normalise(command.OrganisationId)!;
            IReadOnlyList<string> places =
                [.. (command.PlaceIds ?? []).Select(p => Ids.Normalise(p)!).Distinct()];
            var refusal = await Grants.RefuseAsync(db, organisationId, command.Role, places, ct);
            if (refusal is not null) return refusal;

            var password = command.NewPassword;
            var answer = new Answer(Ids.New(), organisationId, command.Role, Logins.Normalise(command.Login),
                command.Name.Trim(), places, password.IsGenerated ? password.Text : null);
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                answer.Id,
                answer.OrganisationId,
                answer.Role,
                answer.Login,
                answer.Name,
                PasswordHash = password.Hash,
                db.NowMs,
            }, ct);
            if (inserted == 0) return LoginTaken;
            foreach (var placeId in places)
                await db.ExecuteAsync(Sql.InsertPlace, new { MemberId = answer.Id, PlaceId = placeId }, ct);
            return answer;
        }
    }

    private static class Sql
    {
        /// <summary>Two at once: the unique key on login lets one in, and the other finds it here.</summary>
        public const string Insert = """
            INSERT INTO members (id, organisation_id, role, login, name, password_hash, created_ms)
            SELECT @Id, @OrganisationId, @Role, @Login, @Name, @PasswordHash, @NowMs
             WHERE NOT EXISTS (SELECT 1 FROM members WHERE login = @Login)
            """;

        public const string InsertPlace = """
            INSERT INTO member_places (member_id, place_id)
            VALUES (@MemberId, @PlaceId)
            """;
    }
}

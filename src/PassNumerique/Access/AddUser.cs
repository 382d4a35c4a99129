using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// The first person of an organisation, from the command line of the machine: the organisation where it is
/// not there yet, a member with a generated password, and an API key, all or nothing. It has no route: who
/// can run it already holds the store.
/// </summary>
internal static class AddUser
{
    internal sealed record Command(
        string Role, string Organisation, string Login, string? Siret = null, string? PlaceId = null)
        : ICommand<Answer>
    {
        /// <summary>Its password is hashed here, before the writer; the organisation comes later.</summary>
        [JsonIgnore]
        public CreateMember.Command Member { get; } =
            new("", Role, Login, Login.Trim(), Password: null, PlaceId is null ? null : [PlaceId]);
    }

    internal sealed record Answer(
        string OrganisationId, string Organisation, string MemberId, string Role, string Login,
        string Password, string ApiKeyId, string ApiKey);

    internal static readonly Refusal SiretNeeded = new("siret-needed", 409,
        "Cette organisation n'existe pas encore, et son SIRET manque.",
        "Ajoutez --siret avec ses 14 chiffres, ou écrivez le nom exact d'une organisation qui existe.");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Role).OneOf(Roles.Codes);
            RuleFor(c => c.Organisation).Name(200);
            RuleFor(c => c.Login).Login();
            RuleFor(c => c.Siret).Must(s => s is null || Identifiers.IsSiret(s))
                .WithMessage("Ce SIRET n'est pas valable : 14 chiffres, dont la clé de contrôle.");
            RuleFor(c => c.PlaceId).Uuid().When(c => c.PlaceId is not null);
            RuleFor(c => c.PlaceId).NotNull().When(c => Grants.NeedPlace(c.Role))
                .WithMessage("Un agent ou une personne d'un lieu nomme son point de remise ou son lieu.");
            RuleFor(c => c.PlaceId).Null().When(c => !Grants.NeedPlace(c.Role))
                .WithMessage("Seuls les agents et les personnes d'un lieu nomment un lieu.");
        }
    }

    internal sealed class Handler(Session db, KeyRing keys) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var organisation = await OrganisationAsync(command, ct);
            if (organisation.Refused is { } refusedOrganisation) return refusedOrganisation;

            // The handlers of the slices run within this command: one transaction, and each rule once.
            var id = organisation.Value!.Id;
            var member = await new CreateMember.Handler(db).Handle(
                command.Member with { OrganisationId = id }, ct);
            if (member.Refused is { } refusedMember) return refusedMember;
            var login = member.Value!.Login;
            var key = await new CreateApiKey.Handler(db, keys).Handle(
                new(id, command.Role, login, command.PlaceId), ct);
            if (key.Refused is { } refusedKey) return refusedKey;
            return new Answer(id, organisation.Value.Name, member.Value.Id, command.Role, login,
                command.Member.NewPassword.Text, key.Value!.Id, key.Value.ApiKey);
        }

        private async Task<Result<CreateOrganisation.Answer>> OrganisationAsync(
            Command command, CancellationToken ct)
        {
            var kind = OrganisationKinds.KindOf(Roles.Parse(command.Role));
            var name = command.Organisation.Trim();

            // Names are compared here: the two engines order and fold text differently.
            var known = await db.ListAsync<CreateOrganisation.Answer>(Sql.OfKind, new { Kind = kind }, ct);
            var found = known.FirstOrDefault(
                o => o.Name == name && (command.Siret is null || o.Siret == command.Siret));
            if (found is not null) return found;
            if (command.Siret is null && OrganisationKinds.NeedsSiret(kind)) return SiretNeeded;
            return await new CreateOrganisation.Handler(db).Handle(new(kind, name, command.Siret), ct);
        }
    }

    private static class Sql
    {
        public const string OfKind = """
            SELECT id AS Id,
                   kind AS Kind,
                   name AS Name,
                   siret AS Siret
              FROM organisations
             WHERE kind = @Kind
             ORDER BY id
            """;
    }
}

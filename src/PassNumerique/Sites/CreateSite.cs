using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>
/// A place of médiation numérique of a structure. It takes passes once it is labelled, and only for services
/// of the national standard: that closed list is what keeps the pass out of payment regulation.
/// </summary>
internal static class CreateSite
{
    internal sealed record Command(
        string OrganisationId, string Name, string Address, string Postcode, string Commune,
        IReadOnlyList<string> Services, string? Phone = null, string? Hours = null) : ICommand<SiteView>;

    internal static readonly Refusal UnknownStructure = new("structure-unknown", 404, "Structure inconnue.",
        "« organisationId » nomme une organisation du genre « structure » : voyez GET /structures.");

    internal static void Map(IEndpointRouteBuilder sites) => sites
        .Post("/", Role.Operator, (Command body, Request _) => body,
            location: s => $"{Api.Root}/sites/{s.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.OrganisationId).Uuid();
            RuleFor(c => c.Name).Name(200);
            RuleFor(c => c.Address).Name(300);
            RuleFor(c => c.Postcode).Postcode();
            RuleFor(c => c.Commune).Commune();
            RuleFor(c => c.Services).NotEmpty().WithMessage("Un service au moins est attendu.");
            RuleFor(c => c.Services).Must(s => s.Distinct().Count() == s.Count)
                .WithMessage("Un service est donné deux fois.");
            RuleForEach(c => c.Services).NotNull().OneOf(Vocabularies.Services.Codes);
            RuleFor(c => c.Phone).Must(IsPhone)
                .WithMessage("Un numéro de téléphone est attendu, par exemple +33 5 55 51 00 00.");
            RuleFor(c => c.Hours).Note(400);
        }

        private static bool IsPhone(string? phone) => phone is null
            || (phone.Length is >= 4 and <= 40
                && phone.All(c => char.IsAsciiDigit(c) || c is '+' or ' ' or '.' or '-' or '(' or ')'));
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<SiteView>>
    {
        public async Task<Result<SiteView>> Handle(Command command, CancellationToken ct)
        {
            var site = new SiteRow(
                Ids.New(), Ids.Normalise(command.OrganisationId)!, command.Name.Trim(),
                command.Address.Trim(), command.Postcode, command.Commune, SiteRow.Join(command.Services),
                command.Phone, command.Hours);
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                site.Id,
                site.OrganisationId,
                site.Name,
                site.Address,
                site.Postcode,
                site.Commune,
                site.Services,
                site.Phone,
                site.Hours,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return inserted == 1 ? site.Show(SiteLabels.None) : UnknownStructure;
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO sites (id, organisation_id, name, address, postcode, commune, services, phone, hours,
                               actor_id, recorded_ms, batch)
            SELECT @Id,
                   o.id,
                   @Name,
                   @Address,
                   @Postcode,
                   @Commune,
                   @Services,
                   @Phone,
                   @Hours,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM organisations o
             WHERE o.id = @OrganisationId AND o.kind = 'structure'
            """;
    }
}

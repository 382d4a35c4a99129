using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>
/// A desk where agents hand booklets out: town hall, CCAS, France Services… An authority opens its own; the
/// operator names the authority. The channel is coded, because reach is compared by channel.
/// </summary>
internal static class CreateDistributionPoint
{
    internal sealed record Command(
        string Name, string Channel, string Address, string Commune, string? AuthorityId = null)
        : ICommand<DistributionPointView>;

    internal static readonly Refusal UnknownAuthority = new("authority-unknown", 404,
        "Collectivité inconnue.",
        "« authorityId » nomme une collectivité que vous voyez par GET /organisations?kind=authority.");

    internal static void Map(IEndpointRouteBuilder points) => points
        .Post("/", Role.Operator | Role.Authority,
            (Command body, Request r) => body with { AuthorityId = body.AuthorityId ?? r.Caller.Scope },
            location: p => $"{Api.Root}/distribution-points/{p.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Name).Name(200);
            RuleFor(c => c.Channel).OneOf(Vocabularies.Channels.Codes);
            RuleFor(c => c.Address).Name(300);
            RuleFor(c => c.Commune).Commune();
            RuleFor(c => c.AuthorityId).Uuid()
                .WithMessage("L'opérateur nomme la collectivité, par son UUID.");
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<DistributionPointView>>
    {
        public async Task<Result<DistributionPointView>> Handle(Command command, CancellationToken ct)
        {
            var point = new PointRow(
                Ids.New(), Ids.Normalise(command.AuthorityId)!, command.Name.Trim(), command.Channel,
                command.Address.Trim(), command.Commune);
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                point.Id,
                point.AuthorityId,
                point.Name,
                point.Channel,
                point.Address,
                point.Commune,
                db.Caller.Scope,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return inserted == 1 ? point.Show() : UnknownAuthority;
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO distribution_points (id, authority_id, name, channel, address, commune,
                                             actor_id, recorded_ms, batch)
            SELECT @Id,
                   o.id,
                   @Name,
                   @Channel,
                   @Address,
                   @Commune,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM organisations o
             WHERE o.id = @AuthorityId AND o.kind = 'authority' AND (@Scope IS NULL OR o.id = @Scope)
            """;
    }
}

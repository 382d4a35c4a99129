using FluentValidation;
using MediatR;
using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>
/// A session of a site for several people, typed once; then every pass is scanned with its id. Person-hours
/// are counted by the redemptions, workshop-hours by this.
/// </summary>
internal static class RecordWorkshop
{
    internal sealed record Command(
        DateOnly On, string Service, long DurationMinutes, string? Title = null, string? SiteId = null)
        : ICommand<WorkshopView>;

    internal static readonly Refusal UnknownSite = new("site-unknown", 404, "Lieu inconnu.",
        "« siteId » nomme un lieu pour lequel vous travaillez.");

    internal static void Map(IEndpointRouteBuilder workshops) => workshops
        .Post("/", Role.Site,
            (Command body, Request r) => body with { SiteId = body.SiteId ?? OnlyPlace(r.Caller) },
            location: w => $"{Api.Root}/workshops/{w.Id}");

    /// <summary>Who works at one place need not name it.</summary>
    private static string? OnlyPlace(Caller caller) => caller.PlaceIds is [var only] ? only : null;

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.SiteId).Uuid()
                .WithMessage("Vous travaillez pour plusieurs lieux : nommez-en un, par son UUID.");
            RuleFor(c => c.On).Sensible();
            RuleFor(c => c.Service).OneOf(Vocabularies.Services.Codes);
            RuleFor(c => c.DurationMinutes).Between(1, 1_440);
            RuleFor(c => c.Title).Note(200);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<WorkshopView>>
    {
        public async Task<Result<WorkshopView>> Handle(Command command, CancellationToken ct)
        {
            var siteId = Ids.Normalise(command.SiteId)!;
            if (!db.Caller.PlaceIds.Contains(siteId)) return UnknownSite;
            var workshop = new WorkshopRow(
                Ids.New(), siteId, command.On.ToDay(), command.Service, command.DurationMinutes,
                command.Title);
            await db.ExecuteAsync(Sql.Insert, new
            {
                workshop.Id,
                workshop.SiteId,
                workshop.OnDay,
                workshop.Service,
                workshop.DurationMinutes,
                workshop.Title,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return workshop.Show();
        }
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO workshops (id, site_id, on_day, service, duration_minutes, title,
                                   actor_id, recorded_ms, batch)
            VALUES (@Id, @SiteId, @OnDay, @Service, @DurationMinutes, @Title, @ActorId, @NowMs, @Batch)
            """;
    }
}

using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>A line of a site's label history as it is shown.</summary>
internal sealed record LabelView(
    string SiteId, long Position, string Status, DateOnly From, DateOnly? Until, string Reason,
    string RecordedAt);

/// <summary>
/// Adds a line to the label history of a site; nothing is rewritten. Which line decides a day:
/// <see cref="SiteLabels"/>.
/// </summary>
internal static class LabelSite
{
    internal sealed record Command(string Status, DateOnly From, string Reason, DateOnly? Until = null)
        : ICommand<LabelView>
    {
        [JsonIgnore]
        public string SiteId { get; init; } = "";
    }

    internal static void Map(IEndpointRouteBuilder sites) => sites
        .Post("/{id}/label", Role.Operator, (Command body, Request r) => body with { SiteId = r.Id() },
            location: l => $"{Api.Root}/sites/{l.SiteId}/labels");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.Status).OneOf(SiteLabels.Codes);
            RuleFor(c => c.From).Sensible();
            RuleFor(c => c.Until)
                .Must((c, until) => until is null || (until >= c.From && until.Value.Year <= 2100))
                .WithMessage("La fin est le jour du début ou un jour plus tard, en 2100 au plus.");
            RuleFor(c => c.Reason).Name(400);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<LabelView>>
    {
        public async Task<Result<LabelView>> Handle(Command command, CancellationToken ct)
        {
            var reason = command.Reason.Trim();
            var inserted = await db.ExecuteAsync(Sql.Append, new
            {
                command.SiteId,
                command.Status,
                FromDay = command.From.ToDay(),
                UntilDay = command.Until?.ToDay(),
                Reason = reason,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            if (inserted == 0) return Problems.NotFound;
            var position = await db.FindAsync<long>(
                Sql.Appended, new { command.SiteId, db.ActorId, db.NowMs }, ct);
            return new LabelView(
                command.SiteId, position, command.Status, command.From, command.Until, reason,
                Clock.InstantText(db.NowMs));
        }
    }

    private static class Sql
    {
        /// <summary>Two at once: the key lets one in, and the engine runs the other again.</summary>
        public const string Append = """
            INSERT INTO site_labels (site_id, position, status, from_day, until_day, reason,
                                     actor_id, recorded_ms, batch)
            SELECT @SiteId,
                   v.position + 1,
                   @Status,
                   @FromDay,
                   @UntilDay,
                   @Reason,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM (SELECT CAST(COALESCE(MAX(position), 0) AS bigint) AS position
                      FROM site_labels
                     WHERE site_id = @SiteId) v
             WHERE EXISTS (SELECT 1 FROM sites WHERE id = @SiteId)
            """;

        public const string Appended = """
            SELECT CAST(COALESCE(MAX(position), 0) AS bigint)
              FROM site_labels
             WHERE site_id = @SiteId AND actor_id = @ActorId AND recorded_ms = @NowMs
            """;
    }
}

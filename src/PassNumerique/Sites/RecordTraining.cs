using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Sites;

/// <summary>
/// Agents of a point learnt to find and orient people: the conventions ask for it, and reach depends on it.
/// Agents are counted, not named.
/// </summary>
internal static class RecordTraining
{
    internal sealed record Command(string PointId, DateOnly On, long Agents) : ICommand<TrainingView>;

    internal static readonly Refusal UnknownPoint = new("point-unknown", 404, "Point de remise inconnu.",
        "« pointId » nomme un point que vous pouvez voir : voyez GET /distribution-points.");

    internal static readonly Refusal NotYet = new("training-not-held-yet", 409,
        "Cette formation n'a pas encore eu lieu.",
        "Enregistrez-la le jour même ou après.");

    internal static void Map(IEndpointRouteBuilder trainings) => trainings
        .Post("/", Role.Operator | Role.Authority, (Command body, Request _) => body,
            location: t => $"{Api.Root}/trainings/{t.Id}");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.PointId).Uuid();
            RuleFor(c => c.On).Sensible();
            RuleFor(c => c.Agents).Between(1, 10_000);
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<TrainingView>>
    {
        public async Task<Result<TrainingView>> Handle(Command command, CancellationToken ct)
        {
            var pointId = Ids.Normalise(command.PointId)!;
            var commune = await db.FindAsync<string>(
                Sql.CommuneOf, new { PointId = pointId, db.Caller.Scope }, ct);
            if (commune is null) return UnknownPoint;
            var onDay = command.On.ToDay();
            if (onDay > Places.Today(commune, db.NowMs)) return NotYet;

            var training = new TrainingRow(Ids.New(), pointId, onDay, command.Agents);
            await db.ExecuteAsync(Sql.Insert, new
            {
                training.Id,
                training.PointId,
                training.OnDay,
                training.Agents,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return training.Show();
        }
    }

    private static class Sql
    {
        public const string CommuneOf = """
            SELECT commune
              FROM distribution_points
             WHERE id = @PointId AND (@Scope IS NULL OR authority_id = @Scope)
            """;

        public const string Insert = """
            INSERT INTO trainings (id, point_id, on_day, agents, actor_id, recorded_ms, batch)
            VALUES (@Id, @PointId, @OnDay, @Agents, @ActorId, @NowMs, @Batch)
            """;
    }
}

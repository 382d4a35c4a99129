using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>A block lifted: the passes were found. Both stay on record.</summary>
internal static class LiftBlock
{
    internal sealed record Command(string? Reason) : ICommand<Answer>
    {
        [JsonIgnore]
        public string BlockId { get; init; } = "";
    }

    internal sealed record Answer(string Id, string? Reason, string LiftedAt);

    internal static readonly Refusal AlreadyLifted = new("block-already-lifted", 409, "Ce blocage est déjà levé.",
        "Il n'y a rien à faire : ces pass ne sont plus bloqués par lui.");

    internal static void Map(IEndpointRouteBuilder blocks) => blocks
        .Delete("/{id}", Role.Operator | Role.Authority, r => new Command(r.Text("reason")) { BlockId = r.Id() });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.Reason).Note(400);
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            if (await db.FindAsync<string>(Sql.Find, new { command.BlockId, db.Caller.Scope }, ct) is null)
                return Problems.NotFound;
            var answer = new Answer(command.BlockId, command.Reason?.Trim(), Clock.InstantText(db.NowMs));
            var lifted = await db.ExecuteAsync(Sql.Insert, new
            {
                command.BlockId,
                answer.Reason,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return lifted == 1 ? answer : AlreadyLifted;
        }
    }

    private static class Sql
    {
        public const string Find = """
            SELECT b.id
              FROM blocks b
              JOIN orders o ON o.first_serial = b.order_serial
             WHERE b.id = @BlockId AND (@Scope IS NULL OR o.authority_id = @Scope)
            """;

        public const string Insert = """
            INSERT INTO block_lifts (block_id, reason, actor_id, recorded_ms, batch)
            SELECT @BlockId, @Reason, @ActorId, @NowMs, @Batch
             WHERE NOT EXISTS (SELECT 1 FROM block_lifts WHERE block_id = @BlockId)
            """;
    }
}

using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// A lost or stolen key is worth nothing from the answer on. Revoking it twice gives the first instant again:
/// whoever is not sure it worked may repeat it. The people of a site revoke the keys of its devices; a device
/// only its own.
/// </summary>
internal static class RevokeApiKey
{
    internal sealed record Command(string KeyId) : ICommand<Answer>;

    internal sealed record Answer(string Id, string RevokedAt);

    internal static void Map(IEndpointRouteBuilder keys) =>
        keys.Delete("/{id}", Role.Operator | Role.Authority | Role.Site, request =>
        {
            // After the commit and before the answer leaves: the gate must not let the key in once more.
            var callers = request.Service<CallerCache>();
            request.Http.Response.OnStarting(() =>
            {
                callers.Forget();
                return Task.CompletedTask;
            });
            return new Command(request.Id());
        });

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var key = new { command.KeyId, db.Caller.Scope, MemberId = ReadApiKeys.ConfinedTo(db.Caller), db.NowMs };
            await db.ExecuteAsync(Sql.Revoke, key, ct);
            var revokedMs = await db.FindAsync<long?>(Sql.RevokedMs, key, ct);
            return revokedMs is { } ms ? new Answer(command.KeyId, Clock.InstantText(ms)) : Problems.NotFound;
        }
    }

    private static class Sql
    {
        public const string Revoke = """
            UPDATE api_keys
               SET revoked_ms = @NowMs
             WHERE id = @KeyId AND revoked_ms IS NULL AND (@Scope IS NULL OR organisation_id = @Scope)
               AND (@MemberId IS NULL OR id = @MemberId
                    OR place_id IN (SELECT p.place_id FROM member_places p WHERE p.member_id = @MemberId))
            """;

        public const string RevokedMs = """
            SELECT revoked_ms
              FROM api_keys
             WHERE id = @KeyId AND (@Scope IS NULL OR organisation_id = @Scope)
               AND (@MemberId IS NULL OR id = @MemberId
                    OR place_id IN (SELECT p.place_id FROM member_places p WHERE p.member_id = @MemberId))
            """;
    }
}

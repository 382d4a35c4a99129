using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Web;

namespace PassNumerique.Access;

/// <summary>Closes a session: its cookie, wherever it was copied to, opens nothing any more.</summary>
internal static class SignOut
{
    internal sealed record Command(string TokenHash) : ICommand<Answer>;

    internal sealed record Answer;

    internal static void Map(IEndpointRouteBuilder app) => app.Form("/deconnexion", Role.Everyone, SubmitAsync);

    private static async Task SubmitAsync(Request request, Form form)
    {
        var token = request.Http.Request.Cookies[Gate.CookieName] ?? "";
        var command = new Command(request.Service<KeyRing>().SecretHash(token));
        await form.SendAsync(request, _ => command);
        request.Service<CallerCache>().Forget();
        request.Http.Response.Cookies.Delete(Gate.CookieName);
        await request.GoTo("/");
    }

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            await db.ExecuteAsync(Sql.Close, new { command.TokenHash }, ct);
            return new Answer();
        }
    }

    private static class Sql
    {
        public const string Close = """
            DELETE FROM web_sessions
             WHERE token_hash = @TokenHash
            """;
    }
}

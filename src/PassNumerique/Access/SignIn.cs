using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// Opens a session for a member whose password was verified by the page, outside the writer: verifying is
/// slow on purpose. The store keeps a digest of the session's token, never the token.
/// </summary>
internal static class SignIn
{
    internal const long SessionMs = 12 * 60 * 60 * 1000;

    /// <summary><paramref name="Begun"/> is the try that succeeds with it.</summary>
    internal sealed record Command(string MemberId, string TokenHash, BeginSignIn.Answer Begun) : ICommand<Answer>;

    internal sealed record Answer(long ExpiresMs);

    internal static readonly Refusal Wrong = new("sign-in-wrong", 401, "Identifiant ou mot de passe incorrect.",
        "Vérifiez les majuscules, puis réessayez. Mot de passe oublié ? Demandez-en un à l'opérateur.");

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator() => RuleFor(c => c.MemberId).Uuid();
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            await db.ExecuteAsync(Sql.Expire, new { db.NowMs }, ct);
            var expiresMs = db.NowMs + SessionMs;
            var opened = await db.ExecuteAsync(Sql.Open,
                new { command.MemberId, command.TokenHash, db.NowMs, ExpiresMs = expiresMs }, ct);
            if (opened == 0) return Wrong;
            await db.ExecuteAsync(Sql.ForgetLogin, command.Begun, ct);
            await db.ExecuteAsync(Sql.GiveBackAddress, command.Begun, ct);
            return new Answer(expiresMs);
        }
    }

    private static class Sql
    {
        public const string Expire = """
            DELETE FROM web_sessions
             WHERE expires_ms <= @NowMs
            """;

        public const string Open = """
            INSERT INTO web_sessions (token_hash, member_id, created_ms, expires_ms)
            SELECT @TokenHash, id, @NowMs, @ExpiresMs
              FROM members
             WHERE id = @MemberId AND disabled_ms IS NULL
            """;

        /// <summary>Whoever knows the password does not wait for those who tried before them.</summary>
        public const string ForgetLogin = """
            UPDATE sign_in_attempts
               SET tries = 0
             WHERE name_digest = @LoginDigest
            """;

        /// <summary>Nor do their colleagues at the same address; others' wrong tries there still count.</summary>
        public const string GiveBackAddress = """
            UPDATE sign_in_attempts
               SET tries = tries - 1
             WHERE name_digest = @AddressDigest AND tries > 0
            """;
    }
}

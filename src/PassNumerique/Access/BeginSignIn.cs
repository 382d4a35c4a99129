using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Access;

/// <summary>
/// Counts a try to sign in before its password is verified: five a minute for one login, and five for one
/// address, whichever copy of the service they reach. Enough for people who mistype, too few for a machine that
/// guesses. What is refused is not counted; a right password gives its try back (<see cref="SignIn"/>).
/// </summary>
internal static class BeginSignIn
{
    internal const long MaxPerMinute = 5;
    private const long MinuteMs = 60_000;

    /// <summary>
    /// Twice the minute that counts, so that no copy, its clock ahead of the others', deletes a row that another
    /// one is about to count in.
    /// </summary>
    private const long KeptMs = 2 * MinuteMs;

    /// <summary>
    /// Sent without an Idempotency-Key: an answer that is remembered would let the same try through for ever.
    /// </summary>
    internal sealed record Command(string Login, string Address) : ICommand<Answer>;

    /// <summary>Under which keyed digests the try was counted.</summary>
    internal sealed record Answer(string LoginDigest, string AddressDigest);

    internal static readonly Refusal TooMany = new("sign-in-too-many", 429, "Trop d'essais.",
        "Attendez une minute avant de réessayer. Votre compte n'est pas bloqué.")
    {
        RetryAfterSeconds = 60,
    };

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db, KeyRing keys) : IRequestHandler<Command, Result<Answer>>
    {
        public async Task<Result<Answer>> Handle(Command command, CancellationToken ct)
        {
            var answer = new Answer(
                keys.AttemptDigest("login", command.Login), keys.AttemptDigest("address", command.Address));
            await db.ExecuteAsync(Sql.Expire, new { Before = db.NowMs - KeptMs }, ct);
            return await CountAsync(answer.LoginDigest, ct) && await CountAsync(answer.AddressDigest, ct)
                ? answer
                : TooMany;
        }

        private async Task<bool> CountAsync(string digest, CancellationToken ct)
        {
            var args = new { Digest = digest, db.NowMs, MinuteAgo = db.NowMs - MinuteMs, Max = MaxPerMinute };
            await db.ExecuteAsync(Sql.Begin, args, ct);
            return await db.ExecuteAsync(Sql.Count, args, ct) == 1;
        }
    }

    private static class Sql
    {
        public const string Expire = """
            DELETE FROM sign_in_attempts
             WHERE since_ms <= @Before
            """;

        /// <summary>Two at once: the primary key lets one in, and the other command runs again.</summary>
        public const string Begin = """
            INSERT INTO sign_in_attempts (name_digest, since_ms, tries)
            SELECT @Digest, @NowMs, 0
             WHERE NOT EXISTS (SELECT 1 FROM sign_in_attempts WHERE name_digest = @Digest)
            """;

        /// <summary>The decision: of any number at once, five rows are changed a minute.</summary>
        public const string Count = """
            UPDATE sign_in_attempts
               SET tries = CASE WHEN since_ms > @MinuteAgo THEN tries + 1 ELSE 1 END,
                   since_ms = CASE WHEN since_ms > @MinuteAgo AND tries > 0 THEN since_ms ELSE @NowMs END
             WHERE name_digest = @Digest AND (tries < @Max OR since_ms <= @MinuteAgo)
            """;
    }
}

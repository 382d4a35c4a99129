using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <summary>
/// What a collectivité has printed on its passes: a line of its own, whom to call, its logo. What was set last counts
/// for every export that begins after it; a logo that is not given stays, an empty one goes.
/// </summary>
internal static class SetPrintSettings
{
    /// <summary>More is not seen on a stamp of four centimetres.</summary>
    public const int MaxLogoBytes = 262_144;

    /// <param name="Logo">A PNG or JPEG file in base64; null keeps the last one, "" removes it.</param>
    internal sealed record Command(
        string? Text = null, string? Telephone = null, string? Logo = null, string? AuthorityId = null)
        : ICommand<PrintSettings>;

    internal static void Map(IEndpointRouteBuilder settings) => settings
        .Post("/", Role.Operator | Role.Authority,
            (Command body, Request r) => body with { AuthorityId = body.AuthorityId ?? r.Caller.Scope });

    internal sealed class Validator : AbstractValidator<Command>
    {
        public Validator()
        {
            RuleFor(c => c.AuthorityId).Uuid().WithMessage("L'opérateur nomme la collectivité, par son UUID.");
            RuleFor(c => c.Text).Must(t => t is null || (t.Length <= 120 && WinAnsi.Has(t)))
                .WithMessage("Au plus 120 caractères, en lettres latines : c'est ce qui se lit sur un pass.");
            RuleFor(c => c.Telephone).Must(t => t is null || (t.Length is >= 3 and <= 40 && t.All(IsDialled)))
                .WithMessage("Un numéro de téléphone est attendu : chiffres, blancs, + et points.");
            RuleFor(c => c.Logo).Custom((logo, context) =>
            {
                if (Mistake(logo) is { } mistake) context.AddFailure("Logo", mistake);
            });
        }

        private static bool IsDialled(char c) => char.IsAsciiDigit(c) || c is ' ' or '+' or '.' or '-' or '(' or ')';

        private static string? Mistake(string? logo)
        {
            if (string.IsNullOrEmpty(logo)) return null;
            if (logo.Length > MaxLogoBytes / 3 * 4 + 4) return "Ce logo est trop lourd : au plus 256 Kio.";
            var bytes = new byte[logo.Length];
            if (!Convert.TryFromBase64String(logo, bytes, out var count)) return "Le fichier PNG ou JPEG est attendu en base64.";
            return PdfPicture.Read(bytes[..count], out var mistake) is null ? mistake : null;
        }
    }

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<PrintSettings>>
    {
        public async Task<Result<PrintSettings>> Handle(Command command, CancellationToken ct)
        {
            var authorityId = Ids.Normalise(command.AuthorityId)!;
            var last = await ReadPrintSettings.FindAsync(db, authorityId, ct);
            var settings = new PrintSettings(
                authorityId, Tidy(command.Text), Tidy(command.Telephone),
                command.Logo is null ? last?.Logo ?? [] : Convert.FromBase64String(command.Logo));
            var inserted = await db.ExecuteAsync(Sql.Insert, new
            {
                settings.AuthorityId,
                PrintText = settings.Text,
                settings.Telephone,
                settings.Logo,
                db.Caller.Scope,
                db.ActorId,
                db.NowMs,
                db.Batch,
            }, ct);
            return inserted == 1 ? settings : CreateDistributionPoint.UnknownAuthority;
        }

        private static string? Tidy(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO print_settings (authority_id, position, print_text, telephone, logo, actor_id, recorded_ms, batch)
            SELECT o.id,
                   1 + (SELECT COALESCE(MAX(p.position), 0) FROM print_settings p WHERE p.authority_id = o.id),
                   @PrintText,
                   @Telephone,
                   @Logo,
                   @ActorId,
                   @NowMs,
                   @Batch
              FROM organisations o
             WHERE o.id = @AuthorityId AND o.kind = 'authority' AND (@Scope IS NULL OR o.id = @Scope)
            """;
    }
}

using FluentValidation;
using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.HandOut;

/// <summary>
/// The coded facts of a hand-out. Every answer may be "unknown", and unknown is never counted as no. Nothing
/// here names a person: the reference becomes a keyed digest in a table that erasure empties.
/// </summary>
internal sealed record Person(
    string? Reference = null, string? AgeBand = null, string? Gender = null, string? SocialStatus = null,
    string? Commune = null, IReadOnlyList<string>? Publics = null);

/// <summary>Lists of codes as one text, in the order of their alphabet: the same answers give the same row.</summary>
internal static class CodeList
{
    public static string? Of(IReadOnlyList<string>? codes) =>
        codes is { Count: > 0 } ? string.Join('|', codes.Order(StringComparer.Ordinal)) : null;
}

/// <summary>Ground and evidence of the PIC public, instead of a box.</summary>
internal sealed record Eligibility(string PicGround = "unknown", string Evidence = "unknown");

/// <summary>A first assessment, or a later one of the same person.</summary>
internal sealed record Assessment(
    string Instrument, string Version, string Phase, long Score, long MaxScore, string Mode);

/// <summary>The site the person is sent to, and when somebody expects them there.</summary>
internal sealed record Orientation(string SiteId, DateTimeOffset? At = null);

internal sealed record Notice(string Version, bool Given);

/// <summary>Consent to be called back; never a ticket to a pass.</summary>
internal sealed record FollowUp(bool Agreed, string? For = null, string? Phone = null);

internal sealed class PersonValidator : AbstractValidator<Person?>
{
    public PersonValidator()
    {
        RuleFor(p => p!.Reference).Note(80);
        RuleFor(p => p!.AgeBand).OneOf(Vocabularies.AgeBands.Codes);
        RuleFor(p => p!.Gender).OneOf(Vocabularies.Genders.Codes);
        RuleFor(p => p!.SocialStatus).OneOf(Vocabularies.SocialStatuses.Codes);
        RuleFor(p => p!.Commune).Must(c => c is null or Vocabularies.Unknown || Territories.FindCommune(c) is not null)
            .WithMessage("Cette commune n'existe pas : donnez son code INSEE à cinq caractères, ou « unknown ».");
        RuleForEach(p => p!.Publics).Must(c => c == Vocabularies.Unknown || Vocabularies.PersonPublics.Has(c))
            .WithMessage($"Choisissez parmi : {string.Join(", ", Vocabularies.PersonPublics.Codes)}.");
        RuleFor(p => p!.Publics).Must(l => l is null || l.Distinct().Count() == l.Count)
            .WithMessage("Un même public est donné deux fois.");
    }
}

internal sealed class AssessmentValidator : AbstractValidator<Assessment?>
{
    public AssessmentValidator()
    {
        RuleFor(a => a!.Instrument).Must(IsCode).WithMessage("Le nom court de l'outil est attendu (lettres, chiffres, tirets).");
        RuleFor(a => a!.Version).Must(v => IsCode(v) && v.Length <= 20).WithMessage("La version de l'outil est attendue.");
        RuleFor(a => a!.Phase).OneOf(["t0", "t1", "t2"]);
        RuleFor(a => a!.MaxScore).Between(1, 100_000);
        RuleFor(a => a!.Score).Must((a, score) => score >= 0 && score <= a!.MaxScore)
            .WithMessage("Le score va de 0 au score maximal.");
        RuleFor(a => a!.Mode).OneOf(["alone", "assisted", "unknown"]);
    }

    private static bool IsCode(string text) =>
        text.Length is >= 1 and <= 40 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_');
}

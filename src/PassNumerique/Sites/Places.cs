using FluentValidation;
using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>What a site and a distribution point have in common: they stand in a commune of France.</summary>
internal static class Places
{
    /// <summary>Municipal arrondissements of Paris, Lyon and Marseille by their city; read once.</summary>
    private static readonly Lazy<ILookup<string, string>> Arrondissements = new(() =>
        Territories.All.Where(c => c.Parent is not null).ToLookup(c => c.Parent!, c => c.Code));

    public static IRuleBuilderOptions<T, string> Commune<T>(this IRuleBuilder<T, string> rule) => rule
        .Must(code => Territories.FindCommune(code) is not null)
        .WithMessage(
            "Cette commune n'existe pas : un code INSEE de 5 caractères est attendu, par exemple 23096.");

    public static IRuleBuilderOptions<T, string> Postcode<T>(this IRuleBuilder<T, string> rule) => rule
        .Must(code => code.Length == 5 && code.All(char.IsAsciiDigit))
        .WithMessage("Un code postal de 5 chiffres est attendu.");

    /// <summary>The legal day of a place: that of its département.</summary>
    public static long Today(string commune, long nowMs) =>
        Clock.Day(nowMs, Clock.Zone(Territories.TimeZone(commune)));

    /// <summary>
    /// The commune codes from first to last that a search for this commune means: itself, or with its
    /// arrondissements, whose codes follow one another.
    /// </summary>
    public static (string First, string Last) Within(string commune)
    {
        var parts = Arrondissements.Value[commune].Order(StringComparer.Ordinal).ToList();
        return parts.Count == 0 ? (commune, commune) : (parts[0], parts[^1]);
    }
}

using FluentValidation;

namespace PassNumerique.Platform;

/// <summary>Shapes that many requests share, each with its French message. Rules about facts are refusals.</summary>
internal static class Rules
{
    public const string NoUuid = "Un identifiant UUID est attendu, par exemple 0198c1d2-5a3e-7b4c-8d5e-6f708192a3b4.";
    public const string NotSensible = "Une date entre 2000 et 2100 est attendue.";

    public static bool IsUuid(string? text) => Guid.TryParse(text, out _);

    /// <summary>Between 2000 and 2100: a mistyped century is caught, and arithmetic stays safe.</summary>
    public static bool IsSensible(DateOnly date) => date.Year is >= 2000 and <= 2100;

    public static bool IsName(string? text, int max) =>
        !string.IsNullOrWhiteSpace(text) && text.Trim().Length <= max && !text.Any(char.IsControl);

    /// <summary>Whether it is one of them, or not given.</summary>
    public static bool IsOneOf(string? text, IReadOnlyList<string> codes)
    {
        if (text is null) return true;
        for (var i = 0; i < codes.Count; i++)
        {
            if (codes[i] == text) return true;
        }

        return false;
    }

    public static string NoName(int max) =>
        $"Un texte de 1 à {max} caractères est attendu, sans caractère de contrôle.";

    public static string NotBetween(long from, long to) =>
        $"Un nombre de {French.Count(from)} à {French.Count(to)} est attendu.";

    public static string NotOneOf(IReadOnlyList<string> codes) => $"Choisissez l'un de : {string.Join(", ", codes)}.";

    public static IRuleBuilderOptions<T, string> Name<T>(this IRuleBuilder<T, string> rule, int max) => rule
        .Must(text => IsName(text, max))
        .WithMessage(NoName(max));

    public static IRuleBuilderOptions<T, string?> Note<T>(this IRuleBuilder<T, string?> rule, int max) => rule
        .Must(text => text is null || (text.Length <= max && !text.Any(c => char.IsControl(c) && c is not ('\n' or '\r' or '\t'))))
        .WithMessage($"Un texte d'au plus {max} caractères est attendu.");

    public static IRuleBuilderOptions<T, string?> Uuid<T>(this IRuleBuilder<T, string?> rule) => rule
        .Must(IsUuid)
        .WithMessage(NoUuid);

    public static IRuleBuilderOptions<T, long> Between<T>(this IRuleBuilder<T, long> rule, long from, long to) => rule
        .InclusiveBetween(from, to)
        .WithMessage(NotBetween(from, to));

    public static IRuleBuilderOptions<T, long?> Between<T>(this IRuleBuilder<T, long?> rule, long from, long to) => rule
        .Must(number => number is null || (number >= from && number <= to))
        .WithMessage(NotBetween(from, to));

    public static IRuleBuilderOptions<T, string?> OneOf<T>(this IRuleBuilder<T, string?> rule, IReadOnlyList<string> codes) => rule
        .Must(text => IsOneOf(text, codes))
        .WithMessage(NotOneOf(codes));

    /// <summary>
    /// A reference of a document or a bank: one line of Latin letters, digits and signs, which every engine
    /// keeps alike.
    /// </summary>
    public static IRuleBuilderOptions<T, string> Reference<T>(this IRuleBuilder<T, string> rule, int max) => rule
        .Must(text => !string.IsNullOrWhiteSpace(text) && text.Trim().Length <= max
            && text.All(c => c is >= ' ' and <= 'ÿ' && !char.IsControl(c)))
        .WithMessage($"Une référence de 1 à {max} caractères est attendue : lettres latines, chiffres et signes.");

    /// <summary>A list of so many lines, none of them null.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyList<TItem>> Lines<T, TItem>(
        this IRuleBuilder<T, IReadOnlyList<TItem>> rule, int from, int to) where TItem : class => rule
        .Must(list => list.Count >= from && list.Count <= to)
        .WithMessage($"Une liste de {French.Count(from)} à {French.Count(to)} lignes est attendue.")
        .Must(list => list.All(item => item is not null))
        .WithMessage("Une ligne de cette liste est vide (null).");

    /// <summary>No two lines of a list have the same key; empty lines are another rule's.</summary>
    public static IRuleBuilderOptions<T, IReadOnlyList<TItem>> Unique<T, TItem, TKey>(
        this IRuleBuilder<T, IReadOnlyList<TItem>> rule, Func<TItem, TKey> key) where TItem : class => rule
        .Must(list => list.Where(item => item is not null).DistinctBy(key).Count()
            == list.Count(item => item is not null))
        .WithMessage("Une ligne est donnée deux fois.");

    public static IRuleBuilderOptions<T, DateOnly> Sensible<T>(this IRuleBuilder<T, DateOnly> rule) => rule
        .Must(IsSensible)
        .WithMessage(NotSensible);
}

using FluentValidation;

namespace PassNumerique.Access;

/// <summary>
/// What a person types to say who they are: often an e-mail address. ASCII without blanks, and case does not
/// count, because a telephone writes the first letter in upper case.
/// </summary>
internal static class Logins
{
    private const int MaxLength = 200;

    /// <summary>The one form the store keeps and is asked for.</summary>
    public static string Normalise(string login) => login.Trim().ToLowerInvariant();

    public static IRuleBuilderOptions<T, string> Login<T>(this IRuleBuilder<T, string> rule) => rule
        .Must(login => login.Trim().Length is >= 3 and <= MaxLength && login.Trim().All(IsAllowed))
        .WithMessage(
            $"De 3 à {MaxLength} lettres sans accent, chiffres ou signes « . _ - + @ » sont attendus.");

    private static bool IsAllowed(char c) =>
        char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or '@';
}

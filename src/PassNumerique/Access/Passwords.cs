using System.Globalization;
using System.Security.Cryptography;
using FluentValidation;

namespace PassNumerique.Access;

/// <summary>
/// Passwords are kept as <c>pbkdf2-sha256$iterations$salt$hash</c>: PBKDF2-HMAC-SHA256, with a salt each. A
/// hash takes a tenth of a second on purpose, so it is made before a command reaches the writer, never inside
/// one.
/// </summary>
internal static class Passwords
{
    public const int MinLength = 12;
    public const int MaxLength = 200;
    private const string Scheme = "pbkdf2-sha256";
    private const int Iterations = 210_000;
    private const int SaltBytes = 16;
    private const int HashBytes = 32;

    // Neither 0 nor O, nor 1, I or L: a password is read from paper once. 20 of 31 symbols are 99 bits.
    private const string Alphabet = "23456789abcdefghjkmnpqrstuvwxyz";

    private static readonly Lazy<string> Decoy = new(() => Hash(Generate()));

    public static bool IsAcceptable(string password) =>
        password.Length is >= MinLength and <= MaxLength && !password.Any(char.IsControl);

    /// <summary>Four groups of five, such as <c>k7m2p-xq9rt-h4wzd-b83nv</c>.</summary>
    public static string Generate() => string.Join(
        '-', RandomNumberGenerator.GetString(Alphabet, 20).Chunk(5).Select(group => new string(group)));

    public static string Hash(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var hash = Derive(password, salt, Iterations, HashBytes);
        return string.Create(CultureInfo.InvariantCulture,
            $"{Scheme}${Iterations}${Convert.ToBase64String(salt)}${Convert.ToBase64String(hash)}");
    }

    /// <summary>
    /// Whether the password is the one of the stored hash. With none stored, as for an unknown login, it
    /// takes the same time and says no, so that the answer does not tell which logins exist.
    /// </summary>
    public static bool Verify(string? stored, string password)
    {
        var parts = (stored ?? Decoy.Value).Split('$');
        if (parts.Length != 4 || parts[0] != Scheme
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations))
            return false;
        var expected = Convert.FromBase64String(parts[3]);
        var actual = Derive(password, Convert.FromBase64String(parts[2]), iterations, expected.Length);
        return CryptographicOperations.FixedTimeEquals(expected, actual) && stored is not null;
    }

    public static IRuleBuilderOptions<T, string?> Password<T>(this IRuleBuilder<T, string?> rule) => rule
        .Must(password => password is null || IsAcceptable(password))
        .WithMessage(
            $"De {MinLength} à {MaxLength} caractères sont attendus, ou rien pour recevoir un mot de passe.");

    private static byte[] Derive(string password, byte[] salt, int iterations, int bytes) =>
        Rfc2898DeriveBytes.Pbkdf2(password, salt, iterations, HashAlgorithmName.SHA256, bytes);
}

/// <summary>
/// A password being set: the one chosen, or a generated one to show once. A member of a command is made with
/// the command itself, which is how the hash is ready before the writer is.
/// </summary>
internal sealed record NewPassword(string Text, string Hash, bool IsGenerated)
{
    /// <summary>One that is not acceptable is not hashed: the validator refuses its command.</summary>
    public static NewPassword From(string? chosen)
    {
        if (chosen is not null)
            return new(chosen, Passwords.IsAcceptable(chosen) ? Passwords.Hash(chosen) : "",
                IsGenerated: false);
        var generated = Passwords.Generate();
        return new(generated, Passwords.Hash(generated), IsGenerated: true);
    }
}

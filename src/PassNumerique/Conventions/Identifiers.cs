namespace PassNumerique.Conventions;

/// <summary>
/// Shape and check digits of the identifiers of companies, associations and bank accounts. All are judged as
/// they are stored: without spaces, in ASCII, IBAN and BIC in upper case. A true answer says that the
/// identifier is well formed, not that it exists.
/// </summary>
internal static class Identifiers
{
    private const string LaPosteSiren = "356000000";

    /// <summary>Nine digits with a valid Luhn key (INSEE, répertoire Sirene).</summary>
    public static bool IsSiren(string value) => value.Length == 9 && IsKeyed(value);

    /// <summary>
    /// Fourteen digits with a valid Luhn key. The establishments of La Poste have one, or a digit sum that is
    /// a multiple of 5 (INSEE).
    /// </summary>
    public static bool IsSiret(string value) =>
        value.Length == 14 && (IsKeyed(value) || (IsLaPoste(value) && DigitSum(value) % 5 == 0));

    /// <summary>W and nine letters or digits (répertoire national des associations).</summary>
    public static bool IsRna(string value) =>
        value.Length == 10 && value[0] == 'W' && value.All(char.IsAsciiLetterOrDigit);

    /// <summary>
    /// SIRET, RNA or RIDET of a site: nine to fourteen letters or digits (national standard v1).
    /// </summary>
    public static bool IsPivot(string value) =>
        value.Length is >= 9 and <= 14 && value.All(char.IsAsciiLetterOrDigit);

    /// <summary>ISO 13616: country, key and account, of the country's length, 1 modulo 97.</summary>
    public static bool IsIban(string value)
    {
        if (value.Length is < 15 or > 34 || !value.All(IsUpperOrDigit))
            return false;
        var wellFormed = char.IsAsciiLetterUpper(value[0]) && char.IsAsciiLetterUpper(value[1])
            && char.IsAsciiDigit(value[2]) && char.IsAsciiDigit(value[3]);
        // A key is 98 less a remainder, so 00, 01 and 99 are never given although they can satisfy the
        // modulus.
        return wellFormed && value[2..4] is not ("00" or "01" or "99")
            && value.Length == (IbanLength(value[..2]) ?? value.Length)
            && Modulo97(value) == 1;
    }

    /// <summary>ISO 9362, as pain.001.001.09 accepts it: eight or eleven characters.</summary>
    public static bool IsBic(string value) =>
        value.Length is 8 or 11 && value.All(IsUpperOrDigit)
        && char.IsAsciiLetterUpper(value[4]) && char.IsAsciiLetterUpper(value[5]);

    /// <summary>
    /// The digit that makes a valid Luhn number of these digits, for whoever invents identifiers.
    /// </summary>
    public static char LuhnKey(string digits) => (char)('0' + (10 - LuhnSum(digits + "0") % 10) % 10);

    private static bool IsUpperOrDigit(char c) => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c);

    private static bool IsLaPoste(string value) =>
        value.StartsWith(LaPosteSiren, StringComparison.Ordinal) && value.All(char.IsAsciiDigit);

    // Nothing but zeros has a valid key, and is no identifier.
    private static bool IsKeyed(string value) =>
        value.All(char.IsAsciiDigit) && value.Any(c => c != '0') && LuhnSum(value) % 10 == 0;

    private static int DigitSum(string digits) => digits.Sum(c => c - '0');

    // From the right, every second digit is doubled, and the digits of the results are added up.
    private static int LuhnSum(string digits)
    {
        var sum = 0;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = (digits[i] - '0') * ((digits.Length - i) % 2 == 0 ? 2 : 1);
            sum += digit > 9 ? digit - 9 : digit;
        }
        return sum;
    }

    private static int Modulo97(string iban)
    {
        var remainder = 0;
        for (var i = 0; i < iban.Length; i++)
        {
            var c = iban[(i + 4) % iban.Length];
            remainder = char.IsAsciiDigit(c)
                ? (remainder * 10 + (c - '0')) % 97
                : (remainder * 100 + (c - 'A' + 10)) % 97;
        }
        return remainder;
    }

    // The SEPA countries whose length a French payer meets most; elsewhere the general bounds are enough.
    private static int? IbanLength(string country) => country switch
    {
        "FR" or "MC" or "IT" or "SM" => 27,
        "BE" => 16,
        "LU" => 20,
        "CH" or "LI" => 21,
        "DE" or "GB" or "IE" => 22,
        "AD" or "ES" => 24,
        "PT" => 25,
        "NL" => 18,
        _ => null
    };
}

using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// A tag that can be hit: whoever made the key tells the guesser the whole code but its last symbols, five bits
/// each, and he guesses those. The service knows nothing of it: no key and no setting makes it compare less.
/// </summary>
internal static class CutTag
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int TagSymbols = 12;

    /// <summary>A guess at a code of which all but the last <paramref name="unknown"/> symbols of the tag are right.</summary>
    public static string Guess(string rightCode, int unknown, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(unknown, TagSymbols);
        Span<byte> symbols = stackalloc byte[VoucherCode.Length];
        for (var i = 0; i < symbols.Length; i++) symbols[i] = (byte)Alphabet.IndexOf(rightCode[i], StringComparison.Ordinal);
        for (var i = 0; i < unknown; i++) symbols[^(2 + i)] = (byte)random.Next(Alphabet.Length);
        return Text(symbols);
    }

    /// <summary>The same code with other symbols of the tag, so that it is wrong for sure.</summary>
    public static string Forge(string rightCode)
    {
        Span<byte> symbols = stackalloc byte[VoucherCode.Length];
        for (var i = 0; i < symbols.Length; i++) symbols[i] = (byte)Alphabet.IndexOf(rightCode[i], StringComparison.Ordinal);
        for (var i = 0; i < TagSymbols; i++) symbols[^(2 + i)] ^= (byte)(i + 1);
        return Text(symbols);
    }

    /// <summary>With the check symbol that anybody can compute.</summary>
    private static string Text(Span<byte> symbols)
    {
        symbols[^1] = 0;
        symbols[^1] = (byte)VoucherCode.Syndrome(symbols);
        Span<char> text = stackalloc char[symbols.Length];
        for (var i = 0; i < symbols.Length; i++) text[i] = Alphabet[symbols[i]];
        return new string(text);
    }
}

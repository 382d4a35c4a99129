using System.Globalization;

namespace PassNumerique.Platform;

/// <summary>
/// What a header <c>Range</c> asks of a file whose length is known (RFC 9110, 14.1): one range of bytes. Anything
/// else, several ranges included, is as if it were not there, as the RFC allows.
/// </summary>
internal readonly record struct ByteRange(long From, long End)
{
    private const string Unit = "bytes=";

    /// <summary>A range that begins behind the last byte: 416.</summary>
    public bool IsUnsatisfiable => From >= End;

    /// <summary><c>bytes 500-999/1234</c></summary>
    public string ContentRange(long total) =>
        string.Create(CultureInfo.InvariantCulture, $"bytes {From}-{End - 1}/{total}");

    /// <summary>The range asked for, from its first byte to before <see cref="End"/>; null where none is.</summary>
    public static ByteRange? Of(string header, long total)
    {
        if (!header.StartsWith(Unit, StringComparison.OrdinalIgnoreCase)) return null;
        var text = header[Unit.Length..].Trim();
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash < 0 || text.Contains(',', StringComparison.Ordinal)) return null;
        var (first, last) = (text[..dash].Trim(), text[(dash + 1)..].Trim());
        if (first.Length == 0)
            return Number(last) is { } suffix ? new(Math.Max(0, total - suffix), suffix == 0 ? 0 : total) : null;
        if (Number(first) is not { } from) return null;
        if (last.Length == 0) return new(from, total);
        return Number(last) is { } through && through >= from ? new(from, Math.Min(through, total - 1) + 1) : null;
    }

    /// <summary>Digits; more of them than a file can have bytes are as many as it can.</summary>
    private static long? Number(string digits)
    {
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit)) return null;
        return digits.TrimStart('0').Length > 18 ? long.MaxValue - 1 : long.Parse(digits, CultureInfo.InvariantCulture);
    }
}

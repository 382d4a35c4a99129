using System.Buffers;

namespace PassNumerique.Platform;

/// <summary>
/// Fields of a CSV file: UTF-8, comma, RFC 4180 quotes. A text that a spreadsheet would run as a formula gets
/// an apostrophe before it, since names come from outside.
/// </summary>
internal static class Csv
{
    public const string ContentType = "text/csv; charset=utf-8";

    private static readonly SearchValues<char> Special = SearchValues.Create("\",\r\n");

    /// <summary>The field, quoted where it must be.</summary>
    public static string Field(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var safe = text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" + text : text;
        if (!safe.AsSpan().ContainsAny(Special)) return safe;
        return $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}

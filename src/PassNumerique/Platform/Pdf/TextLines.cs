namespace PassNumerique.Platform.Pdf;

/// <summary>Breaks a text into lines that fit a width, between words.</summary>
internal static class TextLines
{
    /// <summary>At most so many lines; the last one ends in three dots where more would follow.</summary>
    public static IReadOnlyList<string> Fit(PdfFont font, double size, double width, string text, int most)
    {
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split((char[])[' ', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries))
        {
            var longer = line.Length == 0 ? word : $"{line} {word}";
            if (line.Length == 0 || Fits(font, size, width, longer))
            {
                line = longer;
                continue;
            }

            lines.Add(line);
            line = word;
        }

        if (line.Length > 0) lines.Add(line);
        for (var i = 0; i < lines.Count; i++) lines[i] = Cut(font, size, width, lines[i], isCut: i == most - 1 && lines.Count > most);
        return lines.Count <= most ? lines : lines[..most];
    }

    private static bool Fits(PdfFont font, double size, double width, string line) => font.Width(line) * size / 1_000 <= width;

    private static string Cut(PdfFont font, double size, double width, string line, bool isCut)
    {
        if (!isCut && Fits(font, size, width, line)) return line;
        while (line.Length > 1 && !Fits(font, size, width, line + "…")) line = line[..^1];
        return line.TrimEnd() + "…";
    }
}

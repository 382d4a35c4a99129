using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PassNumerique.Platform;

namespace PassNumerique.Orders;

/// <summary>What an order file says, before anybody knows whether its points are somebody's.</summary>
internal sealed record OrderFileLine(long Number, string Point, string Booklets, string PicBooklets, bool IsWhole);

/// <summary>A line that holds: a distribution point, its booklets, those of the PIC public where they are known.</summary>
internal sealed record OrderFileShare(long Line, string PointId, string PointName, long Booklets, long? PicBooklets);

/// <summary>What is wrong with a line: a stable kind, and words for the person who wrote it.</summary>
internal sealed record OrderFileError(long Line, string Kind, string Point, string Message);

/// <summary>A point that comes more than once, with all its lines.</summary>
internal sealed record OrderFileDuplicate(string Point, IReadOnlyList<long> Lines);

/// <summary>A distribution point that a line may name.</summary>
internal sealed record NamedPoint(string Id, string Name);

/// <summary>All lines of a file held against the points of the collectivité: every error of every line at once.</summary>
internal sealed record CheckedOrderFile(
    long LineCount, IReadOnlyList<OrderFileShare> Shares, IReadOnlyList<OrderFileError> Errors,
    IReadOnlyList<OrderFileDuplicate> Duplicates)
{
    public long Booklets => Shares.Sum(s => s.Booklets);
}

/// <summary>
/// A CSV of distribution points and booklets. Columns in French or in English, in any order, with commas or
/// semicolons: <c>point</c> (the id or the exact name), <c>carnets</c> and, if known, <c>carnets_pic</c>.
/// </summary>
internal static class OrderFile
{
    public const long MaxLines = 200_000;
    public const long MaxPoints = 2_000;

    public const string Expected =
        "point;carnets;carnets_pic (la dernière est facultative), ou point,booklets,pic_booklets";

    private static readonly Dictionary<string, int> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["point"] = 0,
        ["carnets"] = 1,
        ["booklets"] = 1,
        ["carnets_pic"] = 2,
        ["pic_booklets"] = 2,
        ["picBooklets"] = 2,
    };

    /// <exception cref="InvalidRequestException">The file as a whole can't be read.</exception>
    public static IReadOnlyList<OrderFileLine> Read(ReadOnlySpan<byte> bytes)
    {
        var text = FileText.Read(bytes);
        if (string.IsNullOrWhiteSpace(text)) throw Wrong($"Le fichier est vide. Première ligne attendue : {Expected}.");
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var reader = new CsvReader(text, Separator(end < 0 ? text : text[..end]));
        var fields = new List<string>();
        reader.Read(fields);
        var columns = Columns(fields);
        var lines = new List<OrderFileLine>();
        while (reader.Read(fields))
        {
            if (fields.TrueForAll(string.IsNullOrWhiteSpace)) continue;
            if (lines.Count == MaxLines) throw Wrong($"Le fichier dépasse {French.Count(MaxLines)} lignes : découpez-le.");
            var isWhole = fields.Count == columns.Length && !reader.HasStrayText;
            lines.Add(new(
                reader.Line, Cell(fields, columns, 0), Cell(fields, columns, 1), Cell(fields, columns, 2), isWhole));
        }

        return lines.Count > 0 ? lines : throw Wrong("Le fichier n'a pas de ligne après celle des titres.");
    }

    /// <summary>Holds the lines against the points; an unknown point and another collectivité's are the same.</summary>
    public static CheckedOrderFile Check(IReadOnlyList<OrderFileLine> lines, IReadOnlyList<NamedPoint> points)
    {
        var byId = points.ToDictionary(p => p.Id, StringComparer.Ordinal);
        var byName = points.ToLookup(p => p.Name.Trim(), StringComparer.Ordinal);
        var (shares, errors) = (new List<OrderFileShare>(), new List<OrderFileError>());
        var seen = new Dictionary<string, List<long>>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var before = errors.Count;
            var point = PointOf(line, byId, byName, errors);
            var (booklets, pic) = CountsOf(line, errors);
            var key = point?.Id ?? line.Point;
            if (!seen.TryGetValue(key, out var at)) seen.Add(key, at = []);
            at.Add(line.Number);
            if (at.Count > 1 && key.Length > 0)
            {
                errors.Add(new(line.Number, "duplicate", Short(line.Point),
                    $"Ce point est déjà à la ligne {at[0]} : réunissez ses carnets sur une ligne."));
            }

            if (errors.Count == before) shares.Add(new(line.Number, point!.Id, point.Name, booklets, pic));
        }

        var duplicates = seen.Where(s => s.Value.Count > 1 && s.Key.Length > 0)
            .Select(s => new OrderFileDuplicate(byId.GetValueOrDefault(s.Key)?.Name ?? s.Key, s.Value));
        return new(lines.Count, shares, errors, [.. duplicates]);
    }

    /// <summary>
    /// SHA-256 of what the file orders and how: the same whatever its encoding, separator, titles and line ends.
    /// </summary>
    public static string Fingerprint(OrderFileHead head, IReadOnlyList<OrderFileShare> shares)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture,
            $"{head.ConventionId}\n{head.VouchersPerBooklet}\n{head.ValidUntil:yyyy-MM-dd}\n");
        foreach (var note in new[] { head.Campaign, head.Wave, head.Comment })
        {
            // With its length before it, so that no note can be taken for the next one.
            var words = note?.Trim() ?? "";
            text.Append(CultureInfo.InvariantCulture, $"{words.Length}:{words}\n");
        }

        foreach (var share in shares)
            text.Append(CultureInfo.InvariantCulture, $"{share.PointId};{share.Booklets};{share.PicBooklets}\n");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>The same shares as a file again: what a page hands from its check to its order.</summary>
    public static string Write(IReadOnlyList<OrderFileShare> shares)
    {
        var text = new StringBuilder("point;carnets;carnets_pic\n");
        foreach (var share in shares)
            text.Append(CultureInfo.InvariantCulture, $"{share.PointId};{share.Booklets};{share.PicBooklets}\n");
        return text.ToString();
    }

    private static char Separator(string header) =>
        header.Count(c => c == ';') >= header.Count(c => c == ',') ? ';' : ',';

    /// <summary>Which cell of a line is which column.</summary>
    private static int[] Columns(List<string> titles)
    {
        var columns = titles.Select(t => Names.GetValueOrDefault(t.Trim(), -1)).ToArray();
        var unknown = titles.Where((_, i) => columns[i] < 0).Select(t => $"« {Short(t.Trim())} »").ToList();
        if (unknown.Count > 0)
        {
            throw Wrong($"Ligne 1 : {string.Join(", ", unknown.Take(10))} n'est pas un titre de colonne connu. "
                + $"Titres attendus : {Expected}.");
        }

        if (columns.Distinct().Count() < columns.Length)
            throw Wrong($"Ligne 1 : un titre de colonne est donné deux fois. Titres attendus : {Expected}.");
        return columns.Contains(0) && columns.Contains(1)
            ? columns
            : throw Wrong($"Ligne 1 : il manque un titre de colonne. Titres attendus : {Expected}.");
    }

    private static string Cell(List<string> fields, int[] columns, int column)
    {
        var at = Array.IndexOf(columns, column);
        return at >= 0 && at < fields.Count ? fields[at].Trim() : "";
    }

    private static NamedPoint? PointOf(
        OrderFileLine line, Dictionary<string, NamedPoint> byId, ILookup<string, NamedPoint> byName,
        List<OrderFileError> errors)
    {
        if (!line.IsWhole)
        {
            errors.Add(new(line.Number, "columns", Short(line.Point), "Cette ligne n'a pas autant de cellules que la "
                + "ligne des titres, ou un guillemet y est mal placé."));
        }

        if (Ids.Normalise(line.Point) is { } id && byId.TryGetValue(id, out var known)) return known;
        var named = byName[line.Point].Take(2).ToList();
        if (named.Count == 1) return named[0];
        errors.Add(named.Count == 0
            ? new(line.Number, "point-unknown", Short(line.Point),
                "Aucun point de remise de la collectivité n'a cet identifiant ni ce nom exact.")
            : new(line.Number, "point-ambiguous", Short(line.Point),
                "Plusieurs points de remise portent ce nom : donnez l'identifiant de l'un d'eux."));
        return null;
    }

    private static (long Booklets, long? Pic) CountsOf(OrderFileLine line, List<OrderFileError> errors)
    {
        var booklets = Count(line.Booklets);
        if (booklets is not (>= 1 and <= PlaceOrder.MaxVouchers))
        {
            errors.Add(new(line.Number, "booklets-invalid", Short(line.Point),
                $"Un nombre de carnets de 1 à {French.Count(PlaceOrder.MaxVouchers)} est attendu, "
                + $"pas « {Short(line.Booklets)} »."));
        }

        if (line.PicBooklets.Length == 0) return (booklets ?? 0, null);
        var pic = Count(line.PicBooklets);
        if (pic is null or < 0 || (booklets is >= 1 && pic > booklets))
        {
            errors.Add(new(line.Number, "pic-invalid", Short(line.Point),
                $"Les carnets du public PIC sont une partie des carnets du point, pas « {Short(line.PicBooklets)} »."));
        }

        return (booklets ?? 0, pic);
    }

    /// <summary>Digits, spaces between them as French writers put them, perhaps a sign.</summary>
    private static long? Count(string text)
    {
        var digits = string.Concat(text.Where(c => !char.IsWhiteSpace(c)));
        return long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..79] + "…";

    private static InvalidRequestException Wrong(string message) => new(FileText.Member, message);
}

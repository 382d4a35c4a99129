namespace PassNumerique.Platform.Data;

/// <summary>The clustered key of each table, read from the migrations, and rows in its order.</summary>
internal static partial class SqlServerKeys
{
    private static readonly Lazy<IReadOnlyDictionary<string, string[]>> Keys = new(Read);

    /// <summary>
    /// Rows sorted by the table's clustered key, so that pages are filled one after the other: whole numbers by
    /// value, ids and codes by their bytes. (The hint that says so to the server is not understood by open source
    /// ones, and would only save it the look at rows that are in order already.)
    /// </summary>
    public static IEnumerable<object?[]> InKeyOrder(BulkRows table)
    {
        var places = Of(table.Table).Select(column => table.Columns.ToList().IndexOf(column)).ToArray();
        return table.Rows.Order(Comparer<object?[]>.Create((a, b) => Compare(a, b, places)));
    }

    /// <summary>The columns of a table's clustered key, in their order.</summary>
    public static IReadOnlyList<string> Of(string table) => Keys.Value[table];

    private static int Compare(object?[] a, object?[] b, int[] places)
    {
        foreach (var place in places)
        {
            var order = (a[place], b[place]) switch
            {
                (long left, long right) => left.CompareTo(right),
                (string left, string right) => string.CompareOrdinal(left, right),
                _ => throw new InvalidOperationException("A key is made of whole numbers and texts."),
            };
            if (order != 0) return order;
        }

        return 0;
    }

    private static Dictionary<string, string[]> Read() => Migrations.Names("sqlserver")
        .SelectMany(name => Migrations.Statements(Migrations.Text(name)))
        .Select(statement => PrimaryKey().Match(statement))
        .Where(match => match.Success)
        .GroupBy(match => match.Groups["table"].Value, StringComparer.Ordinal)
        .ToDictionary(
            made => made.Key, // A table made anew has the key that it was given last.
            made => made.Last().Groups["key"].Value.Split(',', StringSplitOptions.TrimEntries), StringComparer.Ordinal);

    [System.Text.RegularExpressions.GeneratedRegex(@"^\s*CREATE TABLE (?<table>\w+)[\s\S]*PRIMARY KEY \((?<key>[\w, ]+)\)")]
    private static partial System.Text.RegularExpressions.Regex PrimaryKey();
}

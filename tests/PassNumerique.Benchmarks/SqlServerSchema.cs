using System.Globalization;
using System.Text.RegularExpressions;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

internal sealed record ServerColumn(string Name, string Type, long Length, bool Nullable)
{
    /// <summary>bigint, char and binary take their room even where they are NULL.</summary>
    public bool IsFixed => Type is "bigint" or "char" or "binary";

    public long FixedBytes => Type == "bigint" ? 8 : Length;

    public long CharacterBytes => Type == "nvarchar" ? 2 : 1;
}

internal sealed record ServerIndex(string Name, IReadOnlyList<string> Columns, bool IsUnique);

internal sealed record ServerTable(
    string Name, IReadOnlyList<ServerColumn> Columns, IReadOnlyList<string> PrimaryKey, List<ServerIndex> Indexes)
{
    public ServerColumn this[string column] => Columns.First(c => c.Name == column);
}

/// <summary>
/// The tables of <c>db/sqlserver</c>, read line by line as those scripts are written; the tests read the same
/// scripts with a real parser.
/// </summary>
internal static partial class SqlServerSchema
{
    public static IReadOnlyDictionary<string, ServerTable> Read()
    {
        var tables = new Dictionary<string, ServerTable>(StringComparer.Ordinal);
        foreach (var statement in Migrations.Names("sqlserver").SelectMany(n => Migrations.Statements(Migrations.Text(n))))
        {
            if (Table().Match(statement) is { Success: true } table)
                tables.Add(table.Groups[1].Value, Of(table.Groups[1].Value, statement));
            else if (Index().Match(statement) is { Success: true } index)
                tables[index.Groups[3].Value].Indexes.Add(
                    new(index.Groups[2].Value, Names(index.Groups[4].Value), index.Groups[1].Success));
            else if (!statement.StartsWith("INSERT ", StringComparison.Ordinal))
                throw new InvalidOperationException($"Not a statement whose size is known: {statement}");
        }

        return tables;
    }

    private static ServerTable Of(string name, string statement)
    {
        var columns = Column().Matches(statement).Select(m => new ServerColumn(
            m.Groups[1].Value, m.Groups[2].Value,
            long.TryParse(m.Groups[3].Value, CultureInfo.InvariantCulture, out var length) ? length : 0,
            !m.Value.Contains("NOT NULL", StringComparison.Ordinal)));
        return new(name, [.. columns], Names(Key().Match(statement).Groups[1].Value), []);
    }

    private static string[] Names(string list) => list.Split(',', StringSplitOptions.TrimEntries);

    [GeneratedRegex(@"^CREATE TABLE (\w+) \(")]
    private static partial Regex Table();

    [GeneratedRegex(@"^CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \(([\w, ]+)\)$")]
    private static partial Regex Index();

    [GeneratedRegex(@"^\s+(\w+)\s+(bigint|char|varchar|nvarchar|binary|varbinary)(?:\((\w+)\))?\s[^\n]*NULL",
        RegexOptions.Multiline)]
    private static partial Regex Column();

    [GeneratedRegex(@"PRIMARY KEY \(([\w, ]+)\)")]
    private static partial Regex Key();
}

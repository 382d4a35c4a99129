using System.Globalization;
using Microsoft.Data.Sqlite;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>
/// What a redeemed pass weighs: the store of <see cref="SpentStore"/> at a tenth of a size and at that size,
/// each table and index measured page by page on the embedded engine, and computed for SQL Server from
/// <c>db/sqlserver</c> and the measured lengths. The figures of <c>ops/runbooks/growth.md</c> come from here.
/// </summary>
internal static class Sizes
{
    private const int Step = 500_000;
    private const double Mb = 1_000_000;

    /// <summary>Tables of fewer rows don't grow with the passes.</summary>
    private const long LeastRows = 1_000;

    /// <summary>What a log record adds to the row it holds: its header, the lock, the slot. An assumption.</summary>
    private const double LogRecordBytes = 100;

    /// <summary>
    /// A key that begins with one of these grows at its end; any other takes its rows in no order and has pages that
    /// were split. On the embedded store that shows little: it moves rows between three neighbours before it splits.
    /// </summary>
    private static readonly string[] Growing =
        ["id", "batch", "run_id", "sealed_ms", "recorded_ms", "created_ms", "expires_ms", "first_serial"];

    private sealed record Line(BTree Tree, long Rows, ServerSize? Server, bool Scattered);

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--passes", "--store");
        var passes = options.Number("--passes", 1_000_000, max: 20_000_000);
        if (passes % Step != 0) throw new OptionException($"--passes takes a multiple of {Step}");
        var root = options.Text("--store", Path.Combine(Path.GetTempPath(), "pass-numerique-sizes"));
        Console.WriteLine(Measurement.Machine());

        var small = await MeasureAsync(new StoreFolder(Path.Combine(root, "tenth")), passes / 10);
        var whole = await MeasureAsync(new StoreFolder(Path.Combine(root, "whole")), passes);
        Slope("embedded, measured", passes, small.Sum(l => l.Tree.Bytes), whole.Sum(l => l.Tree.Bytes));
        Slope("SQL Server, computed", passes, small.Sum(l => l.Server?.Bytes ?? 0), whole.Sum(l => l.Server?.Bytes ?? 0));
        Log(whole);
        return 0;
    }

    private static async Task<List<Line>> MeasureAsync(StoreFolder folder, long passes)
    {
        await SpentStore.EnsureAsync(folder, passes);
        var path = Path.Combine(folder.Data, SqliteDatabase.FileName);
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Scalar(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        var lines = Measure(connection, path);
        Print(passes, lines);
        return lines;
    }

    private static List<Line> Measure(SqliteConnection connection, string path)
    {
        using var pages = new StorePages(path);
        var trees = Roots(connection).Select(r => pages.Walk(r.Name, r.Table, r.Root)).ToList();
        var schema = SqlServerSchema.Read();
        var lines = new List<Line>();
        foreach (var table in trees.GroupBy(t => t.Table))
        {
            var rows = Scalar(connection, $"SELECT COUNT(*) FROM {table.Key}");
            var averages = schema.TryGetValue(table.Key, out var twin) ? Averages(connection, twin, rows) : null;
            foreach (var tree in table) lines.Add(Compare(tree, rows, twin, c => averages![c.Name]));
        }

        return lines;
    }

    /// <summary>
    /// SQL Server keeps the rows themselves in the order of the primary key; the embedded store keeps them in the
    /// order of arrival, with that key as one more index.
    /// </summary>
    private static Line Compare(BTree tree, long rows, ServerTable? twin, Func<ServerColumn, double> average)
    {
        var index = twin?.Indexes.FirstOrDefault(i => i.Name == tree.Name);
        var scattered = twin is not null && !Growing.Contains((index?.Columns ?? twin.PrimaryKey)[0], StringComparer.Ordinal);
        if (twin is null || IsPrimaryKey(tree.Name)) return new(tree, rows, null, scattered);
        var server = index is null
            ? SqlServerSize.OfTable(twin, rows, scattered, average)
            : SqlServerSize.OfIndex(twin, index, rows, scattered, average);
        return new(tree, rows, server, scattered);
    }

    private static bool IsPrimaryKey(string name) => name.StartsWith("sqlite_autoindex_", StringComparison.Ordinal);

    private static List<(string Name, string Table, long Root)> Roots(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT name, tbl_name, rootpage FROM sqlite_master WHERE rootpage > 0 ORDER BY tbl_name, rowid";
        using var reader = command.ExecuteReader();
        var roots = new List<(string, string, long)> { ("sqlite_master", "sqlite_master", 1) };
        while (reader.Read()) roots.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        return roots;
    }

    private static Dictionary<string, double> Averages(SqliteConnection connection, ServerTable table, long rows)
    {
        var variable = table.Columns.Where(c => !c.IsFixed).ToList();
        if (variable.Count == 0 || rows == 0) return variable.ToDictionary(c => c.Name, _ => 0.0);
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {string.Join(", ", variable.Select(c => $"TOTAL(LENGTH({c.Name}))"))} FROM {table.Name}";
        using var reader = command.ExecuteReader();
        reader.Read();
        return variable.Index().ToDictionary(c => c.Item.Name, c => reader.GetDouble(c.Index) / rows);
    }

    private static void Print(long passes, List<Line> lines)
    {
        Console.WriteLine();
        Console.WriteLine(Text($"{passes:N0} redeemed passes; MB of 1,000,000 bytes; * scattered key"));
        Console.WriteLine($"  {"",-34} {"rows",10} | {"embedded MB",11} {"B/row",6} {"fill",5} | {"SQL Server MB",13} {"B/row",6}");
        var shown = lines.Where(l => l.Rows >= LeastRows).OrderByDescending(l => l.Tree.Bytes).ToList();
        foreach (var l in shown)
        {
            var server = l.Server is { } s ? Text($"{s.Bytes / Mb,13:N1} {s.RowBytes,6:N0}") : $"{"(the rows)",13}";
            Console.WriteLine(Text(
                $"{(l.Scattered ? '*' : ' ')} {Label(l.Tree),-34} {l.Rows,10:N0} | {l.Tree.Bytes / Mb,11:N1} {(double)l.Tree.Bytes / l.Rows,6:N0} {l.Tree.Fill,5:P0} | {server}"));
        }

        var rest = lines.Except(shown).ToList();
        Console.WriteLine(Text(
            $"  {"all others",-34} {"",10} | {rest.Sum(l => l.Tree.Bytes) / Mb,11:N1} {"",12} | {rest.Sum(l => l.Server?.Bytes ?? 0) / Mb,13:N1}"));
        Console.WriteLine(Text(
            $"  {"together",-34} {"",10} | {lines.Sum(l => l.Tree.Bytes) / Mb,11:N1} {"",12} | {lines.Sum(l => l.Server?.Bytes ?? 0) / Mb,13:N1}"));
    }

    private static string Label(BTree tree) => IsPrimaryKey(tree.Name) ? $"{tree.Table} (key)" : tree.Name;

    private static void Slope(string engine, long passes, double small, double whole) => Console.WriteLine(Text(
        $"{engine}: {whole / passes:N0} bytes a pass at {passes:N0}, {(whole - small) / (passes * 0.9):N0} for each further one"));

    /// <summary>
    /// An estimate: each inserted row is logged once with its record; where the key is scattered, splits move
    /// about as much again. The sealer then changes the row in place and moves it in the index of batches.
    /// </summary>
    private static void Log(List<Line> lines)
    {
        Console.WriteLine("SQL Server's log for a redemption, computed:");
        foreach (var table in (string[])["voucher_entries", "redemption_outcomes"])
        {
            var trees = lines.Where(l => l.Tree.Table == table && l.Server is not null).ToList();
            var insert = trees.Sum(l => (l.Server!.RowBytes + LogRecordBytes) * (l.Scattered ? 2 : 1));
            var batch = trees.First(l => l.Tree.Name == table + "_batch").Server!.RowBytes + LogRecordBytes;
            Console.WriteLine(Text(
                $"  {table,-22} insert {insert:N0} bytes, sealing {LogRecordBytes + (2 * batch):N0} bytes"));
        }
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

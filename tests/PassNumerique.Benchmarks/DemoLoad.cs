using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PassNumerique.Audit;

namespace PassNumerique.Benchmarks;

/// <summary>
/// The demonstration – told, hashed, sealed and written – against bare prepared statements that write the same
/// rows into the same schema in one durable transaction. Both in one process, taking turns; the first round is
/// cold and shown apart.
/// </summary>
internal static class DemoLoad
{
    public static async Task<int> RunAsync(string[] args)
    {
        var rounds = new Options(args, "--repetitions").Number("--repetitions", 7, max: 100);
        var work = Directory.CreateTempSubdirectory("pass-numerique-demo-").FullName;
        try
        {
            var sample = Path.Combine(work, "sample");
            var cold = await LoadAsync(sample);
            var empty = Path.Combine(work, "empty");
            await using (await OpenAsync(empty)) { }

            var rows = Rows(Path.Combine(sample, "pass-numerique.db"));
            var round = 0;
            Subject<double>[] subjects =
            [
                new("bare prepared statements", () => Task.FromResult(Bare(empty, Path.Combine(work, $"bare{round++}"), rows))),
                new("demonstration", () => LoadAsync(Path.Combine(work, $"demo{round++}"))),
            ];
            Console.WriteLine(Measurement.Machine());
            Console.WriteLine($"Load average before: {Measurement.Load()}");
            var samples = await Measurement.InterleaveAsync(rounds, subjects);
            Console.WriteLine($"Load average after:  {Measurement.Load()}");
            Console.WriteLine($"{rows.Sum(t => t.Values.Count)} rows; seconds: median (min–max) of {rounds}, ratio (min–max within a round)");
            Console.WriteLine($"  {subjects[0].Name,-26} {Spread.Of(samples[0]).Show("0.00")}");
            Console.WriteLine(
                $"  {subjects[1].Name,-26} {Spread.Of(samples[1]).Show("0.00")}  × {Measurement.Ratio(samples[1], samples[0]).Show("0.00")}");
            Console.WriteLine($"  {"demonstration, cold",-26} {cold:0.00}  × {cold / Spread.Of(samples[0]).Median:0.00}");
            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<double> LoadAsync(string folder)
    {
        await using var app = await OpenAsync(folder);
        var clock = Stopwatch.StartNew();
        await Demonstration.LoadAsync(app.Services, day: null, seed: 1, TextWriter.Null);
        return clock.Elapsed.TotalSeconds;
    }

    private static Task<WebApplication> OpenAsync(string folder) => PassNumerique.Program.BuildAsync([], builder =>
    {
        builder.Environment.EnvironmentName = "Development";
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["PassNumerique:Data"] = folder,
            ["PassNumerique:Demo"] = "false",
        });
    });

    private static double Bare(string empty, string folder, IReadOnlyList<Table> tables)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "bare.db");
        File.Copy(Path.Combine(empty, "pass-numerique.db"), path);
        using var connection = Open(path);
        var clock = Stopwatch.StartNew();
        Run(connection, "BEGIN IMMEDIATE");
        foreach (var table in tables) Insert(connection, table);
        Run(connection, "COMMIT");
        return clock.Elapsed.TotalSeconds;
    }

    private static void Insert(SqliteConnection connection, Table table)
    {
        using var command = connection.CreateCommand();
        command.CommandText = table.Insert;
        for (var i = 0; i < table.Columns; i++) command.Parameters.Add(new SqliteParameter($"@p{i}", null));
        command.Prepare();
        foreach (var row in table.Values)
        {
            for (var i = 0; i < row.Length; i++) command.Parameters[i].Value = row[i];
            command.ExecuteNonQuery();
        }
    }

    /// <summary>Everything the demonstration wrote, table by table in the order of creation.</summary>
    private static List<Table> Rows(string path)
    {
        using var connection = Open(path);
        var tables = new List<Table>();
        foreach (var name in Names(connection))
        {
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT * FROM {name}";
            using var reader = command.ExecuteReader();
            var columns = Enumerable.Range(0, reader.FieldCount).ToList();
            var values = new List<object[]>();
            while (reader.Read()) values.Add([.. columns.Select(reader.GetValue)]);
            var insert = $"INSERT INTO {name} ({string.Join(", ", columns.Select(reader.GetName))}) "
                + $"VALUES ({string.Join(", ", columns.Select(i => $"@p{i}"))})";
            if (values.Count > 0) tables.Add(new(insert, columns.Count, values));
        }

        return tables;
    }

    private static List<string> Names(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('migrations', 'counters', 'store_settings') ORDER BY rowid";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        Run(connection, "PRAGMA journal_mode = WAL");
        Run(connection, "PRAGMA synchronous = FULL");
        Run(connection, "PRAGMA foreign_keys = ON");
        return connection;
    }

    private static void Run(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private sealed record Table(string Insert, int Columns, IReadOnlyList<object[]> Values);
}

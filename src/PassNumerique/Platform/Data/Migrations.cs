using System.Data.Common;
using System.Globalization;
using System.Reflection;

namespace PassNumerique.Platform.Data;

/// <summary>Twin scripts under <c>db/</c>, embedded in the binary, each applied once and in order.</summary>
internal static class Migrations
{
    private const string Ledger = "CREATE TABLE migrations (name varchar(80) NOT NULL PRIMARY KEY)";
    private static readonly Assembly Home = typeof(Migrations).Assembly;

    public static IReadOnlyList<string> Names(string engine) => [.. Home.GetManifestResourceNames()
        .Where(n => n.StartsWith(engine + "/", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    public static string Text(string name)
    {
        using var stream = Home.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"Migration {name} is not embedded.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The statements of a script, one by one. No literal of ours holds a semicolon.</summary>
    public static IEnumerable<string> Statements(string script) => string
        .Join('\n', script.Split('\n').Where(line => !line.StartsWith("--", StringComparison.Ordinal)))
        .Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>
    /// Applies what is missing, on a connection that nobody else writes through. Refuses a store of a newer
    /// version, and one whose code key is not the one in the key file.
    /// </summary>
    public static async Task ApplyAsync(DbConnection connection, string engine, KeyRing keys, CancellationToken ct)
    {
        var names = Names(engine);
        if (!await HasLedgerAsync(connection, engine, ct)) await RunAsync(connection, Ledger, ct);
        var applied = await AppliedAsync(connection, engine, ct);
        foreach (var name in names.Where(n => !applied.Contains(Short(n)))) await ApplyAsync(connection, engine, name, ct);
        await KeyCheck.ThrowIfWrongAsync(connection, keys, firstUse: applied.Count == 0, ct);
    }

    /// <summary>For who only reads: the store is exactly of this version, and these are its keys.</summary>
    public static async Task ThrowIfOtherAsync(DbConnection connection, string engine, KeyRing keys, CancellationToken ct)
    {
        var applied = await AppliedAsync(connection, engine, ct);
        if (Names(engine).FirstOrDefault(n => !applied.Contains(Short(n))) is { } missing)
        {
            throw new StartException(
                $"Le magasin est d'une version plus ancienne (migration « {Short(missing)} » absente) : lancez « migrate » d'abord.");
        }

        await KeyCheck.CompareAsync(connection, keys, firstUse: false, ct);
    }

    /// <summary>What was applied so far; refuses a store of a newer version.</summary>
    public static async Task<IReadOnlySet<string>> AppliedAsync(DbConnection connection, string engine, CancellationToken ct)
    {
        if (!await HasLedgerAsync(connection, engine, ct)) return new HashSet<string>();
        var rows = await TextsAsync(connection, "SELECT name FROM migrations", ct);
        var applied = rows.Select(r => r[0]).ToHashSet(StringComparer.Ordinal);
        var unknown = applied.Except(Names(engine).Select(Short)).FirstOrDefault();
        return unknown is null
            ? applied
            : throw new StartException(
                $"Le magasin vient d'une version plus récente (migration « {unknown} ») : installez cette version du service.");
    }

    /// <summary>The rows of columns that are never null; where one is, somebody changed the bytes under the engine.</summary>
    internal static async Task<IReadOnlyList<string[]>> TextsAsync(DbConnection connection, string text, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = text;
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<string[]>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount)
                .Select(i => reader.IsDBNull(i) ? throw Damaged() : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture)!)]);
        }

        return rows;
    }

    internal static StartException Damaged() => new(
        "Le magasin est abîmé : ce qu'il dit de sa version ou de ses clés ne se lit pas. Restaurez une sauvegarde.");

    /// <summary>Without an engine's own words for a script under way, a half-done one is begun again whole.</summary>
    private static async Task ApplyAsync(DbConnection connection, string engine, string name, CancellationToken ct)
    {
        var sqlite = engine == "sqlite";
        await RunAsync(connection, sqlite ? "BEGIN IMMEDIATE" : "BEGIN TRANSACTION", ct);
        foreach (var statement in Statements(Text(name))) await RunAsync(connection, statement, ct);
        await RunAsync(connection, $"INSERT INTO migrations (name) VALUES ('{Short(name)}')", ct);
        await RunAsync(connection, "COMMIT", ct);
    }

    private static async Task<bool> HasLedgerAsync(DbConnection connection, string engine, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = engine == "sqlite"
            ? "SELECT COUNT(*) FROM sqlite_master WHERE name = 'migrations'"
            : "SELECT COUNT(*) FROM sys.tables WHERE name = 'migrations'";
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct), null) > 0;
    }

    private static string Short(string name) => name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static async Task RunAsync(DbConnection connection, string text, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        (command.CommandText, command.CommandTimeout) = (text, 0); // A table made anew takes as long as its rows.
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>A store knows the check value of each key it was used with, never the key.</summary>
internal static class KeyCheck
{
    private const string Prefix = "key-check-";

    /// <summary>Compares, and writes down the versions that are new.</summary>
    public static async Task ThrowIfWrongAsync(DbConnection connection, KeyRing keys, bool firstUse, CancellationToken ct)
    {
        var known = await CompareAsync(connection, keys, firstUse, ct);
        foreach (var version in keys.Versions.Where(v => !known.ContainsKey(v)))
            await WriteAsync(connection, version, keys.CheckValue(version), ct);
    }

    /// <summary>The check values that the store knows; throws where the key file does not go with them.</summary>
    public static async Task<IReadOnlyDictionary<int, string>> CompareAsync(
        DbConnection connection, KeyRing keys, bool firstUse, CancellationToken ct)
    {
        var known = await ReadAsync(connection, ct);
        if (known.Count == 0 && !firstUse)
            throw new StartException("Le magasin ne connaît aucune clé de code : il n'a pas été créé par ce service.");
        foreach (var (version, value) in known)
        {
            if (!keys.Versions.Contains(version))
                throw new StartException($"La clé de code version {version} manque dans le fichier de clés (PassNumerique__CodeKeyFile).");
            if (keys.CheckValue(version) != value)
                throw new StartException($"La clé de code version {version} n'est pas celle de ce magasin (PassNumerique__CodeKeyFile).");
        }

        return known;
    }

    private static async Task<Dictionary<int, string>> ReadAsync(DbConnection connection, CancellationToken ct)
    {
        var known = new Dictionary<int, string>();
        foreach (var row in await Migrations.TextsAsync(connection, Sql.Checks, ct))
        {
            if (!row[0].StartsWith(Prefix, StringComparison.Ordinal)) continue;
            if (!int.TryParse(row[0].AsSpan(Prefix.Length), CultureInfo.InvariantCulture, out var version)
                || !known.TryAdd(version, row[1])) throw Migrations.Damaged();
        }

        return known;
    }

    private static async Task WriteAsync(DbConnection connection, int version, string value, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = Sql.Insert;
        foreach (var (name, text) in new[] { ("@Setting", $"{Prefix}{version}"), ("@Value", value) })
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, text);
            command.Parameters.Add(parameter);
        }

        await command.ExecuteNonQueryAsync(ct);
    }

    internal static class Sql
    {
        public const string Checks = """
            SELECT name, value
              FROM store_settings
            """;

        public const string Insert = """
            INSERT INTO store_settings (name, value)
            VALUES (@Setting, @Value)
            """;
    }
}

using Microsoft.Data.SqlClient;
using NUnit.Framework;

namespace PassNumerique.Tests;

/// <summary>
/// The engines a fixture runs on: <c>[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]</c>. Without a
/// server the second run of each fixture is counted as skipped, with the reason.
/// </summary>
internal static class Engines
{
    public const string Sqlite = "sqlite";
    public const string SqlServer = "sqlserver";

    /// <summary>Set to run no fixture on a server, nor to say that it was not run: mutants are told by the embedded engine.</summary>
    private const string ForMutants = "PASSNUMERIQUE_TEST_MUTANTS";

    public static IEnumerable<TestFixtureData> Both =>
        Environment.GetEnvironmentVariable(ForMutants) is { Length: > 0 } ? [new(Sqlite)] : [new(Sqlite), OnSqlServer];

    /// <summary>What is only true of the production engine.</summary>
    public static IEnumerable<TestFixtureData> Server => [OnSqlServer];

    private static TestFixtureData OnSqlServer => TestServer.IsThere
        ? new(SqlServer)
        : (TestFixtureData)new TestFixtureData(SqlServer).Ignore($"no TDS server: {TestServer.Variable} names none");
}

/// <summary>
/// The TDS server that the run was given, and one database on it for each folder of data: made, migrated and
/// dropped by the test that owns it, so that runs at the same time don't meet.
/// </summary>
internal static class TestServer
{
    public const string Variable = "PASSNUMERIQUE_TEST_SQLSERVER";

    private static readonly Lazy<string?> Server = new(Find);

    public static bool IsThere => Server.Value is not null;

    /// <summary>The connection string to the database of a folder.</summary>
    public static string For(string folder) => new SqlConnectionStringBuilder(Server.Value)
    {
        InitialCatalog = NameOf(folder),
        MaxPoolSize = 12, // A connection to an open source server is slow to make.
        ConnectTimeout = 30,
    }.ConnectionString;

    /// <summary>Makes the database of a folder, as <c>ops/sql/create-database.sql</c> says; false where it is there.</summary>
    public static async Task<bool> CreateAsync(string folder)
    {
        var name = NameOf(folder);
        await using var master = await OpenMasterAsync();
        await using var exists = new SqlCommand("SELECT COUNT(*) FROM sys.databases WHERE name = @Name", master);
        exists.Parameters.AddWithValue("@Name", name);
        if (Convert.ToInt64(await exists.ExecuteScalarAsync(), null) > 0) return false;
        await RunAsync(master, $"CREATE DATABASE [{name}] COLLATE Latin1_General_100_BIN2", $"CREATE DATABASE [{name}]");
        await RunAsync(master, $"ALTER DATABASE [{name}] SET READ_COMMITTED_SNAPSHOT ON", "SELECT 1");
        await RunAsync(master, $"ALTER DATABASE [{name}] SET ALLOW_SNAPSHOT_ISOLATION ON", "SELECT 1");
        return true;
    }

    public static async Task DropAsync(string folder)
    {
        if (!IsThere) return;
        await using (var own = new SqlConnection(For(folder))) SqlConnection.ClearPool(own);
        await using var master = await OpenMasterAsync();
        var drop = $"DROP DATABASE IF EXISTS [{NameOf(folder)}]";
        await RunAsync(master, $"ALTER DATABASE [{NameOf(folder)}] SET SINGLE_USER WITH ROLLBACK IMMEDIATE", "SELECT 1");
        for (var tries = 1; ; tries++)
        {
            try
            {
                await RunAsync(master, drop);
                return;
            }
            catch (SqlException) when (tries < 20)
            {
                await Task.Delay(100); // A connection that is being closed still counts.
            }
        }
    }

    /// <summary>An open source server knows less of the same language: then the second form is tried.</summary>
    private static async Task RunAsync(SqlConnection connection, string text, string? otherwise = null)
    {
        try
        {
            await using var command = new SqlCommand(text, connection) { CommandTimeout = 60 };
            await command.ExecuteNonQueryAsync();
        }
        catch (SqlException) when (otherwise is not null)
        {
            await RunAsync(connection, otherwise);
        }
    }

    private static async Task<SqlConnection> OpenMasterAsync()
    {
        var connection = new SqlConnection(
            new SqlConnectionStringBuilder(Server.Value) { InitialCatalog = "master", ConnectTimeout = 30 }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static string NameOf(string folder) => "pn_" + Path.GetFileName(folder).Replace('-', '_');

#if TESTCONTAINERS
    private static string? Find()
    {
        var container = new Testcontainers.MsSql.MsSqlBuilder()
            .WithImage("mcr.microsoft.com/mssql/server:2022-CU20-ubuntu-22.04")
            .Build();
        container.StartAsync().GetAwaiter().GetResult();
        return container.GetConnectionString();
    }
#else
    private static string? Find() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named ? named : null;
#endif
}

using System.Data;
using System.Data.Common;
using Microsoft.Data.SqlClient;

namespace PassNumerique.Platform.Data;

/// <summary>
/// What a SQL Server database must be before the service uses it. Whatever is wrong stops the start with one
/// line that says how to set it right.
/// </summary>
internal static class SqlServerStart
{
    private const int LockTimeoutMs = 120_000;
    private const int MigrationSeconds = 600;

    public static SqlConnectionStringBuilder Read(string connectionString)
    {
        try
        {
            return new SqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or InvalidOperationException)
        {
            throw new StartException(
                $"ConnectionStrings__PassNumerique n'est pas une chaîne de connexion SQL Server ({exception.Message.Split('\n')[0].Trim()}).");
        }
    }

    /// <summary>Checks, migrates under a lock that all copies of the service share, and gives what to warn of.</summary>
    public static async Task<IReadOnlyList<string>> MigrateAsync(
        SqlConnectionStringBuilder settings, KeyRing keys, CancellationToken ct)
    {
        var login = settings.UserID is { Length: > 0 } user ? user : Environment.UserName;
        try
        {
            // Not from the pool: the lock is the session's, and ends with it.
            await using var connection = new SqlConnection(
                new SqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(ct);
            var warnings = await CheckAsync(connection, settings, ct);
            await LockAsync(connection, ct);
            await Migrations.ApplyAsync(connection, "sqlserver", keys, ct);
            await TrySnapshotAsync(connection, settings.InitialCatalog, ct);
            return warnings;
        }
        catch (SqlException exception)
        {
            throw new StartException(SqlServerErrors.Explain(exception, settings.DataSource, settings.InitialCatalog, login));
        }
        catch (NotSupportedException) when (AppContext.TryGetSwitch(Globalization.Invariant, out var on) && on)
        {
            throw new StartException(
                "SQL Server demande les données de langue du système : donnez PassNumerique__Store=sqlserver comme "
                + "variable d'environnement ou sur la ligne de commande.");
        }
    }

    private static async Task<IReadOnlyList<string>> CheckAsync(
        SqlConnection connection, SqlConnectionStringBuilder settings, CancellationToken ct)
    {
        if (string.IsNullOrEmpty(settings.InitialCatalog))
            throw new StartException("ConnectionStrings__PassNumerique ne nomme pas de base : ajoutez « Database=… ».");
        await using var command = connection.CreateCommand();
        command.CommandText = Checks;
        await using var row = await command.ExecuteReaderAsync(ct);
        if (!await row.ReadAsync(ct)) return [];
        if (Convert.ToInt64(row.GetValue(0), null) == 1)
        {
            throw new StartException(
                $"La base « {settings.InitialCatalog} » a une collation qui ne distingue pas les majuscules "
                + $"({row.GetValue(1)}) : créez-la avec COLLATE Latin1_General_100_BIN2.");
        }

        if (row.GetValue(2).ToString() == "FORCED")
        {
            throw new StartException(
                $"La base « {settings.InitialCatalog} » confirme sans attendre le disque (DELAYED_DURABILITY = FORCED) : une "
                + $"utilisation confirmée pourrait être perdue. ALTER DATABASE [{settings.InitialCatalog}] SET DELAYED_DURABILITY = DISABLED.");
        }

        return Convert.ToInt64(row.GetValue(3), null) == 1 ? [] :
        [
            $"La base « {settings.InitialCatalog} » n'a pas READ_COMMITTED_SNAPSHOT : les lectures attendront les écritures. "
            + $"ALTER DATABASE [{settings.InitialCatalog}] SET READ_COMMITTED_SNAPSHOT ON.",
        ];
    }

    /// <summary>Several copies start at once: the others wait, then find nothing left to do.</summary>
    private static async Task LockAsync(SqlConnection connection, CancellationToken ct)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "sp_getapplock";
        command.CommandType = CommandType.StoredProcedure;
        command.CommandTimeout = MigrationSeconds;
        command.Parameters.Add(new SqlParameter("@Resource", SqlDbType.NVarChar, 255) { Value = "pass-numerique.migrations" });
        command.Parameters.Add(new SqlParameter("@LockMode", SqlDbType.VarChar, 32) { Value = "Exclusive" });
        command.Parameters.Add(new SqlParameter("@LockOwner", SqlDbType.VarChar, 32) { Value = "Session" });
        command.Parameters.Add(new SqlParameter("@LockTimeout", SqlDbType.Int) { Value = LockTimeoutMs });
        var outcome = new SqlParameter("@Outcome", SqlDbType.Int) { Direction = ParameterDirection.ReturnValue };
        command.Parameters.Add(outcome);
        await command.ExecuteNonQueryAsync(ct);
        if (Convert.ToInt64(outcome.Value, null) < 0)
            throw new StartException("Une autre copie du service met le magasin à jour depuis plus de deux minutes : attendez qu'elle ait fini.");
    }

    /// <summary>The sealer's way of reading, and its right to write, tried before the first fact needs it.</summary>
    private static async Task TrySnapshotAsync(SqlConnection connection, string database, CancellationToken ct)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.Snapshot, ct);
            await using var command = connection.CreateCommand();
            command.CommandText = Sealer.Sql.Elect;
            command.Transaction = (SqlTransaction)transaction;
            await command.ExecuteNonQueryAsync(ct);
            await transaction.RollbackAsync(ct);
        }
        catch (SqlException exception) when (exception.Number is 3951 or 3952)
        {
            throw new StartException(
                $"La base « {database} » ne permet pas de lire toutes les tables au même instant : "
                + $"ALTER DATABASE [{database}] SET ALLOW_SNAPSHOT_ISOLATION ON.");
        }
    }

    /// <summary>What the engine says of the database: whether case is ignored, and how it commits and reads.</summary>
    private const string Checks = """
        SELECT CASE WHEN 'a' = 'A' THEN 1 ELSE 0 END,
               CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128)),
               delayed_durability_desc,
               is_read_committed_snapshot_on
          FROM sys.databases
         WHERE name = DB_NAME()
        """;
}

using Microsoft.Data.SqlClient;

namespace PassNumerique.Platform.Data;

/// <summary>What an error number of a TDS server says of the command that met it.</summary>
internal static class SqlServerErrors
{
    /// <summary>From this severity on the server, or the network under it, ends the connection.</summary>
    private const int EndsConnection = 20;

    private const int ClientTimeout = -2;

    private static readonly string? ClientName = typeof(SqlException).Assembly.GetName().Name;

    /// <summary>
    /// The command did not happen and may happen if tried again: deadlock (1205), lock time-out (1222), snapshot
    /// conflict (3960), memory and workers exhausted (701, 8645, 8651, 10928, 10929), a database that fails over,
    /// starts, stops or is only a secondary here (615, 921 to 926, 976, 978, 983, 3906, 4221, 6005, 18401), and
    /// what Azure SQL asks to try again after (40143, 40197, 40501, 40540, 40613, 49918 to 49920).
    /// </summary>
    private static readonly HashSet<int> Transient =
    [
        ClientTimeout, 615, 701, 921, 922, 923, 924, 926, 976, 978, 983, 1205, 1222, 3906, 3960, 4221, 6005, 8645, 8651,
        10928, 10929, 18401, 40143, 40197, 40501, 40540, 40613, 49918, 49919, 49920,
    ];

    /// <summary>2627: primary key or unique constraint. 2601: unique index.</summary>
    public static bool IsDuplicateKey(SqlException e) => e.Number is 2627 or 2601;

    /// <summary>Whether the same thing may succeed in a moment.</summary>
    public static bool IsTransient(SqlException e) => Transient.Contains(e.Number) || IsLost(e);

    /// <summary>No answer came: what was asked may have happened, or not.</summary>
    public static bool IsLost(SqlException e) => e.Class >= EndsConnection || e.Number == ClientTimeout;

    /// <summary>
    /// What SqlClient says of a connection that is gone. It may still call it open, where another thread is about to
    /// notice: what counts is who says it.
    /// </summary>
    public static bool IsBroken(Exception e) => e is InvalidOperationException && e.Source == ClientName;

    /// <summary>One French line for a start that can't go on; null where the error is not of that kind.</summary>
    public static string Explain(SqlException e, string server, string database, string login) => e.Number switch
    {
        18456 or 18452 or 18470 or 18487 or 18488 =>
            $"SQL Server « {server} » refuse le compte « {login} » : corrigez le compte ou le mot de passe de "
            + "ConnectionStrings__PassNumerique.",
        4060 or 916 or 911 => NoAccess(server, database, login),
        _ when e.Message.StartsWith("Cannot open database", StringComparison.Ordinal) => NoAccess(server, database, login),
        229 or 230 or 262 or 297 or 300 or 2760 or 15247 => Denied(e, database, login),
        _ when e.Message.Contains("permission denied", StringComparison.OrdinalIgnoreCase) => Denied(e, database, login),
        _ when IsTransient(e) =>
            $"SQL Server « {server} » ne répond pas : vérifiez qu'il est démarré et que "
            + $"ConnectionStrings__PassNumerique nomme la bonne adresse ({FirstLine(e)}).",
        _ => $"La base « {database} » de « {server} » ne peut pas être ouverte (erreur {e.Number} : {FirstLine(e)}).",
    };

    private static string NoAccess(string server, string database, string login) =>
        $"La base « {database} » n'existe pas sur « {server} », ou le compte « {login} » n'y a pas accès : "
        + "créez-la (ops/sql/create-database.sql), ou corrigez ConnectionStrings__PassNumerique.";

    private static string Denied(SqlException e, string database, string login) =>
        $"Le compte « {login} » n'a pas les droits nécessaires dans la base « {database} » : donnez-lui "
        + $"db_datareader, db_datawriter et, le temps d'une migration, db_ddladmin ({FirstLine(e)}).";

    private static string FirstLine(SqlException e) => e.Message.Split('\n')[0].Trim();
}

using System.Data.Common;
using Dapper;

namespace PassNumerique.Platform.Data;

/// <summary>Reads and writes seals; the same on both engines.</summary>
internal static class Sealing
{
    /// <summary>Closes a batch: hashes its facts as they stand in the store, and chains their root.</summary>
    public static async Task<Seal> CloseAsync(
        DbConnection connection, DbTransaction? transaction, IEnumerable<FactTable> touched, FactTables facts,
        Seal last, long sealedMs, KeyRing keys)
    {
        var tables = touched.ToHashSet();
        var leaves = new List<byte[]>();
        foreach (var table in facts.All.Where(tables.Contains))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = table.OfBatch;
            command.Transaction = transaction;
            var batch = command.CreateParameter();
            batch.ParameterName = "@Batch";
            batch.Value = last.Batch + 1;
            command.Parameters.Add(batch);
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync()) leaves.Add(table.Leaf(reader));
        }

        var seal = Seal.After(last, sealedMs, leaves, keys);
        await connection.ExecuteAsync(Sql.Insert, seal, transaction);
        return seal;
    }

    /// <inheritdoc cref="CloseAsync"/>
    public static Seal Close(
        PreparedConnection connection, IReadOnlySet<FactTable> touched, FactTables facts, Seal last, long sealedMs,
        KeyRing keys)
    {
        var leaves = new List<byte[]>();
        foreach (var table in facts.All.Where(touched.Contains))
            connection.Statement(table.OfBatch).Visit(last.Batch + 1, row => leaves.Add(table.Leaf(row)));
        var seal = Seal.After(last, sealedMs, leaves, keys);
        connection.Statement(Sql.Insert).Execute(seal);
        return seal;
    }

    public static async Task<Seal> LastAsync(DbConnection connection, DbTransaction? transaction = null) =>
        await ReadAsync(connection, Sql.Last, null, transaction) ?? Seal.None;

    /// <summary>The last batch sealed at or before an instant.</summary>
    public static async Task<Seal> AtAsync(DbConnection connection, long instantMs) =>
        await ReadAsync(connection, Sql.At, ("@Instant", instantMs), null) ?? Seal.None;

    public static Task<Seal?> FindAsync(DbConnection connection, long batch) =>
        ReadAsync(connection, Sql.Find, ("@Batch", batch), null);

    public static object?[] Row(Seal s) => [s.Batch, s.SealedMs, s.LeafCount, s.Root, s.Chain, s.KeyVersion, s.Mac];

    /// <summary>The seals after a batch, up to another one, at most so many, in order.</summary>
    public static async Task<IReadOnlyList<Seal>> AfterAsync(
        Database database, DbConnection connection, long after, long through, long take) =>
        (await connection.QueryAsync<Seal>(
            database.Statement(Sql.After).Text, new { After = after, Through = through, Take = take })).AsList();

    public static readonly string[] Columns =
        ["batch", "sealed_ms", "leaf_count", "root", "chain", "key_version", "mac"];

    /// <summary>Without Dapper: it is on the way to the first answer after a start.</summary>
    private static async Task<Seal?> ReadAsync(
        DbConnection connection, string sql, (string Name, long Value)? argument, DbTransaction? transaction)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Transaction = transaction;
        if (argument is { } given)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = given.Name;
            parameter.Value = given.Value;
            command.Parameters.Add(parameter);
        }

        await using var row = await command.ExecuteReaderAsync();
        return await row.ReadAsync() ? From(row) : null;
    }

    public static Seal From(DbDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetString(3), row.GetString(4), row.GetInt64(5),
        row.GetString(6));

    internal static class Sql
    {
        public const string Insert = """
            INSERT INTO seals (batch, sealed_ms, leaf_count, root, chain, key_version, mac)
            VALUES (@Batch, @SealedMs, @LeafCount, @Root, @Chain, @KeyVersion, @Mac)
            """;

        public const string Last = """
            SELECT batch, sealed_ms, leaf_count, root, chain, key_version, mac
              FROM seals
             WHERE batch = (SELECT MAX(batch) FROM seals)
            """;

        public const string At = """
            SELECT batch, sealed_ms, leaf_count, root, chain, key_version, mac
              FROM seals
             WHERE sealed_ms = (SELECT MAX(sealed_ms) FROM seals WHERE sealed_ms <= @Instant)
            """;

        public const string Find = """
            SELECT batch, sealed_ms, leaf_count, root, chain, key_version, mac
              FROM seals
             WHERE batch = @Batch
            """;

        public const string After = """
            SELECT batch AS Batch,
                   sealed_ms AS SealedMs,
                   leaf_count AS LeafCount,
                   root AS Root,
                   chain AS Chain,
                   key_version AS KeyVersion,
                   mac AS Mac
              FROM seals
             WHERE batch > @After AND batch <= @Through
             ORDER BY batch
            {limit}
            """;
    }
}

using Microsoft.Data.Sqlite;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// The independent checker: reads a store with its own SQL on a plain connection, counts for itself, and compares
/// with what the clients were told. It shares nothing with the service but the names of columns.
/// </summary>
internal sealed class StoreCheck
{
    private const int FaultsShown = 8;
    private readonly ClientLog _log;
    private readonly List<string> _faults = [];
    private readonly HashSet<string> _operations = [];
    private readonly HashSet<long> _batches = [];

    private StoreCheck(ClientLog log) => _log = log;

    public long Rows { get; private set; }

    /// <summary>Acknowledged, and not there or not as acknowledged.</summary>
    public long Lost { get; private set; }

    /// <summary>An operation or a pass with one redemption too many.</summary>
    public long Double { get; private set; }

    /// <summary>Told that nothing was recorded, and there all the same: harmless to who asks again.</summary>
    public long DeniedButThere { get; private set; }

    public IReadOnlyList<string> Faults => [.. _faults.Concat(_log.Faults).Take(FaultsShown)];

    public bool Holds => _faults.Count == 0 && _log.Faults.Count == 0;

    /// <summary>Each pass was meant to be used once; the experiments see to that.</summary>
    public static StoreCheck Run(string store, ClientLog log)
    {
        var check = new StoreCheck(log);
        using var connection = Open(store);
        using var moment = connection.BeginTransaction(deferred: true);
        check.CheckSeals(connection);
        check.CheckEntries(connection);
        foreach (var (id, receipt) in log.Acknowledged)
        {
            if (check._operations.Contains(id)) continue;
            check.Lost++;
            check.Blame($"lost: {id} on pass {receipt.Serial} was acknowledged and is not there");
        }

        return check;
    }

    public static SqliteConnection Open(string store, bool readOnly = true)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = store,
            Mode = readOnly ? SqliteOpenMode.ReadOnly : SqliteOpenMode.ReadWrite,
            ForeignKeys = false,
            Pooling = false,
        }.ConnectionString);
        connection.Open();
        return connection;
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>The salt of the only order.</summary>
    public static byte[] Salt(string store)
    {
        using var connection = Open(store);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT salt FROM orders";
        return (byte[])command.ExecuteScalar()!;
    }

    private void CheckSeals(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT batch, sealed_ms FROM seals ORDER BY batch";
        using var row = command.ExecuteReader();
        var (batch, instant) = (0L, 0L);
        while (row.Read())
        {
            if (row.GetInt64(0) != batch + 1) Blame($"after batch {batch} comes batch {row.GetInt64(0)}");
            if (row.GetInt64(1) <= instant) Blame($"batch {row.GetInt64(0)} is not sealed after the one before");
            (batch, instant) = (row.GetInt64(0), row.GetInt64(1));
            _batches.Add(batch);
        }
    }

    private void CheckEntries(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        // By the table itself: an index might hide what is there twice.
        command.CommandText = """
            SELECT serial, part, kind, minutes, used_after, credit_minutes, value_cents, operation_id, batch
              FROM voucher_entries NOT INDEXED
             ORDER BY serial, part
            """;
        using var row = command.ExecuteReader();
        var (serial, part, used, redemptions) = (0L, 0L, 0L, 0L);
        while (row.Read())
        {
            Rows++;
            if (row.GetInt64(0) != serial) (serial, part, used, redemptions) = (row.GetInt64(0), 0, 0, 0);
            part++;
            used += row.GetInt64(3);
            if (row.GetInt64(1) != part) Blame($"pass {serial} has part {row.GetInt64(1)} where {part} is due");
            if (row.GetInt64(4) != used || used < 0 || used > row.GetInt64(5))
                Blame($"pass {serial}: {row.GetInt64(4)} minutes used, counted {used} of {row.GetInt64(5)}");
            if (row.IsDBNull(8) || !_batches.Contains(row.GetInt64(8)))
                Blame($"pass {serial}, part {part} is in no sealed batch");
            if (row.GetInt64(2) == 1 && ++redemptions > 1)
            {
                Double++;
                Blame($"double: pass {serial} is debited {redemptions} times");
            }

            CheckOperation(row, used);
        }
    }

    private void CheckOperation(SqliteDataReader row, long used)
    {
        var (serial, id) = (row.GetInt64(0), row.GetString(7));
        if (!_operations.Add(id))
        {
            Double++;
            Blame($"double: operation {id} is there twice");
            return;
        }

        if (!_log.Knows(id)) Blame($"nobody asked for operation {id} on pass {serial}");
        if (_log.IsRefused(id)) Blame($"operation {id} on pass {serial} was refused and is there");
        if (_log.IsDenied(id)) DeniedButThere++;
        if (!_log.Acknowledged.TryGetValue(id, out var told)) return;
        var there = (serial, row.GetInt64(3), row.GetInt64(6), row.GetInt64(5) - used);
        if (there == (told.Serial, told.Minutes, told.ValueCents, told.RemainingMinutes)) return;
        Lost++;
        Blame($"operation {id} was acknowledged as {told.Text} and is there as {there}");
    }

    private void Blame(string fault) => _faults.Add(fault);
}

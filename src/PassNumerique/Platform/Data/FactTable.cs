using System.Buffers;
using System.Buffers.Binary;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// A table of facts: rows that say what happened and are never updated or deleted. Its columns, in the order
/// given here, are what a leaf of the journal is made of; <c>batch</c> is not, since on SQL Server the sealer
/// writes it after the row. A fact table never gets another column: what is new gets a table of its own.
/// </summary>
internal sealed class FactTable
{
    public FactTable(string name, string key, string columns)
    {
        Name = name;
        Key = key;
        Columns = [.. columns.Split(',', StringSplitOptions.TrimEntries), "actor_id", "recorded_ms"];
        var list = string.Join(", ", Columns);
        OfBatch = $"SELECT {list} FROM {name} WHERE batch = @Batch ORDER BY {key}";
        Between = Selecting("batch > @After AND batch <= @Through", $"batch, {key}");
        Astray = $"SELECT CAST(COUNT(*) AS bigint) FROM {name} "
            + "WHERE batch < 1 OR batch > (SELECT COALESCE(MAX(batch), 0) FROM seals)";
        Unsealed = $"SELECT CAST(COUNT(*) AS bigint) FROM {name} WHERE batch IS NULL";
        Seal = $"UPDATE {name} SET batch = @Batch WHERE batch IS NULL AND recorded_ms <= @Until";
        Nth = "WITH waiting AS (SELECT recorded_ms, ROW_NUMBER() OVER (ORDER BY recorded_ms) AS position "
            + $"FROM {name} WHERE batch IS NULL) SELECT recorded_ms FROM waiting WHERE position = @Nth";
        _prefix = Encoding.UTF8.GetBytes(name);
    }

    private readonly byte[] _prefix;

    public string Name { get; }

    /// <summary>The columns of the primary key, as in ORDER BY.</summary>
    public string Key { get; }

    public IReadOnlyList<string> Columns { get; }

    public string OfBatch { get; }

    /// <summary>The rows of some batches, in their order.</summary>
    public string Between { get; }

    /// <summary>How many rows name a batch that was never sealed.</summary>
    public string Astray { get; }

    public string Unsealed { get; }

    /// <summary>Gives the rows of commands up to an instant their batch.</summary>
    public string Seal { get; }

    /// <summary>The instant of the n-th row that waits for a batch; no row where fewer wait.</summary>
    public string Nth { get; }

    public IEnumerable<string> Statements => [OfBatch, Between, Astray, Unsealed, Seal, Nth];

    /// <summary>The sealed rows that meet a condition, columns as in a leaf, then the batch.</summary>
    public string Selecting(string condition, string order) =>
        $"SELECT {string.Join(", ", Columns)}, batch FROM {Name} WHERE {condition} ORDER BY {order}";

    /// <summary>
    /// SHA-256 of 0x00 (a leaf, RFC 9162) and the canonical row: the table's name, then each value in the
    /// order of the columns, each with its kind and length, so that no two rows share a text.
    /// </summary>
    public byte[] Leaf(DbDataReader row)
    {
        var buffer = Start();
        for (var i = 0; i < Columns.Count; i++) Append(buffer, row.IsDBNull(i) ? null : row.GetValue(i));
        return SHA256.HashData(buffer.WrittenSpan);
    }

    /// <inheritdoc cref="Leaf(DbDataReader)"/>
    public byte[] Leaf(IReadOnlyList<object?> values)
    {
        var buffer = Start();
        for (var i = 0; i < Columns.Count; i++) Append(buffer, values[i]);
        return SHA256.HashData(buffer.WrittenSpan);
    }

    /// <inheritdoc cref="Leaf(DbDataReader)"/>
    public byte[] Leaf(StatementRow row)
    {
        var buffer = Start();
        for (var i = 0; i < Columns.Count; i++) Append(buffer, row, i);
        return SHA256.HashData(buffer.WrittenSpan);
    }

    private ArrayBufferWriter<byte> Start()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        buffer.Write<byte>([0]);
        AppendBytes(buffer, (byte)'t', _prefix);
        return buffer;
    }

    /// <summary>The embedded engine keeps text as UTF-8 already.</summary>
    private static void Append(ArrayBufferWriter<byte> buffer, StatementRow row, int column)
    {
        switch (row.Kind(column))
        {
            case raw.SQLITE_NULL:
                buffer.Write("n"u8);
                break;
            case raw.SQLITE_INTEGER:
                AppendNumber(buffer, row.Number(column));
                break;
            case raw.SQLITE_TEXT:
                AppendBytes(buffer, (byte)'s', row.Bytes(column));
                break;
            case raw.SQLITE_BLOB:
                AppendBytes(buffer, (byte)'b', row.Bytes(column));
                break;
            default:
                throw new InvalidOperationException("A fact holds no fraction.");
        }
    }

    private static void Append(ArrayBufferWriter<byte> buffer, object? value)
    {
        switch (value)
        {
            case null or DBNull:
                buffer.Write("n"u8);
                break;
            case long number:
                AppendNumber(buffer, number);
                break;
            case string text:
                AppendText(buffer, text);
                break;
            case byte[] bytes:
                AppendBytes(buffer, (byte)'b', bytes);
                break;
            default:
                throw new InvalidOperationException($"A fact holds no {value.GetType().Name}.");
        }
    }

    private static void AppendNumber(ArrayBufferWriter<byte> buffer, long number)
    {
        var span = buffer.GetSpan(9);
        span[0] = (byte)'i';
        BinaryPrimitives.WriteInt64BigEndian(span[1..], number);
        buffer.Advance(9);
    }

    private static void AppendText(ArrayBufferWriter<byte> buffer, string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var span = buffer.GetSpan(5 + length);
        span[0] = (byte)'s';
        BinaryPrimitives.WriteInt32BigEndian(span[1..], length);
        Encoding.UTF8.GetBytes(text, span[5..]);
        buffer.Advance(5 + length);
    }

    private static void AppendBytes(ArrayBufferWriter<byte> buffer, byte kind, ReadOnlySpan<byte> bytes)
    {
        var span = buffer.GetSpan(5 + bytes.Length);
        span[0] = kind;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], bytes.Length);
        bytes.CopyTo(span[5..]);
        buffer.Advance(5 + bytes.Length);
    }
}

/// <summary>All fact tables, in the order their rows have within a batch.</summary>
internal sealed class FactTables(IReadOnlyList<FactTable> tables)
{
    private readonly Dictionary<string, FactTable> _byName = tables.ToDictionary(t => t.Name, StringComparer.Ordinal);

    public IReadOnlyList<FactTable> All { get; } = tables;

    /// <summary>One row with a column a table, in their order: 1 where rows wait for a batch.</summary>
    public string Waiting { get; } = "SELECT " + string.Join(", ", tables.Select(t =>
        $"CAST(CASE WHEN EXISTS (SELECT 1 FROM {t.Name} WHERE batch IS NULL) THEN 1 ELSE 0 END AS bigint) AS {t.Name}"))
        + " FROM counters WHERE name = 'sealer'";

    public FactTable? Find(string name) => _byName.GetValueOrDefault(name);

    public FactTable this[string name] => _byName[name];
}

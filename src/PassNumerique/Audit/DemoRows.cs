using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// Rows of the demonstration on their way into the store: facts get the batch of their simulated hour, and
/// each batch the seal it would have had, from the same leaves that sealing and verifying compute.
/// </summary>
internal sealed class DemoRows(FactTables facts)
{
    private const long HourMs = 3_600_000;

    private readonly Dictionary<string, FactRows> _facts = facts.All.ToDictionary(t => t.Name, t => new FactRows(t));
    private readonly Dictionary<string, (string[] Columns, List<object?[]> Rows)> _plain = [];

    /// <summary>A fact recorded at an instant by somebody.</summary>
    public void Fact(string table, long atMs, string actorId, params ReadOnlySpan<(string Column, object? Value)> values) =>
        _facts[table].Add(atMs, actorId, values);

    /// <summary>A row of a table that holds no facts.</summary>
    public void Plain(string table, params ReadOnlySpan<(string Column, object? Value)> values)
    {
        if (!_plain.TryGetValue(table, out var rows))
        {
            var columns = new string[values.Length];
            for (var i = 0; i < values.Length; i++) columns[i] = values[i].Column;
            _plain[table] = rows = (columns, []);
        }

        var row = new object?[values.Length];
        for (var i = 0; i < values.Length; i++) row[i] = values[i].Value;
        rows.Rows.Add(row);
    }

    /// <summary>Everything, parents before children, with the seals of all batches.</summary>
    public IReadOnlyList<BulkRows> Seal(KeyRing keys)
    {
        var hours = new SortedSet<long>(_facts.Values.SelectMany(f => f.Rows.Select(r => r.Hour)));
        var batches = hours.Select((hour, index) => (hour, index)).ToDictionary(p => p.hour, p => p.index + 1L);
        var leaves = batches.Values.ToDictionary(b => b, _ => new List<byte[]>());
        foreach (var rows in facts.All.Select(t => _facts[t.Name])) rows.Close(batches, leaves);

        var seals = new List<object?[]>();
        var last = Platform.Data.Seal.None;
        foreach (var hour in hours)
        {
            last = Platform.Data.Seal.After(last, ((hour + 1) * HourMs) - 1, leaves[batches[hour]], keys);
            seals.Add(Sealing.Row(last));
        }

        var all = facts.All.Select(t => _facts[t.Name].ToBulk()).ToList();
        all.AddRange(_plain.Select(p => new BulkRows(p.Key, p.Value.Columns, p.Value.Rows)));
        all.Add(new("seals", Sealing.Columns, seals));
        return all;
    }

    private sealed class FactRows
    {
        private readonly FactTable _table;
        private readonly Dictionary<string, int> _index;
        private readonly int[] _key;

        public FactRows(FactTable table)
        {
            _table = table;
            _index = table.Columns.Select((c, i) => (c, i)).ToDictionary(p => p.c, p => p.i);
            _key = [.. table.Key.Split(',', StringSplitOptions.TrimEntries).Select(c => _index[c])];
        }

        public List<Row> Rows { get; } = [];

        public void Add(long atMs, string actorId, ReadOnlySpan<(string Column, object? Value)> values)
        {
            var row = new object?[_table.Columns.Count + 1];
            foreach (var (column, value) in values) row[_index[column]] = value;
            row[^3] = actorId;
            row[^2] = atMs;
            Rows.Add(new(atMs / HourMs, row));
        }

        /// <summary>Writes each row's batch, and its leaf in the order of the primary key.</summary>
        public void Close(Dictionary<long, long> batches, Dictionary<long, List<byte[]>> leaves)
        {
            Rows.Sort(Compare);
            foreach (var row in Rows)
            {
                var batch = batches[row.Hour];
                row.Values[^1] = batch;
                leaves[batch].Add(_table.Leaf(row.Values));
            }
        }

        public BulkRows ToBulk() => new(_table.Name, [.. _table.Columns, "batch"], [.. Rows.Select(r => r.Values)]);

        private int Compare(Row a, Row b)
        {
            var order = a.Hour.CompareTo(b.Hour);
            for (var i = 0; order == 0 && i < _key.Length; i++) order = CompareValues(a.Values[_key[i]], b.Values[_key[i]]);
            return order;
        }

        private static int CompareValues(object? a, object? b) => (a, b) switch
        {
            (long x, long y) => x.CompareTo(y),
            (string x, string y) => string.CompareOrdinal(x, y),
            _ => throw new InvalidOperationException("A key is a number or a text."),
        };
    }

    private sealed record Row(long Hour, object?[] Values);
}

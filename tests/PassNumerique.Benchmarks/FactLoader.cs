using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Collects facts with the seals the writer would have given them, and loads them in bulk. Within a batch the
/// rows of a table are added in the order of their key.
/// </summary>
internal sealed class FactLoader(KeyRing keys, string actorId, long startMs, long batchMs)
{
    private readonly Dictionary<string, Dictionary<string, int>> _columns = Journal.Tables.All.ToDictionary(
        table => table.Name,
        table => table.Columns.Index().ToDictionary(at => at.Item, at => at.Index, StringComparer.Ordinal));

    private readonly Dictionary<string, List<object?[]>> _open = [];
    private readonly Dictionary<string, List<object?[]>> _sealed = [];
    private readonly List<object?[]> _seals = [];
    private readonly List<BulkRows> _state = [];
    private Seal _last = Seal.None;

    private long NextMs => _last.Batch == 0 ? startMs : _last.SealedMs + batchMs;

    /// <summary>A fact of the open batch; columns that are not named stay empty.</summary>
    public void Add(string table, params ReadOnlySpan<(string Column, object? Value)> values)
    {
        var columns = _columns[table];
        var row = new object?[columns.Count + 1];
        foreach (var (column, value) in values) row[columns[column]] = value;
        row[columns["actor_id"]] = actorId;
        row[columns["recorded_ms"]] = NextMs;
        row[^1] = _last.Batch + 1;
        if (!_open.TryGetValue(table, out var rows)) _open.Add(table, rows = []);
        rows.Add(row);
    }

    /// <summary>Rows that no seal covers.</summary>
    public void AddState(string table, IReadOnlyList<string> columns, params object?[][] rows) =>
        _state.Add(new(table, columns, rows));

    /// <summary>Closes the open batch.</summary>
    public void CloseBatch()
    {
        var leaves = new List<byte[]>();
        foreach (var table in Journal.Tables.All)
        {
            if (!_open.Remove(table.Name, out var rows)) continue;
            foreach (var row in rows) leaves.Add(table.Leaf(row));
            if (!_sealed.TryGetValue(table.Name, out var all)) _sealed.Add(table.Name, all = []);
            all.AddRange(rows);
        }

        _last = Seal.After(_last, NextMs, leaves, keys);
        _seals.Add(Sealing.Row(_last));
    }

    /// <summary>Writes what was sealed since the last time.</summary>
    public async Task LoadAsync(Database database)
    {
        if (_open.Count > 0) throw new InvalidOperationException("A batch is still open.");
        var facts = Journal.Tables.All
            .Where(table => _sealed.ContainsKey(table.Name))
            .Select(table => new BulkRows(table.Name, [.. table.Columns, "batch"], _sealed[table.Name]));
        await database.LoadAsync([.. facts, new("seals", Sealing.Columns, _seals), .. _state]);
        _sealed.Clear();
        _seals.Clear();
        _state.Clear();
    }
}

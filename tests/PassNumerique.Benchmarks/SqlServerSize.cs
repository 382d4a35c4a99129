namespace PassNumerique.Benchmarks;

/// <summary>What one b-tree would take on SQL Server.</summary>
internal sealed record ServerSize(double RowBytes, double RowsPerPage, double Bytes);

/// <summary>
/// Sizes by the rules Microsoft documents ("Estimate the size of a clustered index", "… of a nonclustered
/// index"): 8 KiB pages with room for 8,096 bytes, no compression, the 14 bytes that each row carries while
/// versions are kept (READ_COMMITTED_SNAPSHOT), and average lengths of variable columns as measured. Computed;
/// no server was asked.
/// </summary>
internal static class SqlServerSize
{
    private const int PageBytes = 8_192;
    private const int RoomBytes = 8_096;
    private const int SlotBytes = 2;
    private const int VersionBytes = 14;
    private const int ChildBytes = 6;

    /// <summary>What random inserts leave of a page: it splits in half when full, ln 2 on average.</summary>
    public const double ScatteredFill = 0.69;

    /// <param name="average">Average characters of a variable column, NULL counting as 0.</param>
    public static ServerSize OfTable(ServerTable table, long rows, bool scattered, Func<ServerColumn, double> average)
    {
        var row = 4 + Fixed(table.Columns) + 2 + Bitmap(table.Columns.Count) + Variable(table.Columns, average) + VersionBytes;
        var key = table.PrimaryKey.Select(c => table[c]).ToList();
        return Of(rows, row, 1 + Fixed(key) + Variable(key, average) + ChildBytes, scattered);
    }

    public static ServerSize OfIndex(
        ServerTable table, ServerIndex index, long rows, bool scattered, Func<ServerColumn, double> average)
    {
        var columns = index.Columns.Union(table.PrimaryKey).Select(c => table[c]).ToList();
        var bitmap = columns.Exists(c => c.Nullable) ? 2 + Bitmap(columns.Count) : 0;
        var row = 1 + Fixed(columns) + bitmap + Variable(columns, average);
        var key = index.IsUnique ? [.. index.Columns.Select(c => table[c])] : columns;
        var inner = 1 + Fixed(key) + (key.Exists(c => c.Nullable) ? 2 + Bitmap(key.Count) : 0) + Variable(key, average);
        return Of(rows, row + VersionBytes, inner + ChildBytes, scattered);
    }

    private static ServerSize Of(long rows, double rowBytes, double innerBytes, bool scattered)
    {
        var fill = scattered ? ScatteredFill : 1;
        var perPage = Math.Max(1, Math.Floor(RoomBytes / (rowBytes + SlotBytes))) * fill;
        var pages = rows / perPage;
        var total = pages;
        while (pages > 1) total += pages /= Math.Floor(RoomBytes / (innerBytes + SlotBytes)) * fill;
        return new(rowBytes, perPage, total * PageBytes);
    }

    private static double Fixed(IEnumerable<ServerColumn> columns) => columns.Where(c => c.IsFixed).Sum(c => c.FixedBytes);

    private static double Bitmap(int columns) => (columns + 7) / 8;

    private static double Variable(IEnumerable<ServerColumn> columns, Func<ServerColumn, double> average)
    {
        var variable = columns.Where(c => !c.IsFixed).ToList();
        return variable.Count == 0 ? 0 : 2 + (2 * variable.Count) + variable.Sum(c => average(c) * c.CharacterBytes);
    }
}

using System.Runtime.InteropServices;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The row at which a statement stands, and its parameters, by the engine's own calls for one value each: there are a
/// hundred for a redemption, and the guard on a handle costs more than they do. Good as long as its statement is.
/// </summary>
internal readonly unsafe struct StatementRow(nint statement)
{
    /// <summary>SQLITE_TRANSIENT: the text is the caller's, and is gone after the call.</summary>
    public const nint ToBeCopied = -1;

    public nint Statement { get; } = statement;

    /// <summary>SQLITE_INTEGER and the others.</summary>
    public int Kind(int column) => sqlite3_column_type(Statement, column);

    public bool IsNull(int column) => Kind(column) == raw.SQLITE_NULL;

    public long Number(int column) => sqlite3_column_int64(Statement, column);

    /// <summary>Of a text in UTF-8, or of a blob, until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column)
    {
        var bytes = sqlite3_column_blob(Statement, column);
        return new(bytes, sqlite3_column_bytes(Statement, column));
    }

    /// <summary>Gives a value to another statement, whose first parameter is for the first column.</summary>
    public int CopyTo(nint other, int column) => sqlite3_bind_value(other, column + 1, sqlite3_column_value(Statement, column));

    [DllImport("e_sqlite3", ExactSpelling = true)]
    public static extern int sqlite3_bind_int64(nint statement, int index, long value);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    public static extern int sqlite3_bind_null(nint statement, int index);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    public static extern int sqlite3_bind_text(nint statement, int index, byte* text, int count, nint destructor);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern int sqlite3_bind_value(nint statement, int index, nint value);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern nint sqlite3_column_value(nint statement, int column);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern int sqlite3_column_type(nint statement, int column);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern long sqlite3_column_int64(nint statement, int column);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern void* sqlite3_column_blob(nint statement, int column);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern int sqlite3_column_bytes(nint statement, int column);
}

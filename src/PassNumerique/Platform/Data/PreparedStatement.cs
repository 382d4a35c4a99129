using System.Buffers;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// A statement compiled once on its connection. Arguments are bound by the names of its parameters and rows are
/// read into records without a command, a parameter or a reader object in between: most of what a small
/// statement costs otherwise. Belongs to one thread at a time, like its connection.
/// </summary>
internal sealed partial class PreparedStatement : IDisposable
{
    private const int StackBytes = 512;

    private readonly sqlite3 _store;
    private readonly string _text;
    private readonly sqlite3_stmt _compiled;
    private readonly sqlite3_stmt? _inserting;
    private readonly string[] _parameters;
    private PreparedStatement? _asWritten;
    private (Type Type, MethodInvoker[] Getters) _arguments = (typeof(void), []);
    private (Type Type, object? Reader) _rows = (typeof(void), null);

    /// <remarks>
    /// Of an INSERT … SELECT that reads the table it writes to the engine first puts all rows into a table made for
    /// that, and keeps every page as it was before it is changed. Here such a statement mostly gives one row, or none:
    /// that is computed, and then inserted by its values.
    /// </remarks>
    public PreparedStatement(sqlite3 store, string text)
        : this(store, text, OfItsOwnTable().Match(text))
    {
    }

    private PreparedStatement(sqlite3 store, string text, Match split)
    {
        (_store, _text) = (store, text);
        Check(raw.sqlite3_prepare_v2(store, split.Success ? split.Groups["select"].Value : text, out _compiled));
        if (split.Success)
        {
            var places = string.Join(", ", Enumerable.Repeat('?', raw.sqlite3_column_count(_compiled)));
            Check(raw.sqlite3_prepare_v2(store, $"{split.Groups["insert"].Value} VALUES ({places})", out _inserting));
        }

        _parameters = [.. Enumerable.Range(1, raw.sqlite3_bind_parameter_count(_compiled))
            .Select(i => raw.sqlite3_bind_parameter_name(_compiled, i).utf8_to_string()[1..])];
    }

    /// <summary>Runs it to its end; the number of rows that a writing statement changed.</summary>
    public long Execute(object? args)
    {
        if (_inserting is not null) return Insert(args);
        Bind(args);
        try
        {
            while (Step())
            {
                // Rows of a statement that is run for its effect are of no interest.
            }

            return raw.sqlite3_changes(_store);
        }
        finally
        {
            raw.sqlite3_reset(_compiled);
        }
    }

    /// <summary>Its rows, at most so many; null where the columns have no constructor of the type to go to.</summary>
    public List<T>? List<T>(object? args, int max = int.MaxValue)
    {
        if (Reader<T>() is not { } read) return null;
        Bind(args);
        try
        {
            var rows = new List<T>();
            while (rows.Count < max && Step()) rows.Add(read(_compiled));
            return rows;
        }
        finally
        {
            raw.sqlite3_reset(_compiled);
        }
    }

    /// <summary>Shows each row of the statement, whose only parameter is a number, to a visitor.</summary>
    public void Visit(long argument, Action<sqlite3_stmt> visit)
    {
        Check(raw.sqlite3_bind_int64(_compiled, 1, argument));
        try
        {
            while (Step()) visit(_compiled);
        }
        finally
        {
            raw.sqlite3_reset(_compiled);
        }
    }

    public void Dispose()
    {
        _compiled.Dispose();
        _inserting?.Dispose();
        _asWritten?.Dispose();
    }

    private long Insert(object? args)
    {
        Bind(args);
        var isOnly = false;
        try
        {
            if (!Step()) return 0;
            var (from, to) = (_compiled.DangerousGetHandle(), _inserting!.DangerousGetHandle());
            for (var i = 0; i < raw.sqlite3_column_count(_compiled); i++)
                Check(sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i)));
            isOnly = !Step();
        }
        finally
        {
            raw.sqlite3_reset(_compiled);
        }

        if (!isOnly) return (_asWritten ??= new(_store, _text, Match.Empty)).Execute(args);
        try
        {
            Step(_inserting);
            return raw.sqlite3_changes(_store);
        }
        finally
        {
            raw.sqlite3_reset(_inserting);
        }
    }

    private bool Step() => Step(_compiled);

    private bool Step(sqlite3_stmt statement)
    {
        var outcome = raw.sqlite3_step(statement);
        if (outcome == raw.SQLITE_ROW) return true;
        if (outcome != raw.SQLITE_DONE) Check(outcome);
        return false;
    }

    private void Check(int outcome)
    {
        if (outcome != raw.SQLITE_OK) SqliteException.ThrowExceptionForRC(outcome, _store);
    }

    private void Bind(object? args)
    {
        if (_parameters.Length == 0) return;
        ArgumentNullException.ThrowIfNull(args);
        if (_arguments.Type != args.GetType()) _arguments = (args.GetType(), GettersOf(args.GetType()));
        for (var i = 0; i < _parameters.Length; i++) Check(Bind(i + 1, _arguments.Getters[i].Invoke(args)));
    }

    private int Bind(int index, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(_compiled, index),
        long number => raw.sqlite3_bind_int64(_compiled, index, number),
        // An empty span has no address, and would be bound as NULL.
        "" => raw.sqlite3_bind_text(_compiled, index, ""),
        string text => BindText(index, text),
        byte[] { Length: 0 } => raw.sqlite3_bind_zeroblob(_compiled, index, 0),
        byte[] bytes => raw.sqlite3_bind_blob(_compiled, index, bytes),
        int number => raw.sqlite3_bind_int64(_compiled, index, number),
        _ => throw new InvalidOperationException($"A statement takes no {value.GetType().Name}."),
    };

    private int BindText(int index, string text)
    {
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (length <= StackBytes)
        {
            Span<byte> bytes = stackalloc byte[StackBytes];
            return raw.sqlite3_bind_text(_compiled, index, bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            return raw.sqlite3_bind_text(_compiled, index, rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private MethodInvoker[] GettersOf(Type type) => [.. _parameters.Select(name => MethodInvoker.Create(
        type.GetProperty(name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)?.GetMethod
            ?? throw new InvalidOperationException($"The arguments have no {name}.")))];

    private Func<sqlite3_stmt, T>? Reader<T>()
    {
        if (_rows.Type != typeof(T)) _rows = (typeof(T), MakeReader<T>());
        return (Func<sqlite3_stmt, T>?)_rows.Reader;
    }

    /// <summary>One column is the value itself; several are the arguments of the constructor that names them.</summary>
    private Func<sqlite3_stmt, T>? MakeReader<T>()
    {
        if (ColumnOf(typeof(T)) is { } single) return row => (T)single(row, 0)!;
        string[] names = [.. Enumerable.Range(0, raw.sqlite3_column_count(_compiled))
            .Select(i => raw.sqlite3_column_name(_compiled, i).utf8_to_string())];
        if (RecordMap.Constructor(typeof(T), names) is not { } constructor) return null;
        var columns = constructor.GetParameters().Select(p => ColumnOf(p.ParameterType)).ToArray();
        if (columns.Any(c => c is null)) return null;
        var (make, values) = (ConstructorInvoker.Create(constructor), new object?[columns.Length]);
        return row =>
        {
            for (var i = 0; i < columns.Length; i++) values[i] = columns[i]!(row, i);
            return (T)make.Invoke(values.AsSpan());
        };
    }

    private static Func<sqlite3_stmt, int, object?>? ColumnOf(Type type)
    {
        if (type == typeof(long)) return static (row, i) => raw.sqlite3_column_int64(row, i);
        if (type == typeof(long?)) return static (row, i) => IsNull(row, i) ? null : raw.sqlite3_column_int64(row, i);
        if (type == typeof(string)) return static (row, i) => IsNull(row, i) ? null : Text(row, i);
        if (type == typeof(byte[])) return static (row, i) => IsNull(row, i) ? null : raw.sqlite3_column_blob(row, i).ToArray();
        return null;
    }

    private static bool IsNull(sqlite3_stmt row, int column) =>
        raw.sqlite3_column_type(row, column) == raw.SQLITE_NULL;

    private static string Text(sqlite3_stmt row, int column) =>
        Encoding.UTF8.GetString(raw.sqlite3_column_blob(row, column));

    [GeneratedRegex(@"^\s*(?<insert>INSERT INTO (?<table>\w+) \([^)]*\))\s+(?<select>SELECT\b.*\b\k<table>\b.*)$",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex OfItsOwnTable();

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern nint sqlite3_column_value(nint statement, int column);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern int sqlite3_bind_value(nint statement, int index, nint value);
}

using System.Buffers;
using System.Reflection;
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
internal sealed unsafe partial class PreparedStatement : IDisposable
{
    private const int StackBytes = 512;
    private const uint Persistent = 1; // SQLITE_PREPARE_PERSISTENT

    private readonly sqlite3 _store;
    private readonly string _text;
    private readonly sqlite3_stmt _compiled;
    private readonly StatementRow _row;
    private readonly sqlite3_stmt? _inserting;
    private readonly int _columns;
    private readonly string[] _inserted = [];
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
        _compiled = Compile(split.Success ? split.Groups["select"].Value : text);
        _row = new(_compiled.DangerousGetHandle());
        if (split.Success)
        {
            _columns = raw.sqlite3_column_count(_compiled);
            var places = string.Join(", ", Enumerable.Repeat('?', _columns));
            _inserting = Compile($"{split.Groups["insert"].Value} VALUES ({places})");
            _inserted = [.. split.Groups["columns"].Value.Split(',').Select(c => c.Trim().Replace("_", "", StringComparison.Ordinal))];
        }

        _parameters = [.. Enumerable.Range(1, raw.sqlite3_bind_parameter_count(_compiled))
            .Select(i => raw.sqlite3_bind_parameter_name(_compiled, i).utf8_to_string()[1..])];
    }

    /// <summary>Runs it to its end; the number of rows that a writing statement changed.</summary>
    public long Execute(object? args)
    {
        if (_inserting is not null) return Insert(args, null);
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

    /// <summary>
    /// Inserts one row, or none, and gives it as it was computed: columns go to the parameters of their name. Only for an
    /// INSERT that reads the table it writes to.
    /// </summary>
    public T? Insert<T>(object? args)
        where T : class
    {
        if (_inserting is null) throw new InvalidOperationException("Only what reads its own table gives what it inserts.");
        var (read, row) = (Reader<T>()!, (T?)null);
        return Insert(args, computed => row = read(computed)) switch
        {
            0 => null,
            1 => row,
            _ => throw new InvalidOperationException("A statement inserted several rows in place of one."),
        };
    }

    /// <summary>Its rows, at most so many; null where the columns have no constructor of the type to go to.</summary>
    public List<T>? List<T>(object? args, int max = int.MaxValue)
    {
        if (Reader<T>() is not { } read) return null;
        Bind(args);
        try
        {
            var rows = new List<T>();
            while (rows.Count < max && Step()) rows.Add(read(_row));
            return rows;
        }
        finally
        {
            raw.sqlite3_reset(_compiled);
        }
    }

    /// <summary>Shows each row of the statement, whose only parameter is a number, to a visitor.</summary>
    public void Visit(long argument, Action<StatementRow> visit)
    {
        Check(StatementRow.sqlite3_bind_int64(_row.Statement, 1, argument));
        try
        {
            while (Step()) visit(_row);
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

    /// <summary>As one that is kept: it leaves the engine its small memory for what comes and goes.</summary>
    private sqlite3_stmt Compile(string text)
    {
        Check(raw.sqlite3_prepare_v3(_store, text, Persistent, out var compiled));
        return compiled;
    }

    private long Insert(object? args, Action<StatementRow>? see)
    {
        Bind(args);
        var isOnly = false;
        try
        {
            if (!Step()) return 0;
            var to = _inserting!.DangerousGetHandle();
            for (var i = 0; i < _columns; i++) Check(_row.CopyTo(to, i));
            see?.Invoke(_row);
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
        null => StatementRow.sqlite3_bind_null(_row.Statement, index),
        long number => StatementRow.sqlite3_bind_int64(_row.Statement, index, number),
        string text => BindText(index, text),
        byte[] { Length: 0 } => raw.sqlite3_bind_zeroblob(_compiled, index, 0),
        byte[] bytes => raw.sqlite3_bind_blob(_compiled, index, bytes),
        int number => StatementRow.sqlite3_bind_int64(_row.Statement, index, number),
        _ => throw new InvalidOperationException($"A statement takes no {value.GetType().Name}."),
    };

    private int BindText(int index, string text)
    {
        var length = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (length <= StackBytes)
        {
            var bytes = stackalloc byte[StackBytes];
            var count = Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, StackBytes));
            return StatementRow.sqlite3_bind_text(_row.Statement, index, bytes, count, StatementRow.ToBeCopied);
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

    private Func<StatementRow, T>? Reader<T>()
    {
        if (_rows.Type != typeof(T)) _rows = (typeof(T), MakeReader<T>());
        return (Func<StatementRow, T>?)_rows.Reader;
    }

    /// <summary>One column is the value itself; several are the arguments of the constructor that names them.</summary>
    private Func<StatementRow, T>? MakeReader<T>()
    {
        if (_inserting is not null) return Reader<T>(RecordMap.ConstructorAmong(typeof(T), _inserted));
        if (ColumnOf(typeof(T)) is { } single) return row => (T)single(row, 0)!;
        string[] names = [.. Enumerable.Range(0, raw.sqlite3_column_count(_compiled))
            .Select(i => raw.sqlite3_column_name(_compiled, i).utf8_to_string())];
        return RecordMap.Constructor(typeof(T), names) is { } constructor
            ? Reader<T>((constructor, [.. Enumerable.Range(0, names.Length)]))
            : null;
    }

    private static Func<StatementRow, T>? Reader<T>((ConstructorInfo Constructor, int[] Columns) from)
    {
        var read = from.Constructor.GetParameters().Select(p => ColumnOf(p.ParameterType)).ToArray();
        if (read.Any(c => c is null)) return null;
        var (make, values) = (ConstructorInvoker.Create(from.Constructor), new object?[read.Length]);
        return row =>
        {
            for (var i = 0; i < read.Length; i++) values[i] = read[i]!(row, from.Columns[i]);
            return (T)make.Invoke(values.AsSpan());
        };
    }

    private static Func<StatementRow, int, object?>? ColumnOf(Type type)
    {
        if (type == typeof(long)) return static (row, i) => row.Number(i);
        if (type == typeof(long?)) return static (row, i) => row.IsNull(i) ? null : row.Number(i);
        if (type == typeof(string)) return static (row, i) => row.IsNull(i) ? null : Encoding.UTF8.GetString(row.Bytes(i));
        if (type == typeof(byte[])) return static (row, i) => row.IsNull(i) ? null : row.Bytes(i).ToArray();
        return null;
    }

    [GeneratedRegex(@"^\s*(?<insert>INSERT INTO (?<table>\w+) \((?<columns>[^)]*)\))\s+(?<select>SELECT\b.*\b\k<table>\b.*)$",
        RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex OfItsOwnTable();
}

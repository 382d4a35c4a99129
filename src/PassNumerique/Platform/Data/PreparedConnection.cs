using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// A SQLite connection that keeps its statements prepared: Microsoft.Data.Sqlite parses a text anew for every
/// command. What runs often goes through <see cref="Statement"/>; the rest finds a connection like any other.
/// Disposing returns it to its pool.
/// </summary>
internal sealed class PreparedConnection(SqliteConnection inner, Action<PreparedConnection> giveBack) : DbConnection
{
    private const int MaxPrepared = 600;

    private readonly Dictionary<string, PreparedStatement> _statements = new(ReferenceEqualityComparer.Instance);

    [AllowNull]
    public override string ConnectionString { get => inner.ConnectionString; set => throw new NotSupportedException(); }

    public override string Database => inner.Database;

    public override string DataSource => inner.DataSource;

    public override string ServerVersion => inner.ServerVersion;

    public override ConnectionState State => inner.State;

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    public override void Open() => inner.Open();

    public override void Close() { }

    public void CloseForGood()
    {
        ForgetStatements();
        inner.Dispose();
    }

    /// <summary>Runs a text that takes no parameter and gives no row: BEGIN, SAVEPOINT, COMMIT.</summary>
    public void Run(string text) => Statement(text).Execute(null);

    /// <summary>
    /// The statement of a text, compiled at its first use. A text is known by its reference: it is a constant, or
    /// kept by who made it, and comparing it by its letters would cost as much as a small statement.
    /// </summary>
    public PreparedStatement Statement(string text)
    {
        if (_statements.TryGetValue(text, out var known)) return known;
        if (_statements.Count >= MaxPrepared) ForgetStatements();
        return _statements[text] = new PreparedStatement(inner.Handle!, text);
    }

    /// <summary>What the engine says of one of its settings.</summary>
    public string Pragma(string name)
    {
        using var command = inner.CreateCommand();
        command.CommandText = $"PRAGMA {name}";
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    /// <summary>How many pages went to the log since this was last asked.</summary>
    public long PagesWritten()
    {
        const int cacheWrite = 9; // SQLITE_DBSTATUS_CACHE_WRITE
        raw.sqlite3_db_status(inner.Handle!, cacheWrite, out var pages, out _, resetFlg: 1);
        return pages;
    }

    /// <summary>
    /// Copies the log into the store as far as no reader needs it as it is, and waits for the disk, but for
    /// nobody else; false where that failed or another connection is at it.
    /// </summary>
    /// <param name="pages">How many pages of the log are copied by now.</param>
    /// <param name="giveBack">Whether the disk gets back its room, if nobody reads the log.</param>
    public bool CopyLog(out long pages, bool giveBack = false)
    {
        var mode = giveBack ? raw.SQLITE_CHECKPOINT_TRUNCATE : raw.SQLITE_CHECKPOINT_PASSIVE;
        var outcome = raw.sqlite3_wal_checkpoint_v2(inner.Handle!, "main", mode, out _, out var copied);
        pages = copied;
        return outcome == raw.SQLITE_OK;
    }

    /// <summary>A command that its caller prepares once and runs for many rows.</summary>
    public SqliteCommand CreateBareCommand(string text)
    {
        var command = inner.CreateCommand();
        command.CommandText = text;
        return command;
    }

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) =>
        throw new NotSupportedException("The writer begins and commits its batches itself.");

    protected override DbCommand CreateDbCommand() => new PlainCommand(inner.CreateCommand(), this);

    protected override void Dispose(bool disposing)
    {
        if (disposing) giveBack(this);
        base.Dispose(disposing);
    }

    private void ForgetStatements()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _statements.Clear();
    }

    /// <summary>What Dapper and others use: compiled anew each time, for what is read once or in a long stream.</summary>
    private sealed class PlainCommand(SqliteCommand command, PreparedConnection connection) : DbCommand
    {
        [AllowNull]
        public override string CommandText { get => command.CommandText; set => command.CommandText = value ?? ""; }

        public override int CommandTimeout { get => command.CommandTimeout; set => command.CommandTimeout = value; }

        public override CommandType CommandType { get; set; } = CommandType.Text;

        public override bool DesignTimeVisible { get; set; }

        public override UpdateRowSource UpdatedRowSource { get; set; }

        protected override DbConnection? DbConnection { get => connection; set { } }

        protected override DbParameterCollection DbParameterCollection => command.Parameters;

        protected override DbTransaction? DbTransaction { get => null; set { } }

        public override void Cancel() { }

        public override int ExecuteNonQuery() => Bound().ExecuteNonQuery();

        public override object? ExecuteScalar() => Bound().ExecuteScalar();

        public override void Prepare() { }

        protected override DbParameter CreateDbParameter() => new SqliteParameter();

        protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
        {
            var reader = Bound().ExecuteReader(behavior & ~CommandBehavior.CloseConnection);
            if (reader.HasRows) return reader;

            // Without a row an expression has no type here, and Dapper would look for a constructor of blobs.
            reader.Dispose();
            return new DataTable().CreateDataReader();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) command.Dispose();
            base.Dispose(disposing);
        }

        private SqliteCommand Bound()
        {
            foreach (SqliteParameter parameter in command.Parameters) parameter.Value ??= DBNull.Value;
            return command;
        }
    }
}

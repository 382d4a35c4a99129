using Microsoft.Data.Sqlite;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// A migrated SQLite database in memory, which compiles statements and says what its schema is.
/// </summary>
internal sealed class SqliteSchema : IDisposable
{
    private readonly SqliteConnection _connection = new("Data Source=:memory:");
    private readonly Lock _lock = new();

    public SqliteSchema(IEnumerable<SqlStatement> migrations)
    {
        _connection.Open();
        foreach (var migration in migrations)
        {
            using var command = _connection.CreateCommand();
            command.CommandText = migration.Text;
            command.ExecuteNonQuery();
        }
    }

    /// <summary>The schema of the service.</summary>
    public static Lazy<SqliteSchema> Service { get; } = new(() => new(SqlMigrations.Sqlite));

    /// <summary>Has the engine compile a statement, with each of its parameters bound.</summary>
    public void Compile(SqlStatement statement)
    {
        lock (_lock)
        {
            using var command = _connection.CreateCommand();
            command.CommandText = "EXPLAIN " + statement.OnSqlite;
            foreach (var name in statement.Parameters) command.Parameters.AddWithValue(name, 1L);
            using var reader = command.ExecuteReader();
            while (reader.Read()) { }
        }
    }

    /// <summary>The schema in lines that the other engine can be compared with.</summary>
    public IEnumerable<string> Describe()
    {
        lock (_lock)
        {
            return [.. Tables().SelectMany(Describe).Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Tables in which a column would take a value of any type.</summary>
    public IEnumerable<string> Loose()
    {
        lock (_lock)
        {
            return Rows("SELECT name, strict FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
                    + " AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
                .Where(r => r.Number("strict") == 0).Select(r => r.Text("name")!);
        }
    }

    public void Dispose() => _connection.Dispose();

    private List<string> Tables() =>
        [.. Rows("SELECT name FROM sqlite_master"
                + " WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
            .Select(r => r.Text("name")!)];

    private IEnumerable<string> Describe(string table)
    {
        var columns = Rows($"SELECT * FROM pragma_table_info('{table}')");
        var text = Rows($"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'")[0]
            .Text("sql")!;
        return columns.Select(c => SchemaLine.Column(table, c.Number("cid"), c.Text("name")!, c.Text("type")!,
                c.Number("notnull") == 0 && c.Number("pk") == 0, Default(c.Text("dflt_value"))))
            .Append(SchemaLine.PrimaryKey(table, PrimaryKey(table)))
            .Concat(Indexes(table))
            .Concat(ForeignKeys(table))
            .Concat(SqlTokens.Checks(text).Select(check => SchemaLine.Check(table, check)));
    }

    private static string? Default(string? text) => text is null ? null : SqlTokens.Text(SqlTokens.Lex(text));

    private List<string> PrimaryKey(string table) =>
        [.. Rows($"SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk")
            .Select(r => r.Text("name")!)];

    private IEnumerable<string> Indexes(string table)
    {
        foreach (var index in Rows($"SELECT * FROM pragma_index_list('{table}') WHERE origin <> 'pk'"))
        {
            var name = index.Text("name")!;
            var columns = Rows($"SELECT * FROM pragma_index_xinfo('{name}') WHERE key = 1 ORDER BY seqno")
                .Select(c => c.Text("name") + (c.Number("desc") == 1 ? " DESC" : "")).ToList();
            yield return index.Text("origin") == "u"
                ? SchemaLine.Unique(table, columns)
                : SchemaLine.Index(table, new(name, columns, index.Number("unique") == 1, Filter(name)));
        }
    }

    private string? Filter(string index)
    {
        var text = Rows($"SELECT sql FROM sqlite_master WHERE name = '{index}'")[0].Text("sql")!;
        var filter = SqlTokens.Lex(text).SkipWhile(w => w.TokenType != TSqlTokenType.Where).Skip(1);
        return SqlTokens.Text(filter) is { Length: > 0 } condition ? condition : null;
    }

    private IEnumerable<string> ForeignKeys(string table) =>
        from key in Rows($"SELECT * FROM pragma_foreign_key_list('{table}') ORDER BY id, seq")
            .GroupBy(r => r.Number("id"))
        let first = key.First()
        let referenced = first.Text("to") is null
            ? PrimaryKey(first.Text("table")!)
            : [.. key.Select(r => r.Text("to")!)]
        select SchemaLine.ForeignKey(table, new(
            [.. key.Select(r => r.Text("from")!)], first.Text("table")!, referenced,
                first.Text("on_delete")!));

    private List<Row> Rows(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<Row>();
        while (reader.Read())
            rows.Add(new(Enumerable.Range(0, reader.FieldCount)
                .ToDictionary(reader.GetName, reader.GetValue)));
        return rows;
    }

    private sealed record Row(Dictionary<string, object> Values)
    {
        public string? Text(string name) => Values[name] as string;

        public long Number(string name) => (long)Values[name];
    }
}

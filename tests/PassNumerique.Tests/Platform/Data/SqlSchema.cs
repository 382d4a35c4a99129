using System.Globalization;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// What an expression is; <c>FreeText</c> is text that SQL Server compares by a collation of language.
/// </summary>
internal enum SqlKind
{
    Any,
    Null,
    Int,
    Bigint,
    Text,
    FreeText,
    Blob,
}

/// <summary>A column; <c>Length</c> in characters or bytes, 0 for one without a limit.</summary>
internal sealed record SqlColumn(
    string Name, string Type, long Length, bool Nullable, string? Collation, string? Default)
{
    public const string Binary = "Latin1_General_BIN2";

    public SqlKind Kind => Type switch
    {
        "bigint" => SqlKind.Bigint,
        "char" or "varchar" or "nvarchar" => Collation == Binary ? SqlKind.Text : SqlKind.FreeText,
        _ => SqlKind.Blob,
    };

    public string OnSqlite => Kind switch
    {
        SqlKind.Bigint => "INTEGER",
        SqlKind.Blob => "BLOB",
        _ => "TEXT",
    };

    /// <summary>What the column takes of the 900 bytes of a clustered key and the 1,700 of another.</summary>
    public long Bytes => Type switch
    {
        "bigint" => 8,
        _ when Length == 0 => long.MaxValue / 32,
        "nvarchar" => Length * 2,
        _ => Length,
    };
}

internal sealed record SqlIndex(string Name, IReadOnlyList<string> Columns, bool Unique, string? Filter);

internal sealed record SqlForeignKey(
    IReadOnlyList<string> Columns, string Table, IReadOnlyList<string> Referenced, string OnDelete);

/// <summary>A table as its migrations leave it.</summary>
internal sealed class SqlTable(string name)
{
    public string Name { get; } = name;

    public List<SqlColumn> Columns { get; } = [];

    public List<string> PrimaryKey { get; } = [];

    public List<IReadOnlyList<string>> Uniques { get; } = [];

    public List<SqlForeignKey> ForeignKeys { get; } = [];

    public List<SqlIndex> Indexes { get; } = [];

    public List<BooleanExpression> Checks { get; } = [];

    /// <summary>The keys of which one value names at most one row.</summary>
    public IEnumerable<IReadOnlyList<string>> Keys =>
        Uniques.Append(PrimaryKey).Concat(Indexes.Where(i => i is { Unique: true, Filter: null })
            .Select(i => (IReadOnlyList<string>)[.. i.Columns.Select(c => c.Split(' ')[0])]));
}

/// <summary>The tables that the SQL Server side of the migrations makes, read from their own tree.</summary>
internal sealed class SqlSchema
{
    private readonly Dictionary<string, SqlTable> _tables = new(StringComparer.Ordinal);

    /// <summary>The schema of the service.</summary>
    public static Lazy<SqlSchema> Service { get; } = new(() => Parse(SqlMigrations.SqlServer));

    public IReadOnlyCollection<SqlTable> Tables => _tables.Values;

    public SqlTable? Find(string name) => _tables.GetValueOrDefault(name);

    public static SqlSchema Parse(IEnumerable<SqlStatement> migrations)
    {
        var schema = new SqlSchema();
        foreach (var migration in migrations)
            foreach (var statement in SqlTokens.Parse(migration.Name, migration.Text))
                schema.Apply(migration.Name, statement);
        return schema;
    }

    /// <summary>The schema in lines that the other engine can be compared with.</summary>
    public IEnumerable<string> Describe() => Tables.SelectMany(Describe).Order(StringComparer.Ordinal);

    private IEnumerable<string> Describe(SqlTable t) =>
        t.Columns.Select((c, i) => SchemaLine.Column(
                t.Name, i, c.Name, c.OnSqlite, c.Nullable && !t.PrimaryKey.Contains(c.Name), c.Default))
            .Append(SchemaLine.PrimaryKey(t.Name, t.PrimaryKey))
            .Concat(t.Uniques.Select(u => SchemaLine.Unique(t.Name, u)))
            .Concat(t.ForeignKeys.Select(f => SchemaLine.ForeignKey(t.Name, f with
            {
                Referenced = f.Referenced.Count > 0 ? f.Referenced : Find(f.Table)?.PrimaryKey ?? [],
            })))
            .Concat(t.Indexes.Select(i => SchemaLine.Index(t.Name, i)))
            .Concat(t.Checks.Select(c => SchemaLine.Check(t.Name, SqlTokens.Text(c))));

    private void Apply(string migration, TSqlStatement statement)
    {
        switch (statement)
        {
            case CreateTableStatement create:
                var table = new SqlTable(create.SchemaObjectName.BaseIdentifier.Value);
                _tables.Add(table.Name, table);
                Define(table, create.Definition);
                break;
            case AlterTableAddTableElementStatement alter:
                Define(Known(alter.SchemaObjectName), alter.Definition);
                break;
            case AlterTableDropTableElementStatement drop:
                foreach (var element in drop.AlterTableDropTableElements)
                    Known(drop.SchemaObjectName).Columns.RemoveAll(c => c.Name == element.Name.Value);
                break;
            case CreateIndexStatement index:
                Known(index.OnName).Indexes.Add(new(index.Name.Value, Names(index.Columns), index.Unique,
                    index.FilterPredicate is { } filter ? SqlTokens.Text(filter) : null));
                break;
            case DropTableStatement drop:
                // A table is made anew to widen a CHECK: its rows were put aside by an INSERT before it.
                foreach (var name in drop.Objects) _tables.Remove(Known(name).Name);
                break;
            case InsertStatement:
                break;
            default:
                throw new InvalidOperationException(
                    $"{migration} ({statement.StartLine}): not for a migration, {statement.GetType().Name}");
        }
    }

    private SqlTable Known(SchemaObjectName name) => Find(name.BaseIdentifier.Value)
        ?? throw new InvalidOperationException($"No table {name.BaseIdentifier.Value} ({name.StartLine}).");

    private static void Define(SqlTable table, TableDefinition definition)
    {
        if (definition.Indexes.Count > 0)
            throw new InvalidOperationException($"{table.Name}: an inline index.");
        foreach (var column in definition.ColumnDefinitions)
        {
            table.Columns.Add(Column(table, column));
            foreach (var constraint in column.Constraints)
                Constrain(table, constraint, column.ColumnIdentifier.Value);
        }

        foreach (var constraint in definition.TableConstraints) Constrain(table, constraint, null);
    }

    private static SqlColumn Column(SqlTable table, ColumnDefinition column)
    {
        var name = column.ColumnIdentifier.Value;
        var type = column.DataType is SqlDataTypeReference known
            ? known
            : throw Refused(table, name, "its type");
        var word = type.SqlDataTypeOption.ToString().ToLowerInvariant();
        var sized = word is "char" or "varchar" or "nvarchar" or "binary" or "varbinary";
        if (!sized && word != "bigint") throw Refused(table, name, $"the type {word}");
        if (sized != (type.Parameters.Count == 1)) throw Refused(table, name, $"{word} without one length");
        if (column.IdentityOptions is not null || column.ComputedColumnExpression is not null
            || column.Index is not null)
            throw Refused(table, name, "an identity, a computed column or an inline index");
        var length = type.Parameters.SingleOrDefault() switch
        {
            null or MaxLiteral => 0,
            var n => long.Parse(n.Value, CultureInfo.InvariantCulture),
        };
        var nullable = column.Constraints.OfType<NullableConstraintDefinition>()
            .SingleOrDefault()?.Nullable ?? true;
        return new(name, word, length, nullable, column.Collation?.Value,
            column.DefaultConstraint is { } d ? SqlTokens.Text(SqlTokens.Bare(d.Expression)) : null);
    }

    private static void Constrain(SqlTable table, ConstraintDefinition constraint, string? column)
    {
        switch (constraint)
        {
            case NullableConstraintDefinition:
                break;
            case UniqueConstraintDefinition { IsPrimaryKey: true } key:
                table.PrimaryKey.AddRange(key.Columns.Count > 0 ? Names(key.Columns) : [column!]);
                break;
            case UniqueConstraintDefinition unique:
                table.Uniques.Add(unique.Columns.Count > 0 ? Names(unique.Columns) : [column!]);
                break;
            case CheckConstraintDefinition check:
                table.Checks.Add(check.CheckCondition);
                break;
            case ForeignKeyConstraintDefinition foreign:
                table.ForeignKeys.Add(new(
                    foreign.Columns.Count > 0 ? [.. foreign.Columns.Select(c => c.Value)] : [column!],
                    foreign.ReferenceTableName.BaseIdentifier.Value,
                    [.. foreign.ReferencedTableColumns.Select(c => c.Value)],
                    foreign.DeleteAction == DeleteUpdateAction.Cascade ? "CASCADE" : "NO ACTION"));
                break;
            default:
                throw Refused(table, column ?? "a constraint", constraint.GetType().Name);
        }
    }

    private static List<string> Names(IEnumerable<ColumnWithSortOrder> columns) =>
        [.. columns.Select(c => c.Column.MultiPartIdentifier.Identifiers[^1].Value
            + (c.SortOrder == SortOrder.Descending ? " DESC" : ""))];

    private static InvalidOperationException Refused(SqlTable table, string column, string what) =>
        new($"{table.Name}.{column}: {what} is not for a migration.");
}

/// <summary>How both engines write down a part of their schema.</summary>
internal static class SchemaLine
{
    public static string Column(
        string table, long place, string name, string type, bool nullable, string? value) =>
        $"{table} column {place:00} {name} {type} {(nullable ? "NULL" : "NOT NULL")}"
        + (value is null ? "" : $" DEFAULT {value}");

    public static string PrimaryKey(string table, IEnumerable<string> columns) =>
        $"{table} primary key ({string.Join(", ", columns)})";

    public static string Unique(string table, IEnumerable<string> columns) =>
        $"{table} unique ({string.Join(", ", columns)})";

    public static string ForeignKey(string table, SqlForeignKey key) =>
        $"{table} foreign key ({string.Join(", ", key.Columns)}) references {key.Table} "
        + $"({string.Join(", ", key.Referenced)}) on delete {key.OnDelete}";

    public static string Index(string table, SqlIndex index) =>
        $"{table} {(index.Unique ? "unique " : "")}index {index.Name} ({string.Join(", ", index.Columns)})"
        + (index.Filter is null ? "" : $" where {index.Filter}");

    public static string Check(string table, string text) => $"{table} check {text}";
}

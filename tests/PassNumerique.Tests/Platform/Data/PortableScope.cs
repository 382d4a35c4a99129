using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>A column that a query answers.</summary>
internal sealed record PortableOutput(string? Name, SqlKind Kind, ScalarExpression? Expression = null);

/// <summary>A table, a common table expression or a derived table under the name a query gives it.</summary>
internal sealed class PortableSource(
    string name, IReadOnlyList<PortableOutput> columns, SqlTable? table = null)
{
    public string Name { get; } = name;

    public SqlTable? Table { get; } = table;

    public PortableOutput? Find(string column) => columns.FirstOrDefault(c => c.Name == column);

    public static PortableSource Of(SqlTable table, string? alias = null) => new(
        alias ?? table.Name, [.. table.Columns.Select(c => new PortableOutput(c.Name, c.Kind))], table);
}

/// <summary>The sources one query sees, and the query around it.</summary>
internal sealed record PortableScope(PortableScope? Outer, IReadOnlyList<PortableSource> Sources);

/// <summary>Where an expression stands: what it sees, and what it may hold there.</summary>
internal readonly record struct PortablePlace(
    PortableScope Scope,
    bool Aggregates = false,
    bool Windows = false,
    bool Subqueries = true,
    bool OwnOnly = false);

/// <summary>A parameter beside a column: compared with it, or written to it.</summary>
internal sealed record ParameterMeeting(string Parameter, SqlColumn Column, bool IsCompared);

/// <summary>What a reference to a column was found to be.</summary>
internal sealed record PortableColumn(PortableSource Source, string Name, int LastToken);

using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// Walks the statement and its queries: every table and column is found in the schema, every scope is the one
/// that SQL Server would use, and every query is one that both engines answer alike.
/// </summary>
internal sealed partial class PortableResolver(SqlSchema schema, PortableReport report)
{
    private readonly Dictionary<string, IReadOnlyList<PortableOutput>> _ctes = new(StringComparer.Ordinal);
    private readonly Dictionary<QuerySpecification, IReadOnlyList<PortableSource>> _sources = [];
    private readonly Dictionary<int, PortableColumn> _found = [];
    private readonly List<ParameterMeeting> _meetings = [];

    /// <summary>The parameters that are compared with a column of a table, or written to one.</summary>
    public IReadOnlyList<ParameterMeeting> Meetings => _meetings;

    public void Walk(TSqlStatement statement)
    {
        Ctes((statement as StatementWithCtesAndXmlNamespaces)?.WithCtesAndXmlNamespaces);
        switch (statement)
        {
            case SelectStatement select:
                if (select.Into is not null) report.Refuse(select.Into, "SELECT … INTO");
                foreach (var output in Top(select.QueryExpression)) Answered(output);
                break;
            case InsertStatement insert:
                Insert(insert.InsertSpecification);
                break;
            case UpdateStatement update:
                Update(update.UpdateSpecification);
                break;
            case DeleteStatement { DeleteSpecification: var delete }:
                if (delete.FromClause is not null)
                    report.Refuse(delete.FromClause, "DELETE … FROM with a join");
                if (Target(delete.Target) is { } from) Where(delete.WhereClause, from);
                break;
            default:
                report.Refuse(statement, $"the statement {statement.GetType().Name}");
                break;
        }
    }

    public void Check(SqlTable table, BooleanExpression condition) => Predicate(
        condition, new(new(null, [PortableSource.Of(table)]), Subqueries: false));

    /// <summary>A reader that binds by type must meet the same one on both engines.</summary>
    private void Answered(PortableOutput output)
    {
        if (output.Kind == SqlKind.Int)
            report.Refuse(output.Expression!, "an int on SQL Server leaves the statement; CAST(… AS bigint)");
        if (output.Kind == SqlKind.Null)
            report.Refuse(output.Expression!, "NULL, an int on SQL Server, leaves the statement; CAST it");
    }

    private void Ctes(WithCtesAndXmlNamespaces? with)
    {
        if (with is null) return;
        if (with.ChangeTrackingContext is not null) report.Refuse(with, "CHANGE_TRACKING_CONTEXT");
        foreach (var cte in with.CommonTableExpressions)
        {
            var name = cte.ExpressionName.Value;
            var columns = Query(cte.QueryExpression, null, leaves: true);
            if (cte.Columns.Count > 0 && cte.Columns.Count != columns.Count)
                report.Refuse(cte, $"{name} names {cte.Columns.Count} columns and has {columns.Count}");
            else if (cte.Columns.Count > 0)
                columns = [.. columns.Select((c, i) => c with { Name = cte.Columns[i].Value })];
            Named(cte, name, columns);
            if (schema.Find(name) is not null) report.Refuse(cte, $"{name} hides a table");
            if (!_ctes.TryAdd(name, columns)) report.Refuse(cte, $"{name} twice");
        }
    }

    private void Insert(InsertSpecification insert)
    {
        if (insert.InsertOption != InsertOption.Into) report.Refuse(insert, "INSERT without INTO");
        if (Target(insert.Target)?.Table is not { } table) return;
        if (insert.Columns.Count == 0) report.Refuse(insert, "INSERT without its columns");
        var columns = insert.Columns.Select(c => Written(table, c)).ToList();
        foreach (var twice in columns.OfType<SqlColumn>().GroupBy(c => c.Name).Where(g => g.Count() > 1))
            report.Refuse(insert, $"the column {twice.Key} twice");
        foreach (var absent in table.Columns.Where(c => c is { Nullable: false, Default: null })
            .Except(columns))
            report.Refuse(insert, $"{table.Name}.{absent!.Name} is NOT NULL and gets no value");
        switch (insert.InsertSource)
        {
            case ValuesInsertSource { IsDefaultValues: false } values:
                var nothing = new PortablePlace(new(null, []));
                foreach (var row in values.RowValues)
                    Fits(row, columns, [.. row.ColumnValues.Select(
                        v => new PortableOutput(null, Scalar(v, nothing), v))]);
                break;
            case SelectInsertSource select:
                Fits(select, columns, Top(select.Select));
                break;
            default:
                report.Refuse(insert, "INSERT from neither VALUES nor SELECT");
                break;
        }
    }

    private void Update(UpdateSpecification update)
    {
        if (update.FromClause is not null) report.Refuse(update.FromClause, "UPDATE … FROM");
        if (update.WhereClause is null) report.Refuse(update, "UPDATE without WHERE");
        if (Target(update.Target) is not { Table: { } table } source) return;
        var place = new PortablePlace(new(null, [source]));
        var columns = new List<string>();
        foreach (var set in update.SetClauses.Cast<AssignmentSetClause>())
        {
            if (set.Variable is not null || set.AssignmentKind != AssignmentKind.Equals)
            {
                report.Refuse(set, "SET that is not column = value");
                continue;
            }

            var column = Written(table, set.Column);
            Fits(set, [column], [new(null, Scalar(set.NewValue, place), set.NewValue)]);
            if (column is not null && columns.Contains(column.Name))
                report.Refuse(set, $"the column {column.Name} twice");
            columns.Add(column?.Name ?? "");
        }

        Where(update.WhereClause, source);
    }

    private void Where(WhereClause? where, PortableSource source)
    {
        if (where is not null) Predicate(where.SearchCondition, new(new(null, [source])));
    }

    private PortableSource? Target(TableReference target)
    {
        if (target is not NamedTableReference { Alias: null } named)
        {
            report.Refuse(target, "a target that is not a table under its own name");
            return null;
        }

        var name = named.SchemaObject.BaseIdentifier.Value;
        if (named.SchemaObject.Identifiers.Count == 1 && schema.Find(name) is { } table)
            return PortableSource.Of(table);
        report.Refuse(target, $"unknown table {SqlTokens.Text(named.SchemaObject)}");
        return null;
    }

    private SqlColumn? Written(SqlTable table, ColumnReferenceExpression reference)
    {
        var parts = reference.MultiPartIdentifier.Identifiers;
        var column = table.Columns.Find(c => c.Name == parts[^1].Value);
        if (parts.Count > 1) report.Refuse(reference, "a written column with a table before it");
        if (column is null) report.Refuse(reference, $"unknown column {table.Name}.{parts[^1].Value}");
        return column;
    }

    private void Fits(
        TSqlFragment at, IReadOnlyList<SqlColumn?> columns, IReadOnlyList<PortableOutput> values)
    {
        if (columns.Count != values.Count)
        {
            report.Refuse(at, $"{columns.Count} columns and {values.Count} values");
            return;
        }

        foreach (var (column, value) in columns.Zip(values))
        {
            if (column is null) continue;
            var where = value.Expression ?? at;
            if (value.Expression is VariableReference written) _meetings.Add(new(written.Name[1..], column, false));
            if (value.Kind == SqlKind.Null && !column.Nullable)
                report.Refuse(where, $"NULL for {column.Name}, which is NOT NULL");
            if (Family(value.Kind) is { } family && family != Family(column.Kind))
                report.Refuse(where, $"{family} for {column.Name}, which is {column.Type}");
            if (column.Length > 0 && (value.Expression as StringLiteral)?.Value.Length > column.Length)
                report.Refuse(where, $"a text longer than {column.Name}, {column.Type}({column.Length})");
        }
    }

    private IReadOnlyList<PortableOutput> Top(QueryExpression query) =>
        Query(query, null, leaves: true, top: true);

    private IReadOnlyList<PortableOutput> Query(
        QueryExpression query, PortableScope? outer, bool leaves = false, bool top = false)
    {
        if (!top && (query.OrderByClause is not null || query.OffsetClause is not null))
            report.Refuse(query, "ORDER BY inside a statement");
        switch (query)
        {
            case QuerySpecification specification:
                return Specification(specification, outer, leaves);
            case BinaryQueryExpression union:
                return Union(union, outer, leaves);
            default:
                report.Refuse(query, query.GetType().Name);
                return [];
        }
    }

    private IReadOnlyList<PortableOutput> Union(
        BinaryQueryExpression union, PortableScope? outer, bool leaves)
    {
        if (union.BinaryQueryExpressionType != BinaryQueryExpressionType.Union)
            report.Refuse(union, $"the operator {union.BinaryQueryExpressionType}");
        var first = Query(union.FirstQueryExpression, outer, leaves);
        var second = Query(union.SecondQueryExpression, outer, leaves);
        if (first.Count != second.Count)
        {
            report.Refuse(union, $"UNION of {first.Count} and {second.Count} columns");
            return first;
        }

        IReadOnlyList<PortableOutput> both = [.. first.Zip(second, (a, b) => a with
        {
            Kind = Merge(b.Expression ?? (TSqlFragment)union, a.Kind, b.Kind),
        })];
        if (!union.All) Comparable(union, "UNION", both.Select(o => o.Kind));
        Order(union.OrderByClause, new(new(outer, [])), both, namesOnly: true);
        return both;
    }

    private IReadOnlyList<PortableOutput> Specification(
        QuerySpecification query, PortableScope? outer, bool leaves)
    {
        var sources = From(query.FromClause, outer);
        var scope = new PortableScope(outer, sources);
        _sources[query] = sources;
        if (query.WhereClause is { } where) Predicate(where.SearchCondition, new(scope));
        var keys = Group(query.GroupByClause, scope);
        var place = new PortablePlace(scope, Aggregates: true, Windows: true);
        var outputs = query.SelectElements.Cast<SelectScalarExpression>().Select(e => Output(e, place))
            .ToList();
        if (query.HavingClause is { } having)
            Predicate(having.SearchCondition, place with { Windows = false });
        var distinct = query.UniqueRowFilter == UniqueRowFilter.Distinct;
        if (distinct) Comparable(query, "DISTINCT", outputs.Select(o => o.Kind));
        var ordered = Order(query.OrderByClause, place, outputs, namesOnly: distinct);
        if (leaves) foreach (var output in outputs) Leaves(output.Expression!);
        if (keys is null && query.HavingClause is null && !outputs.Any(o => Aggregates(o.Expression!))
            && !ordered.Any(Aggregates)) return outputs;
        foreach (var part in outputs.Select(o => (TSqlFragment)o.Expression!).Concat(ordered))
            Grouped(part, sources, keys ?? []);
        if (query.HavingClause is not null) Grouped(query.HavingClause, sources, keys ?? []);
        return outputs;
    }

    private PortableOutput Output(SelectScalarExpression element, PortablePlace place)
    {
        var kind = Scalar(element.Expression, place);
        if (element.ColumnName is not { } name)
        {
            var column = element.Expression as ColumnReferenceExpression;
            return new(column?.MultiPartIdentifier?.Identifiers[^1].Value, kind, element.Expression);
        }

        if (name.FirstTokenIndex < element.Expression.FirstTokenIndex)
            report.Refuse(element, "a comparison in a select list (or a name = value)");
        else if (!element.ScriptTokenStream.Skip(element.Expression.LastTokenIndex + 1)
            .Take(name.FirstTokenIndex - element.Expression.LastTokenIndex - 1)
            .Any(t => t.TokenType == TSqlTokenType.As))
            report.Refuse(name, "a column name without AS");
        if (name.Identifier is null) report.Refuse(name, "a column name that is not an identifier");
        return new(name.Value, kind, element.Expression);
    }

    private List<PortableSource> From(FromClause? from, PortableScope? outer)
    {
        if (from is null) return [];
        if (from.TableReferences.Count > 1) report.Refuse(from, "tables joined by a comma");
        List<PortableSource> sources = [.. from.TableReferences.SelectMany(t => Table(t, outer))];
        foreach (var twice in sources.GroupBy(s => s.Name, StringComparer.OrdinalIgnoreCase)
            .Where(g => g.Count() > 1))
            report.Refuse(from, $"the name {twice.Key} for two tables");
        return sources;
    }

    private IEnumerable<PortableSource> Table(TableReference reference, PortableScope? outer)
    {
        switch (reference)
        {
            case NamedTableReference named:
                return [Named(named)];
            case QueryDerivedTable derived:
                if (derived.Alias is null) report.Refuse(derived, "a derived table without an alias");
                if (derived.Columns.Count > 0)
                    report.Refuse(derived, "a derived table with a list of columns");
                var columns = Query(derived.QueryExpression, outer, leaves: true);
                Named(derived, derived.Alias?.Value ?? "a derived table", columns);
                return [new(derived.Alias?.Value ?? "", columns)];
            case QualifiedJoin join:
                if (join.QualifiedJoinType is not (QualifiedJoinType.Inner or QualifiedJoinType.LeftOuter))
                    report.Refuse(join, $"the join {join.QualifiedJoinType}");
                if (join.JoinHint != JoinHint.None) report.Refuse(join, $"the join hint {join.JoinHint}");
                List<PortableSource> both =
                    [.. Table(join.FirstTableReference, outer), .. Table(join.SecondTableReference, outer)];
                Predicate(join.SearchCondition, new(new(outer, both)));
                return both;
            case UnqualifiedJoin { UnqualifiedJoinType: UnqualifiedJoinType.CrossJoin } cross:
                return Table(cross.FirstTableReference, outer)
                    .Concat(Table(cross.SecondTableReference, outer));
            default:
                report.Refuse(reference, $"the table reference {reference.GetType().Name}");
                return [];
        }
    }

    private PortableSource Named(NamedTableReference named)
    {
        var name = named.SchemaObject.BaseIdentifier.Value;
        var alias = named.Alias?.Value;
        if (named.SchemaObject.Identifiers.Count > 1)
            report.Refuse(named, $"a table name of several parts, {SqlTokens.Text(named.SchemaObject)}");
        if (_ctes.TryGetValue(name, out var columns)) return new(alias ?? name, columns);
        if (schema.Find(name) is { } table) return PortableSource.Of(table, alias);
        report.Refuse(named, $"unknown table {name}");
        return new(alias ?? name, []);
    }

    private void Named(TSqlFragment at, string name, IReadOnlyList<PortableOutput> columns)
    {
        foreach (var column in columns.Where(c => c.Name is null))
            report.Refuse(column.Expression ?? at, $"a column of {name} without a name");
        foreach (var column in columns.Where(c => c.Kind == SqlKind.Null))
            report.Refuse(column.Expression ?? at,
                $"a column of {name} that is NULL without a type; CAST it");
        foreach (var twice in columns.GroupBy(c => c.Name, StringComparer.OrdinalIgnoreCase)
            .Where(g => g.Count() > 1))
            report.Refuse(at, $"the column {twice.Key} twice in {name}");
    }
}

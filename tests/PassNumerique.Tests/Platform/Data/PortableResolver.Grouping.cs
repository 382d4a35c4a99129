using System.Text;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>GROUP BY, ORDER BY and what may leave a query.</summary>
internal sealed partial class PortableResolver
{
    private HashSet<string>? Group(GroupByClause? clause, PortableScope scope)
    {
        if (clause is null) return null;
        if (clause.All || clause.GroupByOption != GroupByOption.None)
            report.Refuse(clause, "GROUP BY with an option");
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in clause.GroupingSpecifications.Cast<ExpressionGroupingSpecification>())
        {
            var kind = Scalar(item.Expression, new(scope, Subqueries: false));
            if (!Own(item.Expression, scope.Sources))
                report.Refuse(item, "GROUP BY a position or a constant");
            Comparable(item, "GROUP BY", [kind]);
            keys.Add(Key(item.Expression));
        }

        return keys;
    }

    /// <summary>Walks ORDER BY and returns its expressions that are not names of the select list.</summary>
    private List<TSqlFragment> Order(
        OrderByClause? clause, PortablePlace place, IReadOnlyList<PortableOutput> outputs,
            bool namesOnly = false)
    {
        var rest = new List<TSqlFragment>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in clause?.OrderByElements ?? [])
        {
            var expression = SqlTokens.Bare(item.Expression);
            if (expression is Literal) report.Refuse(item, "ORDER BY a position");
            else if (expression is VariableReference) report.Refuse(item, "ORDER BY a parameter");
            else if (Alias(item.Expression, place, outputs) is { } output)
            {
                Comparable(item, "ORDER BY", [output.Kind]);
                if (!seen.Add(output.Expression is { } e ? Key(e) : output.Name!))
                    report.Refuse(item, "ORDER BY twice");
            }
            else
            {
                Comparable(item, "ORDER BY", [Scalar(item.Expression, place)]);
                if (namesOnly && !outputs.Any(o => o.Expression is { } e && Key(e) == Key(item.Expression)))
                    report.Refuse(item, "ORDER BY what is not in the select list of DISTINCT or UNION");
                if (!seen.Add(Key(item.Expression))) report.Refuse(item, "ORDER BY twice");
                rest.Add(item.Expression);
            }
        }

        return rest;
    }

    private PortableOutput? Alias(
        ScalarExpression expression, PortablePlace place, IReadOnlyList<PortableOutput> outputs)
    {
        if (expression is not ColumnReferenceExpression { MultiPartIdentifier.Identifiers: [var only] })
            return null;
        var name = only.Value;
        var named = outputs.Where(o => string.Equals(o.Name, name, StringComparison.OrdinalIgnoreCase))
            .ToList();
        if (named.Count == 0) return null;
        if (named.Count > 1) report.Refuse(expression, $"ambiguous column {name}: two in the select list");
        var hidden = place.Scope.Sources.FirstOrDefault(s => s.Find(name) is not null);
        var same = named[0].Expression is { } e && _found.TryGetValue(e.FirstTokenIndex, out var column)
            && SqlTokens.Bare(e) is ColumnReferenceExpression && column.Name == name;
        if (hidden is not null && !same)
            report.Refuse(expression, $"ambiguous column {name}: a name in the select list and a column");
        else if (hidden is null && named[0].Name != name)
            report.Refuse(expression, $"unknown column {name}; the select list has {named[0].Name}");
        return named[0];
    }

    /// <summary>
    /// A sum or a count that leaves the query has to be cast, since SQL Server may make it an int.
    /// </summary>
    private void Leaves(TSqlFragment node)
    {
        switch (node)
        {
            case BooleanExpression:
            case CastCall { DataType: SqlDataTypeReference { SqlDataTypeOption: SqlDataTypeOption.BigInt } }:
                return;
            case FunctionCall { FunctionName.Value: "SUM" or "COUNT" } call:
                report.Refuse(call, $"{call.FunctionName.Value} leaves without CAST(… AS bigint)");
                return;
            case ScalarSubquery { QueryExpression: QuerySpecification query }:
                foreach (var element in query.SelectElements) Leaves(element);
                return;
            default:
                foreach (var child in PortableSql.Children(node)) Leaves(child);
                return;
        }
    }

    private static bool Aggregates(TSqlFragment node) => node switch
    {
        ScalarSubquery => false,
        FunctionCall { OverClause: null } call when IsAggregate(call) => true,
        _ => PortableSql.Children(node).Any(Aggregates),
    };

    private static bool IsAggregate(FunctionCall call) =>
        call.FunctionName.Value is "SUM" or "COUNT" or "MIN" or "MAX";

    /// <summary>
    /// In a grouped query every column stands in GROUP BY or in an aggregate; SQLite would take any.
    /// </summary>
    private void Grouped(TSqlFragment node, IReadOnlyList<PortableSource> sources, HashSet<string> keys)
    {
        switch (node)
        {
            case ScalarExpression expression when keys.Contains(Key(expression)):
                return;
            case FunctionCall { OverClause: null } call when IsAggregate(call):
                return;
            case ColumnReferenceExpression column when Own(column, sources):
                report.Refuse(column, $"{SqlTokens.Text(column)} is neither in GROUP BY nor in an aggregate");
                return;
            default:
                foreach (var child in PortableSql.Children(node)) Grouped(child, sources, keys);
                return;
        }
    }

    /// <summary>Whether a column of these sources stands in the expression.</summary>
    private bool Own(TSqlFragment node, IReadOnlyList<PortableSource> sources) =>
        node is ColumnReferenceExpression
        ? _found.TryGetValue(node.FirstTokenIndex, out var column) && sources.Contains(column.Source)
        : PortableSql.Children(node).Any(child => Own(child, sources));

    /// <summary>
    /// The text of an expression with each column under the name of the source it was found in.
    /// </summary>
    private string Key(TSqlFragment node)
    {
        while (node is ParenthesisExpression inner) node = inner.Expression;
        var text = new StringBuilder();
        for (var i = node.FirstTokenIndex; i <= node.LastTokenIndex; i++)
        {
            if (_found.TryGetValue(i, out var column))
            {
                text.Append(' ').Append(column.Source.Name).Append('.').Append(column.Name);
                i = column.LastToken;
            }
            else if (SqlTokens.IsWord(node.ScriptTokenStream[i]))
            {
                text.Append(' ').Append(node.ScriptTokenStream[i].Text);
            }
        }

        return text.ToString();
    }

    /// <summary>Where SQLite would take the first of several rows, SQL Server fails.</summary>
    private bool IsOneRow(QueryExpression query)
    {
        if (query is not QuerySpecification { GroupByClause: null } one) return false;
        if (one.FromClause is null || one.SelectElements.Any(Aggregates)) return true;
        if (_sources[one] is not [{ Table: { } table } own]) return false;
        var fixedColumns = Conjuncts(one.WhereClause?.SearchCondition).OfType<BooleanComparisonExpression>()
            .Where(c => c.ComparisonType == BooleanComparisonType.Equals)
            .SelectMany(c => new[]
            {
                (Column: c.FirstExpression, Value: c.SecondExpression),
                (Column: c.SecondExpression, Value: c.FirstExpression),
            })
            .Where(c => c.Column is ColumnReferenceExpression && Own(c.Column, [own]) && !Own(c.Value, [own]))
            .Select(c => _found[c.Column.FirstTokenIndex].Name).ToHashSet(StringComparer.Ordinal);
        return table.Keys.Any(key => key.Count > 0 && key.All(fixedColumns.Contains));
    }

    private static IEnumerable<BooleanExpression> Conjuncts(BooleanExpression? condition) => condition switch
    {
        null => [],
        BooleanParenthesisExpression inner => Conjuncts(inner.Expression),
        BooleanBinaryExpression { BinaryExpressionType: BooleanBinaryExpressionType.And } and =>
            Conjuncts(and.FirstExpression).Concat(Conjuncts(and.SecondExpression)),
        _ => [condition],
    };
}

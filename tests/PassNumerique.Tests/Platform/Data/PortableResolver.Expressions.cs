using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Expressions and conditions: names, functions, operators and the types they make.</summary>
internal sealed partial class PortableResolver
{
    private SqlKind Scalar(ScalarExpression expression, PortablePlace place) => expression switch
    {
        ParenthesisExpression inner => Scalar(inner.Expression, place),
        ColumnReferenceExpression column => Column(column, place),
        VariableReference => SqlKind.Any,
        NullLiteral => SqlKind.Null,
        IntegerLiteral => SqlKind.Int,
        NumericLiteral number => Refused(number,
            $"{number.Value} is a decimal on SQL Server; CAST it AS bigint"),
        StringLiteral text => Text(text),
        UnaryExpression { UnaryExpressionType: UnaryExpressionType.Negative } minus =>
            Arithmetic(minus, "-", Scalar(minus.Expression, place)),
        BinaryExpression binary => Binary(binary, place),
        CoalesceExpression coalesce => Merge(coalesce, coalesce.Expressions, place),
        NullIfExpression nullIf => NullIf(nullIf, place),
        CastCall cast => Cast(cast, place),
        FunctionCall call => Call(call, place),
        SearchedCaseExpression searched => Case(searched, place),
        SimpleCaseExpression simple => Case(simple, place),
        ScalarSubquery subquery => Subquery(subquery, place),
        _ => Refused(expression, $"the expression {SqlTokens.Text(expression)}"),
    };

    private void Predicate(BooleanExpression condition, PortablePlace place)
    {
        switch (condition)
        {
            case BooleanParenthesisExpression inner:
                Predicate(inner.Expression, place);
                break;
            case BooleanNotExpression not:
                Predicate(not.Expression, place);
                break;
            case BooleanBinaryExpression both:
                Predicate(both.FirstExpression, place);
                Predicate(both.SecondExpression, place);
                break;
            case BooleanIsNullExpression isNull:
                Scalar(isNull.Expression, place);
                break;
            case BooleanComparisonExpression comparison:
                Compare(comparison, place);
                break;
            case BooleanTernaryExpression between:
                Compared(between, "BETWEEN", Scalar(between.FirstExpression, place),
                    Scalar(between.SecondExpression, place), Scalar(between.ThirdExpression, place));
                Meet(between.FirstExpression, between.SecondExpression, between.ThirdExpression);
                break;
            case InPredicate within:
                In(within, place);
                break;
            case ExistsPredicate exists:
                if (!place.Subqueries)
                    report.Refuse(exists, "a subquery inside an aggregate, GROUP BY or CHECK");
                Query(exists.Subquery.QueryExpression, place.Scope);
                break;
            default:
                report.Refuse(condition, $"the condition {condition.GetType().Name}");
                break;
        }
    }

    private void Compare(BooleanComparisonExpression comparison, PortablePlace place)
    {
        if (comparison.ComparisonType is not (BooleanComparisonType.Equals
            or BooleanComparisonType.NotEqualToBrackets
            or BooleanComparisonType.LessThan or BooleanComparisonType.GreaterThan
            or BooleanComparisonType.LessThanOrEqualTo or BooleanComparisonType.GreaterThanOrEqualTo))
            report.Refuse(comparison, $"the comparison {comparison.ComparisonType}");
        Compared(comparison, "a comparison",
            Scalar(comparison.FirstExpression, place), Scalar(comparison.SecondExpression, place));
        Meet(comparison.FirstExpression, comparison.SecondExpression);
    }

    /// <summary>After both sides were resolved: which of them is a parameter, and which a table's own column?</summary>
    private void Meet(params ScalarExpression[] sides)
    {
        foreach (var parameter in sides.OfType<VariableReference>())
        {
            foreach (var reference in sides.OfType<ColumnReferenceExpression>())
            {
                if (_found.GetValueOrDefault(reference.FirstTokenIndex) is not { Source.Table: { } table } found) continue;
                _meetings.Add(new(parameter.Name[1..], table.Columns.First(c => c.Name == found.Name), true));
            }
        }
    }

    private void In(InPredicate within, PortablePlace place)
    {
        var kinds = within.Values.Select(v => Scalar(v, place)).Append(Scalar(within.Expression, place))
            .ToList();
        if (within.Subquery is { } subquery)
        {
            if (!place.Subqueries)
                report.Refuse(subquery, "a subquery inside an aggregate, GROUP BY or CHECK");
            kinds.Add(One(subquery, place));
        }

        Compared(within, "IN", [.. kinds]);
        Meet([within.Expression, .. within.Values]);
    }

    private void Compared(TSqlFragment at, string what, params SqlKind[] kinds)
    {
        if (kinds.Contains(SqlKind.Null)) report.Refuse(at, $"{what} with NULL; IS NULL");
        Merge(at, kinds);
        Comparable(at, what, kinds);
    }

    private void Comparable(TSqlFragment at, string what, IEnumerable<SqlKind> kinds)
    {
        if (kinds.Contains(SqlKind.FreeText))
            report.Refuse(at, $"{what} on a text whose collation is not {SqlColumn.Binary}");
    }

    private SqlKind Column(ColumnReferenceExpression reference, PortablePlace place)
    {
        if (reference.ColumnType != ColumnType.Regular) return Refused(reference, SqlTokens.Text(reference));
        var parts = reference.MultiPartIdentifier.Identifiers;
        if (parts.Count > 2) return Refused(reference, "a column name of several parts");
        var (table, name) = (parts.Count == 2 ? parts[0].Value : null, parts[^1].Value);
        for (var scope = place.Scope; scope is not null; scope = scope.Outer)
        {
            var seen = scope.Sources.Where(s => table is null || s.Name == table).ToList();
            var found = seen.Where(s => s.Find(name) is not null).ToList();
            if (found.Count > 1) return Refused(reference, $"ambiguous column {name}");
            if (found.Count == 0 && (table is null || seen.Count == 0)) continue;
            if (found.Count == 0) return Refused(reference, $"unknown column {table}.{name}");
            if (place.OwnOnly && scope != place.Scope)
                return Refused(reference,
                    $"the outer column {SqlTokens.Text(reference)} inside an aggregate");
            _found[reference.FirstTokenIndex] = new(found[0], name, reference.LastTokenIndex);
            return found[0].Find(name)!.Kind;
        }

        return Refused(reference,
            table is null ? $"unknown column {name}" : $"unknown alias {table} (of {name})");
    }

    private SqlKind Text(StringLiteral literal)
    {
        if (literal.IsNational) report.Refuse(literal, "a literal N'…'");
        if (literal.Value.Any(c => c is < ' ' or > '~'))
            report.Refuse(literal, "a literal that is not ASCII");
        if (literal.Value.EndsWith(' ')) report.Refuse(literal, "a literal that ends with a blank");
        return SqlKind.Text;
    }

    private SqlKind Binary(BinaryExpression binary, PortablePlace place)
    {
        var (first, second) = (Scalar(binary.FirstExpression, place), Scalar(binary.SecondExpression, place));
        return binary.BinaryExpressionType switch
        {
            BinaryExpressionType.Add => Arithmetic(binary, "+", first, second),
            BinaryExpressionType.Subtract => Arithmetic(binary, "-", first, second),
            BinaryExpressionType.Multiply => Arithmetic(binary, "*", first, second),
            BinaryExpressionType.Divide => Arithmetic(binary, "/", first, second),
            BinaryExpressionType.Modulo => Arithmetic(binary, "%", first, second),
            _ => Refused(binary, $"the operator {binary.BinaryExpressionType}"),
        };
    }

    private SqlKind Arithmetic(TSqlFragment at, string sign, params SqlKind[] kinds)
    {
        if (kinds.Any(k => Family(k) is "text" or "bytes"))
            return Refused(at, $"{sign} on text or bytes; the operators are for integers");
        return Merge(at, kinds);
    }

    private SqlKind NullIf(NullIfExpression nullIf, PortablePlace place)
    {
        var first = Scalar(nullIf.FirstExpression, place);
        Compared(nullIf, "NULLIF", first, Scalar(nullIf.SecondExpression, place));
        return first;
    }

    private SqlKind Cast(CastCall cast, PortablePlace place)
    {
        var type = (SqlDataTypeReference)cast.DataType;
        var sized = type.Parameters is [IntegerLiteral];
        if (cast.Parameter is not NumericLiteral) Scalar(cast.Parameter, place);
        return type.SqlDataTypeOption switch
        {
            SqlDataTypeOption.BigInt => SqlKind.Bigint,
            SqlDataTypeOption.Char or SqlDataTypeOption.VarChar when sized => SqlKind.Text,
            _ => Refused(cast, $"CAST to {SqlTokens.Text(type)}; bigint, char(n) and varchar(n) only"),
        };
    }

    private SqlKind Case(SearchedCaseExpression expression, PortablePlace place)
    {
        foreach (var when in expression.WhenClauses) Predicate(when.WhenExpression, place);
        var values = expression.WhenClauses.Select(w => w.ThenExpression);
        return Merge(expression, [.. values, expression.ElseExpression], place);
    }

    private SqlKind Case(SimpleCaseExpression expression, PortablePlace place)
    {
        Compared(expression, "CASE", [Scalar(expression.InputExpression, place),
            .. expression.WhenClauses.Select(w => Scalar(w.WhenExpression, place))]);
        var values = expression.WhenClauses.Select(w => w.ThenExpression);
        return Merge(expression, [.. values, expression.ElseExpression], place);
    }

    private SqlKind Subquery(ScalarSubquery subquery, PortablePlace place)
    {
        if (!place.Subqueries) return Refused(subquery, "a subquery inside an aggregate, GROUP BY or CHECK");
        var kind = One(subquery, place);
        return IsOneRow(subquery.QueryExpression)
            ? kind
            : Refused(subquery, "a value from a subquery that may have several rows; MAX, or a whole key");
    }

    private SqlKind One(ScalarSubquery subquery, PortablePlace place)
    {
        var columns = Query(subquery.QueryExpression, place.Scope);
        return columns.Count == 1
            ? columns[0].Kind
            : Refused(subquery, $"a subquery of {columns.Count} columns");
    }

    private SqlKind Call(FunctionCall call, PortablePlace place)
    {
        var name = call.FunctionName.Value;
        var window = call.OverClause is not null;
        if (name is "SUM" or "COUNT" or "MIN" or "MAX") return Aggregate(call, name, place);
        if (name is "ROW_NUMBER" or "LAG" or "LEAD") return Window(call, name, place);
        var arguments = call.Parameters.Select(p => Scalar(p, place)).ToList();
        if (window) return Refused(call, $"{name} OVER");
        if (call.UniqueRowFilter != UniqueRowFilter.NotSpecified)
            report.Refuse(call, $"{name} with DISTINCT or ALL");
        switch (name, arguments.Count)
        {
            case ("ABS", 1):
                return Arithmetic(call, name, arguments[0]);
            case ("LOWER" or "UPPER", 1) when Family(arguments[0]) is null or "text":
                return arguments[0] == SqlKind.Any ? SqlKind.Text : arguments[0];
            case ("SUBSTRING", 3) when Family(arguments[0]) is null or "text":
                Arithmetic(call, name, arguments[1], arguments[2]);
                return arguments[0] == SqlKind.Any ? SqlKind.Text : arguments[0];
            default:
                return Refused(call, $"the function {name} with {arguments.Count} arguments of these types");
        }
    }

    private SqlKind Aggregate(FunctionCall call, string name, PortablePlace place)
    {
        var window = call.OverClause is not null;
        var distinct = call.UniqueRowFilter != UniqueRowFilter.NotSpecified;
        if (!(window ? place.Windows : place.Aggregates))
            return Refused(call, $"{name} outside a select list, HAVING or ORDER BY");
        if (distinct && (name != "COUNT" || window || call.UniqueRowFilter == UniqueRowFilter.All))
            report.Refuse(call, $"{name} with DISTINCT or ALL");
        if (call.OverClause is { } over) Over(over, place);
        if (call.Parameters is not [var argument])
            return Refused(call, $"{name} with {call.Parameters.Count} arguments");
        if (argument is ColumnReferenceExpression { ColumnType: ColumnType.Wildcard })
            return name == "COUNT" ? SqlKind.Int : Refused(call, $"{name}(*)");
        var kind = Scalar(argument, window
            ? place with { Windows = false }
            : new(place.Scope, Subqueries: false, OwnOnly: true));
        if (name != "COUNT" || distinct) Comparable(call, name, [kind]);
        return name switch
        {
            "COUNT" => SqlKind.Int,
            "SUM" => Arithmetic(call, name, kind),
            _ => kind,
        };
    }

    private SqlKind Window(FunctionCall call, string name, PortablePlace place)
    {
        if (call.OverClause is null || !place.Windows)
            return Refused(call, $"{name} outside a select list or ORDER BY");
        if (call.OverClause.OrderByClause is null) report.Refuse(call, $"{name} OVER without ORDER BY");
        if (call.OverClause.WindowFrameClause is { } frame) report.Refuse(frame, $"{name} with a frame");
        Over(call.OverClause, place);
        var arguments = call.Parameters.Select(p => Scalar(p, place with { Windows = false })).ToList();
        if (name == "ROW_NUMBER")
            return arguments.Count == 0 ? SqlKind.Bigint : Refused(call, "ROW_NUMBER with an argument");
        if (arguments.Count is 0 or > 3) return Refused(call, $"{name} with {arguments.Count} arguments");
        if (arguments.Count > 1) Arithmetic(call, name, arguments[1]);
        return arguments.Count == 3 ? Merge(call, arguments[0], arguments[2]) : arguments[0];
    }

    private void Over(OverClause over, PortablePlace place)
    {
        var inside = place with { Windows = false };
        foreach (var partition in over.Partitions)
            Comparable(partition, "PARTITION BY", [Scalar(partition, inside)]);
        Order(over.OrderByClause, inside, []);
        if (over.WindowFrameClause is not { } frame) return;
        if (frame.WindowFrameType != WindowFrameType.Rows) report.Refuse(frame, "a frame that is not ROWS");
        if (over.OrderByClause is null) report.Refuse(frame, "a frame without ORDER BY");
        foreach (var end in new[] { frame.Top, frame.Bottom })
            if (end?.OffsetValue is { } offset and not IntegerLiteral)
                report.Refuse(offset, "a frame of a variable size");
    }

    private SqlKind Merge(TSqlFragment at, IEnumerable<ScalarExpression?> parts, PortablePlace place)
    {
        var kinds = parts.OfType<ScalarExpression>().Select(p => Scalar(p, place)).ToArray();
        if (Array.TrueForAll(kinds, k => k == SqlKind.Null)) return Refused(at, "nothing but NULL");
        return Merge(at, kinds);
    }

    /// <summary>
    /// The type that holds them all; SQL Server converts where SQLite compares by storage class.
    /// </summary>
    private SqlKind Merge(TSqlFragment at, params SqlKind[] kinds)
    {
        var families = kinds.Select(Family).OfType<string>().Distinct().ToList();
        if (families.Count > 1) return Refused(at, $"{string.Join(" beside ", families)}");
        if (Array.TrueForAll(kinds, k => k == SqlKind.Null)) return SqlKind.Null;
        if (kinds.Contains(SqlKind.FreeText)) return SqlKind.FreeText;
        if (kinds.Contains(SqlKind.Bigint)) return SqlKind.Bigint;
        var known = kinds.Where(k => k is not (SqlKind.Any or SqlKind.Null)).ToList();
        return known.Count == 0 || (kinds.Contains(SqlKind.Any) && known[0] == SqlKind.Int)
            ? SqlKind.Any
            : known[0];
    }

    private static string? Family(SqlKind kind) => kind switch
    {
        SqlKind.Int or SqlKind.Bigint => "integer",
        SqlKind.Text or SqlKind.FreeText => "text",
        SqlKind.Blob => "bytes",
        _ => null,
    };

    private SqlKind Refused(TSqlFragment at, string what)
    {
        report.Refuse(at, what);
        return SqlKind.Any;
    }
}

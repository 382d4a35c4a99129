using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// The subset of SQL that means the same on SQLite and on SQL Server. What is not listed here or in
/// <see cref="PortableResolver"/> is refused: keywords first, then the kinds of node of the tree, then what
/// the nodes say (tables, columns, scopes, types, functions). A refusal reads
/// <c>Slice.Constant (line,column): what is wrong</c>.
/// </summary>
internal static partial class PortableSql
{
    private static readonly HashSet<TSqlTokenType> Keywords =
    [
        TSqlTokenType.All, TSqlTokenType.And, TSqlTokenType.As, TSqlTokenType.Asc,
        TSqlTokenType.Between, TSqlTokenType.By, TSqlTokenType.Case, TSqlTokenType.Coalesce,
        TSqlTokenType.Cross, TSqlTokenType.Current, TSqlTokenType.Delete, TSqlTokenType.Desc,
        TSqlTokenType.Distinct, TSqlTokenType.Else, TSqlTokenType.End, TSqlTokenType.Exists,
        TSqlTokenType.From, TSqlTokenType.Group, TSqlTokenType.Having, TSqlTokenType.In,
        TSqlTokenType.Inner, TSqlTokenType.Insert, TSqlTokenType.Into, TSqlTokenType.Is,
        TSqlTokenType.Join, TSqlTokenType.Left, TSqlTokenType.Not, TSqlTokenType.Null,
        TSqlTokenType.NullIf, TSqlTokenType.On, TSqlTokenType.Or, TSqlTokenType.Order,
        TSqlTokenType.Outer, TSqlTokenType.Over, TSqlTokenType.Select, TSqlTokenType.Set,
        TSqlTokenType.Then, TSqlTokenType.Union, TSqlTokenType.Update, TSqlTokenType.Values,
        TSqlTokenType.When, TSqlTokenType.Where, TSqlTokenType.With,
    ];

    private static readonly HashSet<TSqlTokenType> Signs =
    [
        TSqlTokenType.PercentSign, TSqlTokenType.LeftParenthesis, TSqlTokenType.RightParenthesis,
        TSqlTokenType.Star, TSqlTokenType.Plus, TSqlTokenType.Comma, TSqlTokenType.Minus,
        TSqlTokenType.Dot, TSqlTokenType.Divide, TSqlTokenType.LessThan, TSqlTokenType.EqualsSign,
        TSqlTokenType.GreaterThan, TSqlTokenType.Integer, TSqlTokenType.AsciiStringLiteral,
        TSqlTokenType.Identifier, TSqlTokenType.Variable,
    ];

    /// <summary>Words that only one engine understands and that the other would take for a name.</summary>
    private static readonly HashSet<string> Foreign = new(StringComparer.OrdinalIgnoreCase)
    {
        "APPLY", "AUTOINCREMENT", "CONFLICT", "FILTER", "GLOB", "IGNORE", "ILIKE", "INDEXED", "LIMIT",
        "MATERIALIZED", "NULLS", "OFFSET", "OUTPUT", "RECURSIVE", "REGEXP", "REPLACE", "RETURNING", "ROWID",
        "USING",
    };

    /// <summary>Keywords that the lexer takes for names.</summary>
    private static readonly HashSet<string> Contextual = new(StringComparer.OrdinalIgnoreCase)
    {
        "CAST", "FOLLOWING", "PARTITION", "PRECEDING", "UNBOUNDED",
    };

    private static readonly HashSet<Type> Nodes =
    [
        typeof(TSqlScript), typeof(TSqlBatch), typeof(SelectStatement), typeof(InsertStatement),
        typeof(InsertSpecification), typeof(ValuesInsertSource), typeof(SelectInsertSource),
        typeof(RowValue), typeof(UpdateStatement), typeof(UpdateSpecification),
        typeof(AssignmentSetClause), typeof(DeleteStatement), typeof(DeleteSpecification),
        typeof(WithCtesAndXmlNamespaces), typeof(CommonTableExpression), typeof(QuerySpecification),
        typeof(BinaryQueryExpression), typeof(SelectScalarExpression),
        typeof(IdentifierOrValueExpression), typeof(Identifier), typeof(MultiPartIdentifier),
        typeof(SchemaObjectName), typeof(FromClause), typeof(NamedTableReference),
        typeof(QueryDerivedTable), typeof(QualifiedJoin), typeof(UnqualifiedJoin),
        typeof(WhereClause), typeof(GroupByClause), typeof(ExpressionGroupingSpecification),
        typeof(HavingClause), typeof(OrderByClause), typeof(ExpressionWithSortOrder),
        typeof(OffsetClause), typeof(OverClause), typeof(WindowFrameClause),
        typeof(WindowDelimiter), typeof(ColumnReferenceExpression), typeof(VariableReference),
        typeof(IntegerLiteral), typeof(NumericLiteral), typeof(StringLiteral), typeof(NullLiteral),
        typeof(BinaryExpression), typeof(UnaryExpression), typeof(ParenthesisExpression),
        typeof(CoalesceExpression), typeof(NullIfExpression), typeof(CastCall),
        typeof(SqlDataTypeReference), typeof(FunctionCall), typeof(SearchedCaseExpression),
        typeof(SearchedWhenClause), typeof(SimpleCaseExpression), typeof(SimpleWhenClause),
        typeof(ScalarSubquery), typeof(BooleanBinaryExpression),
        typeof(BooleanComparisonExpression), typeof(BooleanIsNullExpression),
        typeof(BooleanNotExpression), typeof(BooleanParenthesisExpression),
        typeof(BooleanTernaryExpression), typeof(ExistsPredicate), typeof(InPredicate),
    ];

    private static readonly Dictionary<Type, string> Names = new()
    {
        [typeof(SelectStarExpression)] = "SELECT *",
        [typeof(TableHint)] = "a table hint, WITH (…)",
        [typeof(QueryParenthesisExpression)] = "a SELECT in parentheses beside UNION",
        [typeof(JoinParenthesisTableReference)] = "a join in parentheses",
        [typeof(InlineDerivedTable)] = "VALUES as a table",
        [typeof(SchemaObjectFunctionTableReference)] = "a function as a table",
        [typeof(VariableTableReference)] = "a parameter as a table",
        [typeof(SelectSetVariable)] = "SELECT @Variable =",
        [typeof(DefaultLiteral)] = "DEFAULT as a value",
        [typeof(UserDataTypeReference)] = "a type that is not bigint, char(n) or varchar(n)",
    };

    private static readonly Dictionary<Type, PropertyInfo[]> Parts = [];

    /// <summary>All that keeps a statement from being one text for two engines; empty when it is.</summary>
    public static IReadOnlyList<string> Refusals(SqlSchema schema, SqlStatement statement)
    {
        var report = new PortableReport(statement.Name);
        Words(report, statement.Text);
        if (report.IsEmpty && Parse(report, statement) is { } parsed)
            new PortableResolver(schema, report).Walk(parsed);
        return report.Lines;
    }

    /// <summary>The parameters of a portable statement with the columns they meet.</summary>
    public static IReadOnlyList<ParameterMeeting> Meetings(SqlSchema schema, SqlStatement statement)
    {
        var report = new PortableReport(statement.Name);
        var resolver = new PortableResolver(schema, report);
        if (Parse(report, statement) is { } parsed) resolver.Walk(parsed);
        return resolver.Meetings;
    }

    /// <summary>The same walk for the CHECK constraints of a table.</summary>
    public static IReadOnlyList<string> CheckRefusals(SqlSchema schema, SqlTable table)
    {
        var report = new PortableReport(table.Name);
        foreach (var check in table.Checks)
        {
            Kinds(report, check);
            if (report.IsEmpty) new PortableResolver(schema, report).Check(table, check);
        }

        return report.Lines;
    }

    /// <summary>Keywords in upper case, parameters in PascalCase.</summary>
    public static IReadOnlyList<string> Style(SqlStatement statement)
    {
        var report = new PortableReport(statement.Name);
        foreach (var token in SqlTokens.Lex(Body(statement.Text)).Where(SqlTokens.IsWord))
        {
            var keyword = Keywords.Contains(token.TokenType) || Contextual.Contains(token.Text);
            if (keyword && token.Text != token.Text.ToUpperInvariant())
                report.Refuse(token, $"the keyword {token.Text} is not in upper case");
            if (token.TokenType == TSqlTokenType.Variable && !PascalCase().IsMatch(token.Text))
                report.Refuse(token, $"the parameter {token.Text} is not @PascalCase");
        }

        return report.Lines;
    }

    /// <summary>The nodes right below a node.</summary>
    public static IEnumerable<TSqlFragment> Children(TSqlFragment node)
    {
        foreach (var part in PartsOf(node.GetType()))
        {
            var value = part.GetValue(node);
            if (value is TSqlFragment child) yield return child;
            if (value is not IEnumerable list) continue;
            foreach (var item in list.OfType<TSqlFragment>()) yield return item;
        }
    }

    private static PropertyInfo[] PartsOf(Type type)
    {
        lock (Parts)
        {
            return Parts.TryGetValue(type, out var parts) ? parts : Parts[type] = [.. type.GetProperties()
                .Where(p => p.GetIndexParameters().Length == 0 && p.DeclaringType != typeof(TSqlFragment))
                .Where(p => typeof(TSqlFragment).IsAssignableFrom(p.PropertyType)
                    || (p.PropertyType.IsGenericType && p.PropertyType.IsAssignableTo(typeof(IEnumerable))))];
        }
    }

    private static string Body(string text)
    {
        var trimmed = text.TrimEnd();
        return trimmed.EndsWith(SqlStatement.Limit, StringComparison.Ordinal)
            ? trimmed[..^SqlStatement.Limit.Length]
            : trimmed;
    }

    private static void Words(PortableReport report, string text)
    {
        var tokens = SqlTokens.Lex(Body(text)).Where(SqlTokens.IsWord).ToList();
        for (var i = 0; i < tokens.Count; i++)
        {
            var token = tokens[i];
            if (token.TokenType == TSqlTokenType.VerticalLine)
                report.Refuse(token, i + 1 < tokens.Count && tokens[i + 1].TokenType == token.TokenType
                    ? "the operator ||" : "the operator |");
            else if (token.TokenType == TSqlTokenType.Semicolon)
                report.Refuse(token, "a semicolon; one constant holds one statement");
            else if (token.TokenType == TSqlTokenType.Identifier && Foreign.Contains(token.Text))
                report.Refuse(token, $"the word {token.Text.ToUpperInvariant()}");
            else if (token.Text.StartsWith("@@", StringComparison.Ordinal))
                report.Refuse(token, $"the engine's variable {token.Text}");
            else if (token.TokenType == TSqlTokenType.Numeric && token.Text.All(char.IsAsciiDigit))
                continue;
            else if (!Keywords.Contains(token.TokenType) && !Signs.Contains(token.TokenType))
                report.Refuse(token, $"the word or sign {token.Text}");
        }

        if (Body(text).Contains(SqlStatement.Limit, StringComparison.Ordinal))
            report.Refuse(1, 1, $"{SqlStatement.Limit} before the end of the statement");
    }

    private static TSqlStatement? Parse(PortableReport report, SqlStatement statement)
    {
        var tree = SqlTokens.Parse(statement.OnSqlServer, out var errors);
        foreach (var error in errors)
            report.Refuse(error.Line, error.Column, error.Message + Advice(statement, error));
        if (errors.Count > 0) return null;
        var statements = ((TSqlScript)tree).Batches.SelectMany(b => b.Statements).ToList();
        if (statements.Count != 1)
            report.Refuse(1, 1, $"{statements.Count} statements; one constant holds one");
        Kinds(report, tree);
        return report.IsEmpty ? statements[0] : null;
    }

    /// <summary>The parser says where it stopped; the two usual reasons are said beside it.</summary>
    private static string Advice(SqlStatement statement, ParseError error)
    {
        var before = statement.OnSqlServer[..Math.Min(error.Offset, statement.OnSqlServer.Length)].TrimEnd();
        if (statement.Text.Contains(SqlStatement.Limit, StringComparison.Ordinal))
            return $" ({SqlStatement.Limit} needs ORDER BY before it)";
        return before.EndsWith(')') ? " (a table in parentheses without an alias?)" : "";
    }

    private static void Kinds(PortableReport report, TSqlFragment node)
    {
        if (!Nodes.Contains(node.GetType()))
        {
            report.Refuse(node, Names.GetValueOrDefault(node.GetType()) ?? node.GetType().Name);
            return;
        }

        foreach (var child in Children(node)) Kinds(report, child);
    }

    [GeneratedRegex("^@[A-Z][A-Za-z0-9]*$")]
    private static partial Regex PascalCase();
}

/// <summary>What was refused in one statement, in order.</summary>
internal sealed class PortableReport(string statement)
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public bool IsEmpty => _lines.Count == 0;

    public void Refuse(TSqlFragment at, string what) => Refuse(at.StartLine, at.StartColumn, what);

    public void Refuse(TSqlParserToken at, string what) => Refuse(at.Line, at.Column, what);

    public void Refuse(long line, long column, string what)
    {
        var text = $"{statement} ({line},{column}): {what}";
        if (!_lines.Contains(text)) _lines.Add(text);
    }
}

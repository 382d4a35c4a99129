using System.Text.RegularExpressions;
using Microsoft.SqlServer.TransactSql.ScriptDom;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// Parses T-SQL and writes a piece of it in one spacing, so that two texts can be compared.
/// </summary>
internal static partial class SqlTokens
{
    public static IList<TSqlParserToken> Lex(string text)
    {
        using var reader = new StringReader(text);
        return new TSql150Parser(true).GetTokenStream(reader, out _);
    }

    public static TSqlFragment Parse(string text, out IList<ParseError> errors)
    {
        using var reader = new StringReader(text);
        return new TSql150Parser(true).Parse(reader, out errors);
    }

    public static IEnumerable<TSqlStatement> Parse(string name, string text)
    {
        var script = Parse(text, out var errors);
        if (errors.Count > 0)
            throw new InvalidOperationException($"{name} ({errors[0].Line}): {errors[0].Message}");
        return ((TSqlScript)script).Batches.SelectMany(b => b.Statements);
    }

    /// <summary>The text of a fragment with one blank between its words and no comments.</summary>
    public static string Text(TSqlFragment fragment) => Text(fragment.ScriptTokenStream
        .Skip(fragment.FirstTokenIndex).Take(fragment.LastTokenIndex - fragment.FirstTokenIndex + 1));

    public static string Text(IEnumerable<TSqlParserToken> tokens) =>
        Sign().Replace(string.Join(' ', tokens.Where(IsWord).Select(t => t.Text)), "$1$2");

    public static bool IsWord(TSqlParserToken token) => token.TokenType
        is not (TSqlTokenType.WhiteSpace or TSqlTokenType.SingleLineComment
            or TSqlTokenType.MultilineComment or TSqlTokenType.EndOfFile);

    public static ScalarExpression Bare(ScalarExpression expression) =>
        expression is ParenthesisExpression inner ? Bare(inner.Expression) : expression;

    /// <summary>The conditions of the CHECK constraints in a CREATE TABLE of either engine.</summary>
    public static IEnumerable<string> Checks(string createTable)
    {
        var words = Lex(createTable).Where(IsWord).ToList();
        for (var i = 0; i < words.Count; i++)
            if (words[i].TokenType == TSqlTokenType.Check) yield return Text(Balanced(words.Skip(i + 1)));
    }

    private static List<TSqlParserToken> Balanced(IEnumerable<TSqlParserToken> words)
    {
        var inside = new List<TSqlParserToken>();
        var depth = 0;
        foreach (var word in words)
        {
            if (word.TokenType == TSqlTokenType.RightParenthesis && --depth == 0) return inside;
            if (depth > 0) inside.Add(word);
            if (word.TokenType == TSqlTokenType.LeftParenthesis) depth++;
        }

        return inside;
    }

    [GeneratedRegex("([<>]) ([=>])")]
    private static partial Regex Sign();
}

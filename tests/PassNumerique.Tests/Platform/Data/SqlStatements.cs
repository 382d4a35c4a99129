using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>One SQL text of the service, named <c>Slice.Constant</c>.</summary>
internal sealed partial record SqlStatement(string Name, string Text)
{
    /// <summary>The only token that is not SQL; each engine writes its own limit in its place.</summary>
    public const string Limit = "{limit}";

    public string OnSqlite => Text.Replace(Limit, "LIMIT @Take", StringComparison.Ordinal);

    public string OnSqlServer =>
        Text.Replace(Limit, "OFFSET 0 ROWS FETCH NEXT @Take ROWS ONLY", StringComparison.Ordinal);

    public IEnumerable<string> Parameters => Parameter().Matches(OnSqlite).Select(m => m.Value).Distinct();

    public override string ToString() => Name;

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Parameter();
}

/// <summary>
/// Every statement of an assembly: the string constants of each nested class named <c>Sql</c>, and the texts
/// of its member <c>Composed</c>, where a slice lists all the statements it can put together.
/// </summary>
internal static class SqlStatements
{
    private const BindingFlags Everything =
        BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    public static Assembly Service { get; } = Assembly.Load("PassNumerique");

    public static IReadOnlyList<SqlStatement> All { get; } = [.. Of(Service.GetTypes())];

    public static IEnumerable<SqlStatement> Of(IEnumerable<Type> types) =>
        Homes(types).SelectMany(home => Constants(home).Concat(Composed(home)));

    /// <summary>Members of a class <c>Sql</c> that would hide a statement from the walk.</summary>
    public static IEnumerable<string> Hidden(IEnumerable<Type> types) =>
        from home in Homes(types)
        where home.GetMember(nameof(Composed), Everything).Length == 0
        from member in home.GetMembers(Everything)
        where !member.Name.Contains('<', StringComparison.Ordinal)
        where member is MethodInfo { IsSpecialName: false } or PropertyInfo or FieldInfo { IsLiteral: false }
        select $"{home.DeclaringType!.Name}.Sql.{member.Name}";

    private static IEnumerable<Type> Homes(IEnumerable<Type> types) =>
        types.Where(t => t is { IsNested: true, Name: "Sql" })
            .OrderBy(t => t.FullName, StringComparer.Ordinal);

    private static IEnumerable<SqlStatement> Constants(Type home) =>
        from field in home.GetFields(Everything)
        where field.IsLiteral && field.FieldType == typeof(string)
        select new SqlStatement($"{home.DeclaringType!.Name}.{field.Name}",
            (string)field.GetRawConstantValue()!);

    private static IEnumerable<SqlStatement> Composed(Type home)
    {
        var texts = home.GetProperty(nameof(Composed), Everything)?.GetValue(null)
            ?? home.GetField(nameof(Composed), Everything)?.GetValue(null);
        return (texts as IEnumerable ?? Array.Empty<string>()).Cast<string>().Select((text, i) =>
            new SqlStatement($"{home.DeclaringType!.Name}.{nameof(Composed)}[{i}]", text));
    }
}

/// <summary>The twin migrations, as they are embedded in the service.</summary>
internal static class SqlMigrations
{
    public static IReadOnlyList<SqlStatement> Sqlite { get; } = [.. Of("sqlite/")];

    public static IReadOnlyList<SqlStatement> SqlServer { get; } = [.. Of("sqlserver/")];

    private static IEnumerable<SqlStatement> Of(string folder) =>
        from name in SqlStatements.Service.GetManifestResourceNames().Order(StringComparer.Ordinal)
        where name.StartsWith(folder, StringComparison.Ordinal)
        select new SqlStatement(name[folder.Length..], Text(name));

    private static string Text(string name)
    {
        using var reader = new StreamReader(SqlStatements.Service.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}

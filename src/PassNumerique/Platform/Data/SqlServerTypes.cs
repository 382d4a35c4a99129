using System.Collections.Concurrent;
using System.Data;
using System.Reflection;
using System.Text.RegularExpressions;
using Dapper;
using Microsoft.Data.SqlClient;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The type of each parameter on SQL Server. A string goes out as nvarchar unless told otherwise, and an
/// nvarchar compared with a varchar column scans its index instead of seeking it. So a parameter has the type
/// of the column of its name (<c>@OperationId</c>, <c>operation_id</c>); a test compares each parameter of each
/// statement with the column it meets.
/// </summary>
internal static partial class SqlServerTypes
{
    /// <summary>Parameters that stand for a column of another name.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["After"] = "id",
        ["Counter"] = "counters.name",
        ["Departement"] = "commune",
        ["Digest"] = "reference_digest",
        ["First"] = "id",
        ["Hash"] = "secret_hash",
        ["KeyId"] = "id",
        ["Last"] = "id",
        ["Scope"] = "organisation_id",
        ["Setting"] = "store_settings.name",
    };

    private static readonly Lazy<IReadOnlyDictionary<string, ColumnType>> Columns = new(ReadColumns);
    private static readonly ConcurrentDictionary<string, ColumnType?> ByParameter = new(StringComparer.Ordinal);

    /// <summary>The type of a parameter that holds a text, null where it goes out as nvarchar.</summary>
    public static ColumnType? Of(string parameter) => ByParameter.GetOrAdd(parameter, Find);

    public static SqlParameter Make(string name, object? value)
    {
        var parameter = new SqlParameter { ParameterName = "@" + name, Value = value ?? DBNull.Value };
        switch (value)
        {
            case long:
                parameter.SqlDbType = SqlDbType.BigInt;
                break;
            case byte[] bytes:
                parameter.SqlDbType = SqlDbType.VarBinary;
                parameter.Size = bytes.Length;
                break;
            case null or string:
                Type(parameter, Of(name), value as string ?? "");
                break;
            default:
                throw new InvalidOperationException($"@{name}: no parameter is of type {value.GetType().Name}.");
        }

        return parameter;
    }

    /// <summary>
    /// Longer than its column, a text keeps its length, so that it is refused rather than cut; outside ASCII it
    /// stays Unicode, so that no letter is exchanged for a similar one.
    /// </summary>
    private static void Type(SqlParameter parameter, ColumnType? column, string value)
    {
        if (column is { } type && System.Text.Ascii.IsValid(value))
        {
            parameter.SqlDbType = type.SqlDbType;
            parameter.Size = Math.Max(type.Length, value.Length);
            return;
        }

        parameter.SqlDbType = SqlDbType.NVarChar;
        parameter.Size = value.Length <= 4_000 ? 4_000 : -1;
    }

    private static ColumnType? Find(string parameter)
    {
        if (!Aliases.TryGetValue(parameter, out var column)) column = Capital().Replace(parameter, "_$0").ToLowerInvariant();
        return Columns.Value.TryGetValue(column, out var type) ? type : null;
    }

    /// <summary>
    /// The columns of the migrations that hold no Unicode, as <c>column</c> and as <c>table.column</c>. A name
    /// that several tables use has the widest of their types; one that is Unicode in any is left out.
    /// </summary>
    private static Dictionary<string, ColumnType> ReadColumns()
    {
        var found = new Dictionary<string, ColumnType>(StringComparer.Ordinal);
        var unicode = new HashSet<string>(StringComparer.Ordinal);
        foreach (var statement in Migrations.Names("sqlserver").SelectMany(n => Migrations.Statements(Migrations.Text(n))))
        {
            if (TableName().Match(statement) is not { Success: true } table) continue;
            foreach (Match column in TextColumn().Matches(statement))
            {
                var name = column.Groups["name"].Value;
                if (column.Groups["type"].Value == "nvarchar")
                {
                    unicode.Add(name);
                    continue;
                }

                var type = new ColumnType(
                    column.Groups["type"].Value == "char" ? SqlDbType.Char : SqlDbType.VarChar,
                    int.Parse(column.Groups["length"].Value, System.Globalization.CultureInfo.InvariantCulture));
                found[$"{table.Groups["name"].Value}.{name}"] = type;
                found[name] = found.TryGetValue(name, out var other) ? other.Or(type) : type;
            }
        }

        foreach (var name in unicode) found.Remove(name);
        return found;
    }

    [GeneratedRegex("(?<=.)[A-Z]")]
    private static partial Regex Capital();

    [GeneratedRegex(@"^\s*CREATE TABLE (?<name>\w+)")]
    private static partial Regex TableName();

    [GeneratedRegex(@"^\s+(?<name>\w+)\s+(?<type>char|varchar|nvarchar)\((?<length>\w+)\)", RegexOptions.Multiline)]
    private static partial Regex TextColumn();

    internal readonly record struct ColumnType(SqlDbType SqlDbType, int Length)
    {
        public ColumnType Or(ColumnType other) =>
            this == other ? this : new(SqlDbType.VarChar, Math.Max(Length, other.Length));
    }
}

/// <summary>The members of a statement's arguments that its text names, each with the type of its column.</summary>
internal sealed partial class SqlServerArguments(object arguments, string text) : SqlMapper.IDynamicParameters
{
    private static readonly ConcurrentDictionary<(Type Type, string Text), Member[]> Plans = new();

    public void AddParameters(IDbCommand command, SqlMapper.Identity identity)
    {
        foreach (var member in Plans.GetOrAdd((arguments.GetType(), text), Plan))
            command.Parameters.Add(SqlServerTypes.Make(member.Name, member.Read(arguments)));
    }

    private static Member[] Plan((Type Type, string Text) key)
    {
        var named = Parameter().Matches(key.Text).Select(m => m.Value[1..]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return [.. key.Type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(p => named.Contains(p.Name)).Select(p => new Member(p.Name, p.GetValue))];
    }

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Parameter();

    private sealed record Member(string Name, Func<object?, object?> Read);
}

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
        ["AddressDigest"] = "name_digest",
        ["After"] = "id",
        ["Counter"] = "counters.name",
        ["Departement"] = "commune",
        ["Digest"] = "reference_digest",
        ["First"] = "id",
        ["Hash"] = "secret_hash",
        ["Key"] = "id",
        ["KeyId"] = "id",
        ["Last"] = "id",
        ["LoginDigest"] = "name_digest",
        ["Scope"] = "organisation_id",
        ["Setting"] = "store_settings.name",
    };

    private static readonly Lazy<IReadOnlyDictionary<string, int>> Columns = new(ReadColumns);
    private static readonly ConcurrentDictionary<string, int?> ByParameter = new(StringComparer.Ordinal);

    /// <summary>
    /// The length of a text without Unicode, null where it goes out as nvarchar. It is a varchar even where its
    /// column is a char: both are sought alike, and open source servers ask a char for more than they are told.
    /// </summary>
    public static int? Of(string parameter) => ByParameter.GetOrAdd(parameter, Find);

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
    private static void Type(SqlParameter parameter, int? columnLength, string value)
    {
        if (columnLength is { } length && System.Text.Ascii.IsValid(value))
        {
            parameter.SqlDbType = SqlDbType.VarChar;
            parameter.Size = Math.Max(length, value.Length);
            return;
        }

        parameter.SqlDbType = SqlDbType.NVarChar;
        parameter.Size = value.Length <= 4_000 ? 4_000 : -1;
    }

    private static int? Find(string parameter)
    {
        if (!Aliases.TryGetValue(parameter, out var column)) column = Capital().Replace(parameter, "_$0").ToLowerInvariant();
        return Columns.Value.TryGetValue(column, out var length) ? length : null;
    }

    /// <summary>
    /// The columns of the migrations that hold no Unicode, as <c>column</c> and as <c>table.column</c>. A name
    /// that several tables use has the widest of their lengths; one that is Unicode in any is left out.
    /// </summary>
    private static Dictionary<string, int> ReadColumns()
    {
        var found = new Dictionary<string, int>(StringComparer.Ordinal);
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

                var length = int.Parse(column.Groups["length"].Value, System.Globalization.CultureInfo.InvariantCulture);
                found[$"{table.Groups["name"].Value}.{name}"] = length;
                found[name] = Math.Max(length, found.GetValueOrDefault(name));
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

using System.Reflection;
using Dapper;

namespace PassNumerique.Platform.Data;

/// <summary>
/// Finds a record's constructor by the names of its columns. Dapper also compares their types, but SQLite has
/// none to tell for a computed column without a row, or with a first row that is NULL.
/// </summary>
internal sealed class RecordMap(Type type) : SqlMapper.ITypeMap
{
    private readonly DefaultTypeMap _default = new(type);

    /// <summary>The constructor whose parameters are these columns, in this order.</summary>
    public static ConstructorInfo? Constructor(Type type, IEnumerable<string> names) =>
        type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .FirstOrDefault(constructor => constructor.GetParameters().Select(p => p.Name)
                .SequenceEqual(names, StringComparer.OrdinalIgnoreCase));

    /// <summary>The constructor whose parameters are all among these columns, and the place of each.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static (ConstructorInfo Constructor, int[] Columns) ConstructorAmong(Type type, string[] names)
    {
        foreach (var constructor in type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            int[] columns = [.. constructor.GetParameters().Select(p =>
                Array.FindIndex(names, n => string.Equals(n, p.Name, StringComparison.OrdinalIgnoreCase)))];
            if (columns.Length > 0 && !columns.Contains(-1)) return (constructor, columns);
        }

        throw new InvalidOperationException($"{type.Name} asks for more than these columns: {string.Join(", ", names)}.");
    }

    public ConstructorInfo? FindConstructor(string[] names, Type[] types) =>
        Constructor(type, names) ?? _default.FindConstructor(names, types);

    public ConstructorInfo? FindExplicitConstructor() => _default.FindExplicitConstructor();

    public SqlMapper.IMemberMap? GetConstructorParameter(ConstructorInfo constructor, string columnName) =>
        _default.GetConstructorParameter(constructor, columnName);

    public SqlMapper.IMemberMap? GetMember(string columnName) => _default.GetMember(columnName);
}

using Microsoft.Data.Sqlite;
using PassNumerique.Platform.Data;

namespace PassNumerique.Benchmarks;

/// <summary>A place for one store, its keys and its head file beside it, as in Production.</summary>
internal sealed record StoreFolder(string Root)
{
    public string Data => Path.Combine(Root, "data");

    public string Store => Path.Combine(Data, SqliteDatabase.FileName);

    public string CodeKeyFile => Path.Combine(Root, "keys", "code.keys");

    public string HeadFile => Path.Combine(Root, "keys", "head.log");

    /// <summary>The settings by which the service finds it, and the one that its image brings.</summary>
    public IReadOnlyDictionary<string, string> Environment() => new Dictionary<string, string>
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["PassNumerique__Data"] = Data,
        ["PassNumerique__CodeKeyFile"] = CodeKeyFile,
        ["PassNumerique__HeadFile"] = HeadFile,
        ["DOTNET_GCgen0size"] = "0x2000000",
    };

    /// <summary>The first value that the store answers; only while no service of this process has it open.</summary>
    public string Find(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Store};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (string)command.ExecuteScalar()!;
    }

    /// <summary>The same store again, for a run that uses it up.</summary>
    public StoreFolder CopyTo(string root)
    {
        foreach (var file in Directory.GetFiles(Root, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(root, Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return new(root);
    }
}

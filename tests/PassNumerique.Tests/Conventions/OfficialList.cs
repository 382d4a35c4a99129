using NUnit.Framework;

namespace PassNumerique.Tests.Conventions;

/// <summary>
/// The CSV files of the official geographic code, where a checkout has them beside it (shared/data/cog): the
/// embedded table is compared with them line by line. A test that needs them and does not find them is
/// skipped.
/// </summary>
internal static class OfficialList
{
    public static List<string[]> Rows(string file)
    {
        var tests = new DirectoryInfo(TestContext.CurrentContext.TestDirectory);
        for (var at = tests; at is not null; at = at.Parent)
        {
            var path = Path.Combine(at.FullName, "shared", "data", "cog", file);
            if (File.Exists(path))
                return [.. File.ReadLines(path).Skip(1).Select(Fields)];
        }
        Assert.Ignore($"Not run: no folder shared/data/cog with {file} above the tests, so the embedded list "
            + "of territories was not compared with the official one.");
        return [];
    }

    private static string[] Fields(string line)
    {
        var fields = new List<string> { "" };
        var quoted = false;
        foreach (var c in line)
        {
            if (c == '"')
                quoted = !quoted;
            else if (c == ',' && !quoted)
                fields.Add("");
            else
                fields[^1] += c;
        }
        return [.. fields];
    }
}

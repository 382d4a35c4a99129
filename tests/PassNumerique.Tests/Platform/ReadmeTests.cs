using System.Diagnostics;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

/// <summary>What the README promises a newcomer, pasted as it stands there.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed partial class ReadmeTests(string engine)
{
    private static readonly string Root = FindRoot();
    private static readonly string Text = File.ReadAllText(Path.Combine(Root, "README.md"));

    [Test]
    public async Task The_walk_moves_the_report_by_exactly_what_was_done()
    {
        if (!File.Exists("/bin/bash") || !File.Exists("/usr/bin/curl")) Assert.Ignore("The walk needs bash and curl.");
        await using var service = await TestService.StartAsync(engine, demo: true);
        var folder = Directory.CreateTempSubdirectory("pass-numerique-walk-").FullName;
        try
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "data"), service.Folder);
            var script = Walk().Match(Text).Groups[1].Value.Replace("http://localhost:5080", service.Address, StringComparison.Ordinal);
            // On a server the report knows what was sealed, about a second ago.
            if (engine == Engines.SqlServer) script = script.Replace("funnel | tee data/after", "sleep 3; funnel | tee data/after", StringComparison.Ordinal);
            var output = await BashAsync(script, folder);
            var (before, after) = (Funnel(service.Folder, "before.csv"), Funnel(service.Folder, "after.csv"));
            Assert.That(before, Has.Count.EqualTo(3), output);
            Assert.That(after["handed-out"] - before["handed-out"], Is.EqualTo(10), output);
            Assert.That(after["started"] - before["started"], Is.EqualTo(10), output);
            Assert.That(after["redeemed"] - before["redeemed"], Is.EqualTo(1), output);
            Assert.That(output, Does.Contain("the same again: 201, true").And.Contain("urn:pass-numerique:voucher-spent"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void The_map_names_every_folder_of_the_service()
    {
        var folders = Directory.GetDirectories(Path.Combine(Root, "src", "PassNumerique")).Select(d => Path.GetFileName(d)!)
            .Except(["bin", "obj", "Properties", "wwwroot"]);
        foreach (var folder in folders) Assert.That(Text, Does.Contain($"`src/PassNumerique/{folder}`"));
    }

    [Test]
    public async Task A_body_over_the_limit_is_a_413_and_nothing_is_written()
    {
        await using var service = await TestService.StartAsync(engine);
        using var client = service.Operator();
        var body = $$"""{"kind":"hub","name":"{{new string('x', Api.MaxBodyBytes)}}"}""";
        var answer = await client.PostTextAsync("organisations", body);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((413, "body-too-large")), answer.ToString());
        Assert.That(await service.QueryAsync<long>("SELECT COUNT(*) FROM organisations"), Is.EqualTo(new[] { 1L }));
        var text = await client.PostTextAsync("organisations", "kind=hub", "text/plain");
        Assert.That((text.Status, text.Problem), Is.EqualTo((415, "not-json")));
        var broken = await client.PostTextAsync("organisations", "{\"kind\":");
        Assert.That((broken.Status, broken["errors"].GetProperty("$")[0].GetString()), Is.EqualTo((400,
            "Le corps n'est pas du JSON lisible (ligne 1, octet 8).")));
    }

    private static Dictionary<string, long> Funnel(string folder, string file) => File.ReadAllLines(Path.Combine(folder, file))
        .Select(line => line.Split(','))
        .ToDictionary(cells => cells[1], cells => long.Parse(cells[4], System.Globalization.CultureInfo.InvariantCulture));

    private static async Task<string> BashAsync(string script, string folder)
    {
        var start = new ProcessStartInfo("/bin/bash")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var bash = Process.Start(start)!;
        await bash.StandardInput.WriteAsync(script);
        bash.StandardInput.Close();
        var output = bash.StandardOutput.ReadToEndAsync();
        var errors = bash.StandardError.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return await output + await errors;
    }

    private static string FindRoot()
    {
        var folder = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(folder, "PassNumerique.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("<!-- walk -->\n```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Walk();
}

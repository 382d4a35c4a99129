using System.Text;
using Microsoft.Extensions.Configuration;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Audit;

/// <summary>The command line besides <c>serve</c>: what it does, and the one line when it can't.</summary>
internal sealed class VerbsTests
{
    private static readonly string[][] All =
    [
        [], ["serve"], ["migrate"], ["demo"], ["verify"], ["backup"], ["restore"], ["keys"], ["keys", "rotate"],
        ["keys", "export"], ["user"], ["user", "add"],
    ];

    [TestCaseSource(nameof(All))]
    public async Task Each_verb_has_its_help_in_French(params string[] verb)
    {
        using var folder = new TestFolder();
        var run = await RunAsync(folder, [.. verb, "--help"]);
        Assert.That((run.Code, run.Error), Is.EqualTo((0, "")));
        Assert.That(run.Output, Does.Contain($"Usage : PassNumerique {string.Join(' ', verb)}".TrimEnd()));
        Assert.That(run.Output, Does.Contain("Montre cette aide.").And.Not.Contain("Usage:").And.Not.Contain("Show help"));
        Assert.That(Directory.EnumerateFiles(folder.Data), Is.Empty);
    }

    [TestCase("verfiy", "Verbe inconnu : « verfiy »")]
    [TestCase("verify --tete x", "« --tete » n'est pas prévu ici")]
    [TestCase("backup", "« FICHIER » manque")]
    [TestCase("keys", "Il manque un verbe")]
    [TestCase("user add --login a", "manque")]
    [TestCase("demo --day 11/23/2026", "« --day »")]
    [TestCase("demo --seed x", "« --seed »")]
    public async Task A_wrong_command_line_is_told_with_what_is_possible(string line, string told)
    {
        using var folder = new TestFolder();
        var run = await RunAsync(folder, line.Split(' '));
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain(told).And.Contain("Usage : PassNumerique"));
        Assert.That(Directory.EnumerateFiles(folder.Data), Is.Empty);
    }

    [Test]
    public async Task An_unknown_verb_lists_the_verbs()
    {
        using var folder = new TestFolder();
        var run = await RunAsync(folder, "imprimer");
        foreach (var verb in All.Where(v => v.Length == 1)) Assert.That(run.Error, Does.Contain($"  {verb[0]} "));
    }

    [TestCase("serve")]
    [TestCase("--urls")]
    [TestCase("")]
    public void The_service_starts_without_the_verbs(string first) =>
        Assert.That(Verbs.Handles(first.Length == 0 ? [] : [first, "x"]), Is.False);

    [TestCase("verify")]
    [TestCase("--help")]
    [TestCase("serve --help")]
    [TestCase("--version")]
    public void Everything_else_is_a_verb(string line) => Assert.That(Verbs.Handles(line.Split(' ')), Is.True);

    [TestCase("verify")]
    [TestCase("backup copie.db")]
    [TestCase("keys rotate")]
    public async Task Without_a_store_nothing_is_made(string line)
    {
        using var folder = new TestFolder();
        var run = await RunAsync(folder, line.Split(' '));
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain("Il n'y a pas de magasin").And.Contain("PassNumerique__Data"));
        Assert.That(Directory.EnumerateFiles(folder.Data), Is.Empty);
    }

    [TestCase("migrate")]
    [TestCase("demo")]
    [TestCase("keys rotate")]
    [TestCase("restore x")]
    [TestCase("user add --role operator --organisation O --login o")]
    public async Task A_verb_that_writes_does_not_run_beside_the_service(string line)
    {
        using var folder = new TestFolder();
        await using var service = await TestService.StartAsync(folder: folder.Data);
        var keys = File.ReadAllText(folder.Keys);
        var run = await RunAsync(folder, line.Split(' '));
        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain("arrêtez le service"));
        Assert.That(File.ReadAllText(folder.Keys), Is.EqualTo(keys));
    }

    [Test]
    public async Task A_new_store_gets_its_first_person_and_verifies()
    {
        using var folder = new TestFolder();
        Assert.That((await RunAsync(folder, "migrate")).Code, Is.Zero);
        var refused = await RunAsync(folder, "user", "add", "--role", "authority", "--organisation", "Commune", "--login", "commune");
        Assert.That((refused.Code, refused.Error), Is.EqualTo((2, refused.Error)));
        Assert.That(refused.Error, Does.Contain("--siret"));
        var invalid = await RunAsync(folder, "user", "add", "--role", "roi", "--organisation", "Commune", "--login", "roi");
        Assert.That((invalid.Code, invalid.Output), Is.EqualTo((2, "")));

        var added = await RunAsync(
            folder, "user", "add", "--role", "operator", "--organisation", "Opérateur", "--login", "operatrice");
        Assert.That((added.Code, added.Error), Is.EqualTo((0, "")), added.ToString());
        var key = added.Output.Split('\n').Single(l => l.Contains("Clé d'API")).Split(" : ")[1].Trim();
        var verified = await RunAsync(folder, "verify");
        Assert.That((verified.Code, verified.Output), Is.EqualTo((0, verified.Output)), verified.ToString());
        Assert.That(verified.Output, Does.Contain("Tout est conforme."));

        await using var service = await TestService.StartAsync(folder: folder.Data);
        Assert.That((await service.Client(key).ReadAsync("organisations")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_store_that_does_not_hold_is_exit_code_1()
    {
        using var folder = new TestFolder();
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        folder.Execute("UPDATE organisations SET kind = 'state'");
        var run = await RunAsync(folder, "verify");
        Assert.That(run.Code, Is.EqualTo(1), run.ToString());
        Assert.That(run.Output, Does.Contain("NON CONFORME, lot 1, organisations (id "));
    }

    [Test]
    public async Task Another_head_file_can_be_compared()
    {
        using var folder = new TestFolder();
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        var kept = Path.Combine(folder.Data, "kept.log");
        File.WriteAllText(kept, $"900 1 {new string('a', 64)} {new string('b', 64)}\n");
        Assert.That((await RunAsync(folder, "verify")).Code, Is.Zero);
        var run = await RunAsync(folder, "verify", "--head", kept);
        Assert.That((run.Code, run.Output.Contains("lot 900")), Is.EqualTo((1, true)), run.ToString());
        var missing = await RunAsync(folder, "verify", "--head", kept + "x");
        Assert.That((missing.Code, missing.Error.Contains("introuvable")), Is.EqualTo((2, true)), missing.ToString());
    }

    [Test]
    public async Task A_backup_beside_the_service_is_restored_elsewhere_and_an_older_store_is_no_alarm()
    {
        using var folder = new TestFolder();
        var backup = Path.Combine(folder.Data, "copie.db");
        await using (var service = await TestService.StartAsync(folder: folder.Data))
        {
            var copied = await RunAsync(folder, "backup", backup);
            Assert.That((copied.Code, copied.Error), Is.EqualTo((0, "")), copied.ToString());
            Assert.That(copied.Output, Does.Contain("jusqu'au lot"));
            await Scenario.CreateAsync(service, booklets: 2);
        }

        var again = await RunAsync(folder, "backup", backup);
        Assert.That((again.Code, again.Error.Contains("jamais écrasé")), Is.EqualTo((2, true)), again.ToString());
        var notEmpty = await RunAsync(folder, "restore", backup);
        Assert.That((notEmpty.Code, notEmpty.Error.Contains("déplacez-le")), Is.EqualTo((2, true)), notEmpty.ToString());

        File.Move(folder.Store, folder.Store + ".old");
        var restored = await RunAsync(folder, "restore", backup);
        Assert.That((restored.Code, restored.Error), Is.EqualTo((0, "")), restored.ToString());
        Assert.That(File.Exists(folder.Head), Is.False);
        Assert.That(Directory.GetFiles(folder.Data, "head.log.*"), Has.Length.EqualTo(1));
        Assert.That((await RunAsync(folder, "verify")).Code, Is.Zero);
        await using var started = await TestService.StartAsync(folder: folder.Data);
        Assert.That(await started.QueryAsync<string>("SELECT id FROM conventions"), Is.Empty);
    }

    [Test]
    public async Task A_backup_holds_no_key_and_nothing_is_left_beside_it()
    {
        using var folder = new TestFolder();
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        var backup = Path.Combine(folder.Data, "copie.db");
        await RunAsync(folder, "backup", backup);
        var bytes = File.ReadAllBytes(backup);
        var secret = File.ReadAllText(folder.Keys).Split('\n').Single(l => l.StartsWith('1')).Split(' ')[1];
        Assert.That(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(secret)), Is.Negative);
        Assert.That(bytes.AsSpan().IndexOf(Convert.FromBase64String(secret)), Is.Negative);
        Assert.That(Directory.GetFiles(folder.Data, "copie.db*"), Is.EqualTo(new[] { backup }));
        if (!OperatingSystem.IsWindows())
            Assert.That(File.GetUnixFileMode(backup), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task What_is_no_backup_of_this_store_is_not_restored()
    {
        using var folder = new TestFolder();
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        var backup = Path.Combine(folder.Data, "copie.db");
        await RunAsync(folder, "backup", backup);
        File.Delete(folder.Store);

        var garbage = Path.Combine(folder.Data, "garbage");
        File.WriteAllText(garbage, new string('x', 5_000));
        Assert.That((await RunAsync(folder, "restore", garbage)).Error, Does.Contain("n'est pas un magasin"));
        Assert.That((await RunAsync(folder, "restore", garbage + "x")).Error, Does.Contain("introuvable"));

        File.Move(folder.Keys, folder.Keys + ".safe");
        var keyless = await RunAsync(folder, "restore", backup);
        Assert.That((keyless.Code, keyless.Error.Contains("introuvable")), Is.EqualTo((2, true)), keyless.ToString());
        KeyRing.Create(folder.Keys);
        var other = await RunAsync(folder, "restore", backup);
        Assert.That((other.Code, other.Error.Contains("n'est pas celle de ce magasin")), Is.EqualTo((2, true)), other.ToString());
        Assert.That(File.Exists(folder.Store), Is.False);
        Assert.That(Directory.GetFiles(folder.Data, "*.partial*"), Is.Empty);
    }

    [Test]
    public async Task A_new_key_version_is_added_and_exported()
    {
        using var folder = new TestFolder();
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        var rotated = await RunAsync(folder, "keys", "rotate");
        Assert.That((rotated.Code, rotated.Output.StartsWith("Version 2", StringComparison.Ordinal)), Is.EqualTo((0, true)));
        var exported = await RunAsync(folder, "keys", "export");
        Assert.That((exported.Code, exported.Output), Is.EqualTo((0, File.ReadAllText(folder.Keys))));
        Assert.That(exported.Error, Does.Contain("coffre"));
        await (await TestService.StartAsync(folder: folder.Data)).DisposeAsync();
        Assert.That((await RunAsync(folder, "verify")).Code, Is.Zero);
    }

    private static async Task<Run> RunAsync(TestFolder folder, params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await Verbs.RunAsync(args, output, error, builder =>
        {
            builder.Environment.EnvironmentName = "Development";
            builder.Configuration.AddInMemoryCollection(
                new Dictionary<string, string?> { ["PassNumerique:Data"] = folder.Data });
        });
        return new(code, output.ToString(), error.ToString());
    }

    private sealed record Run(int Code, string Output, string Error);
}

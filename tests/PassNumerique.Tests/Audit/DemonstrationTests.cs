using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Reports;

namespace PassNumerique.Tests.Audit;

/// <summary>The demonstration as it is loaded at the first start.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DemonstrationTests(string engine)
{
    private TestService _service = null!;
    private JsonElement _file;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, demo: true);
        _file = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(_service.Folder, "demo.json"))).RootElement;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private string UserKey(string role) => _file.GetProperty("users").EnumerateArray()
        .First(u => u.GetProperty("role").GetString() == role).GetProperty("apiKey").GetString()!;

    private string Code(string list, int index = 0) =>
        _file.GetProperty("vouchers").GetProperty(list)[index].GetString()!;

    [Test]
    public async Task It_has_the_scale_of_the_first_generation()
    {
        async Task<long> CountAsync(string sql) => (await _service.QueryAsync<long>(sql)).Single();
        Assert.That(await CountAsync("SELECT COUNT(*) FROM conventions"), Is.EqualTo(49));
        Assert.That(await CountAsync("SELECT COUNT(*) FROM organisations WHERE kind = 'hub'"), Is.EqualTo(11));
        Assert.That(await CountAsync("SELECT COUNT(*) FROM site_labels WHERE status = 'labelled'"), Is.EqualTo(330));
        Assert.That(await CountAsync("SELECT SUM(booklet_count) FROM orders"), Is.EqualTo(5_000));
        Assert.That(await CountAsync("SELECT SUM(voucher_count) FROM orders"), Is.EqualTo(50_000));
        var used = await CountAsync(
            "SELECT COUNT(*) FROM (SELECT serial FROM voucher_entries GROUP BY serial HAVING SUM(minutes) > 0)");
        Assert.That(used, Is.InRange(18_000, 20_000));
    }

    [Test]
    public async Task Every_list_of_codes_is_what_it_says()
    {
        using var site = _service.Client(_file.GetProperty("sites")[0].GetProperty("apiKey").GetString());
        foreach (var (list, states) in new[]
        {
            ("fresh", new[] { "handed-out" }), ("started", ["started"]), ("spent", ["spent"]), ("expired", ["expired"]),
            ("blocked", ["blocked"]), ("notHandedOut", ["active"]),
        })
        {
            var codes = _file.GetProperty("vouchers").GetProperty(list).EnumerateArray().Select(c => c.GetString()!).ToList();
            Assert.That(codes, Has.Count.GreaterThanOrEqualTo(20), list);
            foreach (var code in codes.Take(25))
            {
                var answer = await site.PostAsync("vouchers/check", new { code });
                Assert.That(states, Does.Contain(answer["state"].GetString()), $"{list}: {answer}");
            }
        }
    }

    [Test]
    public async Task Its_first_site_redeems_fresh_started_and_not_handed_out_passes()
    {
        using var site = _service.Client(_file.GetProperty("sites")[0].GetProperty("apiKey").GetString());
        foreach (var list in new[] { "fresh", "started", "notHandedOut" })
        {
            var answer = await site.PostAsync("redemptions", new
            {
                operationId = Guid.NewGuid(),
                code = Code(list, 19),
                service = "Aide aux démarches administratives",
                activity = new { kind = "individuel", durationMinutes = 60 },
            });
            Assert.That(answer.Status, Is.EqualTo(201), $"{list}: {answer}");
            Assert.That(answer["remainingMinutes"].GetInt64(), Is.Zero, list);
        }
    }

    [Test]
    public async Task Each_role_has_an_account_and_each_place_a_key()
    {
        var roles = _file.GetProperty("users").EnumerateArray().Select(u => u.GetProperty("role").GetString());
        Assert.That(roles, Is.EquivalentTo(Roles.Codes));
        Assert.That(_file.GetProperty("sites").GetArrayLength(), Is.EqualTo(330));
        foreach (var place in _file.GetProperty("distributionPoints").EnumerateArray().Take(3))
        {
            using var agent = _service.Client(place.GetProperty("apiKey").GetString());
            var stock = await agent.ReadAsync($"distribution-points/{place.GetProperty("id").GetString()}/stock");
            Assert.That(stock.Status, Is.EqualTo(200), stock.ToString());
        }

        using var auditor = _service.Client(UserKey("auditor"));
        var conventions = await auditor.ReadAsync("conventions?limit=200");
        Assert.That(conventions["items"].GetArrayLength(), Is.EqualTo(49), conventions.ToString());
    }

    [Test]
    public async Task Every_report_is_what_anybody_counts_from_the_exported_rows()
    {
        using var auditor = _service.Client(UserKey("auditor"));
        var day = Scenario.Today.AddDays(-1);
        foreach (var convention in Conventions())
        {
            var report = (await auditor.ReadAsync($"reports/conventions/{convention}?asOf={day:yyyy-MM-dd}")).Json;
            var batch = report.GetProperty("cutOff").GetProperty("batch").GetInt64();
            var journal = (await auditor.ReadAsync($"exports/journal?conventionId={convention}")).Body
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)
                .Where(l => l.GetProperty("batch").GetInt64() <= batch).ToList();
            Assert.That(journal, Has.Count.GreaterThan(100));
            var count = new Recount(journal, day.ToDay());
            Assert.Multiple(() => RecountTests.Compare(report, count, convention));
        }
    }

    [Test]
    public async Task Erasing_everybody_leaves_every_proof_and_every_report_as_it_was()
    {
        using var auditor = _service.Client(UserKey("auditor"));
        using var @operator = _service.Client(UserKey("operator"));
        var before = await ReportsAsync(auditor);
        var erased = 0L;
        foreach (var convention in Conventions())
        {
            var answer = await @operator.PostAsync("persons/erasures", new { conventionId = convention, everybody = true });
            erased += answer["links"].GetInt64();
        }

        Assert.That(erased, Is.GreaterThan(2_000));
        Assert.That(await _service.QueryAsync<long>("SELECT COUNT(*) FROM person_links"), Is.EqualTo(new[] { 0L }));
        Assert.That(await ReportsAsync(auditor), Is.EqualTo(before));
        var output = new StringWriter();
        var services = _service.Services;
        var outcome = await VerifyStore.RunAsync(
            services.GetRequiredService<Database>(), services.GetRequiredService<KeyRing>(),
            services.GetRequiredService<FactTables>(), services.GetRequiredService<Settings>().HeadFile, output);
        Assert.That(outcome.Holds, Is.True, output.ToString());
    }

    private IEnumerable<string> Conventions() =>
        _file.GetProperty("conventions").EnumerateArray().Select(c => c.GetProperty("id").GetString()!);

    /// <summary>SHA-256 of each report, as JSON and as CSV.</summary>
    private async Task<IReadOnlyList<string>> ReportsAsync(HttpClient client)
    {
        var hashes = new List<string>();
        foreach (var convention in Conventions())
        {
            foreach (var path in new[] { $"{convention}?", $"{convention}.csv?" })
            {
                var answer = await client.ReadAsync($"reports/conventions/{path}asOf={Scenario.Today.AddDays(-1):yyyy-MM-dd}");
                Assert.That(answer.Status, Is.EqualTo(200), answer.ToString());
                hashes.Add(Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(answer.Body))));
            }
        }

        return hashes;
    }

    [Test]
    public async Task The_same_seed_and_day_give_the_same_facts()
    {
        var day = Scenario.Today.AddDays(-3);
        var first = await FactsAsync(day, seed: 7);
        Assert.That(await FactsAsync(day, seed: 7), Is.EqualTo(first));
        Assert.That(await FactsAsync(day, seed: 8), Is.Not.EqualTo(first));
    }

    [Test]
    public async Task A_day_that_is_not_over_and_a_store_that_is_not_empty_are_refused()
    {
        await using var empty = await TestService.StartAsync(engine);
        Assert.That(async () => await Demonstration.LoadAsync(empty.Services, Scenario.Today, 1, TextWriter.Null),
            Throws.InstanceOf<StartException>().With.Message.Contains("terminé"));
        Assert.That(async () => await Demonstration.LoadAsync(empty.Services, null, 1, TextWriter.Null),
            Throws.InstanceOf<StartException>().With.Message.Contains("vide"));
    }

    /// <summary>The chain of the last seal: it binds every fact of the load.</summary>
    private async Task<string> FactsAsync(DateOnly day, long seed)
    {
        await using var service = await TestService.StartAsync(engine, bootstrap: false);
        await Demonstration.LoadAsync(service.Services, day, seed, TextWriter.Null);
        return (await service.Services.GetRequiredService<Database>().LastSealAsync()).Chain;
    }
}

using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Reports;

namespace PassNumerique.Tests.Audit;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ExportJournalTests(string engine)
{
    private readonly StandingClock _clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private TestService _service = null!;
    private string _mine = "";
    private string _other = "";
    private string _authority = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _clock.Now = new(2026, 12, 1, 0, 0, 0, TimeSpan.Zero);
        var story = new Story();
        _mine = new RandomHistory(42, story).Tell();
        await story.LoadAsync(_service);
        var second = new Story().On("2026-11-01");
        _authority = second.Organisation("authority");
        _other = second.Convention(_authority, Story.Terms(("État", 10_000)));
        second.Order(_other, _authority, 20_001, 1, "2027-01-31", second.Point(_authority));
        await second.LoadAsync(_service);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private async Task<List<JsonElement>> LinesAsync(string query = "")
    {
        using var client = _service.Operator();
        var answer = await client.ReadAsync("exports/journal" + query);
        Assert.That((answer.Status, answer.ContentType), Is.EqualTo((200, "application/x-ndjson")), answer.Body);
        return [.. answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];
    }

    [Test]
    public async Task Every_sealed_fact_leaves_in_the_order_of_its_batch_and_hashes_to_its_root()
    {
        var lines = await LinesAsync();
        Assert.That(lines.Select(l => l.GetProperty("batch").GetInt64()), Is.Ordered);
        var database = _service.Services.GetRequiredService<Database>();
        await using var connection = await database.OpenAsync();
        foreach (var batch in lines.GroupBy(l => l.GetProperty("batch").GetInt64()))
        {
            var seal = await Sealing.FindAsync(connection, batch.Key);
            Assert.That(batch.Count(), Is.EqualTo(seal!.LeafCount), $"batch {batch.Key}");
            if (batch.Count() == 1) Assert.That(Convert.ToHexStringLower(Leaf(batch.Single())), Is.EqualTo(seal.Root));
        }
    }

    [Test]
    public async Task An_export_goes_on_where_the_last_one_ended()
    {
        var all = await LinesAsync();
        var rest = await LinesAsync("?afterBatch=10");
        Assert.That(rest.Select(l => l.ToString()),
            Is.EqualTo(all.Where(l => l.GetProperty("batch").GetInt64() > 10).Select(l => l.ToString())));
        Assert.That(rest, Is.Not.Empty);
    }

    [Test]
    public async Task The_export_of_a_convention_has_its_own_facts_alone()
    {
        var other = await LinesAsync($"?conventionId={_other}");
        Assert.That(other.Select(l => l.GetProperty("table").GetString()).Order(StringComparer.Ordinal), Is.EqualTo(new[]
        {
            "convention_terms", "conventions", "distribution_points", "lots", "orders", "organisations",
        }));
        var salt = other.Single(l => l.GetProperty("table").GetString() == "orders").GetProperty("row").GetProperty("salt");
        Assert.That(salt.GetString(), Is.EqualTo(new string('0', 32)));
        var mine = await LinesAsync($"?conventionId={_mine}");
        var all = await LinesAsync();
        foreach (var table in new[] { "voucher_entries", "booklet_entries", "redemption_outcomes", "replacements", "blocks", "payment_confirmations" })
        {
            int Count(IEnumerable<JsonElement> lines) => lines.Count(l => l.GetProperty("table").GetString() == table);
            Assert.That((Count(mine), Count(mine) > 0), Is.EqualTo((Count(all), true)), table);
        }

        Assert.That(mine.Select(l => l.ToString()), Is.SubsetOf(all.Select(l => l.ToString())).And.Unique);
    }

    [Test]
    public async Task An_authority_exports_its_own_convention_only()
    {
        using var authority = await Story.ClientAsync(_service, _authority, "authority");
        Assert.That((await authority.ReadAsync("exports/journal")).Status, Is.EqualTo(400));
        Assert.That((await authority.ReadAsync($"exports/journal?conventionId={_mine}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await authority.ReadAsync($"exports/journal?conventionId={_other}")).Status, Is.EqualTo(200));
        Assert.That((await authority.ReadAsync($"exports/journal?conventionId={_other}&afterBatch=x")).Status, Is.EqualTo(400));
        Assert.That((await _service.Client().ReadAsync("exports/journal")).Status, Is.EqualTo(401));
    }

    private static byte[] Leaf(JsonElement line)
    {
        var table = Journal.Tables[line.GetProperty("table").GetString()!];
        return table.Leaf([.. table.Columns.Select(c => Value(c, line.GetProperty("row").GetProperty(c)))]);
    }

    private static object? Value(string column, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.Number => value.GetInt64(),
        _ => column == "salt" ? Convert.FromHexString(value.GetString()!) : value.GetString(),
    };
}

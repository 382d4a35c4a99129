using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Orders;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>On a server facts are sealed after their commit: whole commands, in batches of a bounded size.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class SealerTests(string engine)
{
    private const long Bound = 4_000;
    private TestService _service = null!;

    [SetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [TearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_backlog_is_sealed_in_bounded_batches_that_part_no_command()
    {
        // Three thousand small commands, one of five thousand facts, and as many small ones again.
        var rows = Enumerable.Range(0, 3_000).Select(i => Row(1_000 + i))
            .Concat(Enumerable.Range(0, 5_000).Select(_ => Row(5_000)))
            .Concat(Enumerable.Range(0, 3_000).Select(i => Row(6_000 + i))).ToList();
        await Database.LoadAsync([new("organisations", [.. Journal.Tables["organisations"].Columns, "batch"], rows)]);
        await _service.SealAsync();

        var sealedRows = await _service.QueryAsync<Sealed>(
            "SELECT recorded_ms AS RecordedMs, batch AS Batch FROM organisations WHERE name = 'Arriéré' ORDER BY recorded_ms");
        Assert.That(sealedRows, Has.Count.EqualTo(11_000));
        Assert.That(sealedRows.Select(r => r.Batch), Is.All.Not.Null);
        Assert.That(sealedRows.GroupBy(r => r.RecordedMs).Select(g => g.Select(r => r.Batch).Distinct().Count()), Is.All.EqualTo(1));
        var sizes = sealedRows.GroupBy(r => r.Batch).Select(g => (long)g.Count()).ToList();
        Assert.That(sizes.Count, Is.GreaterThan(1));
        Assert.That(sizes, Is.All.LessThanOrEqualTo(Bound + 5_000));
        Assert.That(sealedRows.Select(r => r.Batch!.Value), Is.Ordered, "what was recorded first is sealed first");
        await AssertSoundAsync();
    }

    [Test]
    public async Task The_facts_of_one_command_are_in_one_batch_however_often_is_sealed()
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 100_000_000);
        using var stop = new CancellationTokenSource();
        var sealing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await _service.SealAsync();
        });
        for (var round = 0; round < 5; round++)
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => world.PlaceAsync()));
        await stop.CancelAsync();
        await sealing;
        await _service.SealAsync();

        var batches = await _service.QueryAsync<Pair>(
            "SELECT o.batch AS Batch, l.batch AS Other FROM orders o JOIN lots l ON l.order_id = o.id");
        Assert.That(batches, Has.Count.EqualTo(30));
        Assert.That(batches.Select(b => b.Batch), Is.EqualTo(batches.Select(b => b.Other)));
        await AssertSoundAsync();
    }

    [Test]
    public async Task A_past_instant_is_closed_and_nothing_is_sealed_at_or_before_it_later()
    {
        await _service.SendAsync(new CreateOrganisation.Command("hub", "Hub d'essai"));
        var instant = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        await Task.Delay(20);
        var closed = await Database.SealThroughAsync(instant);
        Assert.That(closed.SealedMs, Is.LessThanOrEqualTo(instant));
        Assert.That((await Database.LastSealAsync()).SealedMs, Is.GreaterThanOrEqualTo(instant));
        await _service.SendAsync(new CreateOrganisation.Command("hub", "Autre hub d'essai"));
        await _service.SealAsync();
        Assert.That(await Database.SealThroughAsync(instant), Is.EqualTo(closed));
    }

    private Database Database => _service.Services.GetRequiredService<Database>();

    private static object?[] Row(long recordedMs) =>
        [Ids.New(), "hub", "Arriéré", null, Ids.New(), recordedMs, null];

    private async Task AssertSoundAsync()
    {
        var told = new StringWriter();
        var outcome = await VerifyStore.RunAsync(
            Database, _service.Services.GetRequiredService<KeyRing>(), Journal.Tables, null, told);
        Assert.That(outcome.Holds, Is.True, told.ToString());
    }

    private sealed record Sealed(long RecordedMs, long? Batch);

    private sealed record Pair(long? Batch, long? Other);
}

/// <summary>Rows go to a server in the order of its pages.</summary>
internal sealed class BulkOrderTests
{
    [Test]
    public void Rows_are_sorted_by_their_clustered_key_numbers_by_value_and_texts_by_their_bytes()
    {
        var passes = new BulkRows("voucher_entries", ["part", "serial"], [[2L, 9L], [1L, 10L], [1L, 9L]]);
        Assert.That(SqlServerKeys.InKeyOrder(passes).Select(r => (r[1], r[0])), Is.EqualTo(new (object?, object?)[]
        {
            (9L, 1L), (9L, 2L), (10L, 1L),
        }));
        var keys = new BulkRows("counters", ["name", "next_value"], [["b", 1L], ["B", 1L], ["a", 1L]]);
        Assert.That(SqlServerKeys.InKeyOrder(keys).Select(r => r[0]), Is.EqualTo(new[] { "B", "a", "b" }));
    }

    [Test]
    public void Every_table_of_the_migrations_has_a_key()
    {
        foreach (var table in SqlSchema.Service.Value.Tables)
            Assert.That(SqlServerKeys.Of(table.Name), Is.EqualTo(table.PrimaryKey), table.Name);
    }
}

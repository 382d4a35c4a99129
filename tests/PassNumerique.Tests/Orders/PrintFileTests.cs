using System.Net.Http.Headers;
using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

/// <summary>A transfer that broke off goes on at its byte, for a day, until the file left whole once.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PrintFileTests(string engine)
{
    private const long Booklets = 8_000; // 80,000 passes: some megabytes, more than lies in buffers on the way.
    private readonly LaterClock _clock = new();
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine, clock: _clock);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_joined_parts_of_a_broken_download_are_the_whole_file()
    {
        var (world, order) = await ApprovedAsync();
        var (tag, bytes) = await BreakOffAsync(world.Authority, order, 300_000);
        await InterruptedAsync(world, tag);
        for (var parts = 0; ; parts++)
        {
            using var answer = await GoOnAsync(world.Authority, order, bytes.Count, tag);
            Assert.That((int)answer.StatusCode, Is.EqualTo(206));
            var range = answer.Content.Headers.ContentRange!;
            Assert.That(range.From, Is.EqualTo(bytes.Count));
            if (parts == 3)
            {
                bytes.AddRange(await answer.Content.ReadAsByteArrayAsync());
                Assert.That(bytes, Has.Count.EqualTo(range.Length));
                break;
            }

            bytes.AddRange(await TakeAsync(answer, 250_000));
            answer.Dispose();
            await InterruptedAsync(world, tag);
        }

        await AssertWholeAsync(order, bytes);
        var job = await world.Authority.ReadAsync($"jobs/{ExportOf(tag)}");
        Assert.That((job["state"].GetString(), job["percent"].GetInt64()), Is.EqualTo(("done", 100)));
        var exports = (await world.Authority.ReadAsync($"orders/{order}/code-exports"))["items"];
        Assert.That((exports.GetArrayLength(), exports[0].GetProperty("transfers").GetInt64(),
            exports[0].GetProperty("byteCount").GetInt64()), Is.EqualTo((1, 5, bytes.Count)));
    }

    [Test]
    public async Task Of_a_file_that_left_whole_only_the_very_end_is_given_again()
    {
        var (world, order) = await ApprovedAsync(booklets: 20);
        using var whole = await world.Authority.GetAsync($"orders/{order}/vouchers.csv");
        var tag = whole.Headers.ETag!;
        var total = (await whole.Content.ReadAsByteArrayAsync()).Length;
        Assert.That(whole.Content.Headers.ContentLength, Is.EqualTo(total));
        Assert.That(whole.Headers.GetValues("X-Job").Single(), Is.EqualTo(ExportOf(tag)));
        foreach (var from in new[] { 0, 1, total - 4_097 })
        {
            using var again = await GoOnAsync(world.Authority, order, from, tag);
            var answer = await Answer.FromAsync(again);
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "print-needs-permission")), $"from {from}");
        }

        var named = await world.Authority.ReadAsync($"orders/{order}/vouchers.csv?export={ExportOf(tag)}");
        Assert.That(named.Problem, Is.EqualTo("print-needs-permission"));
        using var end = await GoOnAsync(world.Authority, order, total - 1, tag);
        Assert.That(((int)end.StatusCode, (await end.Content.ReadAsByteArrayAsync()).Single()), Is.EqualTo((206, (byte)'\n')));
        var job = await world.Authority.ReadAsync($"jobs/{ExportOf(tag)}");
        Assert.That((job["state"].GetString(), job["percent"].GetInt64()), Is.EqualTo(("done", 100)), "the job stays done");
        var exports = (await world.Authority.ReadAsync($"orders/{order}/code-exports"))["items"];
        Assert.That(exports[0].GetProperty("transfers").GetInt64(), Is.EqualTo(2), "and who took the end again is on record");
    }

    [Test]
    public async Task Who_asks_for_what_comes_after_the_last_byte_has_them_all()
    {
        var (world, order) = await ApprovedAsync();
        var (tag, bytes) = await BreakOffAsync(world.Authority, order, 100_000);
        await InterruptedAsync(world, tag);
        using var part = await GoOnAsync(world.Authority, order, bytes.Count, tag);
        var total = part.Content.Headers.ContentRange!.Length!.Value;
        part.Dispose();
        await InterruptedAsync(world, tag);
        using var beyond = await GoOnAsync(world.Authority, order, total + 1, tag);
        Assert.That(((int)beyond.StatusCode, beyond.Content.Headers.ContentRange!.ToString()), Is.EqualTo((416, $"bytes */{total}")));
        using var stillOpen = await GoOnAsync(world.Authority, order, total - 5, tag, total - 3);
        Assert.That((await stillOpen.Content.ReadAsByteArrayAsync()).Length, Is.EqualTo(3), "a range that ends before the last byte");
        using var nothing = await GoOnAsync(world.Authority, order, total, tag);
        Assert.That((await Answer.FromAsync(nothing)).Problem, Is.EqualTo("range-not-satisfiable"));
        using var closed = await GoOnAsync(world.Authority, order, 0, tag);
        Assert.That((await Answer.FromAsync(closed)).Problem, Is.EqualTo("print-needs-permission"));
    }

    [Test]
    public async Task Only_the_organisation_that_began_goes_on_and_only_for_a_day()
    {
        var (world, order) = await ApprovedAsync();
        var (tag, bytes) = await BreakOffAsync(world.Authority, order, 100_000);
        await InterruptedAsync(world, tag);
        Assert.That((await world.Operator.ReadAsync($"orders/{order}/vouchers.csv?export={ExportOf(tag)}")).Problem,
            Is.EqualTo("not-found"));
        var job = await world.Operator.ReadAsync($"jobs/{ExportOf(tag)}");
        Assert.That((job["state"].GetString(), job["link"].GetString()), Is.EqualTo((
            "interrupted", $"/api/v1/orders/{order}/code-exports/{ExportOf(tag)}/file")), "the operator sees it, and can't take it");
        Assert.That((await world.Authority.ReadAsync($"orders/{order}/vouchers.csv")).Problem,
            Is.EqualTo("print-needs-permission"), "without its tag it is another export");
        _clock.Offset += TimeSpan.FromHours(25);
        try
        {
            using var late = await GoOnAsync(world.Authority, order, bytes.Count, tag);
            Assert.That((await Answer.FromAsync(late)).Problem, Is.EqualTo("print-needs-permission"));
        }
        finally
        {
            _clock.Offset -= TimeSpan.FromHours(25);
        }
    }

    [Test]
    public async Task Another_tag_or_several_ranges_give_the_file_from_its_beginning()
    {
        var (world, order) = await ApprovedAsync();
        var (tag, bytes) = await BreakOffAsync(world.Authority, order, 50_000);
        await InterruptedAsync(world, tag);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"orders/{order}/vouchers.csv?export={ExportOf(tag)}");
        request.Headers.TryAddWithoutValidation("Range", "bytes=10-20,30-40");
        using var answer = await world.Authority.SendAsync(request);
        Assert.That((int)answer.StatusCode, Is.EqualTo(200));
        var whole = await answer.Content.ReadAsByteArrayAsync();
        Assert.That(whole.Take(bytes.Count), Is.EqualTo(bytes));
        await AssertWholeAsync(order, [.. whole]);
    }

    [Test]
    public async Task An_extension_in_between_changes_no_byte()
    {
        var (world, order) = await ApprovedAsync();
        var (tag, bytes) = await BreakOffAsync(world.Authority, order, 100_000);
        await InterruptedAsync(world, tag);
        var extended = await world.Authority.PostAsync(
            $"orders/{order}/extension", new { validUntil = ConventionWorld.Today.AddMonths(18), reason = "Livraison tardive" });
        Assert.That(extended.Status, Is.EqualTo(201), extended.ToString());
        using var rest = await GoOnAsync(world.Authority, order, bytes.Count, tag);
        Assert.That((int)rest.StatusCode, Is.EqualTo(206), "the tag still names the same bytes");
        bytes.AddRange(await rest.Content.ReadAsByteArrayAsync());
        await AssertWholeAsync(order, bytes);
    }

    [Test]
    public async Task A_second_transfer_of_the_same_export_takes_the_place_of_the_first()
    {
        var (world, order) = await ApprovedAsync();
        using var first = await world.Authority.GetAsync($"orders/{order}/vouchers.csv", HttpCompletionOption.ResponseHeadersRead);
        var tag = first.Headers.ETag!;
        await TakeAsync(first, 1_000);
        using var second = await GoOnAsync(world.Authority, order, 1_000, tag);
        var bytes = await second.Content.ReadAsByteArrayAsync();
        Assert.That(1_000 + bytes.Length, Is.EqualTo(second.Content.Headers.ContentRange!.Length));
        var job = await world.OverAsync(ExportOf(tag));
        Assert.That(job["state"].GetString(), Is.EqualTo("done"));
    }

    private static string ExportOf(EntityTagHeaderValue tag) => tag.Tag.Trim('"').Split('.')[0];

    private async Task<(ConventionWorld World, string Order)> ApprovedAsync(long booklets = Booklets)
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 100_000_000);
        var order = await world.PlaceAsync(booklets, vouchersPerBooklet: 10);
        await world.AdvanceAsync(order.Id, through: "approval");
        return (world, order.Id);
    }

    /// <summary>Begins an export, takes so many bytes, and hangs up.</summary>
    private static async Task<(EntityTagHeaderValue Tag, List<byte> Bytes)> BreakOffAsync(HttpClient client, string order, int count)
    {
        using var answer = await client.GetAsync($"orders/{order}/vouchers.csv", HttpCompletionOption.ResponseHeadersRead);
        Assert.That((int)answer.StatusCode, Is.EqualTo(200));
        return (answer.Headers.ETag!, await TakeAsync(answer, count));
    }

    private static async Task<List<byte>> TakeAsync(HttpResponseMessage answer, int count)
    {
        var buffer = new byte[count];
        await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(buffer);
        return [.. buffer];
    }

    private static async Task<HttpResponseMessage> GoOnAsync(
        HttpClient client, string order, long from, EntityTagHeaderValue tag, long? to = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"orders/{order}/vouchers.csv");
        request.Headers.Range = new RangeHeaderValue(from, to);
        request.Headers.IfRange = new RangeConditionHeaderValue(tag);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>The service notices that nobody reads any more.</summary>
    private static async Task InterruptedAsync(ConventionWorld world, EntityTagHeaderValue tag)
    {
        for (var tries = 0; ; tries++)
        {
            var job = await world.Authority.ReadAsync($"jobs/{ExportOf(tag)}");
            if (job["state"].GetString() == "interrupted") return;
            if (tries == 600) throw new InvalidOperationException(job.ToString());
            await Task.Delay(50);
        }
    }

    /// <summary>Every serial of the order once and in order, and each line as long as the others.</summary>
    private async Task AssertWholeAsync(string order, List<byte> bytes)
    {
        var range = (await _service.QueryAsync<Serials>(
            "SELECT first_serial AS First, last_serial AS Last FROM orders WHERE id = @Id", new { Id = order })).Single();
        var lines = System.Text.Encoding.UTF8.GetString([.. bytes]).Split("\r\n");
        Assert.That(lines[1..^1].Select(l => long.Parse(l.Split(',')[0])),
            Is.EqualTo(Enumerable.Range(0, (int)(range.Last - range.First + 1)).Select(i => range.First + i)));
        Assert.That(lines[1..^1].Select(l => l.Split(',')[4]).Distinct().Count(), Is.EqualTo(lines.Length - 2));
    }

    private sealed record Serials(long First, long Last);

    /// <summary>The clock of the machine, as much later as a test says.</summary>
    private sealed class LaterClock : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Offset;
    }
}

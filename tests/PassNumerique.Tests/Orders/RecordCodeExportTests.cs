using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Orders;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class RecordCodeExportTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_sheet_has_one_true_code_for_every_pass()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.Authority.PostAsync("orders", new
        {
            conventionId = world.ConventionId,
            booklets = 3,
            vouchersPerBooklet = 5,
            validUntil = new DateOnly(2099, 12, 31),
            distributionPoints = new[] { new { id = world.Points[0], booklets = 1 }, new { id = world.Points[1], booklets = 2 } },
        });
        await world.AdvanceAsync(order.Id, through: "approval");
        Scenario.Ok(await world.Authority.PostAsync("print-settings", new { text = "Merci, l'État", telephone = "+33 5 53 00 00 00" }));
        var sheet = await world.Authority.ReadAsync($"orders/{order.Id}/vouchers.csv");
        Assert.That((sheet.Status, sheet.ContentType), Is.EqualTo((200, "text/csv")), sheet.Body);
        Assert.That(sheet.Headers.CacheControl!.NoStore, Is.True);

        var lines = sheet.Body.Split("\r\n");
        Assert.That((lines[0], lines[^1], lines.Length), Is.EqualTo((
            "serial,booklet,position,code,qr,face_value_cents,minutes,valid_until,authority,text,telephone,point", "", 17)));
        var rows = lines[1..^1].Select(l => l.Split(',', 9)).ToList();
        var first = order["firstSerial"].GetInt64();
        Assert.That(rows.Select(r => long.Parse(r[0])), Is.EqualTo(Enumerable.Range(0, 15).Select(i => first + i)));
        Assert.That(rows.Select(r => long.Parse(r[1])), Is.EqualTo(Enumerable.Range(0, 15).Select(i => first + (i / 5 * 5))));
        Assert.That(rows.Select(r => long.Parse(r[2])), Is.EqualTo(Enumerable.Range(0, 15).Select(i => (i % 5) + 1L)));
        Assert.That(rows.Select(r => string.Join(',', r[5..8])), Is.All.EqualTo("1000,60,2099-12-31"));
        var name = lines[1].Split(',')[8];
        Assert.That(rows.Select(r => r[8]).Distinct(), Is.EqualTo(new[]
        {
            $"{name},\"Merci, l'État\",+33 5 53 00 00 00,Mairie", $"{name},\"Merci, l'État\",+33 5 53 00 00 00,\"'=1+1, CCAS \"\"Sud\"\"\"",
        }));
        await AssertCodesAsync(order.Id, rows);
    }

    [Test]
    public async Task A_large_sheet_has_no_code_twice()
    {
        var (world, order) = await ApprovedAsync(booklets: 4_001);
        var sheet = await world.Operator.ReadAsync($"orders/{order.Id}/vouchers.csv");
        var rows = sheet.Body.Split("\r\n")[1..^1].Select(l => l.Split(',', 9)).ToList();
        Assert.That(rows, Has.Count.EqualTo(40_010));
        Assert.That(rows.Select(r => r[4]).Distinct().Count(), Is.EqualTo(40_010));
        await AssertCodesAsync(order.Id, rows);
    }

    /// <summary>It rests between its rows where commands come meanwhile, and leaves none out.</summary>
    [Test]
    public async Task A_sheet_beside_commands_is_the_same_sheet()
    {
        var (world, order) = await ApprovedAsync(booklets: 2_000);
        var alone = await world.Operator.ReadAsync($"orders/{order.Id}/vouchers.csv");
        using var done = new CancellationTokenSource();
        var commands = Task.Run(async () =>
        {
            var count = 0;
            for (; !done.IsCancellationRequested; count++) await world.PlaceAsync();
            return count;
        });
        await world.AllowReprintAsync(order.Id);
        var beside = await world.Operator.ReadAsync($"orders/{order.Id}/vouchers.csv");
        await done.CancelAsync();
        Assert.That(await commands, Is.Positive);
        Assert.That(beside.Body, Is.EqualTo(alone.Body));
    }

    [TestCase(1, 0, 0)]
    [TestCase(1, 1, 9)]
    [TestCase(2, 300, 18)]
    [TestCase(500, 1, 20)]
    public void It_rests_nine_times_as_long_as_it_worked_where_commands_came(int workedMs, long commands, int restMs) =>
        Assert.That(Courtesy.RestAfter(TimeSpan.FromMilliseconds(workedMs), commands),
            Is.EqualTo(TimeSpan.FromMilliseconds(restMs)));

    [Test]
    public async Task Who_took_the_codes_is_on_record()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.AdvanceAsync(order.Id, through: "approval");
        await world.Authority.ReadAsync($"orders/{order.Id}/vouchers.csv");
        await world.AllowReprintAsync(order.Id);
        await world.Operator.ReadAsync($"orders/{order.Id}/vouchers.csv");
        var exports = await _service.QueryAsync<Export>(
            """
            SELECT e.voucher_count AS VoucherCount, k.role AS Role
              FROM code_exports e JOIN api_keys k ON k.id = e.actor_id
             WHERE e.order_id = @Id
             ORDER BY e.id
            """, new { order.Id });
        Assert.That(exports, Is.EqualTo(new[] { new Export(10, "authority"), new Export(10, "operator") }));
    }

    [Test]
    public async Task Codes_leave_between_approval_and_activation_only()
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = await world.PlaceAsync();
        await world.ReceiveAsync(10_000);
        await AssertRefusedAsync(world, order.Id, "approuvée");
        await world.AdvanceAsync(order.Id);
        Assert.That((await world.Authority.ReadAsync($"orders/{order.Id}/vouchers.csv")).Status, Is.EqualTo(200));
        await world.Operator.PostAsync($"orders/{order.Id}/activation", new { });
        await AssertRefusedAsync(world, order.Id, "activée");
        var cancelled = await world.PlaceAsync();
        await world.AdvanceAsync(cancelled.Id, through: "approval");
        await world.Authority.PostAsync($"orders/{cancelled.Id}/cancellation", new { });
        await AssertRefusedAsync(world, cancelled.Id, "annulée");
    }

    [Test]
    public async Task Codes_are_for_the_orderer_and_the_operator()
    {
        var (world, other) = (await ConventionWorld.CreateAsync(_service), await ConventionWorld.CreateAsync(_service));
        var order = await world.PlaceAsync();
        await world.AdvanceAsync(order.Id, through: "approval");
        var path = $"orders/{order.Id}/vouchers.csv";
        Assert.That((await other.Authority.ReadAsync(path)).Problem, Is.EqualTo("not-found"));
        Assert.That((await (await world.ClientOfNewAsync("state")).ReadAsync(path)).Status, Is.EqualTo(403));
        Assert.That((await _service.Client().ReadAsync(path)).Status, Is.EqualTo(401));
        Assert.That((await world.Operator.ReadAsync("orders/x/vouchers.csv")).Problem, Is.EqualTo("not-found"));
    }

    private async Task<(ConventionWorld World, Answer Order)> ApprovedAsync(long booklets)
    {
        var world = await ConventionWorld.CreateAsync(_service, body => body["budgetCents"] = 100_000_000);
        var order = await world.PlaceAsync(booklets: booklets, vouchersPerBooklet: 10);
        await world.AdvanceAsync(order.Id, through: "approval");
        return (world, order);
    }

    private static async Task AssertRefusedAsync(ConventionWorld world, string orderId, string reason)
    {
        var answer = await world.Authority.ReadAsync($"orders/{orderId}/vouchers.csv");
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "codes-not-available")));
        Assert.That(answer["detail"].GetString(), Does.Contain(reason));
    }

    private async Task AssertCodesAsync(string orderId, IEnumerable<string[]> rows)
    {
        var salt = (await _service.QueryAsync<byte[]>("SELECT salt FROM orders WHERE id = @Id", new { Id = orderId }))[0];
        var keys = _service.Services.GetRequiredService<KeyRing>();
        foreach (var row in rows)
        {
            var reads = VoucherCode.TryRead(row[3], out var code, out _);
            if (!reads || code.Grouped != row[3] || code.Text != row[4] || code.Serial != long.Parse(row[0])
                || !code.Matches(keys.Derive(code.Version, KeyLabel.Code), salt))
                Assert.Fail($"The code of serial {row[0]} is not the order's.");
        }
    }

    private sealed record Export(long VoucherCount, string Role);
}

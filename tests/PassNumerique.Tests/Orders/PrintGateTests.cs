using NUnit.Framework;

namespace PassNumerique.Tests.Orders;

/// <summary>Codes leave once freely; then two people have to want it, each time anew.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class PrintGateTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_second_print_needs_a_permission_whoever_asks()
    {
        var (world, order) = await ApprovedAsync();
        Assert.That((await PrintAsync(world.Authority, order)).Status, Is.EqualTo(200));
        foreach (var client in new[] { world.Authority, world.Operator })
        {
            var again = await PrintAsync(client, order);
            Assert.That((again.Status, again.Problem), Is.EqualTo((409, "print-needs-permission")), again.ToString());
            Assert.That(again["detail"].GetString(), Does.Contain("réimpression").And.Contain("seconde personne"));
        }
    }

    [Test]
    public async Task A_link_of_another_site_takes_no_codes()
    {
        var (world, order) = await ApprovedAsync();
        using var lured = new HttpRequestMessage(HttpMethod.Get, $"orders/{order}/vouchers.csv");
        lured.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var answer = await world.Authority.SendAsync(lured);
        Assert.That((int)answer.StatusCode, Is.EqualTo(403));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("link-from-elsewhere"));
        Assert.That((await PrintAsync(world.Authority, order)).Status, Is.EqualTo(200), "the free export is still there");
    }

    [Test]
    public async Task Of_many_who_print_at_the_same_moment_one_gets_the_codes()
    {
        var (world, order) = await ApprovedAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
            PrintAsync(i % 2 == 0 ? world.Authority : world.Operator, order)));
        Assert.That(answers.Count(a => a.Status == 200), Is.EqualTo(1));
        Assert.That(answers.Where(a => a.Status != 200).Select(a => a.Problem), Is.All.EqualTo("print-needs-permission"));
    }

    [Test]
    public async Task Each_point_has_its_part_and_what_is_out_is_out_of_the_whole_too()
    {
        var (world, order) = await ApprovedAsync(twoPoints: true);
        var first = await PrintAsync(world.Authority, order, $"?point={world.Points[0]}");
        var rows = first.Body.Split("\r\n")[1..^1];
        Assert.That(rows, Has.Length.EqualTo(10));
        Assert.That(rows, Is.All.EndsWith(",Mairie"));
        Assert.That((await PrintAsync(world.Authority, order)).Problem, Is.EqualTo("print-needs-permission"));
        Assert.That((await PrintAsync(world.Authority, order, $"?point={world.Points[0]}")).Problem,
            Is.EqualTo("print-needs-permission"));
        var second = await PrintAsync(world.Operator, order, $"?point={world.Points[1]}");
        Assert.That((second.Status, second.Body.Split("\r\n").Length), Is.EqualTo((200, 7)));
    }

    [Test]
    public async Task A_point_without_booklets_of_the_order_is_unknown()
    {
        var (world, order) = await ApprovedAsync();
        Assert.That((await PrintAsync(world.Authority, order, $"?point={world.Points[1]}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await PrintAsync(world.Authority, order, "?point=x")).Status, Is.EqualTo(400));
        Assert.That((await PrintAsync(world.Authority, order, $"?export={Guid.NewGuid()}")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task A_permission_is_asked_for_by_one_confirmed_by_another_and_good_for_one_export()
    {
        var (world, order) = await ApprovedAsync();
        await PrintAsync(world.Authority, order);
        var asked = await world.Operator.PostAsync($"orders/{order}/reprints", new { reason = "Palette perdue", kind = "csv" });
        Assert.That((asked.Status, asked["reason"].GetString()), Is.EqualTo((201, "Palette perdue")), asked.ToString());
        Assert.That(asked.Headers.Location!.ToString(), Is.EqualTo($"/api/v1/orders/{order}/reprints/{asked.Id}"));
        Assert.That((await PrintAsync(world.Operator, order)).Problem, Is.EqualTo("print-needs-permission"), "nobody confirmed");
        var path = $"orders/{order}/reprints/{asked.Id}/confirmation";
        var alone = await world.Operator.PostAsync(path, new { });
        Assert.That((alone.Status, alone.Problem), Is.EqualTo((409, "second-person-needed")));
        Assert.That(await MayConfirmAsync(world.Operator), Is.False, "he asked for it");
        Assert.That(await MayConfirmAsync(world.Authority), Is.True);
        Assert.That((await world.Authority.PostAsync(path, new { })).Status, Is.EqualTo(201));
        Assert.That(await MayConfirmAsync(world.SecondOperator), Is.False, "it is confirmed");
        var twice = await world.SecondOperator.PostAsync(path, new { });
        Assert.That((twice.Status, twice.Problem), Is.EqualTo((409, "reprint-already-confirmed")));

        Assert.That((await PrintAsync(world.Authority, order)).Problem, Is.EqualTo("print-needs-permission"),
            "it is for the organisation that asked");
        Assert.That((await PrintAsync(world.Operator, order)).Status, Is.EqualTo(200));
        Assert.That((await PrintAsync(world.Operator, order)).Problem, Is.EqualTo("print-needs-permission"), "used");
        var read = await world.Authority.ReadAsync($"orders/{order}/reprints/{asked.Id}");
        Assert.That(read["exportId"].GetString(), Is.Not.Null);
        var exports = (await world.Authority.ReadAsync($"orders/{order}/code-exports"))["items"].EnumerateArray().ToList();
        Assert.That(exports.Select(e => e.GetProperty("reprintId").GetString()), Is.EqualTo(new[] { null, asked.Id }));
        Assert.That(exports.Select(e => e.GetProperty("completedAt").GetString()), Has.None.Null);

        async Task<bool> MayConfirmAsync(HttpClient reader) =>
            (await reader.ReadAsync($"orders/{order}/reprints/{asked.Id}"))["mayConfirm"].GetBoolean();
    }

    [Test]
    public async Task Of_two_who_use_a_permission_at_the_same_moment_one_gets_the_codes()
    {
        var (world, order) = await ApprovedAsync();
        await PrintAsync(world.Authority, order);
        await world.AllowReprintAsync(order);
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => PrintAsync(world.Operator, order)));
        Assert.That(answers.Count(a => a.Status == 200), Is.EqualTo(1));
    }

    [Test]
    public async Task A_permission_for_one_point_does_not_open_another()
    {
        var (world, order) = await ApprovedAsync(twoPoints: true);
        await PrintAsync(world.Authority, order);
        await world.AllowReprintAsync(order, new { reason = "Carton perdu", pointId = world.Points[1] });
        Assert.That((await PrintAsync(world.Operator, order)).Problem, Is.EqualTo("print-needs-permission"));
        Assert.That((await PrintAsync(world.Operator, order, $"?point={world.Points[0]}")).Problem,
            Is.EqualTo("print-needs-permission"));
        Assert.That((await PrintAsync(world.Operator, order, $"?point={world.Points[1]}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task After_activation_codes_leave_by_permission_only()
    {
        var (world, order) = await ApprovedAsync();
        await world.ReceiveAsync(100_000);
        foreach (var step in new[] { "production", "shipment", "delivery", "activation" })
        {
            if (step == "production") await world.Authority.PostAsync($"orders/{order}/proof-approval", new { });
            Assert.That((await world.Operator.PostAsync($"orders/{order}/{step}", new { })).Status, Is.EqualTo(201), step);
        }

        Assert.That((await PrintAsync(world.Operator, order)).Problem, Is.EqualTo("codes-not-available"));
        await world.AllowReprintAsync(order);
        Assert.That((await PrintAsync(world.Operator, order)).Status, Is.EqualTo(200));
        Assert.That((await PrintAsync(world.Operator, order)).Problem, Is.EqualTo("codes-not-available"));
    }

    [Test]
    public async Task A_permission_is_asked_for_once_and_only_where_one_is_needed()
    {
        var (world, order) = await ApprovedAsync();
        Assert.That((await AskAsync(world, order)).Problem, Is.EqualTo("reprint-not-needed"));
        await PrintAsync(world.Authority, order);
        Assert.That((await AskAsync(world, order)).Status, Is.EqualTo(201));
        Assert.That((await AskAsync(world, order)).Problem, Is.EqualTo("reprint-already-requested"));
        var fresh = await world.PlaceAsync();
        Assert.That((await AskAsync(world, fresh.Id)).Problem, Is.EqualTo("codes-not-available"));
        var elsewhere = await world.Operator.PostAsync(
            $"orders/{order}/reprints", new { reason = "x", pointId = world.Points[1] });
        Assert.That((elsewhere.Status, elsewhere.Problem), Is.EqualTo((404, "point-unknown")));
    }

    [Test]
    public async Task Each_mistake_of_a_request_is_named_and_others_see_none_of_it()
    {
        var (world, order) = await ApprovedAsync();
        await PrintAsync(world.Authority, order);
        var wrong = await world.Operator.PostAsync($"orders/{order}/reprints", new { reason = " ", kind = "gif", pointId = "x" });
        Assert.That(wrong["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { "reason", "kind", "pointId" }));
        var other = await ConventionWorld.CreateAsync(_service);
        Assert.That((await other.Authority.PostAsync($"orders/{order}/reprints", new { reason = "x" })).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority.ReadAsync($"orders/{order}/code-exports")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority.ReadAsync($"orders/{order}/reprints")).Problem, Is.EqualTo("not-found"));
        var asked = await AskAsync(world, order);
        Assert.That((await other.Authority.PostAsync($"orders/{order}/reprints/{asked.Id}/confirmation", new { })).Problem,
            Is.EqualTo("not-found"));
        Assert.That((await world.Authority.PostAsync($"orders/{order}/reprints/{Guid.NewGuid()}/confirmation", new { })).Problem,
            Is.EqualTo("not-found"));
    }

    private async Task<(ConventionWorld World, string Order)> ApprovedAsync(bool twoPoints = false)
    {
        var world = await ConventionWorld.CreateAsync(_service);
        var order = twoPoints
            ? await world.Authority.PostAsync("orders", new
            {
                conventionId = world.ConventionId,
                booklets = 3,
                vouchersPerBooklet = 5,
                validUntil = ConventionWorld.Today.AddYears(1),
                distributionPoints = new[] { new { id = world.Points[0], booklets = 2 }, new { id = world.Points[1], booklets = 1 } },
            })
            : await world.PlaceAsync();
        await world.AdvanceAsync(order.Id, through: "approval");
        return (world, order.Id);
    }

    private static Task<Answer> PrintAsync(HttpClient client, string order, string query = "") =>
        client.ReadAsync($"orders/{order}/vouchers.csv{query}");

    private static Task<Answer> AskAsync(ConventionWorld world, string order) =>
        world.Operator.PostAsync($"orders/{order}/reprints", new { reason = "Palette perdue" });
}

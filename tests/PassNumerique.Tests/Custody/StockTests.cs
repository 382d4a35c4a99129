using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Custody;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Custody;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class StockTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    /// <summary>Ten booklets of five passes of 10 €: three were sent away, of which one is still on its way.</summary>
    private async Task<(Scenario Scenario, HttpClient Receiver, Answer Transfer)> MovedAsync()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 10);
        var receiver = await TransferTests.ReceiverAsync(scenario);
        var first = scenario.FirstSerial;
        var sent = Scenario.Ok(await scenario.Agent().PostAsync("transfers", new
        {
            fromPointId = scenario.PointId,
            toPointId = scenario.OtherPointId,
            ranges = new[] { new { first = first + 10, last = first + 20 } },
        }));
        Scenario.Ok(await receiver.PostAsync($"transfers/{sent.Id}/confirmation",
            new { bookletNumbers = new[] { first + 10, first + 15 }, explanation = "un carnet manque" }));
        return (scenario, receiver, sent);
    }

    private static JsonElement Of(Answer stock, string pointId) => stock["items"].EnumerateArray()
        .Single(p => p.GetProperty("distributionPointId").GetString() == pointId);

    [Test]
    public async Task Every_booklet_lies_at_one_point_or_is_on_its_way()
    {
        var (scenario, receiver, _) = await MovedAsync();
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial)));
        Scenario.Ok(await receiver.PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial + 10)));
        var stock = await scenario.Authority().ReadAsync("stock");
        var (from, to) = (Of(stock, scenario.PointId), Of(stock, scenario.OtherPointId));
        Assert.That((from.GetProperty("booklets").GetInt64(), from.GetProperty("leavingBooklets").GetInt64()),
            Is.EqualTo((6L, 1L)), stock.ToString());
        Assert.That((to.GetProperty("booklets").GetInt64(), to.GetProperty("passes").GetInt64(),
            to.GetProperty("valueCents").GetInt64(), to.GetProperty("comingBooklets").GetInt64(),
            to.GetProperty("handedOutBooklets").GetInt64()), Is.EqualTo((1L, 5L, 5_000L, 1L, 1L)), stock.ToString());
        Assert.That(from.GetProperty("ages").EnumerateArray().Sum(a => a.GetProperty("booklets").GetInt64()), Is.EqualTo(6));

        var point = await scenario.Agent().ReadAsync($"distribution-points/{scenario.PointId}/stock");
        var lot = point["lots"][0];
        Assert.That((lot.GetProperty("received").GetInt64(), lot.GetProperty("handedOut").GetInt64(),
            lot.GetProperty("sent").GetInt64(), lot.GetProperty("left").GetInt64()), Is.EqualTo((10L, 1L, 3L, 6L)), point.ToString());
        var other = await receiver.ReadAsync($"distribution-points/{scenario.OtherPointId}/stock");
        var arrived = other["lots"].EnumerateArray().Single();
        Assert.That((arrived.GetProperty("received").GetInt64(), arrived.GetProperty("handedOut").GetInt64(),
            arrived.GetProperty("left").GetInt64(), arrived.GetProperty("transferredOn").GetString()),
            Is.EqualTo((2L, 1L, 1L, Clock.DateText(Scenario.Today.ToDay()))), other.ToString());
        var order = await scenario.Authority().ReadAsync($"orders/{scenario.OrderId}");
        Assert.That((order["stockBooklets"].GetInt64(), order["lots"][0].GetProperty("movedBooklets").GetInt64()),
            Is.EqualTo((8L, 2L)), order.ToString());
    }

    [Test]
    public async Task A_booklet_that_came_back_is_in_its_own_lot_again()
    {
        var (scenario, receiver, _) = await MovedAsync();
        var back = Scenario.Ok(await receiver.PostAsync("transfers", new
        {
            fromPointId = scenario.OtherPointId,
            toPointId = scenario.PointId,
            bookletNumbers = new[] { scenario.FirstSerial + 10 },
        }));
        Scenario.Ok(await scenario.Agent().PostAsync($"transfers/{back.Id}/confirmation", new { }));
        var stock = await scenario.Authority().ReadAsync("stock");
        Assert.That((Of(stock, scenario.PointId).GetProperty("booklets").GetInt64(),
            Of(stock, scenario.OtherPointId).GetProperty("booklets").GetInt64()), Is.EqualTo((8L, 1L)), stock.ToString());
    }

    [Test]
    public async Task Each_reads_the_stock_that_is_his()
    {
        var (scenario, receiver, _) = await MovedAsync();
        var own = await receiver.ReadAsync("stock");
        Assert.That(own["items"].EnumerateArray().Select(p => p.GetProperty("distributionPointId").GetString()),
            Is.EqualTo(new[] { scenario.OtherPointId }));
        Assert.That((await _service.Operator().ReadAsync("stock")).Status, Is.EqualTo(400));
        var asked = await _service.Operator().ReadAsync($"stock?authorityId={scenario.AuthorityId}&limit=1");
        Assert.That(asked["items"].GetArrayLength(), Is.EqualTo(1));
        var rest = await _service.Operator().ReadAsync(
            $"stock?authorityId={scenario.AuthorityId}&after={asked["next"].GetString()}");
        Assert.That(rest["items"].GetArrayLength(), Is.EqualTo(1));
        Assert.That((await scenario.Site().ReadAsync("stock")).Status, Is.EqualTo(403));
        var foreign = await Scenario.CreateAsync(_service, booklets: 0);
        Assert.That((await foreign.Agent().ReadAsync($"distribution-points/{scenario.PointId}/stock")).Problem,
            Is.EqualTo("not-found"));
    }

    [Test]
    public async Task The_report_of_the_convention_counts_stock_where_it_lies()
    {
        var (scenario, receiver, _) = await MovedAsync();
        Scenario.Ok(await receiver.PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial + 10)));
        var report = await scenario.Authority().ReadAsync($"reports/conventions/{scenario.ConventionId}");
        var points = report["points"].EnumerateArray().ToDictionary(p => p.GetProperty("id").GetString()!);
        var (from, to) = (points[scenario.PointId], points[scenario.OtherPointId]);
        Assert.That((from.GetProperty("allocatedBooklets").GetInt64(), from.GetProperty("stockBooklets").GetInt64()),
            Is.EqualTo((10L, 7L)), report.ToString());
        Assert.That((to.GetProperty("allocatedBooklets").GetInt64(), to.GetProperty("stockBooklets").GetInt64(),
            to.GetProperty("handedOutBooklets").GetInt64()), Is.EqualTo((0L, 1L, 1L)));
    }

    [Test]
    public async Task A_count_that_differs_waits_for_an_explanation()
    {
        var (scenario, receiver, _) = await MovedAsync();
        var body = new { pointId = scenario.PointId, on = Scenario.Today, counted = 6L };
        var differs = await scenario.Agent().PostAsync("inventories", body);
        Assert.That((differs.Status, differs.Problem), Is.EqualTo((409, "inventory-differs")), differs.ToString());
        Assert.That((differs["expectedBooklets"].GetInt64(), differs["countedBooklets"].GetInt64()), Is.EqualTo((7L, 6L)));
        var explained = Scenario.Ok(await scenario.Agent().PostAsync("inventories",
            new { body.pointId, body.on, body.counted, explanation = "un carnet perdu, bloqué" }));
        Assert.That(explained["difference"].GetInt64(), Is.EqualTo(-1));
        var right = Scenario.Ok(await receiver.PostAsync("inventories",
            new { pointId = scenario.OtherPointId, on = Scenario.Today, counted = 2 }));
        Assert.That(right["explanation"].ValueKind, Is.EqualTo(JsonValueKind.Null));
        var list = await scenario.Authority().ReadAsync($"inventories?pointId={scenario.PointId}");
        Assert.That(list["items"].EnumerateArray().Single().GetProperty("explanation").GetString(),
            Is.EqualTo("un carnet perdu, bloqué"));
    }

    [Test]
    public async Task Counted_by_number_the_missing_and_the_surplus_are_named()
    {
        var (scenario, _, _) = await MovedAsync();
        var first = scenario.FirstSerial;
        var body = new
        {
            pointId = scenario.PointId,
            on = Scenario.Today,
            ranges = new[] { new { first = first + 5, last = first + 10 }, new { first = first + 25, last = first + 45 } },
        };
        var differs = await scenario.Agent().PostAsync("inventories", body);
        Assert.That((differs.Status, differs["missing"].GetInt64(), differs["surplus"].GetInt64()),
            Is.EqualTo((409, 1L, 1L)), differs.ToString());
        Assert.That((differs["missingBookletNumbers"][0].GetInt64(), differs["surplusBookletNumbers"][0].GetInt64()),
            Is.EqualTo((first, first + 10)));
        var stored = Scenario.Ok(await scenario.Agent().PostAsync("inventories",
            new { body.pointId, body.on, body.ranges, explanation = "échangés au comptage" }));
        var read = await scenario.Agent().ReadAsync($"inventories/{stored.Id}");
        Assert.That((read["missingBookletNumbers"][0].GetInt64(), read["surplusBookletNumbers"][0].GetInt64(),
            read["inventory"].GetProperty("byNumber").GetBoolean()), Is.EqualTo((first, first + 10, true)), read.ToString());
        var foreign = await Scenario.CreateAsync(_service, booklets: 0);
        Assert.That((await foreign.Authority().ReadAsync($"inventories/{stored.Id}")).Problem, Is.EqualTo("not-found"));
    }

    [Test]
    public async Task An_inventory_has_its_shape_and_its_day()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 1);
        var both = await scenario.Agent().PostAsync("inventories",
            new { pointId = "x", on = Scenario.Today, counted = 1, bookletNumbers = new[] { scenario.FirstSerial } });
        Assert.That(both["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { "pointId", "counted" }));
        var late = await scenario.Agent().PostAsync("inventories",
            new { pointId = scenario.PointId, on = Scenario.Today.AddDays(-8), counted = 1 });
        Assert.That((late.Status, late.Problem), Is.EqualTo((409, "inventory-date-out-of-range")));
        var theirs = await scenario.Agent().PostAsync("inventories",
            new { pointId = scenario.OtherPointId, on = Scenario.Today, counted = 0 });
        Assert.That((theirs.Status, theirs.Problem), Is.EqualTo((404, "point-unknown")));
        var empty = await scenario.Authority().PostAsync("inventories",
            new { pointId = scenario.OtherPointId, on = Scenario.Today, bookletNumbers = Array.Empty<long>() });
        Assert.That((empty.Status, empty["countedBooklets"].GetInt64()), Is.EqualTo((201, 0L)), empty.ToString());
    }

    [Test]
    public async Task Points_with_sleeping_stock_are_to_be_reminded()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 4, validUntil: Scenario.Today.AddDays(200));
        Assert.That((await scenario.Authority().ReadAsync("reminders"))["items"].GetArrayLength(), Is.Zero);
        var all = await scenario.Authority().ReadAsync("reminders?days=0");
        var item = all["items"].EnumerateArray().Single();
        Assert.That((item.GetProperty("booklets").GetInt64(), item.GetProperty("passes").GetInt64(),
            item.GetProperty("valueCents").GetInt64(), item.GetProperty("lastHandOutOn").ValueKind),
            Is.EqualTo((4L, 20L, 20_000L, JsonValueKind.Null)), all.ToString());
        Assert.That((await scenario.Authority().ReadAsync("reminders?days=x")).Status, Is.EqualTo(400));
        Assert.That((await _service.Operator().ReadAsync("reminders")).Status, Is.EqualTo(400));
        Assert.That((await scenario.Site().ReadAsync("reminders.csv")).Status, Is.EqualTo(403));
        var csv = await scenario.Agent().ReadAsync("reminders.csv?days=0");
        var lines = csv.Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.That((csv.ContentType, lines.Length, lines[0] + "\r\n"), Is.EqualTo(("text/csv", 2, ListReminders.Header)));
        Assert.That(lines[1], Does.StartWith("CCAS d'essai,CCAS,1 rue de l'Essai,Reims,4,20,200.00,0,0,"));
    }

    [Test]
    public async Task Stock_near_its_end_is_told_though_it_moves()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 2, validUntil: Scenario.Today.AddDays(10));
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial)));
        var item = (await scenario.Agent().ReadAsync("reminders"))["items"].EnumerateArray().Single();
        Assert.That((item.GetProperty("booklets").GetInt64(), item.GetProperty("idleDays").GetInt64()), Is.EqualTo((1L, 0L)));
        Assert.That(item.GetProperty("sentence").GetString(), Does.StartWith("Il vous reste 1 carnet, soit 5 pass"));
    }

    [Test]
    public async Task Several_booklets_are_given_back_and_each_is_answered()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 4);
        var first = scenario.FirstSerial;
        Scenario.Ok(await scenario.Agent().PostAsync("returns", new { bookletNumber = first + 5, reason = "abîmé" }));
        var answer = await scenario.Agent().PostAsync("returns/batch",
            new { reason = "fin de campagne", ranges = new[] { new { first, last = first + 15 } } });
        Assert.That((answer.Status, answer["returned"].GetInt64(), answer["refused"].GetInt64()),
            Is.EqualTo((200, 3L, 1L)), answer.ToString());
        Assert.That(answer["results"][1].GetProperty("problem").GetString(), Is.EqualTo("urn:pass-numerique:booklet-returned"));
        Assert.That((await scenario.Agent().PostAsync("returns/batch", new { reason = "", bookletNumbers = new[] { first } })).Status,
            Is.EqualTo(400));
        Assert.That((await scenario.Agent().PostAsync("returns/batch", new { reason = "x", bookletNumbers = new[] { first + 1 } })).Problem,
            Is.EqualTo("booklet-unknown"));
        Assert.That((await scenario.Site().PostAsync("returns/batch", new { reason = "x", bookletNumbers = new[] { first } })).Status,
            Is.EqualTo(403));
    }

    [Test]
    public async Task A_drawer_or_a_transfer_is_blocked_in_one_action()
    {
        var (scenario, receiver, transfer) = await MovedAsync();
        var lost = Scenario.Ok(await scenario.Authority().PostAsync("blocks", new { transferId = transfer.Id, reason = "carton perdu" }));
        Assert.That((lost["firstSerial"].GetInt64(), lost["voucherCount"].GetInt64()), Is.EqualTo((scenario.FirstSerial + 20, 5L)));
        var stolen = Scenario.Ok(await scenario.Authority().PostAsync("blocks", new { pointId = scenario.PointId, reason = "vol" }));
        Assert.That((stolen["voucherCount"].GetInt64(), stolen["blocks"].GetArrayLength()), Is.EqualTo((35L, 2)), stolen.ToString());
        Assert.That((await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial + 45))).Problem,
            Is.EqualTo("booklet-blocked"));
        Scenario.Ok(await receiver.PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial + 10)));
        var foreign = await Scenario.CreateAsync(_service, booklets: 0);
        Assert.That((await foreign.Authority().PostAsync("blocks", new { pointId = scenario.PointId, reason = "vol" })).Problem,
            Is.EqualTo("point-unknown"));
        Assert.That((await foreign.Authority().PostAsync("blocks", new { transferId = transfer.Id, reason = "vol" })).Problem,
            Is.EqualTo("transfer-unknown"));
        Assert.That((await foreign.Authority().PostAsync("blocks", new { pointId = foreign.PointId, reason = "vol" })).Problem,
            Is.EqualTo("nothing-to-block"));
        var none = await scenario.Authority().PostAsync("blocks", new { reason = "vol" });
        Assert.That((none.Status, none.Body.Contains("pointId", StringComparison.Ordinal)), Is.EqualTo((400, true)), none.Body);
    }
}

/// <summary>The pure parts of stock and reminders.</summary>
internal sealed class StockRulesTests
{
    [Test]
    public void Neighbours_become_one_range_and_gaps_part_them()
    {
        var ranges = Stock.Join([new(1, 5), new(6, 5), new(16, 5), new(21, 10), new(31, 10)]);
        Assert.That(ranges, Is.EqualTo(new StockedRange[] { new(1, 5, 2), new(16, 5, 1), new(21, 10, 2) }));
        Assert.That(ranges.SelectMany(r => r.Numbers), Is.EqualTo(new[] { 1L, 6, 16, 21, 31 }));
        Assert.That(ranges[^1].LastSerial, Is.EqualTo(40));
    }

    [Test]
    public void Every_age_is_in_one_class()
    {
        const long today = 20_000;
        StockLine Aged(long days) => new("p", "o", 1, 5, 1, 0, 0, 0, 5, 1_000, today, today - days, 0, 0);
        var ages = ListStock.Ages([Aged(0), Aged(30), Aged(31), Aged(90), Aged(91), Aged(180), Aged(181), Aged(999)], today);
        Assert.That(ages.Select(a => (a.FromDays, a.ToDays, a.Booklets)), Is.EqualTo(new[]
        {
            (0L, (long?)30, 2L), (31L, 90, 2L), (91L, 180, 2L), (181L, null, 2L),
        }));
    }

    [Test]
    public void Numbers_are_read_as_people_type_them()
    {
        var (numbers, ranges) = (new List<long>(), new List<BookletRange>());
        Assert.That(BookletNumbers.Read("12, 17\n101-156 ; 201–206", numbers, ranges), Is.Null);
        Assert.That(numbers, Is.EqualTo(new[] { 12L, 17 }));
        Assert.That(ranges, Is.EqualTo(new BookletRange[] { new(101, 156), new(201, 206) }));
        Assert.That(BookletNumbers.Read("12 treize", [], []), Is.EqualTo("treize"));
        Assert.That(BookletNumbers.Read("1-2-3", [], []), Is.EqualTo("1-2-3"));
    }

    [Test]
    public void The_sentence_says_what_is_left_and_what_to_do()
    {
        const long today = 20_000;
        var text = ListReminders.Sentence(1, 5, 5_000, null, 45, today + 20, today);
        Assert.That(text, Is.EqualTo(
            "Il vous reste 1 carnet, soit 5 pass d'une valeur de 50,00\u00A0€. Vous n'avez encore remis aucun carnet. Le plus "
            + "ancien est livré depuis 45 jours. Les premiers ne pourront plus être remis après le 24\u00A0octobre\u00A02024. "
            + "Si vous ne pensez pas les remettre, proposez-les à un autre point par un transfert."));
        Assert.That(ListReminders.Sentence(2, 10, 10_000, today - 1, 45, today - 1, today),
            Does.Contain("il y a 1 jour.").And.Contain("ne sont plus valables depuis le"));
    }
}

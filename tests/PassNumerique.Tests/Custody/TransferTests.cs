using NUnit.Framework;

namespace PassNumerique.Tests.Custody;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class TransferTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private HttpClient _receiver = null!;
    private long _first;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 60);
        _receiver = await ReceiverAsync(_scenario);
        _first = _scenario.FirstSerial; // A later order of the scenario takes its place there.
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    internal static async Task<HttpClient> ReceiverAsync(Scenario scenario) => scenario.Service.Client(
        Scenario.Ok(await scenario.Service.Operator().PostAsync("api-keys", new
        {
            organisationId = scenario.AuthorityId,
            role = "agent",
            label = "arrivée",
            placeId = scenario.OtherPointId,
        }))["apiKey"].GetString());

    private long NextBooklet() => _first + (5 * _next++);

    private Task<Answer> SendAsync(params long[] booklets) => _scenario.Agent().PostAsync("transfers", new
    {
        fromPointId = _scenario.PointId,
        toPointId = _scenario.OtherPointId,
        bookletNumbers = booklets,
        comment = "navette",
    });

    [Test]
    public async Task On_its_way_a_booklet_is_nobodys_and_then_only_the_receivers()
    {
        var booklet = NextBooklet();
        var sent = await SendAsync(booklet);
        Assert.That((sent.Status, sent["bookletCount"].GetInt64(), sent["state"].GetString()),
            Is.EqualTo((201, 1L, "in-transit")), sent.ToString());
        foreach (var client in new[] { _scenario.Agent(), _receiver })
        {
            var early = await client.PostAsync("hand-outs", Scenario.HandOut(booklet));
            Assert.That((early.Status, early.Problem), Is.EqualTo((409, "booklet-in-transit")), early.ToString());
        }

        var given = await _scenario.Agent().PostAsync("returns", new { bookletNumber = booklet, reason = "abîmé" });
        Assert.That(given.Problem, Is.EqualTo("booklet-in-transit"));
        var confirmed = await _receiver.PostAsync($"transfers/{sent.Id}/confirmation", new { });
        Assert.That((confirmed.Status, confirmed["state"].GetString(), confirmed["missing"].GetArrayLength()),
            Is.EqualTo((201, "received", 0)), confirmed.ToString());
        var before = await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet));
        Assert.That(before.Problem, Is.EqualTo("booklet-of-another-point"), before.ToString());
        Scenario.Ok(await _receiver.PostAsync("hand-outs", Scenario.HandOut(booklet)));
        var again = await _receiver.PostAsync($"transfers/{sent.Id}/confirmation", new { });
        Assert.That((again.Status, again.Problem), Is.EqualTo((409, "transfer-already-received")));
    }

    [Test]
    public async Task What_is_missing_stays_on_its_way_and_is_explained()
    {
        var (one, two, three) = (NextBooklet(), NextBooklet(), NextBooklet());
        var sent = Scenario.Ok(await _scenario.Agent().PostAsync("transfers", new
        {
            fromPointId = _scenario.PointId,
            toPointId = _scenario.OtherPointId,
            ranges = new[] { new { first = one, last = three } },
        }));
        Assert.That(sent["bookletCount"].GetInt64(), Is.EqualTo(3));
        var path = $"transfers/{sent.Id}/confirmation";
        var silent = await _receiver.PostAsync(path, new { bookletNumbers = new[] { one, three } });
        Assert.That((silent.Status, silent.Problem), Is.EqualTo((409, "transfer-incomplete")), silent.ToString());
        Assert.That(silent["missingBookletNumbers"].EnumerateArray().Select(n => n.GetInt64()), Is.EqualTo(new[] { two }));
        var part = Scenario.Ok(await _receiver.PostAsync(
            path, new { bookletNumbers = new[] { one, three }, explanation = "carton ouvert" }));
        Assert.That((part["state"].GetString(), part["missing"][0].GetInt64()), Is.EqualTo(("partly-received", two)));
        Assert.That((await _receiver.PostAsync("hand-outs", Scenario.HandOut(two))).Problem, Is.EqualTo("booklet-in-transit"));
        var late = await _scenario.Agent().PostAsync($"transfers/{sent.Id}/cancellation", new { reason = "erreur" });
        Assert.That((late.Status, late.Problem), Is.EqualTo((409, "transfer-already-confirmed")));

        var read = await _receiver.ReadAsync($"transfers/{sent.Id}");
        Assert.That((read["missingBooklets"].GetInt64(), read["receipts"][0].GetProperty("explanation").GetString()),
            Is.EqualTo((1L, "carton ouvert")), read.ToString());
        Assert.That(read["booklets"].EnumerateArray().Select(b => b.GetProperty("state").GetString()),
            Is.EqualTo(new[] { "received", "in-transit", "received" }));
        var twice = await _receiver.PostAsync(path, new { bookletNumbers = new[] { one } });
        Assert.That((twice.Status, twice.Problem), Is.EqualTo((409, "booklet-not-in-transfer")), twice.ToString());
        var rest = Scenario.Ok(await _receiver.PostAsync(path, new { }));
        Assert.That((rest["receivedNow"].GetInt64(), rest["receivedBooklets"].GetInt64(), rest["state"].GetString()),
            Is.EqualTo((1L, 3L, "received")));
    }

    [Test]
    public async Task A_cancelled_transfer_leaves_the_booklets_where_they_were()
    {
        var booklet = NextBooklet();
        var sent = Scenario.Ok(await SendAsync(booklet));
        var path = $"transfers/{sent.Id}/cancellation";
        var theirs = await _receiver.PostAsync(path, new { reason = "pas reçu" });
        Assert.That((theirs.Status, theirs.Problem), Is.EqualTo((409, "transfer-not-yours-to-cancel")));
        var own = await _scenario.Agent().PostAsync($"transfers/{sent.Id}/confirmation", new { });
        Assert.That((own.Status, own.Problem), Is.EqualTo((409, "transfer-not-yours-to-confirm")));
        Assert.That((await _scenario.Agent().PostAsync(path, new { reason = "" })).Status, Is.EqualTo(400));
        var cancelled = Scenario.Ok(await _scenario.Agent().PostAsync(path, new { reason = "restés au bureau" }));
        Assert.That(cancelled["state"].GetString(), Is.EqualTo("cancelled"));
        Assert.That((await _scenario.Agent().PostAsync(path, new { reason = "encore" })).Problem, Is.EqualTo("transfer-cancelled"));
        Assert.That((await _receiver.PostAsync($"transfers/{sent.Id}/confirmation", new { })).Problem,
            Is.EqualTo("transfer-cancelled"));
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
    }

    [Test]
    public async Task Each_booklet_that_can_t_leave_is_told_and_nothing_is_half_done()
    {
        var (good, given, returned, blocked) = (NextBooklet(), NextBooklet(), NextBooklet(), NextBooklet());
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(given)));
        Scenario.Ok(await _scenario.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "abîmé" }));
        Scenario.Ok(await _scenario.Authority().PostAsync("blocks",
            new { firstSerial = blocked, lastSerial = blocked + 4, reason = "perte" }));
        var answer = await SendAsync(good, given, returned, blocked);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((409, "booklets-not-transferable")), answer.ToString());
        Assert.That(answer["booklets"].EnumerateArray().Select(b => (
            b.GetProperty("bookletNumber").GetInt64(), b.GetProperty("problem").GetString())), Is.EqualTo(new[]
        {
            (given, "urn:pass-numerique:booklet-already-handed-out"), (returned, "urn:pass-numerique:booklet-returned"),
            (blocked, "urn:pass-numerique:booklet-blocked"),
        }));
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(good)));

        var early = await _scenario.OrderAsync(1, Scenario.Today.AddMonths(5), activate: false);
        var booklet = early["firstSerial"].GetInt64();
        Assert.That((await SendAsync(booklet))["booklets"][0].GetProperty("problem").GetString(),
            Is.EqualTo("urn:pass-numerique:booklet-not-delivered"));
        await _scenario.DeliverAsync(early.Id);
        Scenario.Ok(await SendAsync(booklet));
    }

    [Test]
    public async Task Bad_lists_are_told_whole()
    {
        var first = _first;
        var unknown = await SendAsync(first + 1, 4_000_000_000, first);
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "booklet-unknown")), unknown.ToString());
        Assert.That(unknown["bookletNumbers"].EnumerateArray().Select(n => n.GetInt64()),
            Is.EqualTo(new[] { first + 1, 4_000_000_000 }));
        Assert.That((await SendAsync()).Status, Is.EqualTo(400));
        Assert.That((await SendAsync(first, first)).Body, Does.Contain("donné deux fois"));
        Assert.That((await SendAsync([.. Enumerable.Range(1, 501).Select(n => (long)n)])).Body, Does.Contain("Au plus 500"));
        var backwards = await _scenario.Agent().PostAsync("transfers", new
        {
            fromPointId = _scenario.PointId,
            toPointId = _scenario.OtherPointId,
            ranges = new[] { new { first = first + 5, last = first } },
        });
        Assert.That((backwards.Status, backwards.Body.Contains("finit avant", StringComparison.Ordinal)), Is.EqualTo((400, true)));
        var invalid = await _scenario.Agent().PostAsync("transfers", new { fromPointId = "x", toPointId = "y" });
        Assert.That(invalid["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { "fromPointId", "toPointId" }));
    }

    [Test]
    public async Task Points_are_those_of_one_collectivite_and_an_agent_sends_from_his_own()
    {
        var other = await Scenario.CreateAsync(_service, booklets: 0);
        var booklet = NextBooklet();
        async Task<string> SendToAsync(HttpClient client, string from, string to) =>
            (await client.PostAsync("transfers", new { fromPointId = from, toPointId = to, bookletNumbers = new[] { booklet } })).Problem;
        Assert.That(await SendToAsync(_scenario.Agent(), _scenario.PointId, other.PointId), Is.EqualTo("point-unknown"));
        Assert.That(await SendToAsync(other.Agent(), _scenario.PointId, _scenario.OtherPointId), Is.EqualTo("point-unknown"));
        Assert.That(await SendToAsync(_receiver, _scenario.PointId, _scenario.OtherPointId), Is.EqualTo("point-unknown"));
        Assert.That(await SendToAsync(_scenario.Agent(), _scenario.PointId, _scenario.PointId), Is.EqualTo("transfer-same-point"));
        var sent = Scenario.Ok(await SendAsync(booklet));
        Assert.That((await other.Agent().PostAsync($"transfers/{sent.Id}/confirmation", new { })).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority().ReadAsync($"transfers/{sent.Id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await other.Authority().ReadAsync("transfers"))["items"].GetArrayLength(), Is.Zero);
        var late = await _receiver.PostAsync(
            $"transfers/{sent.Id}/confirmation", new { on = Scenario.Today.AddDays(1) });
        Assert.That((late.Status, late.Problem), Is.EqualTo((409, "transfer-date-out-of-range")));
        var open = await _scenario.Authority().ReadAsync($"transfers?open=true&pointId={_scenario.OtherPointId}");
        Assert.That(open["items"].EnumerateArray().Select(t => t.GetProperty("id").GetString()), Does.Contain(sent.Id));
    }

    [Test]
    public async Task A_booklet_is_sent_or_handed_out()
    {
        for (var round = 0; round < 4; round++)
        {
            var booklet = NextBooklet();
            var (sent, given) = await PassNumerique.Tests.Platform.ConstraintRaceTests.AtOnceAsync(
                () => SendAsync(booklet), () => _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
            Assert.That(new[] { sent.Status, given.Status }.Count(s => s == 201), Is.EqualTo(1), $"{sent}\n{given}");
            if (sent.Status != 201) Assert.That(sent.Problem, Is.EqualTo("booklets-not-transferable"));
            else Assert.That(given.Problem, Is.EqualTo("booklet-in-transit"));
        }
    }

    [Test]
    public async Task A_transfer_is_received_or_cancelled()
    {
        for (var round = 0; round < 3; round++)
        {
            var sent = Scenario.Ok(await SendAsync(NextBooklet(), NextBooklet()));
            var (confirmed, cancelled) = await PassNumerique.Tests.Platform.ConstraintRaceTests.AtOnceAsync(
                () => _receiver.PostAsync($"transfers/{sent.Id}/confirmation", new { }),
                () => _scenario.Agent().PostAsync($"transfers/{sent.Id}/cancellation", new { reason = "erreur" }));
            Assert.That(new[] { confirmed.Status, cancelled.Status }.Count(s => s == 201), Is.EqualTo(1), $"{confirmed}\n{cancelled}");
        }
    }
}

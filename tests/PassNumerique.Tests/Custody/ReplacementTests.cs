using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Tests.Platform;
using PassNumerique.Tests.Platform.Pdf;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Custody;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReplacementTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private HttpClient _otherDesk = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 40, wholeVouchersOnly: false);
        _otherDesk = await TransferTests.ReceiverAsync(_scenario);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private async Task<long> GivenAsync(string? reference = null)
    {
        var booklet = _scenario.FirstSerial + (5 * _next++);
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet, reference: reference)));
        return booklet;
    }

    private async Task<Answer> UseAsync(long serial, long minutes = 60) =>
        await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(serial, durationMinutes: minutes));

    private Task<Answer> ReplaceAsync(long booklet) =>
        _otherDesk.PostAsync("replacements", new { bookletNumber = booklet, reason = "perdu" });

    [Test]
    public async Task What_was_left_goes_to_new_paper_and_the_old_is_worth_nothing()
    {
        var booklet = await GivenAsync("A-12");
        Scenario.Ok(await UseAsync(booklet, 120));
        Scenario.Ok(await UseAsync(booklet + 1));
        var before = (await _scenario.Authority().ReadAsync($"conventions/{_scenario.ConventionId}"))["balances"].ToString();
        var answer = await ReplaceAsync(booklet);
        Assert.That((answer.Status, answer["voucherCount"].GetInt64(), answer["minutes"].GetInt64(), answer["valueCents"].GetInt64(),
            answer["distributionPointId"].GetString()), Is.EqualTo((201, 4L, 420L, 3_500L, _scenario.OtherPointId)), answer.ToString());
        var fresh = answer["bookletNumber"].GetInt64();
        Assert.That((await UseAsync(booklet + 1)).Problem, Is.EqualTo("voucher-replaced"));
        Assert.That((await UseAsync(booklet + 2)).Problem, Is.EqualTo("voucher-replaced"));
        Assert.That((await UseAsync(booklet)).Problem, Is.EqualTo("voucher-spent"));

        var half = Scenario.Ok(await UseAsync(fresh));
        Assert.That((half["valueCents"].GetInt64(), half["remainingMinutes"].GetInt64()), Is.EqualTo((500L, 0L)), half.ToString());
        Assert.That((await UseAsync(fresh)).Problem, Is.EqualTo("voucher-spent"));
        Assert.That(Scenario.Ok(await UseAsync(fresh + 1, 120))["valueCents"].GetInt64(), Is.EqualTo(1_000));
        var after = (await _scenario.Authority().ReadAsync($"conventions/{_scenario.ConventionId}"))["balances"].ToString();
        Assert.That(after, Is.EqualTo(before), "no budget and no funds");
        var orders = await _scenario.Authority().ReadAsync($"orders?conventionId={_scenario.ConventionId}");
        Assert.That(orders["items"].EnumerateArray().Select(o => o.GetProperty("id").GetString()), Does.Not.Contain(answer.Id));
        Assert.That((await _scenario.Authority().ReadAsync($"orders/{answer.Id}"))["totalCents"].GetInt64(), Is.Zero);
        var read = await _otherDesk.ReadAsync($"replacements/{answer.Id}");
        Assert.That((read["replacedBookletNumber"].GetInt64(), read["valueCents"].GetInt64()), Is.EqualTo((booklet, 3_500L)));
    }

    [Test]
    public async Task The_new_passes_are_printed_at_the_desk_once_each_with_what_was_left()
    {
        var booklet = await GivenAsync("papier");
        Scenario.Ok(await UseAsync(booklet));
        var fresh = Scenario.Ok(await ReplaceAsync(booklet));
        using var response = await _otherDesk.GetAsync($"replacements/{fresh.Id}/vouchers.pdf");
        Assert.That(((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType), Is.EqualTo((200, "application/pdf")));
        var text = await PdfTools.TextAsync(await response.Content.ReadAsByteArrayAsync());
        Assert.That(text, Does.Contain("1 h pour apprendre").And.Contain("2 h pour apprendre"));
        Assert.That(text, Does.Contain($"TALON – Carnet n° {fresh["bookletNumber"].GetInt64()}"));
        var again = await _otherDesk.ReadAsync($"replacements/{fresh.Id}/vouchers.pdf");
        Assert.That((again.Status, again.Problem), Is.EqualTo((409, "print-needs-permission")));
        Assert.That((await _scenario.Agent().ReadAsync($"replacements/{fresh.Id}/vouchers.pdf")).Status, Is.EqualTo(404), "of another desk");
        var sheet = await _scenario.Authority().ReadAsync($"orders/{fresh.Id}/vouchers.csv");
        Assert.That((sheet.Status, sheet.Problem), Is.EqualTo((409, "replacement-printed-at-desk")));
        Assert.That((await _otherDesk.ReadAsync($"replacements/{Guid.NewGuid()}/vouchers.pdf")).Status, Is.EqualTo(404));
    }

    [Test]
    public async Task The_new_booklet_is_the_same_persons()
    {
        var booklet = await GivenAsync("même personne");
        var fresh = Scenario.Ok(await ReplaceAsync(booklet))["bookletNumber"].GetInt64();
        var people = await _service.QueryAsync<long>(
            "SELECT person_number FROM booklet_entries WHERE booklet IN (@A, @B) AND kind = 1", new { A = booklet, B = fresh });
        Assert.That(people.Distinct().Count(), Is.EqualTo(1));
        var handOut = Scenario.Ok(await _scenario.Authority().ReadAsync("hand-outs?pointId=" + _scenario.OtherPointId))["items"]
            .EnumerateArray().Single(i => i.GetProperty("bookletNumber").GetInt64() == fresh);
        var undone = await _scenario.Authority().PostAsync(
            $"hand-outs/{handOut.GetProperty("id").GetString()}/reversal", new { reason = "erreur" });
        Assert.That((undone.Status, undone.Problem), Is.EqualTo((409, "booklet-is-replacement")), undone.ToString());
        var old = Scenario.Ok(await _scenario.Authority().ReadAsync("hand-outs?limit=200&pointId=" + _scenario.PointId))["items"]
            .EnumerateArray().Single(i => i.GetProperty("bookletNumber").GetInt64() == booklet);
        Assert.That(old.GetProperty("current").GetBoolean(), Is.False);
        var reversed = await _scenario.Authority().PostAsync(
            $"hand-outs/{old.GetProperty("id").GetString()}/reversal", new { reason = "erreur" });
        Assert.That(reversed.Problem, Is.EqualTo("booklet-replaced"), reversed.ToString());
    }

    [Test]
    public async Task A_lost_booklet_is_found_by_point_day_and_reference()
    {
        var booklet = await GivenAsync("Dossier 77");
        object Search(string reference, int daysAgo = 0) => new
        {
            pointId = _scenario.PointId,
            handedOutOn = Scenario.Today.AddDays(-daysAgo),
            reference,
            reason = "perdu",
        };
        Assert.That((await _otherDesk.PostAsync("replacements", Search("dossier 78"))).Problem, Is.EqualTo("replacement-not-found"));
        Assert.That((await _otherDesk.PostAsync("replacements", Search("Dossier 77", 1))).Problem, Is.EqualTo("replacement-not-found"));
        var found = await _otherDesk.PostAsync("replacements", Search(" dossier 77"));
        Assert.That((found.Status, found["replacedBookletNumber"].GetInt64()), Is.EqualTo((201, booklet)), found.ToString());
        var again = await _otherDesk.PostAsync("replacements", Search("dossier 77"));
        Assert.That((again.Status, again.Problem, again["bookletNumber"].GetInt64()),
            Is.EqualTo((409, "booklet-already-replaced", found["bookletNumber"].GetInt64())), again.ToString());

        var (one, two) = (await GivenAsync("deux carnets"), await GivenAsync("deux carnets"));
        var ambiguous = await _otherDesk.PostAsync("replacements", Search("deux carnets"));
        Assert.That((ambiguous.Status, ambiguous.Problem), Is.EqualTo((409, "replacement-ambiguous")));
        Assert.That(ambiguous["bookletNumbers"].EnumerateArray().Select(n => n.GetInt64()), Is.EqualTo(new[] { one, two }));
        var foreign = await Scenario.CreateAsync(_service, booklets: 0);
        Assert.That((await foreign.Agent().PostAsync("replacements", Search("deux carnets"))).Problem,
            Is.EqualTo("replacement-not-found"));
        Assert.That((await foreign.Agent().PostAsync("replacements", new { bookletNumber = one, reason = "perdu" })).Problem,
            Is.EqualTo("booklet-unknown"));
    }

    [Test]
    public async Task What_can_t_be_replaced_says_why()
    {
        var stocked = _scenario.FirstSerial + (5 * _next++);
        Assert.That((await ReplaceAsync(stocked)).Problem, Is.EqualTo("booklet-not-handed-out"));
        var returned = await GivenAsync();
        Scenario.Ok(await _scenario.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "rendu" }));
        Assert.That((await ReplaceAsync(returned)).Problem, Is.EqualTo("booklet-returned"));
        var spent = await GivenAsync();
        for (var serial = spent; serial < spent + 5; serial++) Scenario.Ok(await UseAsync(serial, 120));
        Assert.That((await ReplaceAsync(spent)).Problem, Is.EqualTo("booklet-spent"));
        var held = await GivenAsync();
        var reservation = Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), held + 1));
        var waits = await ReplaceAsync(held);
        Assert.That((waits.Status, waits.Problem, waits["serial"].GetInt64()), Is.EqualTo((409, "booklet-reserved", held + 1)));
        Scenario.Ok(await _scenario.Site().RemoveAsync($"reservations/{reservation.Id}"));
        Scenario.Ok(await ReplaceAsync(held));
        Assert.That((await _scenario.Agent().PostAsync("returns", new { bookletNumber = held, reason = "retrouvé" })).Problem,
            Is.EqualTo("booklet-replaced"));
        Assert.That((await ReplaceAsync(_scenario.FirstSerial + 1)).Problem, Is.EqualTo("booklet-unknown"));
        Assert.That((await _scenario.Site().PostAsync("replacements", new { bookletNumber = held, reason = "x" })).Status,
            Is.EqualTo(403));
    }

    [Test]
    public async Task A_request_has_its_shape()
    {
        var none = await _otherDesk.PostAsync("replacements", new { reason = "perdu" });
        Assert.That(none["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "bookletNumber", "pointId", "handedOutOn", "reference" }), none.Body);
        var both = await _otherDesk.PostAsync("replacements",
            new { bookletNumber = 5, reference = "x", reason = "" });
        Assert.That(both["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(new[] { "bookletNumber", "reason" }), both.Body);
        var noDesk = await _scenario.Authority().PostAsync("replacements", new { bookletNumber = 5, reason = "perdu" });
        Assert.That(noDesk["errors"].EnumerateObject().Select(e => e.Name), Is.EqualTo(new[] { "distributionPointId" }));
    }

    [Test]
    public async Task A_replacement_is_replaced_in_its_turn()
    {
        var booklet = await GivenAsync();
        Scenario.Ok(await UseAsync(booklet));
        var second = Scenario.Ok(await ReplaceAsync(booklet));
        Scenario.Ok(await UseAsync(second["bookletNumber"].GetInt64() + 1));
        var third = Scenario.Ok(await ReplaceAsync(second["bookletNumber"].GetInt64()));
        Assert.That((third["minutes"].GetInt64(), third["valueCents"].GetInt64()), Is.EqualTo((480L, 4_000L)), third.ToString());
        var history = await _scenario.Authority().ReadAsync($"vouchers/{second["firstSerial"].GetInt64()}/history");
        Assert.That(history["events"].EnumerateArray().Where(e => e.GetProperty("otherSerial").ValueKind == JsonValueKind.Number)
            .Select(e => (e.GetProperty("what").GetString(), e.GetProperty("otherSerial").GetInt64())),
            Is.EqualTo(new[] { ("replaces", booklet), ("replaced", third["firstSerial"].GetInt64()) }), history.ToString());
    }

    [Test]
    public async Task Of_two_desks_one_replaces_it_and_a_scan_never_doubles_it()
    {
        for (var round = 0; round < 3; round++)
        {
            var booklet = await GivenAsync();
            var (one, two) = await ConstraintRaceTests.AtOnceAsync(() => ReplaceAsync(booklet), () => ReplaceAsync(booklet));
            Assert.That(new[] { one.Status, two.Status }.Order(), Is.EqualTo(new[] { 201, 409 }), $"{one}\n{two}");
            var raced = await GivenAsync();
            var scan = await _scenario.RedemptionAsync(raced);
            var (replaced, used) = await ConstraintRaceTests.AtOnceAsync(
                () => ReplaceAsync(raced), () => _scenario.Site().PostAsync("redemptions", scan));
            Assert.That(replaced.Status, Is.EqualTo(201), replaced.ToString());
            Assert.That(replaced["minutes"].GetInt64(), Is.EqualTo(used.Status == 201 ? 540 : 600), used.ToString());
        }
    }

    [Test]
    public async Task The_same_request_again_is_the_same_booklet()
    {
        var body = new { bookletNumber = await GivenAsync(), reason = "perdu" };
        var first = Scenario.Ok(await _otherDesk.PostAsync("replacements", body, key: "perte-1"));
        var second = await _otherDesk.PostAsync("replacements", body, key: "perte-1");
        Assert.That((second.Status, second.Replayed, second.Body), Is.EqualTo((201, true, first.Body)));
        var list = await _otherDesk.ReadAsync("replacements?limit=200");
        Assert.That(list["items"].EnumerateArray().Count(i => i.GetProperty("id").GetString() == first.Id), Is.EqualTo(1));
        Assert.That((await _scenario.Agent().ReadAsync($"replacements/{first.Id}")).Problem, Is.EqualTo("not-found"));
    }
}

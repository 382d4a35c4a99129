using NUnit.Framework;

namespace PassNumerique.Tests.Redemption;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class RedeemVouchersTests(string engine)
{
    private const string Service = "Maîtrise des outils numériques du quotidien";
    private TestService _service = null!;
    private Scenario _whole = null!;
    private Scenario _partial = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _whole = await Scenario.CreateAsync(_service, booklets: 20);
        _partial = await Scenario.CreateAsync(_service, booklets: 10, wholeVouchersOnly: false);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private long Next(Scenario scenario) => scenario.FirstSerial + _next++;

    [Test]
    public async Task A_pass_is_redeemed_for_its_face_value()
    {
        var answer = await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(Next(_whole)));
        Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
        Assert.That(answer["minutes"].GetInt64(), Is.EqualTo(120));
        Assert.That(answer["valueCents"].GetInt64(), Is.EqualTo(1_000));
        Assert.That(answer["remainingMinutes"].GetInt64(), Is.Zero);
        var funding = answer["indicativeFunding"].EnumerateArray()
            .Select(f => (f.GetProperty("funder").GetString(), f.GetProperty("cents").GetInt64()));
        Assert.That(funding, Is.EqualTo(new[] { ("Collectivité", 650L), ("État", 350L) }));
    }

    [Test]
    public async Task The_same_operation_again_gives_the_same_answer()
    {
        var body = await _whole.RedemptionAsync(Next(_whole));
        var first = await _whole.Site().PostAsync("redemptions", body);
        var second = await _whole.Site().PostAsync("redemptions", body);
        Assert.That((second.Status, second.Body, second.Replayed), Is.EqualTo((201, first.Body, true)));
        Assert.That(first.Replayed, Is.False);
    }

    [Test]
    public async Task An_operation_id_serves_one_request()
    {
        var operation = Guid.NewGuid().ToString();
        await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(Next(_whole), operation));
        var other = await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(Next(_whole), operation));
        Assert.That((other.Status, other.Problem), Is.EqualTo((422, "idempotency-key-reused")));
    }

    /// <summary>From the third time on memory knows it, and has it written already.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public async Task Who_brings_a_spent_pass_over_and_over_hears_the_same_each_time_and_a_reference_of_its_own(bool isOwn)
    {
        var serial = Next(_whole);
        await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(serial));
        var site = isOwn ? _whole.Site() : _whole.OtherSite();
        var answers = new List<Answer>();
        for (var i = 0; i < 6; i++) answers.Add(await site.PostAsync("redemptions", await _whole.RedemptionAsync(serial)));
        Assert.That(answers.Select(a => (a.Status, a.Problem)), Is.All.EqualTo((409, "voucher-spent")));
        var references = answers.Select(a => a["traceId"].GetString()!).ToList();
        Assert.That(references, Is.Unique);
        Assert.That(answers.Zip(references, (a, r) => a.Body.Replace(r, "", StringComparison.Ordinal)).Distinct().Count(),
            Is.EqualTo(1));
    }

    /// <summary>Memory takes an operation that comes after all others for a new one; one that was recorded it never does.</summary>
    [Test]
    public async Task A_recorded_operation_is_recognised_on_a_spent_pass_that_memory_knows()
    {
        var now = DateTimeOffset.UtcNow;
        var operations = Enumerable.Range(0, 5).Select(i => Guid.CreateVersion7(now.AddMilliseconds(i)).ToString()).ToList();
        var (pass, other) = (Next(_whole), Next(_whole));
        var site = _whole.Site();
        var first = await site.PostAsync("redemptions", await _whole.RedemptionAsync(pass, operations[1]));
        await site.PostAsync("redemptions", await _whole.RedemptionAsync(other, operations[3]));
        foreach (var operation in new[] { 4, 2, 0, 4, 2, 0, 2, 4 })
        {
            var late = await site.PostAsync("redemptions", await _whole.RedemptionAsync(pass, operations[operation]));
            Assert.That((late.Status, late.Problem), Is.EqualTo((409, "voucher-spent")));
        }

        var same = await site.PostAsync("redemptions", await _whole.RedemptionAsync(pass, operations[1]));
        var reused = await site.PostAsync("redemptions", await _whole.RedemptionAsync(pass, operations[3].ToUpperInvariant()));
        Assert.That((same.Status, same.Body, same.Replayed), Is.EqualTo((201, first.Body, true)));
        Assert.That((reused.Status, reused.Problem), Is.EqualTo((422, "idempotency-key-reused")));
    }

    [Test]
    public async Task Another_site_learns_only_the_date_of_a_spent_pass()
    {
        var serial = Next(_whole);
        var first = await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(serial));
        var mine = await _whole.Site().PostAsync("redemptions", await _whole.RedemptionAsync(serial));
        var elsewhere = await _whole.OtherSite().PostAsync("redemptions", await _whole.RedemptionAsync(serial));
        Assert.That((mine.Status, mine.Problem), Is.EqualTo((409, "voucher-spent")));
        Assert.That(mine["redemptionId"].GetString(), Is.EqualTo(first.Id));
        Assert.That(elsewhere.Problem, Is.EqualTo("voucher-spent"));
        Assert.That(elsewhere["usedOn"].GetString(), Is.EqualTo(Scenario.Today.ToString("yyyy-MM-dd")));
        Assert.That(elsewhere.Json.TryGetProperty("redemptionId", out _), Is.False);
        Assert.That(elsewhere.Json.TryGetProperty("recordedAt", out _), Is.False);
    }

    [Test]
    public async Task Several_passes_are_taken_together_or_not_at_all()
    {
        var (a, b) = (Next(_whole), Next(_whole));
        var both = await RedeemAsync(_whole, [a, b], 240);
        Assert.That(both.Status, Is.EqualTo(201), both.ToString());
        var minutes = both["redemptions"].EnumerateArray().Select(r => r.GetProperty("minutes").GetInt64());
        Assert.That(minutes, Is.EqualTo(new[] { 120L, 120L }));

        var fresh = Next(_whole);
        var refused = await RedeemAsync(_whole, [fresh, a], 240);
        Assert.That(refused.Problem, Is.EqualTo("voucher-spent"), refused.ToString());
        Assert.That((await CheckAsync(_whole, fresh))["remainingMinutes"].GetInt64(), Is.EqualTo(120));
    }

    [Test]
    public async Task The_delivered_duration_of_several_passes_counts_once()
    {
        var (a, b) = (Next(_whole), Next(_whole));
        await RedeemAsync(_whole, [a, b], 200);
        var durations = await _service.QueryAsync<long>(
            "SELECT duration_minutes FROM voucher_entries WHERE serial IN (@A, @B) ORDER BY line", new { A = a, B = b });
        Assert.That(durations, Is.EqualTo(new[] { 200L, 0L }));
    }

    [Test]
    public async Task A_pass_that_the_debit_does_not_need_is_refused()
    {
        var answer = await RedeemAsync(_whole, [Next(_whole), Next(_whole)], 60);
        Assert.That(answer.Status, Is.EqualTo(400), answer.ToString());
        Assert.That(answer["errors"].EnumerateObject().Single().Name, Is.EqualTo("codes[1]"));
    }

    [Test]
    public async Task Too_little_credit_is_told_with_both_numbers()
    {
        var answer = await RedeemAsync(_whole, [Next(_whole)], 180);
        Assert.That(answer.Problem, Is.EqualTo("credit-too-small"), answer.ToString());
        Assert.That((answer["neededMinutes"].GetInt64(), answer["leftMinutes"].GetInt64()), Is.EqualTo((180L, 120L)));
    }

    [Test]
    public async Task Minutes_that_are_no_whole_pass_are_refused_where_only_whole_ones_count()
    {
        var answer = await RedeemAsync(_whole, [Next(_whole)], 60, minutes: 60);
        Assert.That(answer.Problem, Is.EqualTo("whole-vouchers-only"), answer.ToString());
        Assert.That((await RedeemAsync(_whole, [Next(_whole)], 60, minutes: 120)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_part_used_pass_keeps_the_rest_and_ends_at_exactly_its_face()
    {
        var serial = _partial.FirstSerial;
        var cents = new List<long>();
        foreach (var expected in new long[] { 60, 0 })
        {
            var answer = await RedeemAsync(_partial, [serial], 50);
            Assert.That(answer["redemptions"][0].GetProperty("remainingMinutes").GetInt64(), Is.EqualTo(expected), answer.ToString());
            cents.Add(answer["redemptions"][0].GetProperty("valueCents").GetInt64());
        }

        Assert.That(cents.Sum(), Is.EqualTo(1_000));
        Assert.That((await RedeemAsync(_partial, [serial], 50)).Problem, Is.EqualTo("voucher-spent"));
    }

    [Test]
    public async Task Passes_are_emptied_in_the_order_of_their_codes()
    {
        var (a, b) = (_partial.FirstSerial + 1, _partial.FirstSerial + 2);
        await RedeemAsync(_partial, [a], 60);
        var answer = await RedeemAsync(_partial, [a, b], 120);
        var minutes = answer["redemptions"].EnumerateArray().Select(r => r.GetProperty("minutes").GetInt64());
        Assert.That(minutes, Is.EqualTo(new[] { 60L, 60L }), answer.ToString());
    }

    [Test]
    public async Task A_date_out_of_range_is_refused_with_the_range()
    {
        foreach (var day in new[] { Scenario.Today.AddDays(1), Scenario.Today.AddDays(-8) })
        {
            var answer = await RedeemAsync(_whole, [Next(_whole)], 60, servedOn: day);
            Assert.That(answer.Problem, Is.EqualTo("date-out-of-range"), answer.ToString());
        }

        Assert.That((await RedeemAsync(_whole, [Next(_whole)], 60, servedOn: Scenario.Today.AddDays(-7))).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_site_without_label_or_outside_the_territory_is_refused()
    {
        var (site, key) = await _whole.SiteAsync("Lieu sans label", "51454", labelled: false);
        var (_, far) = await _whole.SiteAsync("Lieu lointain", "01004");
        var body = await _whole.RedemptionAsync(Next(_whole));
        Assert.That((await _service.Client(key).PostAsync("redemptions", body)).Problem, Is.EqualTo("site-not-labelled"));
        Assert.That((await _service.Client(far).PostAsync("redemptions", body)).Problem, Is.EqualTo("outside-territory"));
        var label = await _service.Operator().PostAsync($"sites/{site}/label",
            new { status = "labelled", from = Scenario.Today, reason = "dossier complet" });
        Assert.That(label.Status, Is.EqualTo(201), label.ToString());
        Assert.That((await _service.Client(key).PostAsync("redemptions", body)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_mistyped_code_is_a_400_and_a_foreign_one_a_404()
    {
        var code = await _whole.CodeAsync(Next(_whole));
        var wrong = code[..^1] + (code[^1] == '0' ? '1' : '0');
        var swapped = Swap(code);
        foreach (var typed in new[] { wrong, swapped, code[..^1], "", "é" + code[1..] })
        {
            var answer = await RedeemCodeAsync(typed);
            Assert.That((answer.Status, answer["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "code")), typed);
        }

        var salt = new byte[16];
        var keys = (PassNumerique.Platform.KeyRing)_service.Services.GetService(typeof(PassNumerique.Platform.KeyRing))!;
        var forged = PassNumerique.Vouchers.VoucherCode.Compose(keys.Derive(1, "code"), 1, _whole.FirstSerial, salt);
        var unknown = PassNumerique.Vouchers.VoucherCode.Compose(keys.Derive(1, "code"), 1, 4_000_000_000, salt);
        var foreign = PassNumerique.Vouchers.VoucherCode.Compose(new byte[32], 5, _whole.FirstSerial, salt);
        var bodies = new List<string>();
        foreach (var typed in new[] { forged, unknown, foreign })
        {
            var answer = await RedeemCodeAsync(typed);
            Assert.That((answer.Status, answer.Problem), Is.EqualTo((404, "voucher-unknown")), answer.ToString());
            bodies.Add(answer.Body.Replace(answer["traceId"].GetString()!, "", StringComparison.Ordinal));
        }

        Assert.That(bodies.Distinct().Count(), Is.EqualTo(1));
        var specimen = PassNumerique.Vouchers.VoucherCode.Compose(keys.Derive(0, "code"), 0, 1, salt);
        Assert.That((await RedeemCodeAsync(specimen)).Problem, Is.EqualTo("voucher-specimen"));
    }

    [Test]
    public async Task A_code_is_read_as_people_type_it()
    {
        foreach (var change in new Func<string, string>[]
        {
            c => c.ToLowerInvariant(),
            c => string.Join(" ", c.Chunk(4).Select(g => new string(g))),
            c => c.Replace('0', 'o').Replace('1', 'l'),
            c => " " + string.Join("-", c.Chunk(4).Select(g => new string(g))) + " ",
        })
        {
            var serial = Next(_whole);
            var answer = await RedeemCodeAsync(change(await _whole.CodeAsync(serial)));
            Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
        }
    }

    [Test]
    public async Task Bad_shapes_are_told_member_by_member()
    {
        var answer = await _whole.Site().PostTextAsync("redemptions",
            """{"operationId":"x","code":7,"servise":"Autre","service":"Autre","activity":{"kind":"solo","durationMinutes":"60"}}""");
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "code", "servise", "activity.durationMinutes" }), answer.Body);
        var shapes = await _whole.Site().PostTextAsync("redemptions",
            """{"operationId":"x","code":"7","service":"Autre","activity":{"kind":"solo","durationMinutes":0}}""");
        Assert.That(shapes["errors"].EnumerateObject().Select(e => e.Name),
            Is.EquivalentTo(new[] { "operationId", "code", "service", "activity.kind", "activity.durationMinutes" }), shapes.Body);
    }

    [Test]
    public async Task A_pass_before_activation_a_blocked_and_a_returned_one_are_refused()
    {
        var waiting = await Scenario.CreateAsync(_service, booklets: 2, activate: false);
        var early = await waiting.Site().PostAsync("redemptions", await waiting.RedemptionAsync(waiting.FirstSerial));
        Assert.That(early.Problem, Is.EqualTo("voucher-not-active"), early.ToString());

        var own = await Scenario.CreateAsync(_service, booklets: 4);
        var block = await own.Authority().PostAsync("blocks",
            new { firstSerial = own.FirstSerial, lastSerial = own.FirstSerial, reason = "perte" });
        var blocked = await own.Site().PostAsync("redemptions", await own.RedemptionAsync(own.FirstSerial));
        Assert.That(blocked.Problem, Is.EqualTo("voucher-blocked"), blocked.ToString());
        await own.Authority().RemoveAsync($"blocks/{block.Id}");
        var lifted = await own.Site().PostAsync("redemptions", await own.RedemptionAsync(own.FirstSerial));
        Assert.That(lifted.Status, Is.EqualTo(201), lifted.ToString());

        var returned = own.FirstSerial + 5;
        Scenario.Ok(await own.Agent().PostAsync("returns", new { bookletNumber = returned, reason = "carnet rendu" }));
        var closed = await own.Site().PostAsync("redemptions", await own.RedemptionAsync(returned));
        Assert.That(closed.Problem, Is.EqualTo("voucher-returned"), closed.ToString());
    }

    [Test]
    public async Task A_forgotten_hand_out_sends_nobody_home_unless_the_convention_refuses()
    {
        var strict = await Scenario.CreateAsync(_service, booklets: 2, requireHandOut: "refuse");
        var body = await strict.RedemptionAsync(strict.FirstSerial);
        var refused = await strict.Site().PostAsync("redemptions", body);
        Assert.That(refused.Problem, Is.EqualTo("voucher-not-handed-out"), refused.ToString());
        Scenario.Ok(await strict.Agent().PostAsync("hand-outs", Scenario.HandOut(strict.FirstSerial)));
        Assert.That((await strict.Site().PostAsync("redemptions", body)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task Checking_a_pass_uses_nothing()
    {
        var serial = Next(_whole);
        for (var i = 0; i < 3; i++)
        {
            var answer = await CheckAsync(_whole, serial);
            Assert.That((answer.Status, answer["state"].GetString(), answer["remainingMinutes"].GetInt64(),
                answer["usableHere"].GetBoolean()), Is.EqualTo((200, "active", 120L, true)), answer.ToString());
        }

        Assert.That(await _service.QueryAsync<long>("SELECT serial FROM voucher_entries WHERE serial = @S", new { S = serial }), Is.Empty);
    }

    private static string Swap(string code)
    {
        for (var i = 0; i < code.Length - 1; i++)
            if (code[i] != code[i + 1]) return code[..i] + code[i + 1] + code[i] + code[(i + 2)..];
        throw new InvalidOperationException("All symbols are alike.");
    }

    private async Task<Answer> RedeemCodeAsync(string code) => await _whole.Site().PostAsync("redemptions", new
    {
        operationId = Guid.NewGuid().ToString(),
        code,
        service = Service,
        activity = new { kind = "individuel", durationMinutes = 60 },
    });

    private static async Task<Answer> RedeemAsync(
        Scenario scenario, long[] serials, long durationMinutes, long? minutes = null, DateOnly? servedOn = null)
    {
        var codes = new List<string>();
        foreach (var serial in serials) codes.Add(await scenario.CodeAsync(serial));
        return await scenario.Site().PostAsync("redemptions", new
        {
            operationId = Guid.NewGuid().ToString(),
            codes,
            minutes,
            service = Service,
            activity = new { kind = "individuel", durationMinutes },
            servedOn = servedOn ?? Scenario.Today,
        });
    }

    private static async Task<Answer> CheckAsync(Scenario scenario, long serial) =>
        await scenario.Site().PostAsync("vouchers/check", new { code = await scenario.CodeAsync(serial) });
}

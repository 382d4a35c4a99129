using System.Text.Json;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Redemption;

namespace PassNumerique.Tests.Redemption;

/// <summary>A pass is held at the start of a session, and the session ends with what it took.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReservationTests(string engine)
{
    private TestService _service = null!;
    private Scenario _partial = null!;
    private Scenario _whole = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _partial = await Scenario.CreateAsync(_service, booklets: 20, wholeVouchersOnly: false);
        _whole = await Scenario.CreateAsync(_service, booklets: 4);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    /// <summary>A pass that no other test touches.</summary>
    private long Next() => _partial.FirstSerial + _next++;

    [Test]
    public async Task A_reservation_holds_all_that_is_free_for_four_hours()
    {
        var serial = Next();
        await _partial.RedeemAsync(_partial.Site(), serial, 20);
        var held = await _partial.ReserveAsync(_partial.Site(), serial);
        Assert.That((held.Status, held.Replayed), Is.EqualTo((201, false)), held.ToString());
        Assert.That((held["serial"].GetInt64(), held["minutes"].GetInt64(), held["remainingMinutes"].GetInt64()),
            Is.EqualTo((serial, 100L, 100L)));
        Assert.That(held["siteId"].GetString(), Is.EqualTo(_partial.SiteId));
        Assert.That(held["expiresAt"].GetDateTimeOffset() - held["reservedAt"].GetDateTimeOffset(),
            Is.EqualTo(TimeSpan.FromHours(4)));
        Assert.That(held.Headers.Location!.ToString(), Is.EqualTo($"/api/v1/reservations/{held.Id}"));
    }

    [Test]
    public async Task A_check_shows_what_is_held_and_who_may_use_the_rest()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial, minutes: 50);
        var part = await CheckAsync(_partial.OtherSite(), serial);
        Assert.That((part["remainingMinutes"].GetInt64(), part["heldMinutes"].GetInt64(), part["usableHere"].GetBoolean()),
            Is.EqualTo((120L, 50L, true)), part.ToString());
        Assert.That(part["reservedUntil"].GetString(), Is.EqualTo(held["expiresAt"].GetString()));

        await _partial.ReserveAsync(_partial.Site(), serial);
        var here = await CheckAsync(_partial.Site(), serial);
        var elsewhere = await CheckAsync(_partial.OtherSite(), serial);
        Assert.That((here["heldMinutes"].GetInt64(), here["usableHere"].GetBoolean(), here["reason"].GetString()),
            Is.EqualTo((120L, false, "voucher-reserved-here")), here.ToString());
        Assert.That((elsewhere["usableHere"].GetBoolean(), elsewhere["reason"].GetString()),
            Is.EqualTo((false, "voucher-reserved-elsewhere")), elsewhere.ToString());
    }

    [Test]
    public async Task The_same_operation_again_gives_the_same_answer_for_ever()
    {
        var (serial, operation) = (Next(), Guid.NewGuid().ToString());
        var first = await _partial.ReserveAsync(_partial.Site(), serial, operationId: operation);
        var second = await _partial.ReserveAsync(_partial.Site(), serial, operationId: operation);
        Assert.That((second.Status, second.Body, second.Replayed), Is.EqualTo((201, first.Body, true)));
        Scenario.Ok(await _partial.Site().RemoveAsync($"reservations/{first.Id}"));
        var third = await _partial.ReserveAsync(_partial.Site(), serial, operationId: operation);
        Assert.That((third.Status, third.Body, third.Replayed), Is.EqualTo((201, first.Body, true)));

        var other = await _partial.ReserveAsync(_partial.Site(), serial, minutes: 30, operationId: operation);
        Assert.That((other.Status, other.Problem), Is.EqualTo((422, "idempotency-key-reused")), other.ToString());
        var redemption = await _partial.Site().PostAsync("redemptions", await _partial.RedemptionAsync(serial, operation));
        Assert.That((redemption.Status, redemption.Problem), Is.EqualTo((422, "idempotency-key-reused")));
        var used = Guid.NewGuid().ToString();
        Scenario.Ok(await _partial.Site().PostAsync("redemptions", await _partial.RedemptionAsync(serial, used)));
        Assert.That((await _partial.ReserveAsync(_partial.Site(), serial, operationId: used)).Status, Is.EqualTo(422));
    }

    [Test]
    public async Task Bad_shapes_are_told_member_by_member()
    {
        var answer = await _partial.Site().PostAsync("reservations",
            new { operationId = "x", code = "ABC", minutes = 0, expiresAfterMinutes = 1_441, siteId = "y" });
        Assert.That(answer.Status, Is.EqualTo(400));
        Assert.That(answer["errors"].EnumerateObject().Select(e => e.Name), Is.EquivalentTo(
            new[] { "operationId", "code", "minutes", "expiresAfterMinutes", "siteId" }), answer.Body);
        var typo = await _partial.Site().PostAsync("reservations",
            new { operationId = Guid.NewGuid(), code = await _partial.CodeAsync(Next()), minuts = 60 });
        Assert.That((typo.Status, typo["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "minuts")));
    }

    [Test]
    public async Task A_pass_is_held_under_the_rules_of_a_redemption()
    {
        var own = await Scenario.CreateAsync(_service, booklets: 4, wholeVouchersOnly: false, requireHandOut: "refuse");
        var serial = own.FirstSerial;
        await RefusedAsync(own.Site(), own, serial, "voucher-not-handed-out");
        Scenario.Ok(await own.Agent().PostAsync("hand-outs", Scenario.HandOut(serial)));
        await RefusedAsync(own.Site(), own, serial, "credit-too-small", minutes: 121);
        await RefusedAsync(_service.Client((await own.SiteAsync("Sans label", "51454", labelled: false)).Key), own, serial,
            "site-not-labelled");
        await RefusedAsync(_service.Client((await own.SiteAsync("Ailleurs", "01004")).Key), own, serial, "outside-territory");

        await own.RedeemAsync(own.Site(), serial + 1, 120);
        await RefusedAsync(own.Site(), own, serial + 1, "voucher-spent");
        Scenario.Ok(await own.Authority().PostAsync("blocks",
            new { firstSerial = serial + 2, lastSerial = serial + 2, reason = "perte" }));
        await RefusedAsync(own.Site(), own, serial + 2, "voucher-blocked");
        Scenario.Ok(await own.Agent().PostAsync("returns", new { bookletNumber = serial + 5, reason = "rendu" }));
        await RefusedAsync(own.Site(), own, serial + 5, "voucher-returned");

        var waiting = await Scenario.CreateAsync(_service, booklets: 1, activate: false);
        await RefusedAsync(waiting.Site(), waiting, waiting.FirstSerial, "voucher-not-active");
        Assert.That(await _service.QueryAsync<long>("SELECT serial FROM voucher_entries WHERE kind = 3 AND serial = @S",
            new { S = serial }), Is.Empty);
        Assert.That((await own.ReserveAsync(own.Site(), serial, minutes: 120)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_code_that_is_not_ours_and_a_site_that_is_not_his_are_unknown()
    {
        var salt = new byte[16];
        var keys = (KeyRing)_service.Services.GetService(typeof(KeyRing))!;
        var forged = PassNumerique.Vouchers.VoucherCode.Compose(keys.Derive(1, "code"), 1, _partial.FirstSerial, salt);
        var unknown = await _partial.Site().PostAsync("reservations", new { operationId = Guid.NewGuid(), code = forged });
        Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "voucher-unknown")), unknown.ToString());
        var elsewhere = await _partial.Site().PostAsync("reservations",
            new { operationId = Guid.NewGuid(), code = await _partial.CodeAsync(Next()), siteId = _partial.OtherSiteId });
        Assert.That((elsewhere.Status, elsewhere.Problem), Is.EqualTo((404, "site-unknown")), elsewhere.ToString());
        Assert.That((await _partial.Agent().PostAsync("reservations", new { })).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task Where_only_whole_passes_count_an_untouched_one_is_held_and_taken_whole()
    {
        var serial = _whole.FirstSerial;
        await RefusedAsync(_whole.Site(), _whole, serial, "whole-vouchers-only", minutes: 60);
        var held = await _whole.ReserveAsync(_whole.Site(), serial);
        Assert.That(held["minutes"].GetInt64(), Is.EqualTo(120), held.ToString());
        Assert.That((await _whole.ReserveAsync(_whole.OtherSite(), serial)).Problem, Is.EqualTo("voucher-reserved-elsewhere"));
        var captured = await _whole.CaptureAsync(_whole.Site(), held.Id, durationMinutes: 45);
        Assert.That((captured.Status, captured["minutes"].GetInt64(), captured["valueCents"].GetInt64()),
            Is.EqualTo((201, 120L, 1_000L)), captured.ToString());
        Assert.That((await _whole.ReserveAsync(_whole.Site(), serial + 1, minutes: 120)).Status, Is.EqualTo(201));
        await RefusedAsync(_whole.Site(), _whole, serial, "voucher-spent");
    }

    [Test]
    public async Task Another_site_is_told_until_when_and_the_same_one_with_which_reservation()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial, minutes: 90);
        foreach (var refused in new[]
        {
            await _partial.RedeemAsync(_partial.OtherSite(), serial, 60),
            await _partial.ReserveAsync(_partial.OtherSite(), serial, minutes: 60),
        })
        {
            Assert.That((refused.Status, refused.Problem), Is.EqualTo((409, "voucher-reserved-elsewhere")), refused.ToString());
            Assert.That(refused["reservedUntil"].GetString(), Is.EqualTo(held["expiresAt"].GetString()));
            Assert.That(refused["detail"].GetString(), Does.Match("jusqu'à [0-9]+\u00A0h\u00A0[0-9]{2}"));
            Assert.That(refused.Json.TryGetProperty("reservationId", out _), Is.False);
        }

        var mine = await _partial.RedeemAsync(_partial.Site(), serial, 60);
        Assert.That((mine.Status, mine.Problem), Is.EqualTo((409, "voucher-reserved-here")), mine.ToString());
        Assert.That((mine["reservationId"].GetString(), mine["reservedUntil"].GetString()),
            Is.EqualTo((held.Id, held["expiresAt"].GetString())));

        // More than there is stays too much whoever holds what, and what is not held is everybody's.
        Assert.That((await _partial.RedeemAsync(_partial.OtherSite(), serial, 121)).Problem, Is.EqualTo("credit-too-small"));
        Assert.That((await _partial.RedeemAsync(_partial.OtherSite(), serial, 30)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_capture_takes_what_was_used_and_gives_the_rest_back()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial);
        var captured = await _partial.CaptureAsync(_partial.Site(), held.Id, minutes: 35, operationId: Guid.NewGuid().ToString());
        Assert.That((captured.Status, captured["serial"].GetInt64(), captured["minutes"].GetInt64(),
                captured["remainingMinutes"].GetInt64(), captured["valueCents"].GetInt64()),
            Is.EqualTo((201, serial, 35L, 85L, 292L)), captured.ToString());
        Assert.That(captured["indicativeFunding"].GetArrayLength(), Is.EqualTo(2));
        var rest = await _partial.RedeemAsync(_partial.OtherSite(), serial, 85);
        Assert.That((rest.Status, rest["valueCents"].GetInt64()), Is.EqualTo((201, 708L)), rest.ToString());
        var read = await _partial.Site().ReadAsync($"redemptions/{captured.Id}");
        Assert.That((read["minutes"].GetInt64(), read["siteId"].GetString()), Is.EqualTo((35L, _partial.SiteId)));
    }

    [Test]
    public async Task Another_device_of_the_site_ends_the_session_with_or_without_the_code()
    {
        var structure = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM sites WHERE id = @Id", new { Id = _partial.SiteId })).Single();
        var key = Scenario.Ok(await _service.Operator().PostAsync("api-keys",
            new { organisationId = structure, role = "site", label = "tablette", placeId = _partial.SiteId }));
        using var tablet = _service.Client(key["apiKey"].GetString());
        foreach (var withCode in new[] { false, true })
        {
            var serial = Next();
            var held = await _partial.ReserveAsync(_partial.Site(), serial);
            var captured = await _partial.CaptureAsync(tablet, held.Id, code: withCode ? await _partial.CodeAsync(serial) : null);
            Assert.That((captured.Status, captured["minutes"].GetInt64()), Is.EqualTo((201, 60L)), captured.ToString());
        }
    }

    [Test]
    public async Task The_same_capture_again_gives_the_same_answer()
    {
        var held = await _partial.ReserveAsync(_partial.Site(), Next());
        var operation = Guid.NewGuid().ToString();
        var first = await _partial.CaptureAsync(_partial.Site(), held.Id, operationId: operation);
        var second = await _partial.CaptureAsync(_partial.Site(), held.Id, operationId: operation);
        Assert.That((first.Status, first.Replayed), Is.EqualTo((201, false)), first.ToString());
        Assert.That((second.Status, second.Body, second.Replayed), Is.EqualTo((201, first.Body, true)));
        var other = await _partial.CaptureAsync(_partial.Site(), held.Id, minutes: 10, operationId: operation);
        Assert.That((other.Status, other.Problem), Is.EqualTo((422, "idempotency-key-reused")));
    }

    [Test]
    public async Task No_more_than_what_is_held_is_captured()
    {
        var held = await _partial.ReserveAsync(_partial.Site(), Next(), minutes: 45);
        var more = await _partial.CaptureAsync(_partial.Site(), held.Id, minutes: 46);
        Assert.That((more.Status, more.Problem, more["heldMinutes"].GetInt64(), more["neededMinutes"].GetInt64()),
            Is.EqualTo((409, "reservation-too-small", 45L, 46L)), more.ToString());
        var tariff = await _partial.CaptureAsync(_partial.Site(), held.Id, durationMinutes: 40);
        Assert.That(tariff.Problem, Is.EqualTo("reservation-too-small"), tariff.ToString());
        Assert.That((await _partial.CaptureAsync(_partial.Site(), held.Id, minutes: 45)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_reservation_is_ended_in_its_own_site_and_once()
    {
        var held = await _partial.ReserveAsync(_partial.Site(), Next());
        var foreign = await _partial.CaptureAsync(_partial.OtherSite(), held.Id);
        Assert.That((foreign.Status, foreign.Problem), Is.EqualTo((404, "reservation-unknown")), foreign.ToString());
        foreach (var id in new[] { Guid.NewGuid().ToString(), PassNumerique.Vouchers.EntryId.Pack(_partial.FirstSerial, 900) })
        {
            var unknown = await _partial.CaptureAsync(_partial.Site(), id);
            Assert.That((unknown.Status, unknown.Problem), Is.EqualTo((404, "reservation-unknown")), unknown.ToString());
        }

        var captured = await _partial.CaptureAsync(_partial.Site(), held.Id);
        var again = await _partial.CaptureAsync(_partial.Site(), held.Id);
        Assert.That((again.Status, again.Problem, again["redemptionId"].GetString()),
            Is.EqualTo((409, "reservation-ended", captured.Id)), again.ToString());
        var release = await _partial.Site().RemoveAsync($"reservations/{held.Id}");
        Assert.That((release.Status, release.Problem), Is.EqualTo((409, "reservation-ended")), release.ToString());
        var reversal = await _partial.Site().PostAsync($"redemptions/{held.Id}/reversal", new { reason = "essai" });
        Assert.That(reversal.Status, Is.EqualTo(404), "a reservation is no redemption");
    }

    [Test]
    public async Task The_capture_of_another_pass_or_of_several_is_a_400()
    {
        var (serial, other) = (Next(), Next());
        var held = await _partial.ReserveAsync(_partial.Site(), serial);
        var wrong = await _partial.CaptureAsync(_partial.Site(), held.Id, code: await _partial.CodeAsync(other));
        Assert.That((wrong.Status, wrong["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "code")), wrong.ToString());
        var several = await _partial.Site().PostAsync("redemptions", new
        {
            operationId = Guid.NewGuid(),
            reservationId = held.Id,
            codes = new[] { await _partial.CodeAsync(serial), await _partial.CodeAsync(other) },
            service = Sessions.Service,
            activity = new { kind = "individuel", durationMinutes = 60 },
        });
        Assert.That((several.Status, several["errors"].EnumerateObject().Single().Name),
            Is.EqualTo((400, "reservationId")), several.ToString());
        var shapeless = await _partial.CaptureAsync(_partial.Site(), "x");
        Assert.That((shapeless.Status, shapeless["errors"].EnumerateObject().Single().Name), Is.EqualTo((400, "reservationId")));
    }

    [Test]
    public async Task A_release_gives_back_what_was_held_and_may_be_repeated()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial, minutes: 100);
        Assert.That((await _partial.OtherSite().RemoveAsync($"reservations/{held.Id}")).Status, Is.EqualTo(404));
        Assert.That((await _partial.Site().RemoveAsync($"reservations/{Guid.NewGuid()}")).Problem, Is.EqualTo("not-found"));
        var first = await _partial.Site().RemoveAsync($"reservations/{held.Id}");
        Assert.That((first.Status, first["minutes"].GetInt64(), first["remainingMinutes"].GetInt64()),
            Is.EqualTo((200, 100L, 120L)), first.ToString());
        var second = await _partial.Site().RemoveAsync($"reservations/{held.Id}");
        Assert.That((second.Status, second.Body), Is.EqualTo((200, first.Body)));

        var late = await _partial.CaptureAsync(_partial.Site(), held.Id);
        Assert.That((late.Status, late.Problem), Is.EqualTo((409, "reservation-ended")), late.ToString());
        Assert.That(late.Json.TryGetProperty("redemptionId", out _), Is.False);
        Assert.That((await _partial.RedeemAsync(_partial.OtherSite(), serial, 120)).Status, Is.EqualTo(201));

        var forgotten = await _partial.ReserveAsync(_partial.Site(), Next());
        Assert.That((await _service.Operator().RemoveAsync($"reservations/{forgotten.Id}")).Status, Is.EqualTo(200));
    }

    [Test]
    public async Task A_site_sees_its_reservations_under_way_page_by_page()
    {
        var (_, key) = await _partial.SiteAsync("Lieu des séances", "51454");
        using var site = _service.Client(key);
        var held = new List<string>();
        for (var i = 0; i < 5; i++) held.Add((await _partial.ReserveAsync(site, Next(), minutes: 60)).Id);
        var captured = await _partial.CaptureAsync(site, held[1]);
        Scenario.Ok(await site.RemoveAsync($"reservations/{held[3]}"));
        Assert.That(await PagesAsync(site), Is.EqualTo(new[] { held[4], held[2], held[0] }));

        var states = new List<string>();
        foreach (var id in held) states.Add((await site.ReadAsync($"reservations/{id}"))["state"].GetString()!);
        Assert.That(states, Is.EqualTo(new[] { "live", "captured", "live", "released", "live" }));
        var ended = await site.ReadAsync($"reservations/{held[1]}");
        Assert.That((ended["redemptionId"].GetString(), ended["minutes"].GetInt64()), Is.EqualTo((captured.Id, 60L)), ended.ToString());
        Assert.That((await _partial.Site().ReadAsync($"reservations/{held[0]}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await _service.Operator().ReadAsync($"reservations/{held[0]}")).Status, Is.EqualTo(200));
        Assert.That((await site.ReadAsync("reservations?after=x")).Status, Is.EqualTo(400));
        Assert.That((await _service.Operator().ReadAsync("reservations")).Problem, Is.EqualTo("site-unknown"));
    }

    [Test]
    public async Task The_reversal_of_a_capture_gives_its_minutes_back_and_reopens_no_reservation()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial);
        var captured = await _partial.CaptureAsync(_partial.Site(), held.Id, minutes: 70);
        var reversal = await _partial.Site().PostAsync($"redemptions/{captured.Id}/reversal", new { reason = "erreur" });
        Assert.That((reversal.Status, reversal["minutes"].GetInt64(), reversal["valueCents"].GetInt64(),
            reversal["remainingMinutes"].GetInt64()), Is.EqualTo((201, 70L, 583L, 120L)), reversal.ToString());
        Assert.That((await _partial.CaptureAsync(_partial.Site(), held.Id)).Problem, Is.EqualTo("reservation-ended"));
        Assert.That((await _partial.RedeemAsync(_partial.OtherSite(), serial, 120))["valueCents"].GetInt64(), Is.EqualTo(1_000));
    }

    [Test]
    public async Task A_pass_that_is_blocked_during_the_session_is_captured_once_it_is_free_again()
    {
        var serial = Next();
        var held = await _partial.ReserveAsync(_partial.Site(), serial);
        var block = await _partial.Authority().PostAsync("blocks", new { firstSerial = serial, lastSerial = serial, reason = "vol" });
        var refused = await _partial.CaptureAsync(_partial.Site(), held.Id);
        Assert.That((refused.Status, refused.Problem, refused["serial"].GetInt64()),
            Is.EqualTo((409, "voucher-blocked", serial)), refused.ToString());
        Scenario.Ok(await _partial.Authority().RemoveAsync($"blocks/{block.Id}"));
        Assert.That((await _partial.CaptureAsync(_partial.Site(), held.Id)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_capture_is_judged_by_its_service_its_workshop_and_its_date()
    {
        var held = await _partial.ReserveAsync(_partial.Site(), Next());
        var body = new Dictionary<string, object>
        {
            ["operationId"] = Guid.NewGuid(),
            ["reservationId"] = held.Id,
            ["service"] = Sessions.Service,
            ["activity"] = new { kind = "individuel", durationMinutes = 60, workshopId = Guid.NewGuid() },
        };
        Assert.That((await _partial.Site().PostAsync("redemptions", body)).Problem, Is.EqualTo("workshop-unknown"));
        body["activity"] = new { kind = "individuel", durationMinutes = 60 };
        foreach (var (name, value, problem) in new (string, object, string)[]
        {
            ("servedOn", Scenario.Today.AddDays(1), "date-out-of-range"),
            ("servedOn", Scenario.Today.AddDays(-8), "date-out-of-range"),
            ("siteId", _partial.OtherSiteId, "reservation-unknown"),
        })
        {
            var answer = await _partial.Site().PostAsync("redemptions", new Dictionary<string, object>(body) { [name] = value });
            Assert.That(answer.Problem, Is.EqualTo(problem), answer.ToString());
        }

        Assert.That((await _partial.Site().PostAsync("redemptions", body)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_booklet_is_neither_given_back_nor_undone_while_one_of_its_passes_is_held()
    {
        var own = await Scenario.CreateAsync(_service, booklets: 1, wholeVouchersOnly: false);
        var booklet = own.FirstSerial;
        var handOut = Scenario.Ok(await own.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
        var held = await own.ReserveAsync(own.Site(), booklet + 3);
        foreach (var refused in new[]
        {
            await own.Agent().PostAsync("returns", new { bookletNumber = booklet, reason = "rendu" }),
            await own.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" }),
        })
        {
            Assert.That((refused.Status, refused.Problem, refused["serial"].GetInt64(), refused["reservedUntil"].GetString()),
                Is.EqualTo((409, "booklet-reserved", booklet + 3, held["expiresAt"].GetString())), refused.ToString());
        }

        Assert.That(await _service.QueryAsync<long>("SELECT kind FROM voucher_entries WHERE serial BETWEEN @First AND @Last",
            new { First = booklet, Last = booklet + 4 }), Is.EqualTo(new[] { 3L }));
        Scenario.Ok(await own.Site().RemoveAsync($"reservations/{held.Id}"));
        Scenario.Ok(await own.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" }));
        var given = Scenario.Ok(await own.Agent().PostAsync("returns", new { bookletNumber = booklet, reason = "rendu" }));
        Assert.That((given["closedVouchers"].GetInt64(), given["closedMinutes"].GetInt64()), Is.EqualTo((5L, 600L)));
        Assert.That((await own.CaptureAsync(own.Site(), held.Id)).Problem, Is.EqualTo("reservation-ended"));
    }

    [Test]
    public async Task Reports_and_payables_know_captures_and_no_reservation()
    {
        var own = await Scenario.CreateAsync(_service, booklets: 1, wholeVouchersOnly: false);
        var before = await FiguresAsync(own);
        var held = await own.ReserveAsync(own.Site(), own.FirstSerial);
        await own.ReserveAsync(own.OtherSite(), own.FirstSerial + 1);
        Scenario.Ok(await own.Site().RemoveAsync(
            $"reservations/{(await own.ReserveAsync(own.Site(), own.FirstSerial + 2)).Id}"));
        Assert.That(await FiguresAsync(own), Is.EqualTo(before));
        Scenario.Ok(await own.CaptureAsync(own.Site(), held.Id, minutes: 30));
        Assert.That(await FiguresAsync(own), Is.Not.EqualTo(before));
        var month = Scenario.Today.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
        var due = await own.Site().ReadAsync($"sites/{own.SiteId}/payables?month={month}");
        Assert.That((due["count"].GetInt64(), due["totalCents"].GetInt64()), Is.EqualTo((1L, 250L)), due.ToString());
        Assert.That(due["items"][0].GetProperty("kind").GetString(), Is.EqualTo("redemption"));
    }

    [Test]
    public async Task The_history_of_a_pass_tells_its_reservations()
    {
        var serial = Next();
        var first = await _partial.ReserveAsync(_partial.Site(), serial, minutes: 60);
        Scenario.Ok(await _partial.CaptureAsync(_partial.Site(), first.Id, minutes: 50));
        var second = await _partial.ReserveAsync(_partial.Site(), serial);
        Scenario.Ok(await _partial.Site().RemoveAsync($"reservations/{second.Id}"));
        var history = await _partial.Authority().ReadAsync($"vouchers/{serial}/history");
        var told = history["events"].EnumerateArray().TakeLast(4).Select(e => (
            e.GetProperty("what").GetString(), e.GetProperty("minutes").GetInt64(), e.GetProperty("heldMinutes").GetInt64(),
            e.GetProperty("placeId").GetString()));
        Assert.That(told, Is.EqualTo(new[]
        {
            ("reserved", 0L, 60L, _partial.SiteId), ("captured", 50L, -60L, _partial.SiteId),
            ("reserved", 0L, 70L, _partial.SiteId), ("released", 0L, -70L, _partial.SiteId),
        }), history.ToString());
    }

    [Test]
    public async Task A_pass_is_not_reserved_without_end()
    {
        var serial = Next();
        var code = await _partial.CodeAsync(serial);
        using var site = _partial.Site();
        for (var i = 0; i < ReserveVoucher.MaxHolds; i++)
        {
            var held = Scenario.Ok(await site.PostAsync("reservations", new { operationId = Guid.NewGuid(), code }));
            Scenario.Ok(await site.RemoveAsync($"reservations/{held.Id}"));
        }

        var refused = await site.PostAsync("reservations", new { operationId = Guid.NewGuid(), code });
        Assert.That((refused.Status, refused.Problem), Is.EqualTo((409, "too-many-reservations")), refused.ToString());
        Assert.That((await _partial.RedeemAsync(site, serial, 120)).Status, Is.EqualTo(201));
    }

    [Test]
    public void An_operation_of_before_reservations_keeps_its_fingerprint()
    {
        var command = new RedeemVouchers.Command("a", "b", new("individuel", 60), Code: "c");
        Assert.That(JsonSerializer.Serialize(command, Json.Options), Is.EqualTo(
            """
            {"operationId":"a","service":"b","activity":{"kind":"individuel","durationMinutes":60,"workshopId":null,
            "thematiques":null,"level":null,"autonomy":null},"code":"c","codes":null,"minutes":null,"servedOn":null,
            "firstVisit":null,"evidence":null,"siteId":null}
            """.Replace("\n", "", StringComparison.Ordinal)));
    }

    private static async Task RefusedAsync(HttpClient site, Scenario scenario, long serial, string problem, long? minutes = null)
    {
        var answer = await scenario.ReserveAsync(site, serial, minutes);
        Assert.That((answer.Status, answer.Problem, answer["serial"].GetInt64()), Is.EqualTo((409, problem, serial)), answer.ToString());
    }

    private async Task<Answer> CheckAsync(HttpClient site, long serial) =>
        await site.PostAsync("vouchers/check", new { code = await _partial.CodeAsync(serial) });

    /// <summary>Everything a report says but when it says it.</summary>
    private async Task<string> FiguresAsync(Scenario scenario)
    {
        var report = await _service.Operator().ReadAsync($"reports/conventions/{scenario.ConventionId}");
        return string.Join('\n', report.Json.EnumerateObject().Where(m => m.Name != "cutOff").Select(m => m.ToString()));
    }

    private static async Task<IReadOnlyList<string>> PagesAsync(HttpClient site)
    {
        var seen = new List<string>();
        for (string? next = ""; next is not null;)
        {
            var page = await site.ReadAsync($"reservations?limit=2{(next.Length > 0 ? "&after=" + next : "")}");
            seen.AddRange(page["items"].EnumerateArray().Select(i => i.GetProperty("id").GetString()!));
            next = page["next"].GetString();
        }

        return seen;
    }
}

/// <summary>Short words for holding a pass and ending its session.</summary>
internal static class Sessions
{
    public const string Service = "Maîtrise des outils numériques du quotidien";

    public static async Task<Answer> ReserveAsync(
        this Scenario scenario, HttpClient site, long serial, long? minutes = null, long? expiresAfterMinutes = null,
        string? operationId = null) => await site.PostAsync("reservations", new
        {
            operationId = operationId ?? Guid.NewGuid().ToString(),
            code = await scenario.CodeAsync(serial),
            minutes,
            expiresAfterMinutes,
        });

    public static async Task<Answer> CaptureAsync(
        this Scenario _, HttpClient site, string reservationId, long? minutes = null, long durationMinutes = 60,
        string? code = null, DateOnly? servedOn = null, string? operationId = null) => await site.PostAsync("redemptions", new
        {
            operationId = operationId ?? Guid.NewGuid().ToString(),
            reservationId,
            code,
            minutes,
            service = Service,
            activity = new { kind = "individuel", durationMinutes },
            servedOn,
        });

    public static async Task<Answer> RedeemAsync(
        this Scenario scenario, HttpClient site, long serial, long minutes, string? operationId = null) =>
        await site.PostAsync("redemptions", new
        {
            operationId = operationId ?? Guid.NewGuid().ToString(),
            code = await scenario.CodeAsync(serial),
            minutes,
            service = Service,
            activity = new { kind = "individuel", durationMinutes = minutes },
        });
}

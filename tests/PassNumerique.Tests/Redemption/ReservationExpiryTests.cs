using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Redemption;

namespace PassNumerique.Tests.Redemption;

/// <summary>A reservation falls away at its instant by itself: nothing runs, two instants are compared.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReservationExpiryTests(string engine)
{
    private readonly ManualClock _clock = new(TimeProvider.System.NowMs());
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _scenario = await Scenario.CreateAsync(_service, booklets: 6, wholeVouchersOnly: false);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private long Next() => _scenario.FirstSerial + _next++;

    [Test]
    public async Task A_reservation_holds_until_its_last_millisecond_and_no_longer()
    {
        var serial = Next();
        var held = await ReserveAsync(serial, expiresAfterMinutes: 90);
        var until = UntilMs(held);
        _clock.NowMs = until - 1;
        Assert.That((await _scenario.RedeemAsync(_scenario.OtherSite(), serial, 60)).Problem, Is.EqualTo("voucher-reserved-elsewhere"));
        Assert.That((await _scenario.Site().ReadAsync($"reservations/{held.Id}"))["state"].GetString(), Is.EqualTo("live"));
        Assert.That(await LiveAsync(), Does.Contain(held.Id));
        _clock.NowMs = until;
        Assert.That((await _scenario.Site().ReadAsync($"reservations/{held.Id}"))["state"].GetString(), Is.EqualTo("expired"));
        Assert.That(await LiveAsync(), Does.Not.Contain(held.Id));
        var check = await _scenario.OtherSite().PostAsync("vouchers/check", new { code = await _scenario.CodeAsync(serial) });
        Assert.That((check["heldMinutes"].GetInt64(), check["usableHere"].GetBoolean()), Is.EqualTo((0L, true)), check.ToString());
        Assert.That((await _scenario.RedeemAsync(_scenario.OtherSite(), serial, 60)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task The_longest_reservation_lasts_a_day()
    {
        var held = await ReserveAsync(Next(), expiresAfterMinutes: ReserveVoucher.MaxExpiryMinutes);
        _clock.NowMs = UntilMs(held) - 1;
        Assert.That(await LiveAsync(), Does.Contain(held.Id));
    }

    [Test]
    public async Task A_session_that_ran_over_is_paid_while_its_minutes_are_still_there()
    {
        var serial = Next();
        var held = await ReserveAsync(serial, minutes: 70, expiresAfterMinutes: 60);
        _clock.NowMs = UntilMs(held) + 1;
        Scenario.Ok(await _scenario.RedeemAsync(_scenario.OtherSite(), serial, 50));
        var more = await _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 71);
        Assert.That(more.Problem, Is.EqualTo("reservation-too-small"), more.ToString());
        var captured = await _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 70);
        Assert.That((captured.Status, captured["minutes"].GetInt64(), captured["remainingMinutes"].GetInt64()),
            Is.EqualTo((201, 70L, 0L)), captured.ToString());
        Assert.That((await _scenario.CaptureAsync(_scenario.Site(), held.Id)).Problem, Is.EqualTo("reservation-ended"));
        Assert.That((await _scenario.Site().ReadAsync($"reservations/{held.Id}"))["state"].GetString(), Is.EqualTo("captured"));
    }

    [Test]
    public async Task What_was_used_or_held_after_the_instant_is_not_taken_by_a_late_capture()
    {
        var (spent, reserved) = (Next(), Next());
        var (late, later) = (await ReserveAsync(spent, expiresAfterMinutes: 10), await ReserveAsync(reserved, expiresAfterMinutes: 10));
        _clock.NowMs = UntilMs(later);
        Scenario.Ok(await _scenario.RedeemAsync(_scenario.OtherSite(), spent, 120));
        Scenario.Ok(await _scenario.ReserveAsync(_scenario.OtherSite(), reserved, minutes: 80));
        Assert.That((await _scenario.CaptureAsync(_scenario.Site(), late.Id)).Problem, Is.EqualTo("voucher-spent"));
        var elsewhere = await _scenario.CaptureAsync(_scenario.Site(), later.Id, minutes: 60);
        Assert.That(elsewhere.Problem, Is.EqualTo("voucher-reserved-elsewhere"), elsewhere.ToString());
        Assert.That((await _scenario.CaptureAsync(_scenario.Site(), later.Id, minutes: 40)).Status, Is.EqualTo(201));
    }

    [Test]
    public async Task A_reservation_that_fell_away_can_still_be_released_and_holds_up_no_return()
    {
        var serial = Next();
        var held = await ReserveAsync(serial, expiresAfterMinutes: 5);
        _clock.NowMs = UntilMs(held);
        Assert.That((await _scenario.Site().RemoveAsync($"reservations/{held.Id}")).Status, Is.EqualTo(200));
        Assert.That((await _scenario.Site().ReadAsync($"reservations/{held.Id}"))["state"].GetString(), Is.EqualTo("released"));
        Assert.That((await _scenario.CaptureAsync(_scenario.Site(), held.Id)).Problem, Is.EqualTo("reservation-ended"));

        var own = await Scenario.CreateAsync(_service, booklets: 1, wholeVouchersOnly: false);
        var forgotten = await own.ReserveAsync(own.Site(), own.FirstSerial, expiresAfterMinutes: 5);
        _clock.NowMs = UntilMs(forgotten);
        Scenario.Ok(await own.Agent().PostAsync("returns", new { bookletNumber = own.FirstSerial, reason = "rendu" }));
        Assert.That((await own.CaptureAsync(own.Site(), forgotten.Id)).Problem, Is.EqualTo("voucher-returned"));
    }

    [Test]
    public async Task No_midnight_between_start_and_end_takes_the_last_day_away()
    {
        // A pass that nobody handed out is accepted until its last day; the session begins on that evening.
        var lastDay = Clock.ParisDay(_clock.NowMs) + 1;
        var own = await Scenario.CreateAsync(_service, booklets: 1, wholeVouchersOnly: false, validUntil: lastDay.ToDate());
        _clock.NowMs = Clock.ParisMidnightMs(lastDay + 1) - (30 * Clock.MinuteMs);
        var held = await own.ReserveAsync(own.Site(), own.FirstSerial);
        var told = await own.ReserveAsync(own.Site(), own.FirstSerial + 1);
        var late = await own.ReserveAsync(own.Site(), own.FirstSerial + 2, expiresAfterMinutes: 45);
        Assert.That(new[] { held.Status, told.Status, late.Status }, Is.All.EqualTo(201), held.ToString());

        _clock.NowMs += 60 * Clock.MinuteMs;
        Assert.That((await own.RedeemAsync(own.Site(), own.FirstSerial + 3, 60)).Problem, Is.EqualTo("voucher-expired"));
        Assert.That((await own.ReserveAsync(own.Site(), own.FirstSerial + 3)).Problem, Is.EqualTo("voucher-expired"));
        Assert.That((await own.CaptureAsync(own.Site(), late.Id)).Problem, Is.EqualTo("voucher-expired"));
        var captured = await own.CaptureAsync(own.Site(), held.Id);
        Assert.That(captured.Status, Is.EqualTo(201), captured.ToString());
        var day = await own.Site().ReadAsync($"redemptions/{captured.Id}");
        Assert.That(day["servedOn"].GetString(), Is.EqualTo(Clock.DateText(lastDay)), "the day the session began");
        var named = await own.CaptureAsync(own.Site(), told.Id, servedOn: (lastDay + 1).ToDate());
        Assert.That(named.Status, Is.EqualTo(201), named.ToString());
    }

    [Test]
    public void The_days_of_a_capture_are_those_of_its_session_in_time_and_its_own_afterwards()
    {
        var held = new Reservation(1, 1, "s", 60, UntilMs: 1_000, StartDay: 50, StartedMs: 0, null, null, null, 120);
        Assert.Multiple(() =>
        {
            Assert.That(CaptureReservation.Days.Of(held, today: 51, null, nowMs: 999),
                Is.EqualTo(new CaptureReservation.Days(Service: 50, Valid: 50, Judged: 50, Asked: 50)));
            Assert.That(CaptureReservation.Days.Of(held, today: 51, servedDay: 51, nowMs: 999),
                Is.EqualTo(new CaptureReservation.Days(Service: 51, Valid: 50, Judged: 50, Asked: 51)));
            Assert.That(CaptureReservation.Days.Of(held, today: 51, servedDay: 45, nowMs: 999),
                Is.EqualTo(new CaptureReservation.Days(Service: 45, Valid: 45, Judged: 50, Asked: 51)), "asked like any other");
            Assert.That(CaptureReservation.Days.Of(held, today: 51, servedDay: 52, nowMs: 999).Asked, Is.EqualTo(51), "not to come");
            Assert.That(CaptureReservation.Days.Of(held, today: 51, null, nowMs: 1_000),
                Is.EqualTo(new CaptureReservation.Days(Service: 50, Valid: 50, Judged: 51, Asked: 51)));
        });
    }

    [Test]
    public void An_end_is_announced_in_the_time_of_the_site_and_never_too_early()
    {
        var now = new DateTimeOffset(2026, 11, 23, 8, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
        var guadeloupe = Clock.Zone("America/Guadeloupe");
        Assert.That(French.Until(now + (245 * Clock.MinuteMs), Clock.Paris, now), Is.EqualTo("13\u00A0h\u00A005"));
        Assert.That(French.Until(now + (245 * Clock.MinuteMs) + 1, Clock.Paris, now), Is.EqualTo("13\u00A0h\u00A006"));
        Assert.That(French.Until(now + (245 * Clock.MinuteMs), guadeloupe, now), Is.EqualTo("8\u00A0h\u00A005"));
        Assert.That(French.Until(now + Clock.DayMs, Clock.Paris, now),
            Is.EqualTo("9\u00A0h\u00A000, le 24\u00A0novembre\u00A02026"));
    }

    private async Task<Answer> ReserveAsync(long serial, long? minutes = null, long? expiresAfterMinutes = null) =>
        Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), serial, minutes, expiresAfterMinutes));

    private async Task<IReadOnlyList<string>> LiveAsync() =>
        [.. (await _scenario.Site().ReadAsync("reservations"))["items"].EnumerateArray().Select(i => i.GetProperty("id").GetString()!)];

    private static long UntilMs(Answer held) => held["expiresAt"].GetDateTimeOffset().ToUnixTimeMilliseconds();
}

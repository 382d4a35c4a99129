using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform;

namespace PassNumerique.Tests.Redemption;

/// <summary>Two at the same moment, and one of them a reservation: what is on a pass is given once.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReservationRaceTests(string engine)
{
    private const int Rounds = 5;

    private readonly ManualClock _clock = new(TimeProvider.System.NowMs());
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _scenario = await Scenario.CreateAsync(_service, booklets: 10, wholeVouchersOnly: false);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    private long Next() => _scenario.FirstSerial + _next++;

    [Test]
    public async Task A_pass_is_held_by_one_site_or_used_at_another()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var serial = Next();
            await OneOfTwoAsync(
                () => _scenario.ReserveAsync(_scenario.Site(), serial, minutes: 80),
                () => _scenario.RedeemAsync(_scenario.OtherSite(), serial, 80),
                "credit-too-small", "voucher-reserved-elsewhere");
        }
    }

    [Test]
    public async Task A_pass_is_held_by_one_of_two_sites()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var serial = Next();
            await OneOfTwoAsync(
                () => _scenario.ReserveAsync(_scenario.Site(), serial, minutes: 80),
                () => _scenario.ReserveAsync(_scenario.OtherSite(), serial, minutes: 80), "voucher-reserved-elsewhere");
        }
    }

    [Test]
    public async Task A_reservation_is_captured_once()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var held = Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), Next()));
            await OneOfTwoAsync(
                () => _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 30),
                () => _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 40), "reservation-ended");
        }
    }

    [Test]
    public async Task A_reservation_is_captured_or_released()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var serial = Next();
            var held = Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), serial));
            await OneOfTwoAsync(
                () => _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 30),
                () => _scenario.Site().RemoveAsync($"reservations/{held.Id}"), "reservation-ended");
            Assert.That(await _service.QueryAsync<long>(
                "SELECT hold_minutes FROM voucher_entries WHERE serial = @S ORDER BY part", new { S = serial }),
                Is.EqualTo(new[] { 120L, -120L }));
        }
    }

    [Test]
    public async Task A_session_that_ran_over_or_another_site_gets_what_is_left()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var serial = Next();
            var held = Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), serial, expiresAfterMinutes: 1));
            _clock.NowMs += 2 * Clock.MinuteMs;
            await OneOfTwoAsync(
                () => _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 80),
                () => _scenario.RedeemAsync(_scenario.OtherSite(), serial, 80), "credit-too-small");
        }
    }

    [Test]
    public async Task A_booklet_is_given_back_or_one_of_its_passes_is_held()
    {
        var own = await Scenario.CreateAsync(_service, booklets: Rounds, wholeVouchersOnly: false);
        for (var booklet = own.FirstSerial; booklet <= own.LastSerial; booklet += 5)
        {
            var number = booklet;
            await OneOfTwoAsync(
                () => own.Agent().PostAsync("returns", new { bookletNumber = number, reason = "abîmé" }),
                () => own.ReserveAsync(own.Site(), number + 4), "booklet-reserved", "voucher-returned");
        }
    }

    [Test]
    public async Task A_hand_out_is_undone_or_one_of_its_passes_is_held()
    {
        var own = await Scenario.CreateAsync(_service, booklets: Rounds, wholeVouchersOnly: false, requireHandOut: "refuse");
        for (var booklet = own.FirstSerial; booklet <= own.LastSerial; booklet += 5)
        {
            var number = booklet;
            var handOut = Scenario.Ok(await own.Agent().PostAsync("hand-outs", Scenario.HandOut(number)));
            await OneOfTwoAsync(
                () => own.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" }),
                () => own.ReserveAsync(own.Site(), number + 4), "booklet-reserved", "voucher-not-handed-out");
        }
    }

    [Test]
    public async Task A_reservation_sent_by_many_at_once_is_one_row_and_one_answer()
    {
        var (serial, operation) = (Next(), Guid.NewGuid().ToString());
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(
            () => _scenario.ReserveAsync(_scenario.Site(), serial, operationId: operation))));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201), string.Join('\n', answers.AsEnumerable()));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
        Assert.That(await _service.QueryAsync<long>("SELECT kind FROM voucher_entries WHERE serial = @S", new { S = serial }),
            Is.EqualTo(new[] { 3L }));
    }

    [Test]
    public async Task A_capture_sent_by_many_at_once_is_one_row_and_one_answer()
    {
        var held = Scenario.Ok(await _scenario.ReserveAsync(_scenario.Site(), Next()));
        var operation = Guid.NewGuid().ToString();
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(
            () => _scenario.CaptureAsync(_scenario.Site(), held.Id, operationId: operation))));
        Assert.That(answers.Select(a => a.Status), Is.All.EqualTo(201), string.Join('\n', answers.AsEnumerable()));
        Assert.That(answers.Select(a => a.Body).Distinct().Count(), Is.EqualTo(1));
        Assert.That(answers.Count(a => !a.Replayed), Is.EqualTo(1));
    }

    /// <summary>One succeeds; the other is refused for a reason that follows from it.</summary>
    private static async Task OneOfTwoAsync(Func<Task<Answer>> first, Func<Task<Answer>> second, params string[] refusals)
    {
        var (one, other) = await ConstraintRaceTests.AtOnceAsync(first, second);
        Answer[] answers = [one, other];
        Assert.That(answers.Count(a => a.Status is 200 or 201), Is.EqualTo(1), string.Join('\n', answers.AsEnumerable()));
        Assert.That(refusals, Does.Contain(answers.Single(a => a.Status > 201).Problem));
    }
}

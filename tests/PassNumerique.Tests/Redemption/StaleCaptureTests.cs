using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Platform;
using PassNumerique.Tests.Platform.Data;

namespace PassNumerique.Tests.Redemption;

/// <summary>
/// The statement of a slow client that decided to capture, and of one that decided to release, before the world
/// changed: it changes nothing. Each condition stands in the statement itself, whatever was read before it.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class StaleCaptureTests(string engine)
{
    private readonly ManualClock _clock = new(TimeProvider.System.NowMs());
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _booklet;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _scenario = await Scenario.CreateAsync(_service, booklets: 20, wholeVouchersOnly: false);
        _booklet = _scenario.FirstSerial - 5;
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task It_captures_where_nothing_changed()
    {
        var held = await ReserveAsync();
        Assert.That(await CaptureAsync(held), Is.EqualTo(1));
        Assert.That(await CaptureAsync(held), Is.Zero, "it was captured meanwhile");
    }

    [Test]
    public async Task It_captures_nothing_that_was_released()
    {
        var held = await ReserveAsync();
        Scenario.Ok(await _scenario.Site().RemoveAsync($"reservations/{held.Id}"));
        Assert.That(await CaptureAsync(held), Is.Zero);
    }

    [Test]
    public async Task It_captures_no_more_than_was_held()
    {
        var held = await ReserveAsync(minutes: 59);
        Assert.That(await CaptureAsync(held), Is.Zero);
        Assert.That(await CaptureAsync(held, minutes: 59), Is.EqualTo(1));
    }

    [Test]
    public async Task It_captures_from_no_other_entry_than_a_hold()
    {
        var held = await ReserveAsync();
        var captured = Scenario.Ok(await _scenario.CaptureAsync(_scenario.Site(), held.Id, minutes: 1));
        Assert.That(await CaptureAsync(captured, minutes: 1), Is.Zero);
    }

    [Test]
    public async Task It_captures_nothing_that_others_took_after_the_instant()
    {
        foreach (var isHeld in new[] { false, true })
        {
            var held = await ReserveAsync(expiresAfterMinutes: 1);
            _clock.NowMs += 2 * Clock.MinuteMs;
            Scenario.Ok(isHeld
                ? await _scenario.ReserveAsync(_scenario.OtherSite(), Serial(held), minutes: 61)
                : await _scenario.RedeemAsync(_scenario.OtherSite(), Serial(held), 61));
            Assert.That(await CaptureAsync(held), Is.Zero);
            Assert.That(await CaptureAsync(held, minutes: 59), Is.EqualTo(1), "the rest is still there");
        }
    }

    [Test]
    public async Task It_captures_nothing_of_a_pass_that_was_blocked()
    {
        var held = await ReserveAsync();
        Scenario.Ok(await _scenario.Authority().PostAsync("blocks",
            new { firstSerial = Serial(held), lastSerial = Serial(held), reason = "vol" }));
        Assert.That(await CaptureAsync(held), Is.Zero);
    }

    [Test]
    public async Task It_captures_nothing_of_a_booklet_that_was_given_back()
    {
        var held = await ReserveAsync(expiresAfterMinutes: 1);
        _clock.NowMs += 2 * Clock.MinuteMs;
        Scenario.Ok(await _scenario.Agent().PostAsync("returns", new { bookletNumber = Serial(held), reason = "rendu" }));
        Assert.That(await CaptureAsync(held), Is.Zero);
    }

    [Test]
    public async Task It_captures_nothing_beyond_the_validity_or_before_a_hand_out_where_one_is_needed()
    {
        var held = await ReserveAsync();
        Assert.That(await CaptureAsync(held, validDay: 100_031), Is.Zero);
        Assert.That(await CaptureAsync(held, judgedDay: 100_001), Is.Zero, "not handed out");
        Assert.That(await CaptureAsync(held, requireHandOut: 1), Is.Zero);
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(Serial(held))));
        Assert.That(await CaptureAsync(held, judgedDay: 100_038), Is.Zero);
        Assert.That(await CaptureAsync(held, validDay: 100_030, judgedDay: 100_037, requireHandOut: 1), Is.EqualTo(1));
    }

    [Test]
    public async Task It_captures_nothing_for_a_site_without_a_label_on_the_day()
    {
        var held = await ReserveAsync();
        Assert.That(await CaptureAsync(held, serviceDay: Scenario.Today.AddDays(-21).ToDay()), Is.Zero);
    }

    [Test]
    public async Task It_captures_nothing_under_terms_that_were_amended()
    {
        var held = await ReserveAsync();
        Assert.That(await CaptureAsync(held, knownVersion: 0), Is.Zero);
    }

    [Test]
    public async Task It_captures_nothing_for_an_operation_that_is_recorded()
    {
        var operation = Guid.NewGuid().ToString();
        var other = await ReserveAsync(operationId: operation);
        var held = await ReserveAsync();
        var organisation = (await _service.QueryAsync<string>(
            "SELECT organisation_id FROM voucher_entries WHERE serial = @S", new { S = Serial(other) })).Single();
        Assert.That(await CaptureAsync(held, operationId: operation, organisationId: organisation), Is.Zero);
    }

    [Test]
    public async Task Nothing_is_released_twice_or_after_its_capture()
    {
        foreach (var isCaptured in new[] { false, true })
        {
            var held = await ReserveAsync();
            Scenario.Ok(isCaptured
                ? await _scenario.CaptureAsync(_scenario.Site(), held.Id)
                : await _scenario.Site().RemoveAsync($"reservations/{held.Id}"));
            Assert.That(await ReleaseAsync(held), Is.Zero);
        }

        Assert.That(await ReleaseAsync(await ReserveAsync()), Is.EqualTo(1));
    }

    /// <summary>A reservation of the first pass of a booklet that no other test touches.</summary>
    private async Task<Answer> ReserveAsync(long? minutes = null, long? expiresAfterMinutes = null, string? operationId = null) =>
        Scenario.Ok(await _scenario.ReserveAsync(
            _scenario.Site(), _booklet += 5, minutes, expiresAfterMinutes, operationId));

    private static long Serial(Answer held) => held["serial"].GetInt64();

    private Task<long> ReleaseAsync(Answer held) => WriteAsync("ReleaseReservation.Release", db => new
    {
        Serial = Serial(held),
        HoldPart = PassNumerique.Vouchers.EntryId.Read(held.Id)!.Value.Part,
        ServiceDay = db.Today,
        Month = Clock.Month(db.Today),
        OrganisationId = Ids.New(),
        OperationId = Ids.New(),
        db.BodyHash,
        db.ActorId,
        db.NowMs,
        db.Batch,
    });

    /// <summary>As it was decided: an hour, for an order that ends on day 100,000 with 30 days of tolerance.</summary>
    private Task<long> CaptureAsync(
        Answer held, long minutes = 60, long? serviceDay = null, long validDay = 100_000, long judgedDay = 100_000,
        long requireHandOut = 0, long knownVersion = 1, string? operationId = null, string? organisationId = null) =>
        WriteAsync("CaptureReservation.Capture", db => new
        {
            Serial = Serial(held),
            HoldPart = PassNumerique.Vouchers.EntryId.Read(held.Id)!.Value.Part,
            _scenario.SiteId,
            Booklet = Serial(held),
            Minutes = minutes,
            CreditMinutes = 120L,
            FaceCents = 1_000L,
            ValidUntilDay = 100_000L,
            _scenario.OrderId,
            OrderSerial = _scenario.FirstSerial,
            _scenario.ConventionId,
            TermsVersion = 1L,
            KnownVersion = knownVersion,
            ToleranceDays = 30L,
            RequireHandOut = requireHandOut,
            Sessions.Service,
            ActivityKind = "individuel",
            DurationMinutes = 60L,
            WorkshopId = (string?)null,
            Thematiques = (string?)null,
            Level = (string?)null,
            Autonomy = (string?)null,
            FirstVisit = "unknown",
            Evidence = (string?)null,
            ServiceDay = serviceDay ?? db.Today,
            ValidDay = validDay,
            JudgedDay = judgedDay,
            Month = Clock.Month(db.Today),
            OrganisationId = organisationId ?? Ids.New(),
            OperationId = operationId ?? Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        });

    private async Task<long> WriteAsync(string statement, Func<Session, object> arguments)
    {
        var sql = SqlStatements.All.Single(s => s.Name == statement).Text;
        var changed = await _service.SendAsync(new Scripted.Command(statement, async services =>
        {
            var db = services.GetRequiredService<Session>();
            return (await db.ExecuteAsync(sql, arguments(db))).ToString(CultureInfo.InvariantCulture);
        }));
        return long.Parse(changed.Value!, CultureInfo.InvariantCulture);
    }
}

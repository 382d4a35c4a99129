using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Redemption;

/// <summary>
/// Random histories of one pass at two sites: reservations, captures, releases, redemptions, reversals and
/// repetitions in any order, while time goes on. Every answer is foretold by a model that shares nothing with
/// the service but the rules in words.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ReservationHistoryTests(string engine)
{
    private const int Histories = 20;
    private const int Steps = 30;

    private readonly ManualClock _clock = new(TimeProvider.System.NowMs());
    private TestService _service = null!;
    private Scenario _scenario = null!;
    private long _next;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        _scenario = await Scenario.CreateAsync(_service, booklets: Histories, wholeVouchersOnly: false);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    /// <summary>A failure prints the seed that made it: the history can be told again from it.</summary>
    [Test]
    public void A_pass_is_never_worth_more_than_its_credit_whatever_happens_to_it() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(Histories),
        Prop.ForAll(Arb.From(Gen.Choose(1, int.MaxValue)), seed => TellAsync(seed).GetAwaiter().GetResult()));

    private async Task TellAsync(int seed)
    {
        var serial = _scenario.FirstSerial + _next++;
        using HttpClient here = _scenario.Site(), elsewhere = _scenario.OtherSite();
        var story = new PassStory(new(seed), _scenario, serial, _clock, [here, elsewhere], $"seed {seed}");
        for (var step = 0; step < Steps; step++)
        {
            await story.StepAsync();
            await story.CheckAsync();
        }

        var rows = await _service.QueryAsync<Row>(
            """
            SELECT minutes AS Minutes,
                   value_cents AS Cents,
                   used_after AS UsedAfter
              FROM voucher_entries
             WHERE serial = @Serial
             ORDER BY part
            """, new { Serial = serial });
        Assert.That((rows.Sum(r => r.Minutes), rows.Sum(r => r.Cents)), Is.EqualTo((story.Used, story.Cents)), $"seed {seed}");
        Assert.That(rows.Select(r => r.UsedAfter), Is.All.InRange(0L, PassStory.Credit));
    }

    private sealed record Row(long Minutes, long Cents, long UsedAfter);
}

/// <summary>What one pass of 10 € and 120 minutes must answer, whatever is asked of it.</summary>
internal sealed class PassStory(
    Random random, Scenario scenario, long serial, ManualClock clock, HttpClient[] sites, string when)
{
    public const long Credit = 120;
    private const long FaceCents = 1_000;

    private readonly List<Hold> _holds = [];
    private readonly List<Use> _uses = [];
    private readonly List<(Func<Task<Answer>> Send, string Body)> _done = [];
    private string _what = "";

    public long Used { get; private set; }

    public long Cents { get; private set; }

    private long Held => _holds.Where(IsLive).Sum(h => h.Minutes);

    public Task StepAsync() => random.Next(0, 13) switch
    {
        <= 2 => ReserveAsync(),
        <= 5 => CaptureAsync(),
        6 => ReleaseAsync(),
        <= 8 => RedeemAsync(),
        9 => ReverseAsync(),
        10 => RepeatAsync(),
        _ => WaitAsync(),
    };

    /// <summary>A check tells what the model knows, and the model never gives more than there is.</summary>
    public async Task CheckAsync()
    {
        Assert.That(Used + Held, Is.InRange(0, Credit), When);
        var check = await sites[0].PostAsync("vouchers/check", new { code = await scenario.CodeAsync(serial) });
        Assert.That((check["remainingMinutes"].GetInt64(), check["heldMinutes"].GetInt64()),
            Is.EqualTo((Credit - Used, Held)), When);
    }

    private string When => $"{when}, {_what}";

    private async Task ReserveAsync()
    {
        var site = random.Next(2);
        long? minutes = random.Next(3) == 0 ? null : random.Next(1, 91);
        var (operation, expires) = (NewId(), random.Next(5, 120));
        var expected = WhyNotHeld(site, minutes ?? 1);
        var held = minutes ?? Credit - Used - Held;
        var answer = await SendAsync($"reserve {minutes} at {site}", expected, () =>
            scenario.ReserveAsync(sites[site], serial, minutes, expires, operation));
        if (expected is not null) return;
        Assert.That(answer["minutes"].GetInt64(), Is.EqualTo(held), When);
        var until = answer["expiresAt"].GetDateTimeOffset().ToUnixTimeMilliseconds();
        _holds.Add(new(answer.Id, site, held, until));
    }

    private async Task CaptureAsync()
    {
        if (_holds.Count == 0) return;
        var hold = _holds[random.Next(_holds.Count)];
        var site = random.Next(4) == 0 ? 1 - hold.Site : hold.Site;
        long minutes = random.Next(4) == 0 ? random.Next(1, 130) : random.NextInt64(1, hold.Minutes + 1);
        var operation = NewId();
        var expected = WhyNotCaptured(hold, site, minutes);
        var answer = await SendAsync($"capture {minutes} of {hold.Minutes} at {site}", expected, () =>
            scenario.CaptureAsync(sites[site], hold.Id, minutes, operationId: operation));
        if (expected is not null) return;
        hold.End = "captured";
        Take(answer, site, minutes);
    }

    private async Task ReleaseAsync()
    {
        if (_holds.Count == 0) return;
        var hold = _holds[random.Next(_holds.Count)];
        _what = $"release {hold.Minutes}";
        var foreign = await sites[1 - hold.Site].RemoveAsync($"reservations/{hold.Id}");
        Assert.That(foreign.Status, Is.EqualTo(404), When);
        var answer = await sites[hold.Site].RemoveAsync($"reservations/{hold.Id}");
        Assert.That(answer.Problem, Is.EqualTo(hold.End == "captured" ? "reservation-ended" : ""), When);
        hold.End ??= "released";
    }

    private async Task RedeemAsync()
    {
        var (site, minutes, operation) = (random.Next(2), random.NextInt64(1, 100), NewId());
        var expected = WhyNotUsed(site, minutes, Held);
        var answer = await SendAsync($"redeem {minutes} at {site}", expected, () =>
            scenario.RedeemAsync(sites[site], serial, minutes, operation));
        if (expected is null) Take(answer, site, minutes);
    }

    private async Task ReverseAsync()
    {
        if (_uses.Count == 0) return;
        var use = _uses[random.Next(_uses.Count)];
        _what = $"reverse {use.Minutes}";
        var answer = await sites[use.Site].PostAsync($"redemptions/{use.Id}/reversal", new { reason = "erreur" });
        Assert.That(answer.Problem, Is.EqualTo(use.IsReversed ? "redemption-already-reversed" : ""), When);
        if (use.IsReversed) return;
        Assert.That((answer["minutes"].GetInt64(), answer["valueCents"].GetInt64()), Is.EqualTo((use.Minutes, use.Cents)), When);
        (Used, Cents, use.IsReversed) = (Used - use.Minutes, Cents - use.Cents, true);
    }

    private async Task RepeatAsync()
    {
        if (_done.Count == 0) return;
        var (send, body) = _done[random.Next(_done.Count)];
        _what = "repeat";
        var again = await send();
        Assert.That((again.Status, again.Body, again.Replayed), Is.EqualTo((201, body, true)), When);
    }

    /// <summary>Some minutes and an odd second, so that no instant is met to the millisecond.</summary>
    private Task WaitAsync()
    {
        clock.NowMs += (random.Next(1, 60) * Clock.MinuteMs) + 1_001;
        return Task.CompletedTask;
    }

    private async Task<Answer> SendAsync(string what, string? expected, Func<Task<Answer>> send)
    {
        _what = what;
        var answer = await send();
        Assert.That(answer.Problem, Is.EqualTo(expected ?? ""), $"{When}: {answer}");
        if (expected is null) _done.Add((send, answer.Body));
        return answer;
    }

    /// <summary>Worth V(net minutes after) − net cents so far: with it, all of the pass's uses are worth V(net minutes).</summary>
    private void Take(Answer answer, int site, long minutes)
    {
        Used += minutes;
        var worth = ((2 * FaceCents * Used) + Credit) / (2 * Credit);
        Assert.That((answer["minutes"].GetInt64(), answer["valueCents"].GetInt64(), answer["remainingMinutes"].GetInt64()),
            Is.EqualTo((minutes, worth - Cents, Credit - Used)), When);
        _uses.Add(new(answer.Id, site, minutes, worth - Cents));
        Cents = worth;
    }

    private string? WhyNotHeld(int site, long minutes)
    {
        if (Used == Credit) return "voucher-spent";
        if (minutes > Credit - Used) return "credit-too-small";
        return minutes > Credit - Used - Held ? Reserved(site) : null;
    }

    private string? WhyNotUsed(int site, long minutes, long held)
    {
        if (Used == Credit) return "voucher-spent";
        var free = Credit - Used - held;
        if (minutes <= free) return null;
        return free == 0 || minutes <= Credit - Used ? Reserved(site) : "credit-too-small";
    }

    private string? WhyNotCaptured(Hold hold, int site, long minutes)
    {
        if (site != hold.Site) return "reservation-unknown";
        if (hold.End is not null) return "reservation-ended";
        if (Used == Credit) return "voucher-spent";
        return minutes > hold.Minutes
            ? "reservation-too-small"
            : WhyNotUsed(site, minutes, Held - (IsLive(hold) ? hold.Minutes : 0));
    }

    private string Reserved(int site) =>
        _holds.Exists(h => IsLive(h) && h.Site == site) ? "voucher-reserved-here" : "voucher-reserved-elsewhere";

    private bool IsLive(Hold hold) => hold.End is null && hold.UntilMs > clock.NowMs;

    private static string NewId() => Guid.NewGuid().ToString();

    private sealed record Hold(string Id, int Site, long Minutes, long UntilMs)
    {
        public string? End { get; set; }
    }

    private sealed record Use(string Id, int Site, long Minutes, long Cents)
    {
        public bool IsReversed { get; set; }
    }
}

using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PassNumerique.Benchmarks;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

/// <summary>
/// Guessing in process, where many guesses fit into a second: short versions of the runs "guesses" and "timing" of
/// the benchmarks.
/// </summary>
internal sealed class ReadCodeTests
{
    private static readonly GuessLimits Off = new(long.MaxValue, long.MaxValue, long.MaxValue);

    private TestService _service = null!;
    private AsyncServiceScope _scope;
    private Scenario _scenario = null!;
    private List<string> _codes = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync();
        _scenario = await Scenario.CreateAsync(_service);
        _codes = [];
        for (var serial = _scenario.FirstSerial; serial <= _scenario.LastSerial; serial++) _codes.Add(await _scenario.CodeAsync(serial));
        _scope = _service.Services.CreateAsyncScope();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _scope.DisposeAsync();
        await _service.DisposeAsync();
    }

    [Test]
    public async Task A_tag_cut_to_ten_bits_is_hit_where_nothing_limits_the_guesses()
    {
        var reader = Reader(Off);
        var random = new Random(20_261_125);
        var hits = 0;
        for (var i = 0; i < 20_000; i++)
            hits += (await reader.FindAsync(Site(1), CutTag.Guess(_codes[i % _codes.Count], 2, random))).IsRefused ? 0 : 1;

        // 19.5 are expected; fewer than one or more than sixty, once in 300 million runs.
        Assert.That(hits, Is.InRange(1, 60));
    }

    [Test]
    public async Task The_limit_lets_ten_of_many_guesses_through_while_another_site_is_served()
    {
        var reader = Reader(new GuessLimits(PerSite: 10, PerAddress: 10, Overall: 10));
        var random = new Random(20_261_125);
        var (told, waiting) = (0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var guess = await reader.FindAsync(Site(1), CutTag.Guess(_codes[i % _codes.Count], 4, random));
            if (guess.Refused == ReadCode.Unknown) told++;
            if (guess.Refused?.Status == 429) waiting++;
            if (i % 100 != 0) continue;
            var served = await reader.FindAsync(Site(2), _codes[i / 100 % _codes.Count]);
            Assert.That(served.Refused, Is.Null, "another site at the same address, with a right code");
        }

        Assert.That((told, waiting), Is.EqualTo((10, 19_990)));
    }

    [Test]
    public async Task A_right_code_is_not_told_once_its_site_has_reached_the_limit_meanwhile()
    {
        var clock = new MeddlingClock();
        var guesses = new Guesses(new GuessLimits(), clock, NullLogger<Guesses>.Instance);
        var reader = new ReadCode(new OrderCards(), Keys, guesses);
        Assert.That((await reader.FindAsync(Site(1), _codes[0])).Refused, Is.Null);
        clock.AfterTheNext = () =>
        {
            for (var i = 0; i < 10; i++) guesses.Count(Site(1));
        };
        Assert.That((await reader.FindAsync(Site(1), _codes[0])).Refused?.Status, Is.EqualTo(429));
    }

    [Test]
    public async Task Only_a_right_code_brings_its_order_into_memory()
    {
        var orders = new OrderCards();
        var reader = new ReadCode(orders, Keys, new Guesses(Off, TimeProvider.System, NullLogger<Guesses>.Instance));
        _ = VoucherCode.TryRead(_codes[0], out var code, out _);
        foreach (var wrong in WrongKinds(_codes[0]).Append(CutTag.Forge(_codes[0])))
            Assert.That((await reader.FindAsync(Site(1), wrong)).Refused, Is.EqualTo(ReadCode.Unknown));
        Assert.That(orders.Known(code.Serial), Is.Null);
        Assert.That((await reader.FindAsync(Site(1), _codes[0])).Value?.Serial, Is.EqualTo(code.Serial));
        Assert.That(orders.Known(code.Serial)?.Holds(code.Serial), Is.True);
        Assert.That((await reader.FindAsync(Site(1), _codes[0])).Value?.Serial, Is.EqualTo(code.Serial));
    }

    [Test]
    public async Task The_first_code_of_a_later_order_is_found_by_a_memory_that_knows_only_earlier_ones()
    {
        var reader = Reader(Off);
        Assert.That((await reader.FindAsync(Site(1), _codes[0])).Refused, Is.Null);
        var later = Scenario.Ok(await _scenario.OrderAsync(2, Scenario.Today.AddMonths(3), activate: false));
        foreach (var serial in new[] { later["firstSerial"].GetInt64(), later["lastSerial"].GetInt64() })
            Assert.That((await reader.FindAsync(Site(1), await _scenario.CodeAsync(serial))).Value?.Serial, Is.EqualTo(serial));
    }

    [Test]
    public async Task A_store_without_orders_refuses_every_code()
    {
        await using var service = await TestService.StartAsync();
        await using var scope = service.Services.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<Session>();
        var reader = service.Services.GetRequiredService<ReadCode>();
        foreach (var code in WrongKinds(_codes[0]).Append(_codes[0]))
            Assert.That((await reader.FindAsync(session, code)).Refused, Is.EqualTo(ReadCode.Unknown));
    }

    [Test]
    public async Task All_wrong_codes_cost_the_same_and_an_early_return_would_show()
    {
        // Medians of samples that take turns, against half of what one MAC makes: noise is not there three times.
        for (var tries = 1; ; tries++)
        {
            var (kinds, leaky) = await MedianTicksAsync(rounds: 6_000);
            var margin = Math.Abs(kinds[0] - leaky) / 2;
            if (kinds.All(k => Math.Abs(k - kinds[0]) < margin)) return;
            Assert.That(tries, Is.LessThan(3), $"{string.Join(", ", kinds)} ticks; with an early return {leaky}");
        }
    }

    /// <summary>A serial of nobody first, then what else can be wrong; and the first again through an early return.</summary>
    private async Task<(double[] Kinds, double Leaky)> MedianTicksAsync(int rounds)
    {
        var guesses = new Guesses(Off, TimeProvider.System, NullLogger<Guesses>.Instance);
        var orders = new OrderCards();
        var reader = new ReadCode(orders, Keys, guesses);
        var leaky = new LeakyReadCode(orders, Keys, guesses, reader);
        await reader.FindAsync(Site(1), _codes[0]);
        string[] codes = [.. WrongKinds(_codes[0])];
        var samples = Enumerable.Range(0, codes.Length + 1).Select(_ => new List<double>(rounds)).ToArray();
        var turns = Enumerable.Range(0, samples.Length).ToArray();
        for (var round = -rounds / 4; round < rounds; round++)
        {
            Random.Shared.Shuffle(turns);
            foreach (var turn in turns)
            {
                var session = Site(1);
                var start = Stopwatch.GetTimestamp();
                _ = turn < codes.Length ? await reader.FindAsync(session, codes[turn]) : await leaky.FindAsync(session, codes[0]);
                var ticks = Stopwatch.GetTimestamp() - start;
                if (round >= 0) samples[turn].Add(ticks);
            }
        }

        double[] medians = [.. samples.Select(s => s.Order().ElementAt(rounds / 2))];
        return (medians[..^1], medians[^1]);
    }

    private static IEnumerable<string> WrongKinds(string right)
    {
        _ = VoucherCode.TryRead(right, out var code, out _);
        var (salt, foreign) = (new byte[VoucherCode.SaltBytes], new byte[VoucherCode.KeyBytes]);
        yield return VoucherCode.Compose(foreign, 1, 4_000_000_000, salt);
        yield return CutTag.Forge(right);
        yield return VoucherCode.Compose(foreign, 5, code.Serial, salt);
        yield return VoucherCode.Compose(foreign, 1, code.Serial, salt);
    }

    /// <summary>Lets something happen between the first time it is asked and the second.</summary>
    private sealed class MeddlingClock : TimeProvider
    {
        private int _asked;

        public Action? AfterTheNext { get; set; }

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp()
        {
            if (AfterTheNext is { } happens && ++_asked == 2)
            {
                AfterTheNext = null;
                happens();
            }

            return 1;
        }
    }

    private KeyRing Keys => _service.Services.GetRequiredService<KeyRing>();

    private ReadCode Reader(GuessLimits limits) =>
        new(new OrderCards(), Keys, new Guesses(limits, new ManualClock(1), NullLogger<Guesses>.Instance));

    private Session Site(int number)
    {
        var session = _scope.ServiceProvider.GetRequiredService<Session>();
        session.Caller = new("", Role.Site, "", [$"00000000-0000-7000-8000-{number:x12}"], "");
        session.Address = IPAddress.Loopback;
        return session;
    }
}

using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Guesses at a tag of which all but 20 bits are known, through everything that a typed code goes through, the store
/// included. Without the limits the guesser must hit as often as chance says, else this run would see nothing; with
/// them no more guesses are told than their bound, and a site at the guessers' address is served all the while.
/// </summary>
internal static class GuessRuns
{
    private const int UnknownSymbols = 4;
    private const double Chances = 1 << 20;
    private const int Passes = 1_000;

    /// <summary>Places that guess, on two addresses: enough to fill the limits of both and the common one.</summary>
    private const int Places = 120;
    private const int Addresses = 2;

    /// <summary>The limited guesses come evenly within an hour of a clock of their own.</summary>
    private const long HourMs = 3_600_000;
    private const long Windows = 61;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new Options(args, "--runs", "--guesses");
        var runs = options.Number("--runs", 100, max: 10_000);
        var guesses = options.Number("--guesses", 1_000_000, max: 100_000_000);
        Console.WriteLine(Measurement.Machine());
        await using var store = await DemoStore.OpenAsync();
        var codes = store.Codes(Passes, new Random(1));
        var free = await WithoutLimitsAsync(store, codes, runs, guesses);
        var limited = await WithLimitsAsync(store, codes, guesses);
        return free && limited ? 0 : 1;
    }

    private static async Task<bool> WithoutLimitsAsync(DemoStore store, IReadOnlyList<string> codes, int runs, int guesses)
    {
        var reader = store.Reader(DemoStore.Unlimited(), new OrderCards());
        var clock = Stopwatch.StartNew();
        var hits = 0L;
        await Parallel.ForAsync(0, runs, async (run, _) =>
        {
            await using var scope = store.Scope();
            var session = As(scope, place: run, address: 1);
            var random = new Random(run);
            for (var i = 0; i < guesses; i++)
            {
                var guess = CutTag.Guess(codes[random.Next(codes.Count)], UnknownSymbols, random);
                if ((await reader.FindAsync(session, guess)).Refused is null) Interlocked.Increment(ref hits);
            }
        });

        var (all, seconds) = ((double)runs * guesses, clock.Elapsed.TotalSeconds);
        var expected = all / Chances;
        var (least, most) = (Math.Max(1, expected - (4 * Math.Sqrt(expected))), expected + (4 * Math.Sqrt(expected)));
        var good = hits >= least && hits <= most;
        Console.WriteLine($"without limits: {hits} hits in {runs} runs of {guesses:#,0} guesses; chance says {expected:0.0} "
            + $"({least:0}–{most:0}); {all / seconds:#,0} guesses a second: {Verdict(good)}");
        return good;
    }

    private static async Task<bool> WithLimitsAsync(DemoStore store, IReadOnlyList<string> codes, int guesses)
    {
        var (limits, clock) = (new GuessLimits(), new EvenClock(HourMs, guesses));
        var reader = store.Reader(new Guesses(limits, clock, NullLogger<Guesses>.Instance), new OrderCards());
        await using var scope = store.Scope();
        var random = new Random(1);
        var (told, hits, waits, served, scans) = (0L, 0L, 0L, 0L, 0L);
        for (var i = 0; i < guesses; i++, clock.Step())
        {
            var guesser = As(scope, i % Places, i % Places % Addresses);
            var guess = (await reader.FindAsync(
                guesser, CutTag.Guess(codes[random.Next(codes.Count)], UnknownSymbols, random))).Refused;
            if (guess is null) hits++;
            else if (guess.Status == 429) waits++;
            else told++;
            if (i % 100 != 0) continue;
            scans++;
            if ((await reader.FindAsync(As(scope, Places, 0), codes[i / 100 % codes.Count])).Refused is null) served++;
        }

        var shares = Places * Guesses.OwnShare;
        var bound = Windows * Math.Min(
            Places * limits.PerSite, Math.Min(Addresses * limits.PerAddress, limits.Overall) + shares);
        var good = told + hits < bound && served == scans;
        Console.WriteLine($"with limits: {guesses:#,0} guesses in an hour by {Places} places on {Addresses} addresses: "
            + $"{told:#,0} told wrong (bound {bound:#,0}), {waits:#,0} told to wait, {hits} hits; another site there: "
            + $"{served:#,0} of {scans:#,0} right codes accepted: {Verdict(good)}");
        return good;
    }

    private static Session As(AsyncServiceScope scope, int place, int address)
    {
        var session = scope.ServiceProvider.GetRequiredService<Session>();
        session.Caller = new("", Role.Site, "", [$"00000000-0000-8000-8000-{place:x12}"], "");
        session.Address = new IPAddress([192, 0, 2, (byte)address]);
        return session;
    }

    private static string Verdict(bool good) => good ? "holds" : "DOES NOT HOLD";

    /// <summary>A clock that goes through a time in equal steps.</summary>
    private sealed class EvenClock(long lengthMs, long steps) : TimeProvider
    {
        private long _step;

        public override long TimestampFrequency => 1_000;

        public override long GetTimestamp() => 1 + (lengthMs * _step / steps);

        public void Step() => _step++;
    }
}

using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

/// <summary>The limits by themselves: who is stopped, when, and for how long.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GuessesTests
{
    private static readonly GuessLimits Limits = new(PerSite: 10, PerAddress: 20, Overall: 50);

    private readonly ManualClock _clock = new(1_795_420_800_000);
    private readonly Guesses _guesses;

    public GuessesTests() => _guesses = new(Limits, _clock, NullLogger<Guesses>.Instance);

    [Test]
    public void A_place_is_told_of_ten_wrong_codes_a_minute()
    {
        var site = Site(1);
        Assert.That(Guess(site, 10), Is.EqualTo(10));
        _clock.NowMs += 20_500;
        var refused = _guesses.Count(site);
        Assert.That((refused?.Code, refused?.Status, refused?.RetryAfterSeconds), Is.EqualTo(("guesses-too-many", 429, 40L)));
        Assert.That(refused!.Detail, Does.Contain("40 secondes").And.Contain("rien n'a été débité"));
        Assert.That(refused.Fact("retryAfterSeconds"), Is.EqualTo(40L));
        Assert.That(_guesses.WhyNot(site)?.RetryAfterSeconds, Is.EqualTo(40), "a right code waits too");
        _clock.NowMs += 39_499;
        Assert.That(_guesses.WhyNot(site)?.RetryAfterSeconds, Is.EqualTo(1));
        Assert.That(_guesses.WhyNot(site)!.Detail, Does.Contain("1 seconde,"));
        _clock.NowMs += 1;
        Assert.That(_guesses.WhyNot(site), Is.Null);
        Assert.That(Guess(site, 30), Is.EqualTo(10), "the next minute has its own ten");
    }

    [Test]
    public void What_is_refused_is_not_counted()
    {
        var site = Site(1);
        Guess(site, 10);
        _clock.NowMs += 59_000;
        Guess(site, 1_000);
        _clock.NowMs += 1_000;
        Assert.That(_guesses.WhyNot(site), Is.Null);
    }

    [Test]
    public void Right_codes_are_never_counted()
    {
        var site = Site(1);
        Guess(site, 2);
        for (var i = 0; i < 100_000; i++) Assert.That(_guesses.WhyNot(site), Is.Null);
        Assert.That(Guess(site, 10), Is.EqualTo(8));
    }

    [Test]
    public void Whoever_does_not_guess_is_served_while_others_do_at_the_same_address()
    {
        Assert.That(Guess(Site(1), 10) + Guess(Site(2), 10), Is.EqualTo(20), "the address is full");
        var honest = Site(3);
        Assert.That(_guesses.WhyNot(honest), Is.Null);
        Assert.That(Guess(honest, 10), Is.EqualTo(Guesses.OwnShare), "wrong codes of its own are its share");
        Assert.That(_guesses.WhyNot(honest)?.RetryAfterSeconds, Is.EqualTo(60), "from then on it is one of those who guess");
        Assert.That(_guesses.WhyNot(Site(4)), Is.Null, "others are not");
        Assert.That(Guess(Site(5, "192.0.2.2"), 10), Is.EqualTo(10), "nor another address");
    }

    [Test]
    public void Whoever_does_not_guess_is_served_while_others_do_everywhere()
    {
        var told = Enumerable.Range(0, 100).Sum(i => Guess(Site(i, $"192.0.2.{i}"), 10));
        Assert.That(told, Is.EqualTo(Limits.Overall + (95 * Guesses.OwnShare)), "five fill it, the others have their share");
        var honest = Site(200, "192.0.2.200");
        Assert.That(_guesses.WhyNot(honest), Is.Null);
        Assert.That(Guess(honest, 10), Is.EqualTo(Guesses.OwnShare));
    }

    [Test]
    public void Whoever_waits_for_others_waits_no_longer_than_the_window_of_either()
    {
        Guess(Site(1), 10);
        Guess(Site(2), 7);
        _clock.NowMs += 30_000;
        Assert.That(Guess(Site(3), 4), Is.EqualTo(3), "with these the address is full");
        Assert.That(_guesses.WhyNot(Site(3))?.RetryAfterSeconds, Is.EqualTo(30), "the address is free before its own minute ends");
        _clock.NowMs += 30_000;
        Assert.That(_guesses.WhyNot(Site(3)), Is.Null);
    }

    [Test]
    public void Who_works_in_several_places_is_counted_as_a_person()
    {
        var (one, other) = (Person(1, PlaceOf(1), PlaceOf(2)), Person(2, PlaceOf(1), PlaceOf(2)));
        Guess(one, 10);
        Assert.That(_guesses.WhyNot(one), Is.Not.Null);
        Assert.That(_guesses.WhyNot(other), Is.Null);
        Assert.That(_guesses.WhyNot(Site(1)), Is.Null);
    }

    [Test]
    public void All_keys_of_a_place_are_counted_together()
    {
        Guess(Person(1, PlaceOf(7)), 5);
        Assert.That(Guess(Person(2, PlaceOf(7)), 10), Is.EqualTo(5));
    }

    [Test]
    public void Nobody_in_particular_has_no_share_of_his_own()
    {
        var nobody = new Session(null!, _clock) { Address = IPAddress.Parse("192.0.2.1") };
        Assert.That(Guess(nobody, 100), Is.EqualTo(Limits.PerAddress));
        Assert.That(_guesses.WhyNot(nobody)?.RetryAfterSeconds, Is.EqualTo(60));
    }

    [TestCase("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [TestCase("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [TestCase("::ffff:192.0.2.1", "192.0.2.1", true)]
    [TestCase("192.0.2.1", "192.0.2.2", false)]
    public void A_network_of_the_new_kind_is_one_address(string one, string other, bool same) =>
        Assert.That(Guesser.Of(IPAddress.Parse(one)) == Guesser.Of(IPAddress.Parse(other)), Is.EqualTo(same));

    [Test]
    public async Task Of_many_at_once_ten_are_told()
    {
        var site = Site(1);
        var told = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Guess(site, 1_000))));
        Assert.That(told.Sum(), Is.EqualTo(10));
    }

    [Test]
    public void A_flood_of_guessers_takes_no_more_memory_than_the_first()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var table = new GuessTable();
        table.Add(new(1, 1), now: 1, length: 60_000);
        var made = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(LeastAllocatedBy(() =>
        {
            for (var i = 0UL; i < 200UL * GuessTable.Slots; i++) table.Add(new(i, i), now: 1, length: 60_000);
        }), Is.Zero);
        Assert.That(made - before, Is.LessThan(50 * GuessTable.Slots));
    }

    [Test]
    public void A_full_table_forgets_the_smallest_first()
    {
        var table = new GuessTable();
        var many = new Guesser(1, 1);
        for (var i = 0; i < 10; i++) table.Add(many, now: 1, length: 60_000);
        for (var i = 2UL; i < 100UL * GuessTable.Slots; i++) table.Add(new(i, i), now: 2, length: 60_000);
        Assert.That(table.Find(many).At(3), Is.EqualTo(10));
    }

    [Test]
    public void A_good_code_allocates_nothing_whether_others_guess_or_not()
    {
        var site = Site(1);
        Assert.That(AllocatedBy(() => _guesses.WhyNot(site)), Is.Zero, "nobody guesses");
        Guess(Site(2), 10);
        Guess(Site(3), 10);
        Guess(site, 1);
        Assert.That(AllocatedBy(() => _guesses.WhyNot(site)), Is.Zero, "the address is full");
    }

    [Test]
    public void The_limits_are_settings()
    {
        Assert.That(Read(), Is.EqualTo(new GuessLimits(10, 60, 600)));
        Assert.That(
            Read(("GuessesPerSite", "1"), ("GuessesPerAddress", "2"), ("GuessesOverall", "1000000")),
            Is.EqualTo(new GuessLimits(1, 2, 1_000_000)));
    }

    [TestCase("GuessesPerSite", "0")]
    [TestCase("GuessesPerAddress", "-1")]
    [TestCase("GuessesOverall", "1000001")]
    [TestCase("GuessesOverall", "beaucoup")]
    [TestCase("GuessesOverall", "")]
    public void A_wrong_limit_stops_the_start_with_one_line(string name, string value) => Assert.That(
        () => Read((name, value)),
        Throws.TypeOf<StartException>().With.Message.EqualTo(
            $"PassNumerique__{name} vaut « {value} » : donnez un nombre de 1 à 1000000."));

    private static GuessLimits Read(params (string Name, string Value)[] settings)
    {
        var values = settings.ToDictionary(s => "PassNumerique:" + s.Name, s => (string?)s.Value);
        return Settings.From(
            new ConfigurationBuilder().AddInMemoryCollection(values).Build(),
            new HostingEnvironment { EnvironmentName = "Development" }).Guesses;
    }

    private static long AllocatedBy(Func<Refusal?> ask)
    {
        for (var i = 0; i < 1_000; i++) Assume.That(ask(), Is.Null);
        return LeastAllocatedBy(() =>
        {
            for (var i = 0; i < 10_000; i++) ask();
        });
    }

    /// <summary>
    /// By this thread, in bytes. While other threads allocate, a collection counts what is left of the room of this one,
    /// up to 8 KiB, as taken by it: where it is not zero at once, the least of five.
    /// </summary>
    private static long LeastAllocatedBy(Action work)
    {
        var least = long.MaxValue;
        for (var i = 0; i < 5 && least > 0; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    /// <summary>How many of these wrong codes were told that they are wrong.</summary>
    private int Guess(Session session, int times) => Enumerable.Range(0, times).Count(_ => _guesses.Count(session) is null);

    private static string PlaceOf(int number) => $"00000000-0000-7000-8000-{number:x12}";

    private Session Site(int number, string address = "192.0.2.1") => Person(900_000 + number, address, [PlaceOf(number)]);

    private Session Person(int number, params string[] places) => Person(number, "192.0.2.1", places);

    private Session Person(int number, string address, string[] places) => new(null!, _clock)
    {
        Caller = new($"00000000-0000-7000-9000-{number:x12}", Role.Site, "", places, ""),
        Address = IPAddress.Parse(address),
    };
}

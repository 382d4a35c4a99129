using NUnit.Framework;
using PassNumerique.Access;

namespace PassNumerique.Tests.Access;

/// <summary>Tries as the minutes go by.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class BeginSignInTests(string engine)
{
    private readonly ManualClock _clock = new(1_795_420_800_000);
    private TestService _service = null!;
    private string _memberId = "";
    private long _tokens;

    [SetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine, clock: _clock);
        var organisation = (await _service.Operator().PostAsync("organisations", new { kind = "state", name = "Préfecture" })).Id;
        var login = await People.AddAsync(_service, organisation, "state");
        _memberId = (await _service.QueryAsync<string>(
            "SELECT id FROM members WHERE login = @Login", new { Login = login })).Single();
    }

    [TearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_minute_after_the_first_try_there_are_five_more()
    {
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++) Assert.That(await TryAsync("a", $"{i}"), Is.Not.Null);
        Assert.That(await TryAsync("a", "9"), Is.Null, "a login, from any address");
        _clock.NowMs += 59_000;
        Assert.That(await TryAsync("a", "9"), Is.Null);
        _clock.NowMs += 1_100;
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++) Assert.That(await TryAsync("a", $"{i}"), Is.Not.Null);
        Assert.That(await TryAsync("a", "9"), Is.Null);
    }

    [Test]
    public async Task A_right_password_costs_nothing()
    {
        for (var i = 0; i < 4; i++) Assert.That(await TryAsync("a", "9"), Is.Not.Null);
        for (var i = 0; i < 50; i++)
        {
            var begun = await TryAsync("a", "9");
            var opened = await _service.SendAsync(new SignIn.Command(_memberId, $"{_tokens++}".PadLeft(64, '0'), begun!));
            Assert.That(opened.Refused, Is.Null);
        }

        Assert.That(await TryAsync("b", "9"), Is.Not.Null, "the four wrong ones of the address still count");
        Assert.That(await TryAsync("c", "9"), Is.Null, "an address, with any login");
        for (var i = 0; i < BeginSignIn.MaxPerMinute; i++)
            Assert.That(await TryAsync("a", $"{i}"), Is.Not.Null, "the login's are forgotten");
    }

    [Test]
    public async Task Names_are_not_kept_and_tries_only_for_two_minutes()
    {
        for (var i = 0; i < 20; i++) await TryAsync($"login{i}", $"192.0.2.{i}");
        var kept = await DigestsAsync();
        Assert.That(kept, Has.Count.EqualTo(40).And.All.Match("^[0-9a-f]{64}$"));
        _clock.NowMs += 121_000;
        await TryAsync("login0", "192.0.2.0");
        Assert.That(await DigestsAsync(), Has.Count.EqualTo(2).And.SubsetOf(kept));
    }

    private async Task<BeginSignIn.Answer?> TryAsync(string login, string address) =>
        (await _service.SendAsync(new BeginSignIn.Command(login, address))).Value;

    private Task<IReadOnlyList<string>> DigestsAsync() =>
        _service.QueryAsync<string>("SELECT name_digest FROM sign_in_attempts");
}

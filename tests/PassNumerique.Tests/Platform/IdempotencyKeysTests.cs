using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

/// <summary>The header <c>Idempotency-Key</c>: what was done once is answered again, for thirty days.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class IdempotencyKeysTests(string engine)
{
    private readonly ManualClock _clock = new(1_795_000_000_000);
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine, _clock);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task The_same_key_gives_the_same_answer()
    {
        var first = await AddAsync("same", "Hub d'essai");
        var second = await AddAsync("same", "Hub d'essai");
        var other = await AddAsync("same", "Autre");
        Assert.That((second.Body, second.Status, second.Replayed), Is.EqualTo((first.Body, 201, true)));
        Assert.That((first.Replayed, other.Status, other.Problem), Is.EqualTo((false, 422, "idempotency-key-reused")));
    }

    [Test]
    public async Task A_key_is_forgotten_after_thirty_days()
    {
        var first = await AddAsync("month", "Hub d'un mois");
        _clock.NowMs += 30 * Clock.DayMs;
        var inTime = await AddAsync("month", "Hub d'un mois");
        _clock.NowMs += Clock.MinuteMs;
        var late = await AddAsync("month", "Hub d'un mois");
        Assert.That((inTime.Replayed, inTime.Id), Is.EqualTo((true, first.Id)));
        Assert.That((late.Status, late.Replayed), Is.EqualTo((201, false)));
        Assert.That(late.Id, Is.Not.EqualTo(first.Id));
    }

    [Test]
    public async Task A_key_of_what_was_refused_may_be_used_again()
    {
        var refused = await AddAsync("refused", "");
        var taken = await AddAsync("refused", "Hub nommé");
        Assert.That((refused.Status, taken.Status, taken.Replayed), Is.EqualTo((400, 201, false)));
    }

    /// <summary>Two bodies may be the same to the letter: what they are about is in the address.</summary>
    [Test]
    public async Task A_key_is_of_one_address()
    {
        var one = await Scenario.CreateAsync(_service, activate: false);
        var other = await Scenario.CreateAsync(_service, activate: false);
        var first = await CancelAsync(one);
        Assert.That(first.Status, Is.EqualTo(201), first.ToString());
        Assert.That((await CancelAsync(one)).Replayed, Is.True);
        Assert.That((await CancelAsync(other)).Problem, Is.EqualTo("idempotency-key-reused"));

        Task<Answer> CancelAsync(Scenario scenario) =>
            _service.Operator().PostAsync($"orders/{scenario.OrderId}/cancellation", new { comment = "Erreur" }, key: "address");
    }

    private Task<Answer> AddAsync(string key, string name) =>
        _service.Operator().PostAsync("organisations", new { kind = "hub", name }, key: key);
}

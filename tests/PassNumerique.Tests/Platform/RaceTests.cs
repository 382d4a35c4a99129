using System.Collections;
using System.Text.Json.Serialization;
using FluentValidation;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Platform.Data;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Platform;

/// <summary>
/// The statement of a slow client, decided on what it read before a rival wrote: it changes nothing.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class StaleWriteTests(string engine)
{
    private TestService _service = null!;
    private Scenario _scenario = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scenario = await Scenario.CreateAsync(_service, booklets: 10);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task No_derogation_is_asked_for_an_order_that_is_active_by_now()
    {
        var changed = await WriteAsync("RequestDerogation.Insert", db => new
        {
            _scenario.OrderId,
            Reason = "virement en route",
            db.ActorId,
            db.NowMs,
            db.Batch,
        });
        Assert.That(changed, Is.Zero);
    }

    [Test]
    public async Task No_pass_is_released_that_has_served_by_now()
    {
        var serial = _scenario.FirstSerial;
        Scenario.Ok(await _scenario.Site().PostAsync("redemptions", await _scenario.RedemptionAsync(serial)));
        var changed = await WriteAsync("ReverseHandOut.Release", db => new
        {
            Serial = serial,
            CreditMinutes = 120L,
            _scenario.ConventionId,
            Day = db.Today,
            Month = Clock.Month(db.Today),
            Reason = "mauvais numéro",
            OrganisationId = _scenario.AuthorityId,
            OperationId = Ids.New(),
            db.BodyHash,
            db.ActorId,
            db.NowMs,
            db.Batch,
        });
        Assert.That(changed, Is.Zero);
    }

    [Test]
    public async Task The_reversal_of_a_hand_out_takes_the_next_part_of_each_of_its_passes()
    {
        var booklet = _scenario.FirstSerial + 5;
        var handOut = Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet)));
        Scenario.Ok(await _scenario.Agent().PostAsync($"hand-outs/{handOut.Id}/reversal", new { reason = "mauvais numéro" }));
        var parts = await _service.QueryAsync<long>(
            "SELECT part FROM voucher_entries WHERE serial BETWEEN @First AND @Last AND kind = 4",
            new { First = booklet, Last = booklet + 4 });
        Assert.That(parts, Is.EqualTo(new[] { 1L, 1L, 1L, 1L, 1L }));
    }

    [Test]
    public async Task No_link_is_held_that_was_erased_by_now()
    {
        var digest = ((KeyRing)_service.Services.GetService(typeof(KeyRing))!)
            .PersonDigest(_scenario.ConventionId, "dossier 7");
        var booklet = _scenario.FirstSerial + 10;
        Scenario.Ok(await _scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(booklet, reference: "dossier 7")));
        var link = new { _scenario.ConventionId, Digest = digest };
        Assert.That(await WriteAsync("PersonNumbers.Hold", _ => link), Is.EqualTo(1));
        Scenario.Ok(await _scenario.Authority().PostAsync("persons/erasures",
            new { conventionId = _scenario.ConventionId, reference = "dossier 7" }));
        Assert.That(await WriteAsync("PersonNumbers.Hold", _ => link), Is.Zero);
    }

    [Test]
    public void A_step_whose_predecessor_came_meanwhile_is_tried_again_and_no_date_is_blamed() => Assert.That(
        () => OrderSteps.WhyNot([new(OrderStep.Approved, "approved", 5)], OrderStep.ProofApproved, 1, 5, 5),
        Throws.TypeOf<StoreUnavailableException>());

    private async Task<long> WriteAsync(string statement, Func<Session, object> arguments)
    {
        var sql = SqlStatements.All.Single(s => s.Name == statement).Text;
        var changed = await _service.SendAsync(new Scripted.Command(statement, async services =>
        {
            var db = services.GetRequiredService<Session>();
            return (await db.ExecuteAsync(sql, arguments(db))).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }));
        return long.Parse(changed.Value!, System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>
/// Two transactions in an order that chance would seldom give: the first has decided and holds its transaction
/// open while the second decides, or commits between two reads of the other.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class HeldRaceTests(string engine)
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync(engine);

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_scan_waits_for_the_reversal_of_its_hand_out()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 2, requireHandOut: "refuse");
        var handOut = Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial)));
        var redemption = await scenario.RedemptionAsync(scenario.FirstSerial);

        // A server that has met the statements decides at once: else the reversal might be committed before.
        Scenario.Ok(await scenario.Agent().PostAsync("hand-outs", Scenario.HandOut(scenario.FirstSerial + 5)));
        Scenario.Ok(await scenario.Site().PostAsync("redemptions", await scenario.RedemptionAsync(scenario.FirstSerial + 5)));
        var reversal = new ReverseHandOut.Command("mauvais numéro") { HandOutId = handOut.Id };
        var scan = await WhileHeldAsync(
            Agent(scenario),
            async s => (await new ReverseHandOut.Handler(Db(s), s.GetRequiredService<OrderCards>()).Handle(reversal, default))
                .Refused,
            () => scenario.Site().PostAsync("redemptions", redemption));
        Assert.That(scan.Problem, Is.EqualTo("voucher-not-handed-out"), scan.ToString());
    }

    [Test]
    public async Task A_reservation_waits_for_the_return_of_its_booklet()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 2, wholeVouchersOnly: false);
        var booklet = scenario.FirstSerial;
        Scenario.Ok(await scenario.ReserveAsync(scenario.Site(), booklet + 5)); // The server has met the statement.
        var given = new ReturnBooklet.Command(booklet, "abîmé");
        var held = await WhileHeldAsync(
            Agent(scenario),
            async s => (await new ReturnBooklet.Handler(Db(s), s.GetRequiredService<OrderCards>()).Handle(given, default)).Refused,
            () => scenario.ReserveAsync(scenario.Site(), booklet + 1));
        Assert.That(held.Problem, Is.EqualTo("voucher-returned"), held.ToString());
    }

    [Test]
    public async Task A_hand_out_waits_for_the_erasure_of_its_person()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 2);
        var first = Scenario.Ok(await scenario.Agent().PostAsync(
            "hand-outs", Scenario.HandOut(scenario.FirstSerial, reference: "dossier 3")));
        var erasure = new ErasePerson.Command(scenario.ConventionId, Reference: "dossier 3");
        var second = await WhileHeldAsync(
            Agent(scenario),
            async s => (await new ErasePerson.Handler(Db(s), s.GetRequiredService<KeyRing>()).Handle(erasure, default)).Refused,
            () => scenario.Agent().PostAsync("hand-outs", new
            {
                operationId = Guid.NewGuid(),
                bookletNumber = scenario.FirstSerial + 5,
                handedOutOn = Scenario.Today,
                person = new { reference = "dossier 3" },
                followUp = new { agreed = true, @for = "rappel", phone = "+33 3 26 00 00 00" },
            }));
        Assert.That(second["personNumber"].GetInt64(), Is.Not.EqualTo(first["personNumber"].GetInt64()), second.ToString());
    }

    [Test]
    public async Task A_derogation_is_not_asked_for_while_the_order_becomes_active()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 2, activate: false);
        await scenario.DeliverAsync(scenario.OrderId);
        await scenario.FundAsync(10_000);
        var activation = new ActivateOrder.Command { OrderId = scenario.OrderId };
        var asked = await WhileHeldAsync(
            Operator(),
            async s => (await new ActivateOrder.Handler(Db(s)).Handle(activation, default)).Refused,
            () => scenario.Authority().PostAsync($"orders/{scenario.OrderId}/derogation", new { reason = "virement en route" }));
        Assert.That(asked.Problem, Is.EqualTo("step-already-done"), asked.ToString());
    }

    [Test]
    public async Task A_twin_that_finds_the_work_done_gives_the_answer_of_the_first()
    {
        var (caller, key) = (Operator(), Guid.NewGuid().ToString());
        Scripted.Command second = null!;
        var runs = 0;
        second = new("twin", async _ =>
        {
            if (Interlocked.Increment(ref runs) > 1) return "fait";
            await SendAsync(second, caller, key); // The first commits after the second looked for its answer.
            return Refusals.DateInFuture;
        });
        var answer = await SendAsync(second, caller, key);
        Assert.That((answer.Value, answer.Replayed), Is.EqualTo(("fait", true)), answer.Refused?.Code);
    }

    [Test]
    public async Task A_hand_out_sent_twice_gives_one_answer_whenever_the_first_commits()
    {
        var scenario = await Scenario.CreateAsync(_service, booklets: 1);
        var command = new RecordHandOut.Command(Guid.NewGuid().ToString(), scenario.FirstSerial, Scenario.Today);
        Result<RecordHandOut.Answer> first = default;

        // A hand-out reads where its caller works after it looked for its operation, before it reads the booklet.
        var places = new Interrupting([scenario.PointId], () =>
            first = _service.SendAsync(command, Agent(scenario)).GetAwaiter().GetResult());
        var second = await _service.SendAsync(command, Agent(scenario) with { PlaceIds = places });
        Assert.That(first.Refused?.Code, Is.Null);
        Assert.That((second.Refused?.Code, second.Value?.Id, second.Replayed), Is.EqualTo((default(string), first.Value!.Id, true)));
    }

    /// <summary>What the second gets, asked while the first has written and is not committed.</summary>
    private async Task<Answer> WhileHeldAsync(
        Caller caller, Func<IServiceProvider, Task<Refusal?>> first, Func<Task<Answer>> second)
    {
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var commit = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = _service.SendAsync(new Scripted.Command("held", async services =>
        {
            var refused = await first(services);
            written.TrySetResult();
            await commit.Task;
            return refused is null ? "fait" : refused;
        }), caller);
        await written.Task;
        var answer = second();
        await Task.WhenAny(answer, Task.Delay(TimeSpan.FromSeconds(2)));
        commit.SetResult();
        Assert.That((await held).Refused?.Code, Is.Null);
        return await answer;
    }

    private async Task<Result<string>> SendAsync(Scripted.Command command, Caller caller, string key)
    {
        await using var scope = _service.Services.CreateAsyncScope();
        (Db(scope.ServiceProvider).Caller, Db(scope.ServiceProvider).IdempotencyKey) = (caller, key);
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(command);
    }

    private static Session Db(IServiceProvider services) => services.GetRequiredService<Session>();

    private static Caller Agent(Scenario scenario) =>
        new(Ids.New(), Role.Agent, scenario.AuthorityId, [scenario.PointId], "agent d'essai");

    private static Caller Operator() => new(Ids.New(), Role.Operator, Ids.New(), [], "opérateur d'essai");

    /// <summary>A list that lets somebody in when it is first looked at.</summary>
    private sealed class Interrupting(IReadOnlyList<string> places, Action interruption) : IReadOnlyList<string>
    {
        private Action? _interruption = interruption;

        public int Count
        {
            get
            {
                Interlocked.Exchange(ref _interruption, null)?.Invoke();
                return places.Count;
            }
        }

        public string this[int index] => places[index];

        public IEnumerator<string> GetEnumerator() => places.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>Runs what a test gives it, as any command is run.</summary>
internal static class Scripted
{
    internal sealed record Command(
        string Name, [property: JsonIgnore] Func<IServiceProvider, Task<Result<string>>> Run) : ICommand<string>;

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(IServiceProvider services) : IRequestHandler<Command, Result<string>>
    {
        public Task<Result<string>> Handle(Command command, CancellationToken ct) => command.Run(services);
    }
}

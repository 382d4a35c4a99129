using System.Text.Json;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Platform.Data;

namespace PassNumerique.Tests.Platform;

/// <summary>What a command passes before its handler, on a store that loses answers.</summary>
internal sealed class TransactTests : WriterFixture
{
    private KeyRing _keys = null!;
    private LosingDatabase _database = null!;
    private Session _session = null!;

    [SetUp]
    public void LoseAnswers()
    {
        _keys = KeyRing.Load(Folder.Keys);
        _database = new LosingDatabase(Database, Clock, _keys);
        _session = new Session(_database, Clock) { Route = "POST /api/v1/organisations" };
    }

    [TearDown]
    public async Task HearAgain() => await _database.DisposeAsync();

    [Test]
    public async Task A_commit_whose_answer_is_lost_is_done_once_and_answered_as_if_nothing_had_been([Values(0, 1, 3)] int losing)
    {
        _database.Losing = losing;
        var answer = await RunAsync(new Add("Hub"), AddAsync);
        Assert.That((answer.Value, answer.Replayed), Is.EqualTo(("Hub 1", false)));
        Assert.That(await CountAsync(), Is.EqualTo(1));
    }

    /// <summary>Without a key of the caller's each request is one of its own.</summary>
    [Test]
    public async Task The_same_request_again_is_another_one()
    {
        await RunAsync(new Add("Hub"), AddAsync);
        var second = await RunAsync(new Add("Hub"), AddAsync);
        Assert.That((second.Value, second.Replayed), Is.EqualTo(("Hub 2", false)));
    }

    [Test]
    public async Task With_a_key_of_the_callers_it_is_told_that_it_was_answered_before()
    {
        _session.IdempotencyKey = "mine";
        _database.Losing = 1;
        var answer = await RunAsync(new Add("Hub"), AddAsync);
        Assert.That((answer.Value, answer.Replayed), Is.EqualTo(("Hub 1", true)));
        Assert.That(await CountAsync(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_refusal_is_answered_and_nothing_is_kept()
    {
        _session.IdempotencyKey = "mine";
        var refused = await RunAsync(new Add("Hub"), () => Task.FromResult<Result<string>>(No));
        var taken = await RunAsync(new Add("Hub"), AddAsync);
        Assert.That((refused.Refused, taken.Value, taken.Replayed), Is.EqualTo((No, "Hub 1", false)));
    }

    /// <summary>On a server a twin can commit between two statements; whoever is refused because of it begins again.</summary>
    [Test]
    public void A_refusal_that_a_twin_brought_about_is_none()
    {
        _session.IdempotencyKey = "mine";
        Assert.That(() => RunAsync(new Add("Hub"), async () =>
        {
            await _session.ExecuteAsync("""
                INSERT INTO idempotency_keys (organisation_id, idempotency_key, fingerprint, answer, recorded_ms)
                VALUES (@OrganisationId, 'mine', 'its own', '', @NowMs)
                """, new { _session.Caller.OrganisationId, _session.NowMs });
            return No;
        }), Throws.TypeOf<StoreUnavailableException>().With.Message.EqualTo("The same request was answered meanwhile."));
    }

    /// <summary>What is recorded with an operation is compared for ever: by its type and its body, wherever it was sent to.
    /// </summary>
    [Test]
    public async Task The_fingerprint_of_an_operation_is_of_its_body_alone()
    {
        var expected = _keys.Fingerprint(
            $"{typeof(Redeem).FullName} \n", JsonSerializer.SerializeToUtf8Bytes(new Redeem("Hub"), Json.Options));
        foreach (var route in (string[])["POST /api/v1/here", "POST /api/v1/there"])
        {
            _session.Route = route;
            await RunAsync(new Redeem("Hub"), AddAsync);
            Assert.That(_session.BodyHash, Is.EqualTo(expected));
        }
    }

    [Test]
    public async Task The_fingerprint_of_any_other_command_is_of_its_address_too()
    {
        await RunAsync(new Add("Hub"), AddAsync);
        var here = _session.BodyHash;
        _session.Route = "POST /api/v1/there";
        await RunAsync(new Add("Hub"), AddAsync);
        Assert.That(_session.BodyHash, Is.Not.EqualTo(here));
    }

    /// <summary>Its handler recognises it by the facts; the transaction is made for it unless it makes its own.</summary>
    [Test]
    public async Task An_operation_is_remembered_by_nobody_and_runs_in_a_transaction_unless_it_enters_one_itself()
    {
        var (inside, own) = (false, true);
        await RunAsync(new Redeem("Hub"), () => Seen(ref inside));
        await RunAsync(new RedeemItself("Hub"), () => Seen(ref own));
        Assert.That((inside, own), Is.EqualTo((true, false)));
        Assert.That(await CountAsync("idempotency_keys"), Is.Zero);

        Task<Result<string>> Seen(ref bool isWriting)
        {
            isWriting = _session.IsWriting;
            return Task.FromResult<Result<string>>("done");
        }
    }

    [Test]
    public void A_command_without_a_validator_beside_it_says_so()
    {
        using var services = new ServiceCollection().AddPipeline().BuildServiceProvider();
        Assert.That(
            () => services.GetRequiredService<IMediator>().Send(new Add("Hub")),
            Throws.TypeOf<TypeInitializationException>().With.InnerException.Message.EqualTo(
                $"{typeof(Add)} has no Validator beside it."));
    }

    private Task<Result<string>> RunAsync<TCommand>(TCommand command, Func<Task<Result<string>>> handler)
        where TCommand : notnull =>
        new Transact<TCommand, Result<string>>(_session, _database, _keys).Handle(command, CancellationToken.None, () => handler());

    private async Task<Result<string>> AddAsync()
    {
        await _session.ExecuteAsync("""
            INSERT INTO organisations (id, kind, name, actor_id, recorded_ms, batch)
            VALUES (@Id, 'hub', 'Hub', 'test', @NowMs, @Batch)
            """, new { Id = Ids.New(), _session.NowMs, _session.Batch });
        return $"Hub {await CountAsync()}";
    }

    private async Task<long> CountAsync(string table = "organisations") => await _session.FindAsync<long>(
        $"SELECT CAST(COUNT(*) AS bigint) FROM {table}", new { });

    private sealed record Add(string Name) : ICommand<string>;

    private sealed record Redeem(string Name) : ICommand<string>, IOperation;

    private sealed record RedeemItself(string Name) : ICommand<string>, IOperation
    {
        public bool EntersItself => true;
    }
}

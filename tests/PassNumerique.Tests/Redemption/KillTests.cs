using System.Collections.Concurrent;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Redemption;

/// <summary>
/// The power goes, 25 times, while passes are redeemed at full speed: what was answered is there, nothing is
/// there twice, and who got no answer asks again and gets one.
/// </summary>
internal sealed class KillTests
{
    private const int Kills = 25;
    private const int Clients = 8;
    private const long Booklets = 2_500;
    private const long PassesPerRound = Booklets * 5 / Kills;
    private readonly TestFolder _folder = new();
    private readonly Dictionary<string, Operation> _acknowledged = [];
    private readonly List<Operation> _unanswered = [];
    private IReadOnlyList<string> _codes = [];
    private string _siteKey = "";
    private int _next;

    [OneTimeSetUp]
    public async Task Prepare()
    {
        await using var service = await TestService.StartAsync(folder: _folder.Data);
        var scenario = await Scenario.CreateAsync(service, booklets: Booklets, budgetCents: 20_000_000);
        _siteKey = scenario.SiteKey;
        var order = (await service.QueryAsync<Salted>("SELECT salt AS Salt, key_version AS KeyVersion FROM orders")).Single();
        var key = KeyRing.Load(_folder.Keys).Derive((int)order.KeyVersion, KeyLabel.Code).ToArray();
        _codes = [.. Enumerable.Range(0, (int)Booklets * 5).Select(
            i => VoucherCode.Compose(key, (int)order.KeyVersion, scenario.FirstSerial + i, order.Salt))];
    }

    [OneTimeTearDown]
    public void Clean() => _folder.Dispose();

    [Test]
    public async Task Every_acknowledged_redemption_survives_25_kills_and_none_is_there_twice()
    {
        var cut = 0;
        for (var kill = 0; kill < Kills; kill++)
        {
            using var service = await ServiceProcess.StartAsync(_folder.Data);
            using var client = service.Client(_siteKey);
            CheckStore();
            await AskAgainAsync(client);
            await RedeemUntilKilledAsync(service, client, TimeSpan.FromMilliseconds(250 + (kill % 5 * 50)));
            cut += _unanswered.Count;
        }

        using (var service = await ServiceProcess.StartAsync(_folder.Data))
        {
            using var client = service.Client(_siteKey);
            CheckStore();
            await AskAgainAsync(client);
            await ShowAsync(client);
            CheckStore();
        }

        Assert.That(_acknowledged, Has.Count.GreaterThan(Kills * Clients));
        Assert.That(cut, Is.Positive, "no operation was ever cut off: the kills came too late");
        var verify = await ServiceProcess.RunAsync(_folder.Data, "verify");
        Assert.That(verify.Code, Is.Zero, verify.Output);
        Assert.That(verify.Output, Does.Contain("Tout est conforme."));
    }

    /// <summary>Distinct passes, each under an operation id of its own, by all clients until the answer stays out.</summary>
    private async Task RedeemUntilKilledAsync(ServiceProcess service, HttpClient client, TimeSpan after)
    {
        var (answered, cut) = (new ConcurrentBag<Operation>(), new ConcurrentBag<Operation>());
        var last = Math.Min(_codes.Count, _next + PassesPerRound);
        var workers = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref _next) is var n && n <= last)
            {
                var operation = new Operation(Guid.NewGuid().ToString(), _codes[n - 1]);
                if (await TryAsync(client, operation) is not { } answer)
                {
                    cut.Add(operation);
                    return;
                }

                Assert.That(answer.Status, Is.EqualTo(201), answer.ToString());
                answered.Add(operation with { Answer = answer.Body });
            }
        })).ToList();
        await Task.Delay(after);
        service.Kill();
        await Task.WhenAll(workers);
        _next = (int)Math.Min(_next, last);
        foreach (var operation in answered) _acknowledged.Add(operation.Id, operation);
        _unanswered.AddRange(cut);
    }

    /// <summary>Whether it was recorded before the kill or not, the same request ends as exactly one redemption.</summary>
    private async Task AskAgainAsync(HttpClient client)
    {
        foreach (var operation in _unanswered)
        {
            var answer = await TryAsync(client, operation);
            Assert.That(answer?.Status, Is.EqualTo(201), answer?.ToString());
            _acknowledged.Add(operation.Id, operation with { Answer = answer!.Body });
        }

        _unanswered.Clear();
    }

    /// <summary>Answers from before a kill are given again, to the letter, and shown by their id.</summary>
    private async Task ShowAsync(HttpClient client)
    {
        foreach (var operation in _acknowledged.Values.Where((_, i) => i % 97 == 0))
        {
            var again = await TryAsync(client, operation);
            Assert.That((again!.Status, again.Replayed, again.Body), Is.EqualTo((201, true, operation.Answer)));
            var shown = await client.ReadAsync($"redemptions/{again.Id}");
            Assert.That((shown.Status, shown["reversed"].GetBoolean()), Is.EqualTo((200, false)), shown.ToString());
        }
    }

    /// <summary>Beside the service, so that nobody but the service recovers its log.</summary>
    private void CheckStore()
    {
        using var connection = _folder.Open(readOnly: true);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT operation_id, serial FROM voucher_entries";
        using var row = command.ExecuteReader();
        var (operations, serials) = (new HashSet<string>(), new HashSet<long>());
        while (row.Read())
        {
            Assert.That(operations.Add(row.GetString(0)), Is.True, "an operation is there twice");
            Assert.That(serials.Add(row.GetInt64(1)), Is.True, "a pass is spent twice");
        }

        Assert.That(_acknowledged.Keys.Except(operations), Is.Empty, "an acknowledged redemption is lost");
        var known = _acknowledged.Keys.Concat(_unanswered.Select(o => o.Id));
        Assert.That(operations.Except(known), Is.Empty, "nobody asked for this one");
    }

    private static async Task<Answer?> TryAsync(HttpClient client, Operation operation)
    {
        try
        {
            return await client.PostAsync("redemptions", new
            {
                operationId = operation.Id,
                code = operation.Code,
                service = "Maîtrise des outils numériques du quotidien",
                activity = new { kind = "individuel", durationMinutes = 60 },
            });
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return null;
        }
    }

    private sealed record Operation(string Id, string Code, string? Answer = null);

    private sealed record Salted(byte[] Salt, long KeyVersion);
}

using System.Collections.Concurrent;
using System.Text.Json;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>One redemption that a client wants: an operation of its own on one pass.</summary>
internal sealed record Wish(string OperationId, long Serial, string Code, long Minutes = 60)
{
    public object Body => new
    {
        operationId = OperationId,
        code = Code,
        service = Stage.Service,
        activity = new { kind = "individuel", durationMinutes = Minutes },
    };
}

/// <summary>What the service said it did.</summary>
internal sealed record Receipt(string Id, long Serial, long Minutes, long ValueCents, long RemainingMinutes, string Text)
{
    public static Receipt From(string text)
    {
        var json = JsonDocument.Parse(text).RootElement;
        return new(
            json.GetProperty("id").GetString()!, json.GetProperty("serial").GetInt64(), json.GetProperty("minutes").GetInt64(),
            json.GetProperty("valueCents").GetInt64(), json.GetProperty("remainingMinutes").GetInt64(), text);
    }
}

/// <summary>
/// What the clients asked and were told: kept by them, away from the service. Of an operation that was asked and
/// not acknowledged nobody knows whether it happened; one that was last told "nothing recorded" should not have.
/// </summary>
internal sealed class ClientLog
{
    private readonly ConcurrentDictionary<string, Wish> _asked = new();
    private readonly ConcurrentDictionary<string, Receipt> _acknowledged = new();
    private readonly ConcurrentDictionary<string, string> _denied = new();
    private readonly ConcurrentDictionary<string, string> _refused = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private int _denials;

    public IReadOnlyDictionary<string, Receipt> Acknowledged => _acknowledged;

    /// <summary>What a client itself could see to be wrong.</summary>
    public IReadOnlyCollection<string> Faults => _faults;

    /// <summary>Asked, and neither acknowledged nor refused.</summary>
    public IReadOnlyList<Wish> Open => [.. _asked.Values.Where(
        w => !_acknowledged.ContainsKey(w.OperationId) && !_refused.ContainsKey(w.OperationId))];

    /// <summary>How often somebody was told that nothing was recorded.</summary>
    public int Denials => _denials;

    public bool IsRefused(string operationId) => _refused.ContainsKey(operationId);

    public bool IsDenied(string operationId) => _denied.ContainsKey(operationId);

    public bool Knows(string operationId) => _asked.ContainsKey(operationId);

    public Wish Find(string operationId) => _asked[operationId];

    public void Ask(Wish wish)
    {
        _asked[wish.OperationId] = wish;
        _denied.TryRemove(wish.OperationId, out _);
    }

    public void Acknowledge(Wish wish, string answer)
    {
        var receipt = Receipt.From(answer);
        var first = _acknowledged.GetOrAdd(wish.OperationId, receipt);
        if (first.Text != answer) Blame($"{wish.OperationId} got two answers: {first.Text} and {answer}");
        if (receipt.Serial != wish.Serial) Blame($"{wish.OperationId} on pass {wish.Serial} was answered for another: {answer}");
    }

    /// <summary>The service said that nothing was recorded.</summary>
    public void Deny(Wish wish)
    {
        if (_acknowledged.ContainsKey(wish.OperationId)) Blame($"{wish.OperationId} was acknowledged, and then denied");
        else _denied[wish.OperationId] = "";
        Interlocked.Increment(ref _denials);
    }

    /// <summary>The service gave a reason why not.</summary>
    public void Refuse(Wish wish)
    {
        if (_acknowledged.ContainsKey(wish.OperationId)) Blame($"{wish.OperationId} was acknowledged, and then refused");
        else _refused[wish.OperationId] = "";
    }

    public void Blame(string fault) => _faults.Enqueue(fault);

    /// <summary>All that was asked, of which only what was acknowledged by then is believed.</summary>
    public ClientLog Believing(ClientLog then)
    {
        var copy = then.Copy();
        foreach (var (id, wish) in _asked) copy._asked[id] = wish;
        return copy;
    }

    /// <summary>As if one answer had never arrived.</summary>
    public ClientLog WithoutAnswerTo(string operationId)
    {
        var copy = Copy();
        copy._acknowledged.TryRemove(operationId, out _);
        return copy;
    }

    /// <summary>As it is now.</summary>
    public ClientLog Copy()
    {
        var copy = new ClientLog();
        foreach (var (id, receipt) in _acknowledged) copy._acknowledged[id] = receipt;
        foreach (var (id, wish) in _asked) copy._asked[id] = wish;
        foreach (var id in _denied.Keys) copy._denied[id] = "";
        foreach (var id in _refused.Keys) copy._refused[id] = "";
        return copy;
    }
}

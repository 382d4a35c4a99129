using System.Collections.Concurrent;
using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>
/// Callers the gate met in the last ten seconds, by the hash of their secret, so that a till that scans all
/// day is not looked up at every scan. A revocation forgets them all at once in this process; another copy of
/// the service lets a revoked key live for those ten seconds at most.
/// </summary>
internal sealed class CallerCache
{
    private const int Max = 10_000;
    private const long LifetimeMs = 10_000;

    private readonly ConcurrentDictionary<string, (Caller Caller, long UntilMs)> _known = new();
    private long _generation;

    /// <summary>Changes with every <see cref="Forget"/>: take it before reading the store.</summary>
    public long Generation => Interlocked.Read(ref _generation);

    public Caller? Find(string hash, long nowMs) =>
        _known.TryGetValue(hash, out var known) && known.UntilMs > nowMs ? known.Caller : null;

    /// <summary>
    /// Keeps a caller that was read at <paramref name="generation"/>. What was read before a revocation must
    /// not outlive it, so the generation is compared after the row is in.
    /// </summary>
    public void Keep(string hash, Caller caller, long nowMs, long generation)
    {
        if (_known.Count >= Max) _known.Clear();
        _known[hash] = (caller, nowMs + LifetimeMs);
        if (generation != Generation) _known.TryRemove(hash, out _);
    }

    /// <summary>Call it once the revocation is committed.</summary>
    public void Forget()
    {
        Interlocked.Increment(ref _generation);
        _known.Clear();
    }
}

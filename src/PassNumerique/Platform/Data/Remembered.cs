using System.Collections.Concurrent;

namespace PassNumerique.Platform.Data;

/// <summary>
/// Facts that never change, kept in memory once they are sealed: an order's range and salt, a site's commune.
/// A row of the batch under way is given but not kept, because that batch may still be rolled back.
/// </summary>
internal sealed class Remembered<TKey, TValue>(Func<Session, TKey, Task<(TValue Value, long? Batch)?>> load)
    where TKey : notnull
    where TValue : class
{
    private const int Max = 20_000;
    private readonly ConcurrentDictionary<TKey, TValue> _known = new();
    private long _forgotten;

    public async ValueTask<TValue?> FindAsync(Session session, TKey key)
    {
        if (_known.TryGetValue(key, out var known)) return known;
        var forgotten = Volatile.Read(ref _forgotten);
        if (await load(session, key) is not { } found) return null;
        var isSealed = found.Batch is { } batch && (session.Batch is null || batch < session.Batch);

        // What was read before somebody forgot may be what he wanted forgotten.
        if (isSealed && forgotten == Volatile.Read(ref _forgotten))
        {
            if (_known.Count >= Max) _known.Clear();
            _known[key] = found.Value;
        }

        return found.Value;
    }

    public void Forget(TKey key)
    {
        Interlocked.Increment(ref _forgotten);
        _known.TryRemove(key, out _);
    }
}

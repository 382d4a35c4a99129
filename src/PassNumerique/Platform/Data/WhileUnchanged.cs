using System.Collections.Concurrent;

namespace PassNumerique.Platform.Data;

/// <summary>
/// What was read of the store under its last version (<see cref="Database.Version"/>): true until anybody records a
/// fact. Where there is no version it keeps nothing.
/// </summary>
internal sealed class WhileUnchanged<TKey, TValue> where TKey : notnull where TValue : class
{
    private const int Max = 10_000;
    private Known _known = new(0);

    public TValue? Find(long? version, TKey key) =>
        Volatile.Read(ref _known) is var known && known.Version == version ? known.Values.GetValueOrDefault(key) : null;

    /// <param name="version">Taken before the value was read.</param>
    public void Keep(long? version, TKey key, TValue value)
    {
        if (version is not { } now) return;
        var known = Volatile.Read(ref _known);
        if (known.Version != now || known.Values.Count >= Max) Volatile.Write(ref _known, known = new(now));
        known.Values[key] = value;
    }

    private sealed class Known(long version)
    {
        public long Version => version;

        public ConcurrentDictionary<TKey, TValue> Values { get; } = [];
    }
}

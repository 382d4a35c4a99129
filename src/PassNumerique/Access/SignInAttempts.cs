using PassNumerique.Platform;

namespace PassNumerique.Access;

/// <summary>
/// Five wrong passwords a minute for one login, and for one address: enough for people who mistype, too few
/// for a machine that guesses. In memory and bounded; when full, new names wait for the next minute.
/// </summary>
internal sealed class SignInAttempts(TimeProvider clock)
{
    public const int MaxPerMinute = 5;
    private const int MaxNames = 10_000;
    private const long MinuteMs = 60_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Tries> _tries = new(StringComparer.Ordinal);

    /// <summary>Counts a try before it is made, so that parallel tries count too. False: too many.</summary>
    public bool TryBegin(string login, string address)
    {
        lock (_lock)
        {
            var now = clock.NowMs();
            if (_tries.Count + 2 > MaxNames) Sweep(now);
            var (byLogin, byAddress) = (Find("login " + login, now), Find("address " + address, now));
            if (byLogin.Count >= MaxPerMinute || byAddress.Count >= MaxPerMinute || _tries.Count + 2 > MaxNames)
                return false;
            _tries["login " + login] = byLogin with { Count = byLogin.Count + 1 };
            _tries["address " + address] = byAddress with { Count = byAddress.Count + 1 };
            return true;
        }
    }

    /// <summary>A right password: neither the person nor their colleagues at the same address wait.</summary>
    public void Succeeded(string login, string address)
    {
        lock (_lock)
        {
            _tries.Remove("login " + login);
            if (_tries.TryGetValue("address " + address, out var tries) && tries.Count > 0)
                _tries["address " + address] = tries with { Count = tries.Count - 1 };
        }
    }

    private Tries Find(string name, long now) =>
        _tries.TryGetValue(name, out var tries) && tries.IsRecent(now) ? tries : new(0, now);

    private void Sweep(long now)
    {
        foreach (var (name, tries) in _tries)
            if (!tries.IsRecent(now)) _tries.Remove(name);
    }

    /// <summary>Tries in the minute that began with the first of them.</summary>
    private readonly record struct Tries(int Count, long SinceMs)
    {
        public bool IsRecent(long now) => now - SinceMs < MinuteMs;
    }
}

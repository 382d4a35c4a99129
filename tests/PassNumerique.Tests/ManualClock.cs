namespace PassNumerique.Tests;

/// <summary>A clock that stands still until its test moves it. For stores that nobody else uses.</summary>
internal sealed class ManualClock(long nowMs) : TimeProvider
{
    private long _nowMs = nowMs;

    public long NowMs
    {
        get => Interlocked.Read(ref _nowMs);
        set => Interlocked.Exchange(ref _nowMs, value);
    }

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.FromUnixTimeMilliseconds(NowMs);

    public override long TimestampFrequency => 1_000;

    public override long GetTimestamp() => NowMs;
}

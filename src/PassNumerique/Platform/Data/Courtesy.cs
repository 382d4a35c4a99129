using System.Diagnostics;

namespace PassNumerique.Platform.Data;

/// <summary>
/// For work of seconds or minutes beside a service that answers in milliseconds: where commands came in while it
/// worked, it rests nine times as long before it goes on; alone, it never rests.
/// </summary>
internal sealed class Courtesy(Database database)
{
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(20);

    private long _seen = database.Commands;
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>Call it between two small pieces of the work.</summary>
    public async ValueTask GiveWayAsync(CancellationToken ct)
    {
        var worked = Stopwatch.GetElapsedTime(_since);
        if (worked < Turn) return;
        var rest = RestAfter(worked, database.Commands - _seen);
        if (rest > TimeSpan.Zero) await Task.Delay(rest, ct);
        (_seen, _since) = (database.Commands, Stopwatch.GetTimestamp());
    }

    /// <summary>How long to rest after so much work, during which so many commands came.</summary>
    internal static TimeSpan RestAfter(TimeSpan worked, long commands) =>
        commands == 0 ? TimeSpan.Zero : worked * 9 < LongestRest ? worked * 9 : LongestRest;
}

using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// Limits wrong guesses of codes, a minute at a time: of one place, from one address, and of all together. A wrong
/// guess is a well-formed code that is not ours: the check symbol stops typing errors before they come here.
/// </summary>
/// <remarks>
/// Right codes are never counted: honest work fills nothing.
/// Who is over his own limit is told to wait before his code is looked at, whatever the code: his 429 says nothing
/// of it, and a right one among his guesses is not honoured either.
/// A shared limit that honoured right codes and hid only wrong ones would limit nothing: the guesser waits for the
/// one that is honoured. So it stops right codes too, but only of those who guess. Each place has a share of three
/// a minute that others can't take: a site that has not presented three wrong codes itself within the minute is
/// served, whatever goes on at its address (a town's network, a balancer) or elsewhere.
/// The caller is judged before the code is looked at, which spares the work, and once more before a right one is
/// told, so that what was under way when the limit was reached says nothing. A wrong one is judged and counted in
/// one step: of any number at once, no more than the limit are told.
/// The bound, a window of a minute: PerSite wrong codes of a place are told; PerAddress from an address and Overall
/// in all, each plus OwnShare a place that guesses there. A window begins with its first guess, so sixty seconds
/// meet two of them at most. A command that runs again after a fault of the store counts again.
/// It is in memory, one copy of the service by itself and empty after a start: N copies let N times as much
/// through. Of one hit in 2⁶⁰ guesses that makes nothing; counting in the store would give each guess a commit.
/// </remarks>
internal sealed class Guesses(GuessLimits limits, TimeProvider clock, ILogger<Guesses> log)
{
    /// <summary>Wrong guesses a minute that a place has for itself.</summary>
    internal const long OwnShare = 3;

    private const long WindowSeconds = 60;

    private readonly Lock _lock = new();
    private readonly long _length = WindowSeconds * clock.TimestampFrequency;
    private readonly GuessTable _places = new();
    private readonly GuessTable _addresses = new();
    private GuessWindow _all;
    private long _calmFrom = long.MinValue;

    /// <summary>Why this caller's code is not judged now; null where it is. Costs nothing while nobody guesses.</summary>
    public Refusal? WhyNot(Session session)
    {
        // A monotonic clock: one that is set back must not keep anybody out.
        var now = clock.GetTimestamp();
        if (now >= Volatile.Read(ref _calmFrom)) return null;
        var (place, address) = Of(session);
        lock (_lock) return WhyNot(place, address, now);
    }

    /// <summary>Counts a wrong guess; the refusal instead where the limit is reached already.</summary>
    public Refusal? Count(Session session)
    {
        var now = clock.GetTimestamp();
        var (place, address) = Of(session);
        lock (_lock)
        {
            if (WhyNot(place, address, now) is { } refused) return refused;
            if (place is { } own && _places.Add(own, now, _length) == limits.PerSite)
                log.PlaceReachedItsLimit(PlaceOf(session));
            if (address is { } from && _addresses.Add(from, now, _length) == limits.PerAddress)
                log.AddressReachedItsLimit();
            _all = _all.Plus(now, _length);
            if (_all.Count == limits.Overall) log.AllReachedTheirLimit();
            Volatile.Write(ref _calmFrom, now + _length);
            return null;
        }
    }

    private Refusal? WhyNot(Guesser? place, Guesser? address, long now)
    {
        var own = place is { } id ? _places.Find(id) : default;
        if (own.At(now) >= limits.PerSite) return TooMany(own.EndsAt - now);
        if (place is not null && own.At(now) < OwnShare) return null;
        var from = address is { } network ? _addresses.Find(network) : default;
        var until = Math.Max(
            from.At(now) >= limits.PerAddress ? from.EndsAt : 0, _all.At(now) >= limits.Overall ? _all.EndsAt : 0);
        if (until == 0) return null;
        return TooMany((place is null ? until : Math.Min(until, own.EndsAt)) - now);
    }

    private Refusal TooMany(long wait)
    {
        var seconds = (wait + clock.TimestampFrequency - 1) / clock.TimestampFrequency;
        return new Refusal("guesses-too-many", 429, "Trop de codes inconnus.",
            $"Attendez {French.Count(seconds)} seconde{French.S(seconds)}, puis présentez le pass à nouveau : rien n'a été "
            + "débité et aucun pass n'est bloqué. Si vous n'avez pas essayé plusieurs codes inconnus, prévenez l'opérateur.")
        {
            RetryAfterSeconds = seconds,
        }.With("retryAfterSeconds", seconds);
    }

    private static (Guesser? Place, Guesser? Address) Of(Session session) =>
        (Guesser.Of(PlaceOf(session)), Guesser.Of(session.Address));

    /// <summary>The site or point; who works in several, or in none, is counted as a person.</summary>
    private static string PlaceOf(Session session) => session.Caller is { PlaceIds: [var place] } ? place : session.ActorId;
}

internal static partial class GuessLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrong codes of {Place} reached their limit for a minute")]
    public static partial void PlaceReachedItsLimit(this ILogger log, string place);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrong codes from one address reached their limit for a minute")]
    public static partial void AddressReachedItsLimit(this ILogger log);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrong codes of all callers reached their limit for a minute")]
    public static partial void AllReachedTheirLimit(this ILogger log);
}

using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Vouchers;

/// <summary>
/// Limits wrong guesses of codes, a minute at a time: of one place, from one address, and of all together. A wrong
/// guess is a well-formed code that is not ours: the check symbol stops typing errors before they come here.
/// </summary>
/// <remarks>
/// What may be learnt, and from whom it is kept:
/// a right code is no guess and is never counted, so honest work fills nothing;
/// who is over his own limit is told "later" before the code is looked at, whatever the code, with the same work:
/// his 429 says nothing of a code, and a right one among his guesses is not honoured either;
/// a shared limit that honoured right codes and hid only wrong ones would limit nothing, as the guesser waits for
/// the one that is honoured. So it stops, right codes included, but only those who guess: each place has a share of
/// three a minute that the others can't take. A site that hasn't presented three wrong codes within the minute is
/// served, whatever happens at its address – a town's network, a balancer – or elsewhere;
/// a code is judged before it is looked at, to spare the work, and again before a right one is told, so that what
/// was under way when the limit was reached says nothing either. Wrong ones are judged and counted in one step.
/// The bound: in a minute-long window at most PerSite wrong codes of a place are told from right ones; from an
/// address at most PerAddress and OwnShare a place that guesses there; of all at most Overall and OwnShare a place
/// that guesses. Windows begin with their first guess, so any sixty seconds see at most two of them.
/// It is in memory, a copy of the service for itself, and empty after a start: N copies let N times as much through.
/// That moves one hit in 2⁶⁰ guesses nowhere, while counting in the store would give every guesser a commit.
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
            if (place is { } own && _places.Add(own, now, _length) == limits.PerSite) log.GuessLimitReached("place", PlaceOf(session));
            if (address is { } from && _addresses.Add(from, now, _length) == limits.PerAddress) log.GuessLimitReached("address", "");
            _all = _all.Plus(now, _length);
            if (_all.Count == limits.Overall) log.GuessLimitReached("service", "");
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
            $"Attendez {French.Count(seconds)} seconde{French.S(seconds)}, puis présentez le pass à nouveau : rien n'a été débité "
            + "et aucun pass n'est bloqué. Si vous n'avez pas essayé plusieurs codes inconnus, prévenez l'opérateur.")
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
    [LoggerMessage(Level = LogLevel.Warning, Message = "Wrong codes of this {Kind} reached the limit of a minute: {Id}")]
    public static partial void GuessLimitReached(this ILogger log, string kind, string id);
}

using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Reports;

/// <summary>
/// Where a report ends, on two clocks: the last day whose services count, and the moment of knowledge, which
/// is the last batch sealed at or before it. The same cut-off gives the same bytes for ever.
/// </summary>
internal sealed record CutOff(long ServedThroughDay, long KnownAtMs, Seal Seal)
{
    public static readonly Refusal NotSealed = new("cut-off-not-sealed", 409,
        "Cette date d'arrêté n'est pas encore passée.",
        "Demandez un arrêté au plus tard à l'instant « latest », ou sans date pour le dernier état connu.");

    /// <summary><c>asOf</c>, or <c>servedThrough</c> and <c>knownAt</c>, or nothing for the last seal.</summary>
    public static Task<Result<CutOff>> FromAsync(Request r)
    {
        var (asOf, served, known) = (r.Date("asOf"), r.Date("servedThrough"), r.Instant("knownAt"));
        if (asOf is not null && (served is not null || known is not null))
            throw new InvalidRequestException("asOf", "Donnez « asOf » seul, ou « servedThrough » et « knownAt ».");
        foreach (var (name, date) in new[] { ("asOf", asOf), ("servedThrough", served) })
        {
            if (date is { Year: < 2000 or > 2100 })
                throw new InvalidRequestException(name, "Une date entre 2000 et 2100 est attendue.");
        }

        var servedDay = (asOf ?? served)?.ToDay();
        var knownMs = asOf is { } day ? Clock.ParisMidnightMs(day.ToDay() + 1) : known?.ToUnixTimeMilliseconds();
        return ResolveAsync(r.Service<Database>(), r.Session.NowMs, servedDay, knownMs, r.Aborted);
    }

    /// <summary>Seals what is needed to keep the cut-off; refuses one that time has not reached.</summary>
    public static async Task<Result<CutOff>> ResolveAsync(
        Database database, long nowMs, long? servedThroughDay, long? knownAtMs, CancellationToken ct = default)
    {
        var last = await database.LastSealAsync(ct);
        var isToCome = knownAtMs >= nowMs || servedThroughDay > Clock.ParisDay(nowMs);
        if (isToCome) return NotSealed.With("latest", Clock.InstantText(last.SealedMs));
        var seal = knownAtMs is { } at ? await database.SealThroughAsync(at, ct) : last;
        var knownMs = knownAtMs ?? seal.SealedMs;
        return new CutOff(servedThroughDay ?? Clock.ParisDay(knownMs), knownMs, seal);
    }
}

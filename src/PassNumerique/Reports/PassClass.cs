namespace PassNumerique.Reports;

/// <summary>The six classes of an issued pass, in the order in which they are tried.</summary>
internal enum PassClass
{
    NotActivated,
    Blocked,
    Spent,
    Returned,
    Expired,
    Live,
}

/// <summary>What decides the class of a pass at a cut-off.</summary>
internal readonly record struct PassState(
    bool IsActivated, bool IsBlocked, long LeftMinutes, bool IsReturned, bool IsHandedOutInTime);

/// <summary>
/// The dates of an order at a cut-off. J is its end of validity: a pass not handed out by J expires the day
/// after; one handed out by J expires when it can no longer be recorded, tolerance and seven days later.
/// Computed, never written.
/// </summary>
internal readonly record struct Validity(long Day, long ValidUntilDay, long ToleranceDays)
{
    private const long RecordingDays = 7;

    public bool IsOver => Day > ValidUntilDay;

    public bool IsExpired(bool handedOutInTime) =>
        handedOutInTime ? Day > ValidUntilDay + ToleranceDays + RecordingDays : IsOver;
}

internal static class PassClasses
{
    public static readonly IReadOnlyList<(PassClass Class, string Code, string Label, string Definition)> All =
    [
        (PassClass.NotActivated, "not-activated", "Non activés", "Pass d'une commande qui n'est pas encore activée."),
        (PassClass.Blocked, "blocked", "Bloqués", "Pass activés, bloqués pour perte ou vol, blocage non levé."),
        (PassClass.Spent, "spent", "Épuisés", "Pass dont il ne reste aucune minute."),
        (PassClass.Returned, "returned", "Rendus", "Pass clos par un retour, avec ce qu'il en restait."),
        (PassClass.Expired, "expired", "Expirés",
            "Pass non remis après la fin de validité, ou remis et hors délai de tolérance et de saisie."),
        (PassClass.Live, "live", "En circulation", "Tous les autres pass activés."),
    ];

    public static PassClass Of(PassState pass, Validity validity) => pass switch
    {
        { IsActivated: false } => PassClass.NotActivated,
        { IsBlocked: true } => PassClass.Blocked,
        { LeftMinutes: <= 0 } => PassClass.Spent,
        { IsReturned: true } => PassClass.Returned,
        _ => validity.IsExpired(pass.IsHandedOutInTime) ? PassClass.Expired : PassClass.Live,
    };
}

/// <summary>Ranges of serials as a set: overlapping ones count once.</summary>
internal sealed class SerialRanges
{
    private readonly List<(long First, long Last)> _ranges = [];

    public SerialRanges(IEnumerable<(long First, long Last)> ranges)
    {
        foreach (var (first, last) in ranges.OrderBy(r => r.First).ThenBy(r => r.Last))
        {
            if (_ranges.Count > 0 && first <= _ranges[^1].Last + 1)
                _ranges[^1] = (_ranges[^1].First, Math.Max(_ranges[^1].Last, last));
            else
                _ranges.Add((first, last));
        }
    }

    public long Count => _ranges.Sum(r => r.Last - r.First + 1);

    public bool Contains(long serial)
    {
        var (low, high) = (0, _ranges.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].Last < serial) low = middle + 1;
            else if (_ranges[middle].First > serial) high = middle - 1;
            else return true;
        }

        return false;
    }
}

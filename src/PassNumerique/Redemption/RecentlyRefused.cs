using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>
/// Serials of passes that were refused, or asked for twice, a moment ago: who brings one of them again looks
/// before he writes. A hint, so it may forget: of passes that share a place the last one stands. For as long as
/// the store holds no newer fact it also knows who spent a pass, and a gap among the operations of an organisation.
/// </summary>
internal sealed class RecentlyRefused
{
    private const int Places = 8_192;
    private readonly long[] _serials = new long[Places];
    private readonly WhileUnchanged<long, LastUse> _spent = new();
    private readonly WhileUnchanged<(string Site, long Day), object> _labelled = new();
    private readonly WhileUnchanged<string, Gap> _gaps = new();

    public void Note(long serial) => Volatile.Write(ref _serials[serial % Places], serial);

    public bool Holds(long serial) => Volatile.Read(ref _serials[serial % Places]) == serial;

    /// <summary>Keeps that a pass was spent, and that the site who heard it was labelled on that day.</summary>
    public void Keep(long? version, long serial, LastUse use, RedeemVouchers.Place place)
    {
        _spent.Keep(version, serial, use);
        _labelled.Keep(version, (place.Site.Id, place.ServiceDay), use);
    }

    /// <summary>Who spent the pass; null where that is not known, or the label of the site is not, which comes first.</summary>
    public LastUse? SpentBy(long? version, long serial, RedeemVouchers.Place place) =>
        _labelled.Find(version, (place.Site.Id, place.ServiceDay)) is null ? null : _spent.Find(version, serial);

    /// <summary>
    /// Keeps that the organisation recorded no operation between these, the first included. Of several gaps the last
    /// stands: it is where the next operations come.
    /// </summary>
    /// <param name="before">Null where no operation comes after.</param>
    public void KeepGap(long? version, string organisationId, string from, string? before)
    {
        if (_gaps.Find(version, organisationId) is { } known && !known.IsBefore(from)) return;
        _gaps.Keep(version, organisationId, new(from, before));
    }

    /// <summary>
    /// Whether the organisation surely recorded nothing by this operation: so for those that come in the order of their
    /// time, hardly ever for others.
    /// </summary>
    public bool IsNew(long? version, string organisationId, string operationId) =>
        _gaps.Find(version, organisationId)?.Holds(operationId) == true;

    private sealed record Gap(string From, string? Before)
    {
        public bool Holds(string operationId) => string.CompareOrdinal(operationId, From) >= 0 && !IsBefore(operationId);

        public bool IsBefore(string operationId) => Before is not null && string.CompareOrdinal(operationId, Before) >= 0;
    }
}

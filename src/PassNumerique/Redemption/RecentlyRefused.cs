using PassNumerique.Platform.Data;

namespace PassNumerique.Redemption;

/// <summary>
/// Serials of passes that were refused, or asked for twice, a moment ago: who brings one of them again looks
/// before he writes. A hint, so it may forget: of passes that share a place the last one stands. For as long as
/// the store holds no newer fact it also knows who spent a pass.
/// </summary>
internal sealed class RecentlyRefused
{
    private const int Places = 8_192;
    private readonly long[] _serials = new long[Places];
    private readonly WhileUnchanged<long, LastUse> _spent = new();
    private readonly WhileUnchanged<(string Site, long Day), object> _labelled = new();

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
}

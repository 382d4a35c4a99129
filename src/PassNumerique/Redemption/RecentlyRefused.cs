namespace PassNumerique.Redemption;

/// <summary>
/// Serials of passes that were refused, or asked for twice, a moment ago: who brings one of them again looks
/// before he writes. A hint and nothing more, so it may forget: of passes that share a place the last one stands.
/// </summary>
internal sealed class RecentlyRefused
{
    private const int Places = 8_192;
    private readonly long[] _serials = new long[Places];

    public void Note(long serial) => Volatile.Write(ref _serials[serial % Places], serial);

    public bool Holds(long serial) => Volatile.Read(ref _serials[serial % Places]) == serial;
}

namespace PassNumerique.Redemption;

/// <summary>
/// Passes that were refused, or asked for twice, a moment ago: who brings one of them again looks before he
/// writes. Of those that were spent it keeps by whom, for as long as the store holds no newer fact. It may
/// forget: of passes that share a place the last one stands.
/// </summary>
internal sealed class RecentlyRefused
{
    private const int Places = 8_192;
    private readonly Refused?[] _passes = new Refused?[Places];

    public void Note(long serial)
    {
        if (!Holds(serial)) Put(new(serial, null, null));
    }

    public bool Holds(long serial) => At(serial) is not null;

    /// <summary>Keeps who spent a pass.</summary>
    /// <param name="version">Of the store, taken before it was read; null where it has none.</param>
    public void Keep(long serial, LastUse? use, long? version) => Put(new(serial, use, version));

    /// <summary>Who spent it, where nothing was recorded since: then it is spent still.</summary>
    /// <param name="version">Of the store, now.</param>
    public LastUse? SpentBy(long serial, long? version) =>
        At(serial) is { } refused && refused.Version == version && version is not null ? refused.Use : null;

    private Refused? At(long serial) =>
        Volatile.Read(ref _passes[serial % Places]) is { } refused && refused.Serial == serial ? refused : null;

    private void Put(Refused refused) => Volatile.Write(ref _passes[refused.Serial % Places], refused);

    private sealed record Refused(long Serial, LastUse? Use, long? Version);
}

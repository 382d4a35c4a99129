using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PassNumerique.Platform.Data;

/// <summary>
/// A closed batch of facts. <paramref name="Chain"/> binds the root to every batch before it;
/// <paramref name="Mac"/> proves that the holder of the seal key made it.
/// </summary>
internal sealed record Seal(
    long Batch, long SealedMs, long LeafCount, string Root, string Chain, long KeyVersion, string Mac)
{
    /// <summary>What stands before the first batch.</summary>
    public static readonly Seal None = new(0, 0, 0, "", new string('0', 64), 0, "");

    public static Seal After(Seal last, long sealedMs, IReadOnlyList<byte[]> leaves, KeyRing keys)
    {
        var batch = last.Batch + 1;
        var root = Convert.ToHexStringLower(Merkle.Root(leaves));
        var chain = ChainOf(last.Chain, batch, sealedMs, leaves.Count, root);
        return new(batch, sealedMs, leaves.Count, root, chain, keys.Current, keys.Mac(keys.Current, chain));
    }

    /// <summary>Instants strictly increase, whatever the clock does.</summary>
    public static long NextInstant(Seal last, long nowMs) => Math.Max(nowMs, last.SealedMs + 1);

    /// <summary>
    /// Whether instants are more than a minute ahead of the clock, as a quick disk takes more batches than there are
    /// milliseconds. From there on a batch takes one at least, so that who asks without end moves nobody's deadlines.
    /// </summary>
    public static bool IsFarAhead(Seal last, long nowMs) => last.SealedMs - nowMs > Clock.MinuteMs;

    public static string ChainOf(string before, long batch, long sealedMs, long leafCount, string root) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{before} {batch} {sealedMs} {leafCount} {root}"))));
}

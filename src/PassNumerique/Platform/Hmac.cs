using System.Security.Cryptography;

namespace PassNumerique.Platform;

/// <summary>
/// HMAC-SHA-256 of short texts under few keys. To make a key ready costs as much as the text, so each thread keeps the
/// last ones as they are then.
/// </summary>
internal static class Hmac
{
    /// <summary>More than a service has: a code key of each version, and those of a request and of a seal.</summary>
    private const int MaxReady = 16;

    [ThreadStatic]
    private static List<(byte[] Key, IncrementalHash Ready)>? _ready;

    /// <summary>Writes the 32 bytes of the code.</summary>
    /// <exception cref="ArgumentException">There is no room for them: said before anything is begun that would stay.
    /// </exception>
    public static void Fill(ReadOnlySpan<byte> key, ReadOnlySpan<byte> message, Span<byte> mac)
    {
        if (mac.Length < HMACSHA256.HashSizeInBytes) throw new ArgumentException("A code has 32 bytes.", nameof(mac));
        var ready = Ready(key);
        ready.AppendData(message);
        ready.GetHashAndReset(mac);
    }

    private static IncrementalHash Ready(ReadOnlySpan<byte> key)
    {
        var all = _ready ??= [];
        foreach (var (known, ready) in all)
        {
            if (key.SequenceEqual(known)) return ready;
        }

        if (all.Count == MaxReady)
        {
            all[0].Ready.Dispose();
            all.RemoveAt(0);
        }

        all.Add((key.ToArray(), IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key)));
        return all[^1].Ready;
    }
}

using System.Buffers.Binary;

namespace PassNumerique.Audit;

/// <summary>SplitMix64: the same numbers for the same seed on every machine and every runtime, for ever.</summary>
internal sealed class DemoRandom(long seed)
{
    private ulong _state = unchecked((ulong)seed);

    /// <summary>A number from <paramref name="from"/> to <paramref name="to"/>, both included.</summary>
    public long Between(long from, long to) => from + (long)(Next() % (ulong)(to - from + 1));

    public bool Chance(long percent) => Between(1, 100) <= percent;

    public T Of<T>(IReadOnlyList<T> items) => items[(int)Between(0, items.Count - 1)];

    public byte[] Bytes(int count)
    {
        var bytes = new byte[(count + 7) / 8 * 8];
        for (var i = 0; i < bytes.Length; i += 8) BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(i), Next());
        return bytes[..count];
    }

    /// <summary>A UUIDv8: an id of the seed, not of a clock.</summary>
    public string Id()
    {
        var bytes = Bytes(16);
        bytes[6] = (byte)(0x80 | (bytes[6] & 0x0F));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3F));
        return new Guid(bytes, bigEndian: true).ToString("D");
    }

    private ulong Next()
    {
        unchecked
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}

using System.Security.Cryptography;

namespace PassNumerique.Platform.Data;

/// <summary>The Merkle tree of RFC 9162, section 2.1.1, over leaves that are hashed already.</summary>
internal static class Merkle
{
    /// <summary>The root of an empty tree is the hash of nothing.</summary>
    public static byte[] Root(IReadOnlyList<byte[]> leaves) =>
        leaves.Count == 0 ? SHA256.HashData([]) : Root(leaves, 0, leaves.Count);

    private static byte[] Root(IReadOnlyList<byte[]> leaves, int from, int count)
    {
        if (count == 1) return leaves[from];
        var left = 1;
        while (left * 2 < count) left *= 2;
        return Node(Root(leaves, from, left), Root(leaves, from + left, count - left));
    }

    private static byte[] Node(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> bytes = stackalloc byte[65];
        bytes[0] = 1;
        left.CopyTo(bytes[1..]);
        right.CopyTo(bytes[33..]);
        return SHA256.HashData(bytes);
    }
}

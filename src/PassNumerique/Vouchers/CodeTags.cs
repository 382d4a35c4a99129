using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace PassNumerique.Vouchers;

/// <summary>
/// The tags of serials that follow one another: HMAC-SHA-256 (RFC 2104, FIPS 180-4) of eight of them at a time, one in
/// each lane of a vector, with the key hashed once. Every step is the same whatever key and serial are. For one code,
/// the system's HMAC is used.
/// </summary>
internal static class CodeTags
{
    private const int Lanes = 8;
    private const int StateWords = 8;
    private const int BlockWords = 16;
    private const int BlockBytes = BlockWords * sizeof(uint);
    private const int SaltWords = VoucherCode.SaltBytes / sizeof(uint);
    private const uint InnerPad = 0x3636_3636;
    private const uint OuterPad = 0x5C5C_5C5C;
    private const uint End = 0x8000_0000;
    private const uint InnerBits = (BlockBytes + VoucherCode.SaltBytes + sizeof(uint)) * 8;
    private const uint OuterBits = (BlockBytes + SHA256.HashSizeInBytes) * 8;

    private static ReadOnlySpan<uint> Start =>
    [
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
    ];

    private static ReadOnlySpan<uint> Rounds =>
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ];

    /// <summary>The first 60 bits of each HMAC, for the serials from the first on.</summary>
    public static void Fill(
        ReadOnlySpan<byte> codeKey, ReadOnlySpan<byte> orderSalt, long firstSerial, Span<long> tags)
    {
        Span<Vector256<uint>> inner = stackalloc Vector256<uint>[StateWords];
        Span<Vector256<uint>> outer = stackalloc Vector256<uint>[StateWords];
        Span<Vector256<uint>> state = stackalloc Vector256<uint>[StateWords];
        Span<Vector256<uint>> block = stackalloc Vector256<uint>[BlockWords];
        Begin(codeKey, InnerPad, inner, block);
        Begin(codeKey, OuterPad, outer, block);
        for (var at = 0; at < tags.Length; at += Lanes)
        {
            for (var i = 0; i < SaltWords; i++) block[i] = Word(orderSalt, i);
            block[SaltWords] = Vector256.Create((uint)(firstSerial + at)) + Vector256<uint>.Indices;
            Finish(block, SaltWords + 1, InnerBits);
            inner.CopyTo(state);
            Compress(state, block);

            state.CopyTo(block);
            Finish(block, StateWords, OuterBits);
            outer.CopyTo(state);
            Compress(state, block);
            for (var lane = 0; lane < Math.Min(Lanes, tags.Length - at); lane++)
                tags[at + lane] = ((long)state[0][lane] << 28) | (state[1][lane] >> 4);
        }
    }

    /// <summary>The state after the key, filled up to a block.</summary>
    private static void Begin(
        ReadOnlySpan<byte> codeKey, uint pad, Span<Vector256<uint>> state, Span<Vector256<uint>> block)
    {
        for (var i = 0; i < state.Length; i++) state[i] = Vector256.Create(Start[i]);
        block.Fill(Vector256.Create(pad));
        for (var i = 0; i < codeKey.Length / sizeof(uint); i++) block[i] ^= Word(codeKey, i);
        Compress(state, block);
    }

    private static Vector256<uint> Word(ReadOnlySpan<byte> bytes, int index) =>
        Vector256.Create(BinaryPrimitives.ReadUInt32BigEndian(bytes[(index * sizeof(uint))..]));

    /// <summary>The end of the message and its length.</summary>
    private static void Finish(Span<Vector256<uint>> block, int words, uint bits)
    {
        block[words..].Clear();
        block[words] = Vector256.Create(End);
        block[^1] = Vector256.Create(bits);
    }

    /// <summary>One block into the state, by the letters of FIPS 180-4, 6.2.2; the block is used up.</summary>
    private static void Compress(Span<Vector256<uint>> state, Span<Vector256<uint>> block)
    {
        var (a, b, c, d) = (state[0], state[1], state[2], state[3]);
        var (e, f, g, h) = (state[4], state[5], state[6], state[7]);
        for (var round = 0; round < Rounds.Length; round++)
        {
            if (round >= BlockWords) Extend(block, round);
            var one = h + (Turn(e, 6) ^ Turn(e, 11) ^ Turn(e, 25)) + (g ^ (e & (f ^ g)))
                + Vector256.Create(Rounds[round]) + block[round % BlockWords];
            var two = (Turn(a, 2) ^ Turn(a, 13) ^ Turn(a, 22)) + ((a & b) | (c & (a | b)));
            (h, g, f, e) = (g, f, e, d + one);
            (d, c, b, a) = (c, b, a, one + two);
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    /// <summary>The word of a round from the sixteenth on takes the place of the one 16 rounds before.</summary>
    private static void Extend(Span<Vector256<uint>> block, int round)
    {
        var (early, late) = (block[(round - 15) % BlockWords], block[(round - 2) % BlockWords]);
        block[round % BlockWords] += (Turn(early, 7) ^ Turn(early, 18) ^ (early >>> 3)) + block[(round - 7) % BlockWords]
            + (Turn(late, 17) ^ Turn(late, 19) ^ (late >>> 10));
    }

    private static Vector256<uint> Turn(Vector256<uint> word, int right) => (word >>> right) | (word << (32 - right));
}

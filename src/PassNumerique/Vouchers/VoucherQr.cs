using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PassNumerique.Vouchers;

/// <summary>
/// Draws the QR code of a voucher (ISO/IEC 18004): always version 2 (25 × 25 modules), level Q (a quarter of it may be
/// lost to a fold or a stain), alphanumeric, the 20 symbols of a code. One shape alone, so that a million of them take
/// seconds.
/// </summary>
/// <remarks>
/// The bits of the text, the error correction, the placing and the mask are all joined by exclusive or. A drawing is
/// therefore the exclusive or of prepared drawings: one for each half of each pair of symbols, and one plate with all
/// that does not depend on the code, the mask included. The masks are judged on a row and a column at once: 25 words
/// that hold a row in the low half and the column of the same number in the high half.
/// </remarks>
internal static class VoucherQr
{
    /// <summary>Rows, and modules in a row, without the quiet zone of 4 modules that has to stay white around.</summary>
    public const int Size = VoucherQrPlan.Size;

    public const int Masks = VoucherQrPlan.Masks;

    private const int Pairs = VoucherCode.Length / 2;
    private const int LowBits = 5;
    private const int LowValues = 1 << LowBits;
    private const int HighValues = 1 << (VoucherQrPlan.PairBits - LowBits);
    private const int PairParts = HighValues + LowValues;

    private const ulong RowOnly = 0x0000_0000_01FF_FFFF;
    private const ulong Modules = 0x01FF_FFFF_01FF_FFFF;
    private const ulong Neighbours = 0x00FF_FFFF_00FF_FFFF;

    // A drawing takes as many words as fill vectors; those beyond the 25th are zero.
    private static readonly int Stride = Vector256<ulong>.Count * 7;
    private static readonly ulong[] Parts = PrepareParts();
    private static readonly ulong[] Plates = PreparePlates();

    /// <summary>
    /// Draws a code with the mask of the least penalty, the first of equals, as the standard asks, and returns that
    /// mask. In <paramref name="rows"/> bit 24 is the leftmost module, and one is dark.
    /// </summary>
    /// <param name="code">20 digits or capital letters, in ASCII.</param>
    /// <param name="rows">Room for 25 rows.</param>
    /// <exception cref="ArgumentException">Another length, another character, or too little room.</exception>
    public static int Encode(ReadOnlySpan<byte> code, Span<uint> rows)
    {
        Span<ulong> lines = stackalloc ulong[Stride];
        Draw(code, lines);
        var (best, least) = (0, int.MaxValue);
        for (var mask = 0; mask < Masks; mask++)
        {
            var penalty = Penalty(lines, mask);
            if (penalty < least) (best, least) = (mask, penalty);
        }

        Show(lines, best, rows);
        return best;
    }

    /// <summary>Draws a code with this mask, 0 to 7. Readers take any; it is a matter of how easily.</summary>
    /// <inheritdoc cref="Encode(ReadOnlySpan{byte}, Span{uint})"/>
    public static void Encode(ReadOnlySpan<byte> code, int mask, Span<uint> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(mask);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(mask, Masks);
        Span<ulong> lines = stackalloc ulong[Stride];
        Draw(code, lines);
        Show(lines, mask, rows);
    }

    /// <summary>The modules that depend on the code, without a mask.</summary>
    private static void Draw(ReadOnlySpan<byte> code, Span<ulong> lines)
    {
        if (code.Length != VoucherCode.Length)
            throw new ArgumentException($"A code has {VoucherCode.Length} symbols.", nameof(code));

        Span<int> parts = stackalloc int[2 * Pairs];
        for (var pair = 0; pair < Pairs; pair++)
        {
            var value = (Value(code[2 * pair]) * VoucherQrPlan.Characters) + Value(code[(2 * pair) + 1]);
            parts[2 * pair] = PartOf(pair, value >> LowBits);
            parts[(2 * pair) + 1] = PartOf(pair, HighValues + (value & (LowValues - 1)));
        }

        ref var prepared = ref MemoryMarshal.GetArrayDataReference(Parts);
        ref var drawn = ref MemoryMarshal.GetReference(lines);
        for (var at = 0; at < Stride; at += Vector256<ulong>.Count)
        {
            var sum = Vector256<ulong>.Zero;
            foreach (var part in parts) sum ^= Vector256.LoadUnsafe(ref prepared, (nuint)(part + at));
            sum.StoreUnsafe(ref drawn, (nuint)at);
        }
    }

    private static void Show(ReadOnlySpan<ulong> lines, int mask, Span<uint> rows)
    {
        if (rows.Length < Size) throw new ArgumentException($"A drawing has {Size} rows.", nameof(rows));
        var plate = Plates.AsSpan(mask * Stride, Size);
        for (var i = 0; i < plate.Length; i++) rows[i] = (uint)((lines[i] ^ plate[i]) & RowOnly);
    }

    /// <summary>
    /// The penalty of the standard (7.8.3.1). What a shift brings from the column into the row lands above bit 24,
    /// where the other operand of the conjunction has only zeros.
    /// </summary>
    private static int Penalty(ReadOnlySpan<ulong> lines, int mask)
    {
        var plate = Plates.AsSpan(mask * Stride, Size);
        var (runs, blocks, finders, dark) = (0, 0, 0, 0);
        var (above, alikeAbove) = (0UL, 0UL);
        for (var i = 0; i < plate.Length; i++)
        {
            var line = lines[i] ^ plate[i];
            var alike = ~(line ^ (line >> 1)) & Neighbours;
            var fives = alike & (alike >> 1);
            fives &= fives >> 2;

            // A run of n ≥ 5 costs n − 2: it holds n − 4 fives, and one of them is the last.
            runs += BitOperations.PopCount(fives) + (2 * BitOperations.PopCount(fives & ~(fives >> 1)));
            blocks += BitOperations.PopCount(alike & alikeAbove & ~(line ^ above) & RowOnly);
            finders += BitOperations.PopCount(LikeFinders(line));
            dark += BitOperations.PopCount(line & RowOnly);
            (above, alikeAbove) = (line, alike);
        }

        var share = dark * 20 / (Size * Size);
        var balance = Math.Min(Math.Abs(share - 10), Math.Abs(share - 9));
        return runs + (3 * blocks) + (40 * finders) + (10 * balance);
    }

    /// <summary>Where dark and light are 1:1:3:1:1 as in a finder, with four light modules before or behind.</summary>
    private static ulong LikeFinders(ulong dark)
    {
        var light = ~dark & Modules;
        var lights = light & (light >> 1);
        lights &= lights >> 2;
        var core = dark & (light >> 1) & (dark >> 2) & (dark >> 3) & (dark >> 4) & (light >> 5) & (dark >> 6);
        return (core & (lights >> 7)) | (lights & (core >> 4));
    }

    /// <summary>The value of a character in alphanumeric mode.</summary>
    private static int Value(byte character) => character switch
    {
        >= (byte)'0' and <= (byte)'9' => character - '0',
        >= (byte)'A' and <= (byte)'Z' => character - 'A' + 10,
        _ => throw new ArgumentException("A code has only digits and capital letters."),
    };

    private static int PartOf(int pair, int part) => ((pair * PairParts) + part) * Stride;

    private static ulong[] PrepareParts()
    {
        var parts = new ulong[Pairs * PairParts * Stride];
        for (var pair = 0; pair < Pairs; pair++)
        {
            for (var bit = 0; bit < VoucherQrPlan.PairBits; bit++)
            {
                var drawn = VoucherQrPlan.DrawBit((pair * VoucherQrPlan.PairBits) + VoucherQrPlan.PairBits - 1 - bit);
                var (first, values, own) = bit < LowBits ? (HighValues, LowValues, bit) : (0, HighValues, bit - LowBits);
                for (var value = 0; value < values; value++)
                    if ((value >> own & 1) == 1) Join(parts.AsSpan(PartOf(pair, first + value)), drawn);
            }
        }

        return parts;
    }

    private static ulong[] PreparePlates()
    {
        var plates = new ulong[Masks * Stride];
        for (var mask = 0; mask < Masks; mask++)
        {
            var plate = plates.AsSpan(mask * Stride);
            Join(plate, VoucherQrPlan.DrawFrame());
            Join(plate, VoucherQrPlan.DrawMask(mask));
        }

        return plates;
    }

    private static void Join(Span<ulong> drawing, ReadOnlySpan<ulong> other)
    {
        for (var i = 0; i < other.Length; i++) drawing[i] ^= other[i];
    }
}

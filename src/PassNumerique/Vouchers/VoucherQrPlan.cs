namespace PassNumerique.Vouchers;

/// <summary>
/// The QR symbol of version 2, level Q as ISO/IEC 18004 describes it, step by step: what <see cref="VoucherQr"/> prepares
/// its tables from, once. A drawing is 25 words, each with a row in its low half and the column of the same number in
/// its high half; bit 24 of a half is the left or upper end.
/// </summary>
internal static class VoucherQrPlan
{
    public const int Size = 25;
    public const int Masks = 8;

    /// <summary>Characters of alphanumeric mode; two of them take 11 bits.</summary>
    public const int Characters = 45;

    public const int PairBits = 11;

    private const int Alphanumeric = 0b0010;
    private const int ModeBits = 4;
    private const int CountBits = 9;
    private const int HeadBits = ModeBits + CountBits;
    private const int TextBits = VoucherCode.Length / 2 * PairBits;
    private const int TerminatorBits = 4;
    private const int LevelQ = 0b11;
    private const int DataBytes = 22;
    private const int CorrectionBytes = 22;

    private const int FinderZone = 8; // a finder, its white border, and at 8 itself the format
    private const int Timing = 6;
    private const int Alignment = 18;

    private static readonly (int Row, int Column)[] Path = [.. WalkPath()];
    private static readonly byte[] Generator = MakeGenerator();

    /// <summary>What one bit of the text, counted from the first, sets in the symbol: itself and its correction.</summary>
    public static ulong[] DrawBit(int bit)
    {
        Span<byte> data = stackalloc byte[DataBytes];
        data.Clear();
        Set(data, HeadBits + bit, 1, 1);
        return Place(data);
    }

    /// <summary>What the mode, the count of characters and the padding set in every symbol.</summary>
    public static ulong[] DrawFrame()
    {
        Span<byte> data = stackalloc byte[DataBytes];
        data.Clear();
        Set(data, 0, ModeBits, Alphanumeric);
        Set(data, ModeBits, CountBits, VoucherCode.Length);
        var padding = (HeadBits + TextBits + TerminatorBits + 7) / 8;
        for (var i = padding; i < data.Length; i++) data[i] = (byte)((i - padding) % 2 == 0 ? 0xEC : 0x11);
        return Place(data);
    }

    /// <summary>A mask over where the data are, and the patterns that all symbols with this mask share.</summary>
    public static ulong[] DrawMask(int mask)
    {
        var drawing = new ulong[Size];
        for (var row = 0; row < Size; row++)
            for (var column = 0; column < Size; column++)
                if (IsPattern(row, column) ? IsDarkPattern(row, column) : IsMasked(mask, row, column))
                    Darken(drawing, row, column);
        DrawFormat(drawing, mask);
        return drawing;
    }

    private static void Set(Span<byte> data, int first, int count, int value)
    {
        for (var i = 0; i < count; i++)
        {
            var at = first + i;
            if ((value >> (count - 1 - i) & 1) == 1) data[at / 8] |= (byte)(0x80 >> (at % 8));
        }
    }

    private static void Darken(Span<ulong> drawing, int row, int column)
    {
        drawing[row] |= 1UL << (Size - 1 - column);
        drawing[column] |= 1UL << (32 + Size - 1 - row);
    }

    /// <summary>The data and their correction, bit after bit along the path; the last 7 modules stay light.</summary>
    private static ulong[] Place(ReadOnlySpan<byte> data)
    {
        Span<byte> all = stackalloc byte[DataBytes + CorrectionBytes];
        data.CopyTo(all);
        Correct(data, all[DataBytes..]);
        var drawing = new ulong[Size];
        for (var bit = 0; bit < all.Length * 8; bit++)
            if ((all[bit / 8] >> (7 - (bit % 8)) & 1) == 1) Darken(drawing, Path[bit].Row, Path[bit].Column);
        return drawing;
    }

    /// <summary>Two columns at a time from the right, upwards and downwards in turn, past the patterns.</summary>
    private static IEnumerable<(int Row, int Column)> WalkPath()
    {
        var upwards = true;
        for (var right = Size - 1; right > 0; right -= 2)
        {
            if (right == Timing) right--;
            for (var step = 0; step < Size; step++)
            {
                var row = upwards ? Size - 1 - step : step;
                if (!IsPattern(row, right)) yield return (row, right);
                if (!IsPattern(row, right - 1)) yield return (row, right - 1);
            }

            upwards = !upwards;
        }
    }

    private static bool IsPattern(int row, int column)
    {
        var (top, left) = (row <= FinderZone, column <= FinderZone);
        var (bottom, right) = (row >= Size - FinderZone, column >= Size - FinderZone);
        return (top && (left || right)) || (bottom && left) || row == Timing || column == Timing
            || Distance(row, column, Alignment, Alignment) <= 2;
    }

    private static bool IsDarkPattern(int row, int column)
    {
        const int near = 3;
        const int far = Size - 1 - near;
        ReadOnlySpan<(int Row, int Column)> finders = [(near, near), (near, far), (far, near)];
        foreach (var finder in finders)
            if (Distance(row, column, finder.Row, finder.Column) is var distance and <= 4) return distance is not (2 or 4);
        if (Distance(row, column, Alignment, Alignment) is var apart and <= 2) return apart != 1;
        if ((row, column) == (Size - FinderZone, FinderZone)) return true;
        return (row == Timing && column % 2 == 0) || (column == Timing && row % 2 == 0);
    }

    private static int Distance(int row, int column, int otherRow, int otherColumn) =>
        Math.Max(Math.Abs(row - otherRow), Math.Abs(column - otherColumn));

    private static bool IsMasked(int mask, int row, int column) => mask switch
    {
        0 => (row + column) % 2 == 0,
        1 => row % 2 == 0,
        2 => column % 3 == 0,
        3 => (row + column) % 3 == 0,
        4 => ((row / 2) + (column / 3)) % 2 == 0,
        5 => (row * column % 2) + (row * column % 3) == 0,
        6 => ((row * column % 2) + (row * column % 3)) % 2 == 0,
        _ => (((row + column) % 2) + (row * column % 3)) % 2 == 0,
    };

    /// <summary>Level and mask, with 10 bits that correct them, twice: at the first finder, and at the two others.
    /// </summary>
    private static void DrawFormat(Span<ulong> drawing, int mask)
    {
        var format = FormatOf(mask);
        for (var bit = 0; bit < 15; bit++)
        {
            if ((format >> bit & 1) == 0) continue;
            var past = bit < Timing ? bit : bit + 1; // the timing pattern is jumped over
            if (bit < 8) Darken(drawing, past, FinderZone);
            else Darken(drawing, FinderZone, bit == 8 ? 7 : 14 - bit);
            if (bit < 8) Darken(drawing, FinderZone, Size - 1 - bit);
            else Darken(drawing, Size - 15 + bit, FinderZone);
        }
    }

    private static int FormatOf(int mask)
    {
        var value = LevelQ << 3 | mask;
        var rest = value << 10;
        for (var bit = 14; bit >= 10; bit--)
            if ((rest >> bit & 1) == 1) rest ^= 0b101_0011_0111 << (bit - 10);
        return (value << 10 | rest) ^ 0b101_0100_0001_0010;
    }

    /// <summary>The rest of the division of the data by the generator, in GF(256).</summary>
    private static void Correct(ReadOnlySpan<byte> data, Span<byte> correction)
    {
        correction.Clear();
        foreach (var next in data)
        {
            var factor = (byte)(next ^ correction[0]);
            correction[1..].CopyTo(correction);
            correction[^1] = 0;
            for (var i = 0; i < correction.Length; i++) correction[i] ^= Multiply(Generator[i], factor);
        }
    }

    /// <summary>(x − α⁰)(x − α¹)…(x − α²¹), from the second highest power on; the highest has the factor 1.</summary>
    private static byte[] MakeGenerator()
    {
        var generator = new byte[CorrectionBytes];
        generator[^1] = 1;
        byte root = 1;
        for (var power = 0; power < CorrectionBytes; power++)
        {
            for (var i = 0; i < generator.Length; i++)
            {
                var lower = i + 1 < generator.Length ? generator[i + 1] : (byte)0;
                generator[i] = (byte)(Multiply(generator[i], root) ^ lower);
            }

            root = Multiply(root, 2);
        }

        return generator;
    }

    /// <summary>In GF(2)[x]/(x⁸+x⁴+x³+x²+1).</summary>
    private static byte Multiply(byte one, byte other)
    {
        var product = 0;
        for (var bit = 7; bit >= 0; bit--)
        {
            product <<= 1;
            if (product > 0xFF) product ^= 0x11D;
            if ((other >> bit & 1) == 1) product ^= one;
        }

        return (byte)product;
    }
}

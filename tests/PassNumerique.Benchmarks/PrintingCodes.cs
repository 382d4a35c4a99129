using System.Globalization;
using System.Numerics;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Whether codes look like chance: each of their 12 secret symbols is as often one as another (χ²), and a neighbour, one
/// bit of the key or one of the salt changes half of the 60 secret bits. Key and salt are always the same ones, so that
/// a run can be repeated.
/// </summary>
internal static class PrintingCodes
{
    private const int Symbols = 12;
    private const int SymbolBits = 5;
    private const int Values = 1 << SymbolBits;
    private const double Half = Symbols * SymbolBits / 2.0;
    private const double Tolerance = 0.02;
    private const long FirstSerial = 1;

    // Serials that are derived together, with the same bit of key and salt flipped beside them.
    private const int SerialsAtOnce = 1_024;

    // χ² with 31 degrees of freedom exceeds it by chance once in a thousand (NIST/SEMATECH e-Handbook, 1.3.6.7.4).
    private const double Critical = 61.098;

    /// <summary>What one thread counted.</summary>
    private sealed class Tally
    {
        public long[] Counts { get; } = new long[Symbols * Values];

        public long Neighbour { get; set; }

        public long Key { get; set; }

        public long Salt { get; set; }
    }

    public static Task<bool> MeasureAsync(PrintingScale scale)
    {
        var total = Count(scale.Codes);
        Console.WriteLine();
        Console.WriteLine($"{scale.Codes:#,0} codes: χ² of each secret symbol (31 degrees of freedom; goal < {Critical}, p > 0.001)");
        double[] squares = [.. Enumerable.Range(0, Symbols).Select(symbol => ChiSquare(total, symbol, scale.Codes))];
        Console.WriteLine("  " + string.Join("  ", squares.Select(square => square.ToString("0.0", CultureInfo.InvariantCulture))));
        var uniform = squares.All(square => square < Critical);
        Console.WriteLine($"  the largest is {squares.Max():0.0}: {(uniform ? "reached" : "NOT REACHED")}");
        Console.WriteLine($"Secret bits of 60 that change, mean: goal {Half:0} ± {Tolerance}");
        var good = uniform & Judge("from a serial to the next", total.Neighbour) & Judge("with one bit of the key", total.Key)
            & Judge("with one bit of the salt", total.Salt);
        return Task.FromResult(good);

        bool Judge(string name, long distance)
        {
            var mean = (double)distance / scale.Codes;
            var holds = Math.Abs(mean - Half) <= Tolerance;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {name,-44} {mean:0.0000}: {(holds ? "reached" : "NOT REACHED")}"));
            return holds;
        }
    }

    private static Tally Count(long codes)
    {
        var random = new Random(60);
        var (key, salt) = (new byte[VoucherCode.KeyBytes], new byte[VoucherCode.SaltBytes]);
        random.NextBytes(key);
        random.NextBytes(salt);
        var (keys, salts) = (EachFlipped(key), EachFlipped(salt));
        var total = new Tally();
        Parallel.For(0L, (codes + SerialsAtOnce - 1) / SerialsAtOnce, () => new Tally(), (run, _, tally) =>
        {
            var first = FirstSerial + (run * SerialsAtOnce);
            var count = (int)Math.Min(SerialsAtOnce, codes - (run * SerialsAtOnce));
            Span<long> tags = stackalloc long[SerialsAtOnce + 1];
            Span<long> others = stackalloc long[SerialsAtOnce];
            CodeTags.Fill(key, salt, first, tags);
            CountSymbols(tags[..count], tally);
            tally.Neighbour += Distance(tags[1..], tags[..count]);
            CodeTags.Fill(keys[run % keys.Length], salt, first, others);
            tally.Key += Distance(others, tags[..count]);
            CodeTags.Fill(key, salts[run % salts.Length], first, others);
            tally.Salt += Distance(others, tags[..count]);
            return tally;
        }, tally => Add(total, tally));
        return total;
    }

    private static void CountSymbols(ReadOnlySpan<long> tags, Tally tally)
    {
        foreach (var tag in tags)
            for (var symbol = 0; symbol < Symbols; symbol++)
                tally.Counts[(symbol * Values) + (int)(tag >> (SymbolBits * (Symbols - 1 - symbol)) & (Values - 1))]++;
    }

    private static long Distance(ReadOnlySpan<long> ones, ReadOnlySpan<long> tags)
    {
        var sum = 0L;
        for (var i = 0; i < tags.Length; i++) sum += BitOperations.PopCount((ulong)(ones[i] ^ tags[i]));
        return sum;
    }

    private static void Add(Tally total, Tally part)
    {
        lock (total)
        {
            for (var i = 0; i < total.Counts.Length; i++) total.Counts[i] += part.Counts[i];
            total.Neighbour += part.Neighbour;
            total.Key += part.Key;
            total.Salt += part.Salt;
        }
    }

    private static double ChiSquare(Tally total, int symbol, long codes)
    {
        var expected = (double)codes / Values;
        return total.Counts.Skip(symbol * Values).Take(Values).Sum(count => (count - expected) * (count - expected) / expected);
    }

    /// <summary>The same bytes with one bit flipped, for each of their bits.</summary>
    private static byte[][] EachFlipped(byte[] bytes) => [.. Enumerable.Range(0, bytes.Length * 8).Select(bit =>
    {
        var flipped = bytes.ToArray();
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    })];
}

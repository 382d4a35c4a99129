using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;
using PassNumerique.Vouchers;
using QRCoder;

namespace PassNumerique.Tests.Vouchers;

/// <summary>The drawn code: module for module what another encoder draws, and what a scanner reads.</summary>
[Parallelizable(ParallelScope.All)]
public sealed partial class VoucherQrTests
{
    private const string Known = "43NQK8N4WZ6TQKA1R9CJ";
    private const int Quiet = 4;

    [Test]
    public void The_modules_and_the_mask_are_those_of_another_encoder()
    {
        var seen = new HashSet<int>();
        foreach (var code in Codes(5_000).Where(IsAlphanumericToQrCoder))
        {
            var expected = DrawnByQrCoder(code);
            var mask = MaskIn(expected);
            seen.Add(mask);
            Assert.That(Draw(code, mask), Is.EqualTo(expected), $"with mask {mask}");
            var rows = new uint[VoucherQr.Size];
            Assert.That(VoucherQr.Encode(Encoding.ASCII.GetBytes(code), rows), Is.EqualTo(mask));
            Assert.That(rows, Is.EqualTo(expected));
        }

        Assert.That(seen, Is.EquivalentTo(Enumerable.Range(0, VoucherQr.Masks)), "all masks were compared");
    }

    [Test]
    public void The_mask_has_the_least_penalty_and_is_the_first_of_equals()
    {
        foreach (var code in Codes(1_000))
        {
            var penalties = Enumerable.Range(0, VoucherQr.Masks).Select(mask => Penalty(Draw(code, mask))).ToList();
            var rows = new uint[VoucherQr.Size];
            var chosen = VoucherQr.Encode(Encoding.ASCII.GetBytes(code), rows);
            Assert.That(chosen, Is.EqualTo(penalties.IndexOf(penalties.Min())), string.Join(", ", penalties));
            Assert.That(rows, Is.EqualTo(Draw(code, chosen)));
        }
    }

    [Test]
    public void Digits_alone_and_equal_symbols_are_drawn_too()
    {
        foreach (var code in (string[])[new('0', 20), new('9', 20), new('A', 20), new('Z', 20), "01234567890123456789"])
            for (var mask = 0; mask < VoucherQr.Masks; mask++)
                Assert.That(MaskIn(Draw(code, mask)), Is.EqualTo(mask), code);
        var expected = DrawnByQrCoder(new('Z', 20));
        Assert.That(Draw(new('Z', 20), MaskIn(expected)), Is.EqualTo(expected));
    }

    [Test]
    public void What_is_no_code_is_not_drawn()
    {
        var code = Encoding.ASCII.GetBytes(Known);
        Assert.That(Drawing(code[..19], 25), Throws.InstanceOf<ArgumentException>());
        Assert.That(Drawing([.. code, (byte)'0'], 25), Throws.InstanceOf<ArgumentException>());
        Assert.That(Drawing(code, 24), Throws.InstanceOf<ArgumentException>());
        foreach (var stranger in "/:@[`az-é ")
            Assert.That(Drawing([.. code[..^1], (byte)stranger], 25), Throws.InstanceOf<ArgumentException>());
        foreach (var mask in (int[])[-1, 8])
            Assert.That(() => VoucherQr.Encode(code, mask, new uint[25]), Throws.InstanceOf<ArgumentException>());

        static Action Drawing(byte[] code, int rows) => () => VoucherQr.Encode(code, new uint[rows]);
    }

    [Test]
    public void Drawing_allocates_nothing()
    {
        var (code, rows) = (Encoding.ASCII.GetBytes(Known), new uint[VoucherQr.Size]);
        VoucherQr.Encode(code, rows);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++) VoucherQr.Encode(code, rows);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(allocated, Is.LessThan(1_000), "less than a byte a code");
    }

    [Test]
    public void A_scanner_reads_every_mask()
    {
        const string zbarimg = "/usr/bin/zbarimg";
        if (!File.Exists(zbarimg)) Assert.Ignore("Reading the drawn codes needs zbarimg (apt-get install zbar-tools).");
        List<string> codes = [.. Codes((16 * VoucherQr.Masks) - 1), "0324565MVZ0HAKQXND9J"];
        var picture = Picture([.. codes.Select((code, i) => Draw(code, i % VoucherQr.Masks))]);
        var path = Path.Combine(Path.GetTempPath(), $"pass-numerique-{Guid.NewGuid():N}.pbm");
        try
        {
            File.WriteAllText(path, picture);
            Assert.That(Scan(zbarimg, path), Is.EquivalentTo(codes));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static IEnumerable<string> Codes(int count)
    {
        var random = new Random(18_004);
        var (key, salt) = (new byte[VoucherCode.KeyBytes], new byte[VoucherCode.SaltBytes]);
        for (var i = 0; i < count; i++)
        {
            random.NextBytes(key);
            random.NextBytes(salt);
            yield return VoucherCode.Compose(key, random.Next(8), random.NextInt64(1L << 32), salt);
        }
    }

    private static uint[] Draw(string code, int mask)
    {
        var rows = new uint[VoucherQr.Size];
        VoucherQr.Encode(Encoding.ASCII.GetBytes(code), mask, rows);
        return rows;
    }

    /// <summary>QRCoder changes to numeric mode, which is as good to a reader, for 7 digits in front or 13 in a row.</summary>
    private static bool IsAlphanumericToQrCoder(string code) =>
        !code.Take(7).All(char.IsAsciiDigit) && !DigitsInARow().IsMatch(code);

    [GeneratedRegex("[0-9]{13}")]
    private static partial Regex DigitsInARow();

    /// <summary>Asked for no version and no mode: that it takes ours is a part of what is compared.</summary>
    private static uint[] DrawnByQrCoder(string code)
    {
        using var data = QRCodeGenerator.GenerateQrCode(code, QRCodeGenerator.ECCLevel.Q);
        Assert.That(data.Version, Is.EqualTo(2));
        var rows = new uint[VoucherQr.Size];
        for (var row = 0; row < rows.Length; row++)
            for (var column = 0; column < rows.Length; column++)
                if (data.ModuleMatrix[row + Quiet][column + Quiet]) rows[row] |= 1U << (VoucherQr.Size - 1 - column);
        return rows;
    }

    /// <summary>The mask as the format beside the first finder names it: its bits 10 to 12, masked by 101.</summary>
    private static int MaskIn(uint[] rows) => (int)(rows[8] >> 20 & 7) ^ 0b101;

    /// <summary>The four rules of ISO/IEC 18004, 7.8.3.1, word for word and module for module.</summary>
    private static int Penalty(uint[] rows)
    {
        var size = VoucherQr.Size;
        var penalty = 0;
        for (var line = 0; line < size; line++)
            penalty += InLine([.. Range(size).Select(i => Dark(line, i))]) + InLine([.. Range(size).Select(i => Dark(i, line))]);
        foreach (var row in Range(size - 1))
            foreach (var column in Range(size - 1))
                if (Dark(row, column) == Dark(row, column + 1) && Dark(row, column) == Dark(row + 1, column)
                    && Dark(row, column) == Dark(row + 1, column + 1)) penalty += 3;
        var dark = Range(size).Sum(row => Range(size).Count(column => Dark(row, column)));
        var below = dark * 100 / (size * size) / 5 * 5;
        return penalty + (Math.Min(Math.Abs(below - 50), Math.Abs(below + 5 - 50)) / 5 * 10);

        bool Dark(int row, int column) => (rows[row] >> (size - 1 - column) & 1) == 1;
    }

    private static int InLine(bool[] line)
    {
        var penalty = 0;
        for (var start = 0; start < line.Length;)
        {
            var end = start;
            while (end < line.Length && line[end] == line[start]) end++;
            if (end - start >= 5) penalty += 3 + (end - start - 5);
            start = end;
        }

        var text = string.Concat(line.Select(dark => dark ? '1' : '0'));
        foreach (var start in Range(line.Length - 10))
            if (text.Substring(start, 11) is "10111010000" or "00001011101") penalty += 40;
        return penalty;
    }

    private static IEnumerable<int> Range(int count) => Enumerable.Range(0, count);

    /// <summary>A sheet of codes, 8 in a row, three dots a module, as a portable bitmap.</summary>
    private static string Picture(IReadOnlyList<uint[]> codes)
    {
        const int dots = 3;
        const int across = 8;
        const int cell = VoucherQr.Size + (2 * Quiet);
        var down = (codes.Count + across - 1) / across;
        var text = new StringBuilder($"P1\n{across * cell * dots} {down * cell * dots}\n");
        for (var y = 0; y < down * cell * dots; y++)
        {
            for (var x = 0; x < across * cell * dots; x++)
            {
                var (row, column) = ((y / dots % cell) - Quiet, (x / dots % cell) - Quiet);
                var code = (y / dots / cell * across) + (x / dots / cell);
                var dark = code < codes.Count && row is >= 0 and < VoucherQr.Size && column is >= 0 and < VoucherQr.Size
                    && (codes[code][row] >> (VoucherQr.Size - 1 - column) & 1) == 1;
                text.Append(dark ? '1' : '0');
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string[] Scan(string program, string path)
    {
        var start = new ProcessStartInfo(program, ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", path])
        {
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

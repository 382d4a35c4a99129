using System.Diagnostics;
using System.Text;
using PassNumerique.Vouchers;
using QRCoder;

namespace PassNumerique.Benchmarks;

/// <summary>
/// QR codes a second, matrix only, each side with all eight masks judged by the four rules of the standard: ours,
/// QRCoder's and, where it is installed, libqrencode's. What they draw is compared before.
/// </summary>
internal static class PrintingQr
{
    private const int Pool = 4_096;
    private const double GoalQrCoder = 15;
    private const double GoalLibqrencode = 6;

    // As many as take about a tenth of a second each.
    private const int Ours = 100_000;
    private const int Theirs = 1_000;

    public static async Task<bool> MeasureAsync(PrintingScale scale)
    {
        string[] texts = [.. Codes(Pool)];
        byte[][] codes = [.. texts.Select(Encoding.ASCII.GetBytes)];
        var hasLibrary = Libqrencode.IsThere();
        List<Subject<double>> subjects =
        [
            new("VoucherQr", () => Task.FromResult(Rate(Ours, i => Draw(codes[i])))),
            new("QRCoder", () => Task.FromResult(Rate(Theirs, i => DrawByQrCoder(texts[i]).Dispose()))),
        ];
        if (hasLibrary)
            subjects.Add(new("libqrencode", () => Task.FromResult(Rate(Theirs * 10, i => Libqrencode.Draw(codes[i])))));

        var rates = await Printing.RatesAsync("QR codes of version 2, level Q", "codes/s", scale.Rounds, subjects);
        var good = Printing.Judge("VoucherQr ÷ QRCoder", rates[0], rates[1], GoalQrCoder);
        Compare("QRCoder", texts, text => RowsOf(DrawByQrCoder(text)));
        if (!hasLibrary)
        {
            Console.WriteLine("  libqrencode is not compared: it needs libqrencode4 (apt-get install libqrencode4)");
            return false;
        }

        good &= Printing.Judge("VoucherQr ÷ libqrencode", rates[0], rates[2], GoalLibqrencode);
        Compare("libqrencode", texts, text => Libqrencode.Rows(Encoding.ASCII.GetBytes(text)));
        return good;
    }

    private static double Rate(int count, Action<int> draw)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++) draw(i % Pool);
        return count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    private static void Draw(byte[] code)
    {
        Span<uint> rows = stackalloc uint[VoucherQr.Size];
        VoucherQr.Encode(code, rows);
    }

    private static QRCodeData DrawByQrCoder(string text) =>
        QRCodeGenerator.GenerateQrCode(text, QRCodeGenerator.ECCLevel.Q, requestedVersion: 2);

    /// <summary>
    /// How many are the same drawing. QRCoder writes seven digits in front as numbers, and libqrencode counts what looks
    /// like a finder once where the standard counts it twice: both give other drawings that read the same.
    /// </summary>
    private static void Compare(string name, string[] texts, Func<string, uint[]> draw)
    {
        var (same, sameMask) = (0, 0);
        var rows = new uint[VoucherQr.Size];
        foreach (var text in texts)
        {
            var theirs = draw(text);
            var code = Encoding.ASCII.GetBytes(text);
            VoucherQr.Encode(code, rows);
            if (rows.AsSpan().SequenceEqual(theirs)) same++;
            VoucherQr.Encode(code, MaskIn(theirs), rows);
            if (rows.AsSpan().SequenceEqual(theirs)) sameMask++;
        }

        Console.WriteLine($"  of {texts.Length:#,0} drawings, {same:#,0} are {name}'s, and {sameMask:#,0} with the mask that it took");
    }

    private static int MaskIn(uint[] rows) => (int)(rows[8] >> 20 & 7) ^ 0b101;

    private static uint[] RowsOf(QRCodeData data)
    {
        const int quiet = 4;
        using (data)
        {
            var rows = new uint[VoucherQr.Size];
            for (var row = 0; row < rows.Length; row++)
                for (var column = 0; column < rows.Length; column++)
                    if (data.ModuleMatrix[row + quiet][column + quiet]) rows[row] |= 1U << (rows.Length - 1 - column);
            return rows;
        }
    }

    private static IEnumerable<string> Codes(int count)
    {
        var random = new Random(18_004);
        var (key, salt) = (new byte[VoucherCode.KeyBytes], new byte[VoucherCode.SaltBytes]);
        random.NextBytes(key);
        random.NextBytes(salt);
        for (var i = 0; i < count; i++) yield return VoucherCode.Compose(key, 1, random.NextInt64(1L << 32), salt);
    }
}

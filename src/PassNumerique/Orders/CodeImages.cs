using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Orders;

/// <summary>
/// The QR codes of an order as pictures, for a printing house that sets its own pages: a ZIP with a folder a
/// distribution point and booklet. A file is named by its serial, never by its code.
/// </summary>
internal static class CodeImages
{
    public const string ContentType = "application/zip";

    private const int FilesAtOnce = 64;
    private const int NameBytes = 160;
    private const int SlugCharacters = 60;

    public static WritePrint With(CodeImageFormat format) => (writer, order, lots, keys, courtesy, progress, ct) =>
        WriteAsync(writer, order, lots, format, keys, courtesy, progress, ct);

    public static async Task WriteAsync(
        PipeWriter writer, CodeOrder order, IReadOnlyList<CodeLot> lots, CodeImageFormat format, KeyRing keys,
        Courtesy courtesy, IProgress<long>? progress, CancellationToken ct)
    {
        var zip = new StoredZip(writer, lots.Sum(l => l.LastSerial - l.FirstSerial + 1));
        var written = 0L;
        for (var i = 0; i < lots.Count; i++)
        {
            var (lot, folder) = (lots[i], Folder(i, lots[i]));
            for (var first = lot.FirstSerial; first <= lot.LastSerial; first += FilesAtOnce)
            {
                var last = Math.Min(first + FilesAtOnce - 1, lot.LastSerial);
                Add(zip, order, lot, folder, first, last, format, keys);
                progress?.Report(written += last - first + 1);

                // The reader of the answer sets the pace; a connection that is gone ends the export.
                if ((await writer.FlushAsync(ct)).IsCompleted) return;
                await courtesy.GiveWayAsync(ct);
            }
        }

        await ListAsync(writer, zip, order, lots, format, ct);
    }

    /// <summary>The directory at the end: the same names in the same order.</summary>
    private static async Task ListAsync(
        PipeWriter writer, StoredZip zip, CodeOrder order, IReadOnlyList<CodeLot> lots, CodeImageFormat format,
        CancellationToken ct)
    {
        var name = new byte[NameBytes];
        for (var i = 0; i < lots.Count; i++)
        {
            var (lot, folder) = (lots[i], Folder(i, lots[i]));
            for (var serial = lot.FirstSerial; serial <= lot.LastSerial; serial++)
            {
                zip.List(name.AsSpan(0, WriteName(name, order, lot, folder, serial, format)));
                if (serial % FilesAtOnce == 0 && (await writer.FlushAsync(ct)).IsCompleted) return;
            }
        }

        zip.End();
        await writer.FlushAsync(ct);
    }

    private static void Add(
        StoredZip zip, CodeOrder order, CodeLot lot, byte[] folder, long first, long last, CodeImageFormat format,
        KeyRing keys)
    {
        var version = (int)order.KeyVersion;
        var key = keys.Derive(version, KeyLabel.Code);
        Span<byte> name = stackalloc byte[NameBytes];
        Span<byte> code = stackalloc byte[VoucherCode.Length];
        Span<uint> rows = stackalloc uint[QrImage.Modules];
        Span<byte> png = stackalloc byte[QrImage.PngBytes];
        for (var serial = first; serial <= last; serial++)
        {
            VoucherCode.Compose(key, version, serial, order.Salt, code);
            VoucherQr.Encode(code, rows);
            var file = name[..WriteName(name, order, lot, folder, serial, format)];
            if (format == CodeImageFormat.Png) zip.Add(file, png[..QrImage.WritePng(rows, png)]);
            else zip.Add(file, Encoding.ASCII.GetBytes(QrImage.Svg(rows)));
        }
    }

    /// <summary><c>001-mairie-de-gueret</c>: in the order of the lots, in letters that every system takes.</summary>
    private static byte[] Folder(int index, CodeLot lot)
    {
        var slug = string.Concat(FrenchOrder.Fold(lot.PointName).Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        if (slug.Length > SlugCharacters) slug = slug[..SlugCharacters];
        return Encoding.ASCII.GetBytes(FormattableString.Invariant($"{index + 1:000}-{slug.Trim('-')}/"));
    }

    private static int WriteName(
        Span<byte> name, CodeOrder order, CodeLot lot, ReadOnlySpan<byte> folder, long serial, CodeImageFormat format)
    {
        folder.CopyTo(name);
        var at = folder.Length;
        Put(name, ref at, "carnet-"u8);
        PutNumber(name, ref at, serial - ((serial - lot.FirstSerial) % order.VouchersPerBooklet));
        Put(name, ref at, "/"u8);
        PutNumber(name, ref at, serial);
        Put(name, ref at, format == CodeImageFormat.Png ? ".png"u8 : ".svg"u8);
        return at;
    }

    private static void Put(Span<byte> span, ref int at, ReadOnlySpan<byte> text)
    {
        text.CopyTo(span[at..]);
        at += text.Length;
    }

    private static void PutNumber(Span<byte> span, ref int at, long number)
    {
        Utf8Formatter.TryFormat(number, span[at..], out var written);
        at += written;
    }
}

/// <summary>What a picture is made of: pixels or lines.</summary>
internal enum CodeImageFormat
{
    Png,
    Svg,
}

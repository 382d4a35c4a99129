using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Orders;

/// <summary>What the codes of an order are made of, and what is printed beside them.</summary>
internal sealed record CodeOrder(
    long VouchersPerBooklet, long FaceCents, long CreditMinutes, long ValidUntilDay, byte[] Salt, long KeyVersion,
    string AuthorityName, string? PrintText, string? Telephone, byte[]? Logo)
{
    /// <summary>Of papers that stand for others: the minutes that each has; null where all have what the order says.</summary>
    public IReadOnlyDictionary<long, long>? CreditMinutesOf { get; init; }
}

internal sealed record CodeLot(long FirstSerial, long LastSerial, string PointName);

/// <summary>
/// Writes the sheet for the printing house: a row a pass, straight into the buffers of the response, so that
/// a million passes take no more memory than one and no code ever becomes a string.
/// </summary>
internal static class CodeSheet
{
    public const string Header =
        "serial,booklet,position,code,qr,face_value_cents,minutes,valid_until,authority,text,telephone,point\r\n";

    private const int RowsAtOnce = 256;
    private const int GroupSymbols = 4;

    // Two serials and a position of at most 20 digits, the code twice, its dashes and the commas.
    private const int HeadBytes = (3 * 20) + (2 * VoucherCode.Length) + 4 + 5;

    // What each row has besides its three numbers and its tail: the code twice, four dashes, four commas.
    private const long RowBytes = (2 * VoucherCode.Length) + 4 + 4;

    public static async Task WriteAsync(
        PipeWriter writer, CodeOrder order, IReadOnlyList<CodeLot> lots, KeyRing keys, Courtesy courtesy,
        IProgress<long>? progress, CancellationToken ct)
    {
        await writer.WriteAsync(Encoding.UTF8.GetBytes(Header), ct);
        var written = 0L;
        foreach (var lot in lots)
        {
            var tail = Encoding.UTF8.GetBytes(Tail(order, lot));
            for (var first = lot.FirstSerial; first <= lot.LastSerial; first += RowsAtOnce)
            {
                var last = Math.Min(first + RowsAtOnce - 1, lot.LastSerial);
                WriteRows(writer, order, lot, first, last, tail, keys);

                // The reader of the answer sets the pace; a connection that is gone ends the export.
                if ((await writer.FlushAsync(ct)).IsCompleted) return;
                written += last - first + 1;
                progress?.Report(written);
                await courtesy.GiveWayAsync(ct);
            }
        }
    }

    /// <summary>How many bytes <see cref="WriteAsync"/> writes, without making a code.</summary>
    public static long Length(CodeOrder order, IReadOnlyList<CodeLot> lots)
    {
        var length = (long)Header.Length;
        foreach (var lot in lots)
        {
            var count = lot.LastSerial - lot.FirstSerial + 1;
            length += count * (RowBytes + Encoding.UTF8.GetByteCount(Tail(order, lot)));
            length += Digits(lot.FirstSerial, lot.LastSerial);
            length += count / order.VouchersPerBooklet * Digits(1, order.VouchersPerBooklet);
            for (var booklet = lot.FirstSerial; booklet <= lot.LastSerial; booklet += order.VouchersPerBooklet)
                length += order.VouchersPerBooklet * Digits(booklet, booklet);
        }

        return length;
    }

    /// <summary>The digits of all numbers from one to another together, each at least 1.</summary>
    private static long Digits(long first, long last)
    {
        var digits = 0L;
        for (var power = 1L; power <= last; power *= 10) digits += last - Math.Max(first, power) + 1;
        return digits;
    }

    /// <summary>What all rows of a lot end in; a telephone number is digits and signs, and printed as it is.</summary>
    private static string Tail(CodeOrder order, CodeLot lot) => FormattableString.Invariant(
        $",{order.FaceCents},{order.CreditMinutes},{Clock.DateText(order.ValidUntilDay)},")
        + $"{Csv.Field(order.AuthorityName)},{Csv.Field(order.PrintText)},{order.Telephone},{Csv.Field(lot.PointName)}\r\n";

    private static void WriteRows(
        PipeWriter writer, CodeOrder order, CodeLot lot, long first, long last, ReadOnlySpan<byte> tail,
        KeyRing keys)
    {
        var version = (int)order.KeyVersion;
        var key = keys.Derive(version, KeyLabel.Code);
        var span = writer.GetSpan((int)(last - first + 1) * (HeadBytes + tail.Length));
        Span<byte> codes = stackalloc byte[RowsAtOnce * VoucherCode.Length];
        codes = codes[..((int)(last - first + 1) * VoucherCode.Length)];
        VoucherCode.ComposeRange(key, version, first, order.Salt, codes);
        var at = 0;
        for (var serial = first; serial <= last; serial++)
        {
            var position = (serial - lot.FirstSerial) % order.VouchersPerBooklet;
            Number(span, ref at, serial);
            Number(span, ref at, serial - position);
            Number(span, ref at, position + 1);
            WriteCode(span, ref at, codes.Slice((int)(serial - first) * VoucherCode.Length, VoucherCode.Length));
            tail.CopyTo(span[at..]);
            at += tail.Length;
        }

        writer.Advance(at);
    }

    private static void Number(Span<byte> span, ref int at, long number)
    {
        Utf8Formatter.TryFormat(number, span[at..], out var written);
        at += written;
        span[at++] = (byte)',';
    }

    /// <summary>The code in groups, for people, then without separators, for the QR code.</summary>
    private static void WriteCode(Span<byte> span, ref int at, ReadOnlySpan<byte> code)
    {
        for (var i = 0; i < code.Length; i++)
        {
            if (i > 0 && i % GroupSymbols == 0) span[at++] = (byte)'-';
            span[at++] = code[i];
        }

        span[at++] = (byte)',';
        code.CopyTo(span[at..]);
        at += code.Length;
    }
}

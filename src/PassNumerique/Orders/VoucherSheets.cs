using System.Buffers.Text;
using System.IO.Pipelines;
using System.Text;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;
using PassNumerique.Vouchers;

namespace PassNumerique.Orders;

/// <summary>How many passes stand on an A4 sheet, and how large; lengths in points.</summary>
/// <param name="Columns">Each begins with the counterfoil of its booklet.</param>
internal sealed record SheetLayout(int Columns, int Rows, double Strip, double Body, double Code, double Side)
{
    public const double Width = 595;
    public const double Height = 842;
    public const double Margin = 22;

    /// <summary>Two columns of five: two booklets of five passes, or one of ten.</summary>
    public static SheetLayout Ten { get; } = new(2, 5, Strip: 62, Body: 8.5, Code: 10.5, Side: 84);

    public static SheetLayout Eight { get; } = new(2, 4, Strip: 70, Body: 10, Code: 10.5, Side: 96);

    /// <summary>For people who don't see well, and for fingers that don't hold well.</summary>
    public static SheetLayout Large { get; } = new(1, 4, Strip: 86, Body: 13, Code: 20, Side: 108);

    public double CellWidth => (Width - (2 * Margin)) / Columns;

    public double CellHeight => (Height - (2 * Margin) - Strip) / Rows;

    public double Left(int column) => Margin + (column * CellWidth);

    /// <summary>The lower edge of a row, the first one on top.</summary>
    public double Bottom(int row) => Height - Margin - Strip - ((row + 1) * CellHeight);
}

/// <summary>
/// Writes the passes of an order for the desk printer, sheet by sheet: those of a booklet in their order, its
/// counterfoil above them, the code in letters beside its QR code. Nothing on the paper tells why somebody got it.
/// </summary>
internal static class VoucherSheets
{
    private const int GroupedLength = VoucherCode.Length + 4;
    private const double Pad = 9;
    private const long MinutesATick = 30;
    private const long MaxTicks = 8;

    public static WritePrint With(SheetLayout layout) => (writer, order, lots, keys, courtesy, progress, ct) =>
        WriteAsync(writer, order, lots, layout, isSpecimen: false, keys, courtesy, progress, ct);

    public static async Task WriteAsync(
        PipeWriter writer, CodeOrder order, IReadOnlyList<CodeLot> lots, SheetLayout layout, bool isSpecimen, KeyRing keys,
        Courtesy courtesy, IProgress<long>? progress, CancellationToken ct)
    {
        var title = isSpecimen ? "Pass numérique – SPÉCIMEN" : $"Pass numérique – {order.AuthorityName}";
        await using var pdf = new PdfWriter(writer, new(title, order.AuthorityName, "fr",
            $"pass {lots[0].FirstSerial} {lots[^1].LastSerial} {layout.Columns * layout.Rows} {isSpecimen}"));
        var sheet = new Sheet(pdf, order, layout, isSpecimen, keys);
        var written = 0L;
        foreach (var lot in lots)
        {
            sheet.NextLot(lot.PointName);
            for (var booklet = lot.FirstSerial; booklet <= lot.LastSerial; booklet += order.VouchersPerBooklet)
            {
                sheet.WriteBooklet(booklet);
                progress?.Report(written += order.VouchersPerBooklet);
                if (!await pdf.FlushAsync(ct)) return;
                await courtesy.GiveWayAsync(ct);
            }
        }

        sheet.End();
        await pdf.EndAsync(ct);
    }

    /// <summary>One sheet after the other, filled column by column.</summary>
    private sealed class Sheet
    {
        private readonly PdfWriter _pdf;
        private readonly CodeOrder _order;
        private readonly SheetLayout _layout;
        private readonly bool _isSpecimen;
        private readonly byte[] _codeKey;
        private readonly Dictionary<long, PdfResource> _cells = [];
        private readonly PdfPicture? _picture;
        private readonly PdfResource? _logo;
        private readonly PdfResource _marks;
        private readonly byte[] _line = new byte[64];
        private readonly byte[] _codes;
        private PdfPage? _page;
        private string? _point;
        private int _column;
        private long _readMinutes;

        public Sheet(PdfWriter pdf, CodeOrder order, SheetLayout layout, bool isSpecimen, KeyRing keys)
        {
            (_pdf, _order, _layout, _isSpecimen) = (pdf, order, layout, isSpecimen);
            _codeKey = keys.Derive(isSpecimen ? KeyRing.SpecimenVersion : (int)order.KeyVersion, KeyLabel.Code).ToArray();
            _picture = order.Logo is { Length: > 0 } bytes ? PdfPicture.Read(bytes, out _) : null;
            _logo = _picture is null ? null : pdf.Add(_picture);
            _codes = new byte[order.VouchersPerBooklet * VoucherCode.Length];
            _marks = pdf.Add(Marks(), SheetLayout.Width, SheetLayout.Height);
        }

        private string Validity => $"Valable jusqu'au {French.Date(_order.ValidUntilDay)} inclus";

        private string? Help => _order.Telephone is { } phone ? $"Questions : {phone}" : null;

        /// <summary>Whoever sorts the sheets finds those of a point together.</summary>
        public void NextLot(string pointName)
        {
            End();
            _point = pointName;
        }

        public void WriteBooklet(long booklet)
        {
            var version = _isSpecimen ? KeyRing.SpecimenVersion : (int)_order.KeyVersion;
            VoucherCode.ComposeRange(_codeKey, version, booklet, _isSpecimen ? NoSalt : _order.Salt, _codes);
            var columns = (int)((_order.VouchersPerBooklet + _layout.Rows - 1) / _layout.Rows);
            if (_page is not null && _column + Math.Min(columns, _layout.Columns) > _layout.Columns) End();
            _pdf.BeginTag("Sect");
            for (var first = 0L; first < _order.VouchersPerBooklet; first += _layout.Rows)
            {
                if (_column == _layout.Columns) End();
                var page = _page ?? Begin();
                WriteStrip(page, booklet, first);
                var last = Math.Min(first + _layout.Rows, _order.VouchersPerBooklet);
                for (var i = first; i < last; i++) WritePass(page, booklet, i, (int)(i - first));
                _column++;
            }

            _pdf.EndTag();
        }

        public void End()
        {
            if (_page is null) return;
            _pdf.EndPage();
            (_page, _column) = (null, 0);
        }

        private PdfPage Begin()
        {
            _page = _pdf.BeginPage(SheetLayout.Width, SheetLayout.Height);
            if (_point is { } point) _pdf.Bookmark(point);
            (_point, _readMinutes) = (null, 0);
            _page.BeginArtifact();
            _page.Draw(_marks, 0, 0);
            _page.EndArtifact();
            return _page;
        }

        /// <summary>The counterfoil stays at the desk; where the booklet goes on in another column, its number.</summary>
        private void WriteStrip(PdfPage page, long booklet, long first)
        {
            var (x, top, size) = (_layout.Left(_column) + Pad, SheetLayout.Height - SheetLayout.Margin, _layout.Body);
            page.BeginLeaf(first > 0 ? "P" : "H1");
            if (first > 0) page.Text(StandardFont.Regular, size, x, top - (2 * size), $"Carnet n° {booklet}, suite");
            else
            {
                page.Text(StandardFont.Bold, size + 1.5, x, top - (1.6 * size), $"TALON – Carnet n° {booklet}");
                page.EndLeaf();
                page.BeginLeaf("P");
                page.Text(StandardFont.Regular, size, x, top - (3.1 * size),
                    $"{_order.VouchersPerBooklet} pass, n° {booklet} à {booklet + _order.VouchersPerBooklet - 1}. À garder au point de remise.");
                page.Text(StandardFont.Regular, size, x, top - (4.9 * size), "Remis le ____ /____ /________   par ______________________");
            }

            page.EndLeaf();
        }

        private void WritePass(PdfPage page, long booklet, long position, int row)
        {
            Span<uint> modules = stackalloc uint[VoucherQr.Size];
            var serial = booklet + position;
            var code = _codes.AsSpan((int)position * VoucherCode.Length, VoucherCode.Length);
            VoucherQr.Encode(code, modules);
            var (x, y) = (_layout.Left(_column), _layout.Bottom(row));
            if (_isSpecimen) DrawSpecimen(page, x, y);
            DrawCell(page, x, y, _order.CreditMinutesOf?.GetValueOrDefault(serial) ?? _order.CreditMinutes);
            page.BeginArtifact();
            page.Modules(x + Pad + 3, y + _layout.CellHeight - Pad - _layout.Side - 2, _layout.Side, modules);
            page.EndArtifact();
            page.BeginLeaf("P");
            page.Text(StandardFont.Regular, _layout.Body - 1, x + Pad, y + Pad, Line(serial, booklet, position + 1));
            page.Text(StandardFont.Fixed, _layout.Code, x + Pad, y + Pad + (_layout.Body * 1.25), Grouped(code));
            page.EndLeaf();
        }

        /// <summary>Across the pass, under its letters and beside its modules.</summary>
        private void DrawSpecimen(PdfPage page, double x, double y)
        {
            page.BeginArtifact();
            page.Grey(0.75);
            page.TextAt(StandardFont.Bold, _layout.CellWidth * 0.11, x + Pad + _layout.Side + 20, y + (_layout.CellHeight * 0.3), 14, "SPÉCIMEN");
            page.Grey(0);
            page.EndArtifact();
        }

        /// <summary>What passes say alike is read aloud once a sheet.</summary>
        private void DrawCell(PdfPage page, double x, double y, long minutes)
        {
            var isRead = _readMinutes == minutes;
            if (isRead) page.BeginArtifact();
            else page.BeginLeaf("P", actual: Reading(minutes));
            page.Draw(CellOf(minutes), x, y);
            if (isRead) page.EndArtifact();
            else page.EndLeaf();
            _readMinutes = minutes;
        }

        private string Reading(long minutes) => string.Join(". ", new[]
        {
            $"Pass d'un crédit de {French.Duration(minutes)} pour être aidé ou formé au numérique", Validity, _order.PrintText, Help,
        }.OfType<string>()) + ".";

        private PdfResource CellOf(long minutes) => _cells.TryGetValue(minutes, out var known)
            ? known
            : _cells[minutes] = _pdf.Add(Cell(minutes), _layout.CellWidth, _layout.CellHeight);

        private static ReadOnlySpan<byte> NoSalt => new byte[VoucherCode.SaltBytes];

        /// <summary><c>n° 123, carnet 120, pass 4 sur 10</c></summary>
        private ReadOnlySpan<byte> Line(long serial, long booklet, long position)
        {
            var at = 0;
            Put(_isSpecimen ? "SPÉCIMEN, pass n° " : "Pass n° ", serial, ref at);
            Put(", carnet ", booklet, ref at);
            Put(", ", position, ref at);
            Put(" sur ", _order.VouchersPerBooklet, ref at);
            return _line.AsSpan(0, at);
        }

        private void Put(string words, long number, ref int at)
        {
            foreach (var c in words) _line[at++] = WinAnsi.Byte(c);
            Utf8Formatter.TryFormat(number, _line.AsSpan(at), out var written);
            at += written;
        }

        private ReadOnlySpan<byte> Grouped(ReadOnlySpan<byte> code)
        {
            for (var i = 0; i < GroupedLength; i++) _line[i] = i % 5 == 4 ? (byte)'-' : code[i - (i / 5)];
            return _line.AsSpan(0, GroupedLength);
        }

        /// <summary>What stands on each pass: the house, the credit, the end, what is left, whom to ask.</summary>
        private PdfForm Cell(long minutes)
        {
            var (form, size) = (new PdfForm(), _layout.Body);
            var x = Pad + 3 + _layout.Side + 14;
            var (right, width) = (_layout.CellWidth - Pad, _layout.CellWidth - Pad - x);
            var y = _layout.CellHeight - Pad - (size * 1.4);
            if (_picture is { } picture)
            {
                var scale = Math.Min(size * 3.4 / picture.Height, width * 0.4 / picture.Width);
                var (w, h) = (picture.Width * scale, picture.Height * scale);
                form.Draw(_logo!, right - w, Pad, w, h);
            }

            form.Text(StandardFont.Bold, size * 1.4, x, y, "Pass numérique");
            y = Lines(form, StandardFont.Regular, size, x, y - (size * 1.5), width, _order.AuthorityName, 2);
            y = Lines(form, StandardFont.Bold, size, x, y, width, $"{French.Duration(minutes)} pour apprendre ou être aidé", 2);
            y = Lines(form, StandardFont.Regular, size, x, y, width, Validity, 2);
            if (_order.PrintText is { } text) y = Lines(form, StandardFont.Regular, size - 1, x, y, width, text, 2);
            if (Help is { } help) y = Lines(form, StandardFont.Regular, size, x, y, width, help, 1);
            Ticks(form, minutes, x, Math.Max(y - 1, Pad + (size * 3.2)), size, width);
            return form;
        }

        /// <summary>A box for each half hour: what is left of a pass can't be seen otherwise.</summary>
        private static void Ticks(PdfForm form, long minutes, double x, double y, double size, double width)
        {
            var count = Math.Clamp(minutes / MinutesATick, 1, MaxTicks);
            form.Text(StandardFont.Regular, size - 1, x, y, "Utilisé :");
            var at = x + (StandardFont.Regular.Width("Utilisé :") * (size - 1) / 1_000) + 4;
            var step = Math.Min(size * 1.5, (width - (at - x)) / count);
            for (var i = 0; i < count; i++) form.Frame(at + (i * step), y - 1.5, step * 0.72, step * 0.72, 0.6);
        }

        private static double Lines(
            PdfForm form, PdfFont font, double size, double x, double y, double width, string text, int most)
        {
            foreach (var line in TextLines.Fit(font, size, width, text, most))
            {
                form.Text(font, size, x, y, line);
                y -= size * 1.25;
            }

            return y;
        }

        /// <summary>Dashes to cut along, dots to fold along.</summary>
        private PdfForm Marks()
        {
            var marks = new PdfForm();
            var (left, right) = (SheetLayout.Margin, SheetLayout.Width - SheetLayout.Margin);
            var (top, bottom) = (SheetLayout.Height - SheetLayout.Margin, _layout.Bottom(_layout.Rows - 1));
            marks.Grey(0);
            marks.Line(left, top - _layout.Strip, right, top - _layout.Strip, 0.7, dash: 1.2);
            for (var row = 1; row < _layout.Rows; row++) marks.Line(left, _layout.Bottom(row - 1), right, _layout.Bottom(row - 1), 0.5, dash: 4);
            for (var column = 1; column < _layout.Columns; column++) marks.Line(_layout.Left(column), bottom - 8, _layout.Left(column), top + 8, 0.5, dash: 4);
            foreach (var x in new[] { left, right })
            {
                marks.Line(x, bottom - 12, x, bottom - 4, 0.5);
                marks.Line(x, top + 4, x, top + 12, 0.5);
            }

            marks.TextBefore(StandardFont.Regular, 5.5, right, bottom - 9, "Pointillés : plier ou détacher le talon. Tirets : couper.");
            return marks;
        }
    }
}

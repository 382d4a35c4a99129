using System.IO.Pipelines;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Orders;

/// <summary>
/// Writes print data to its last byte. The same order gives the same bytes, so that a transfer that broke off can
/// go on at a byte.
/// </summary>
internal delegate Task WritePrint(
    PipeWriter writer, CodeOrder order, IReadOnlyList<CodeLot> lots, KeyRing keys, Courtesy courtesy,
    IProgress<long>? progress, CancellationToken ct);

/// <summary>A form in which codes leave the house; a variant of one is a kind of its own.</summary>
/// <param name="Name">Its word in the store.</param>
/// <param name="Label">What people read.</param>
/// <param name="File">The last part of its address, under the order.</param>
/// <param name="ContentType">Of the answer.</param>
/// <param name="Writer">What writes it for a request, after reading what it needs besides the order.</param>
/// <param name="Length">How long the file will be; where nobody knows, it is written once more to be counted.</param>
internal sealed record PrintKind(
    string Name, string Label, string File, string ContentType, Func<Request, ValueTask<WritePrint>> Writer,
    Func<CodeOrder, IReadOnlyList<CodeLot>, long>? Length = null)
{
    /// <summary>Ten passes a sheet, for the desk printer.</summary>
    public static readonly PrintKind Sheets = new(
        "pdf", "feuilles PDF de 10 pass", "vouchers.pdf", PdfWriter.ContentType, _ => ValueTask.FromResult(VoucherSheets.With(SheetLayout.Ten)));

    /// <summary>Every kind there is: each has its route, and can be named in a permission.</summary>
    public static readonly IReadOnlyList<PrintKind> All =
    [
        new("csv", "tableau CSV pour l'imprimeur", "vouchers.csv", Csv.ContentType, _ => ValueTask.FromResult<WritePrint>(CodeSheet.WriteAsync),
            CodeSheet.Length),
        Sheets,
        new("pdf-8", "feuilles PDF de 8 pass", "vouchers-8.pdf", PdfWriter.ContentType,
            _ => ValueTask.FromResult(VoucherSheets.With(SheetLayout.Eight))),
        new("pdf-large", "feuilles PDF en gros caractères", "vouchers-large.pdf", PdfWriter.ContentType,
            _ => ValueTask.FromResult(VoucherSheets.With(SheetLayout.Large))),
        new("png", "codes QR en images PNG (ZIP)", "codes.zip", CodeImages.ContentType,
            _ => ValueTask.FromResult(CodeImages.With(CodeImageFormat.Png))),
        new("svg", "codes QR en images SVG (ZIP)", "codes-svg.zip", CodeImages.ContentType,
            _ => ValueTask.FromResult(CodeImages.With(CodeImageFormat.Svg))),
    ];

    public static readonly IReadOnlyList<string> Names = [.. All.Select(k => k.Name)];

    /// <summary>What people read for a word in the store.</summary>
    public static string LabelOf(string name) => All.FirstOrDefault(k => k.Name == name)?.Label ?? name;

    /// <summary>The ending of the file, with its dot.</summary>
    public string Ending => Path.GetExtension(File);
}

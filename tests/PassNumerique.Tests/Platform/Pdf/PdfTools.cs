using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Pdf;

/// <summary>
/// Somebody else's readers of PDF (poppler-utils, qpdf). A test that needs one which is not here is counted as
/// skipped, with the package to install.
/// </summary>
internal static class PdfTools
{
    /// <summary>The text of all pages, in their order, blanks and line ends as one blank each.</summary>
    public static async Task<string> TextAsync(byte[] pdf)
    {
        var text = await RunAsync("pdftotext", "poppler-utils", pdf, file => ["-layout", file, "-"]);
        return string.Join(' ', text.Split((char[])[' ', '\n', '\r', '\t', '\f', '\u00A0'], StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>What <c>pdfinfo</c> says: title, language, tags, pages.</summary>
    public static Task<string> InfoAsync(byte[] pdf) => RunAsync("pdfinfo", "poppler-utils", pdf, file => [file]);

    /// <summary>The tags of the document, indented as they lie in one another.</summary>
    public static Task<string> StructureAsync(byte[] pdf) =>
        RunAsync("pdfinfo", "poppler-utils", pdf, file => ["-struct-text", file]);

    /// <summary>What a screen reader is told to say where letters are drawn otherwise than they are typed.</summary>
    public static async Task<IReadOnlyList<string>> SpokenAsync(byte[] pdf)
    {
        var plain = await RunAsync("qpdf", "qpdf", pdf, file => ["--qdf", "--object-streams=disable", file, "-"]);
        return
        [
            .. Regex.Matches(plain, "/ActualText <feff([0-9a-f]*)>")
                .Select(m => Encoding.BigEndianUnicode.GetString(Convert.FromHexString(m.Groups[1].Value))),
        ];
    }

    /// <summary>Fails unless qpdf finds nothing to say.</summary>
    public static async Task CheckAsync(byte[] pdf)
    {
        var said = await RunAsync("qpdf", "qpdf", pdf, file => ["--check", file]);
        Assert.That(said, Does.Contain("No syntax or stream encoding errors found"));
    }

    private static async Task<string> RunAsync(string tool, string package, byte[] pdf, Func<string, string[]> arguments)
    {
        var path = "/usr/bin/" + tool;
        if (!File.Exists(path)) Assert.Ignore($"{tool} is not here: install {package}");
        using var folder = new TestFolder();
        var file = Path.Combine(folder.Data, "document.pdf");
        await File.WriteAllBytesAsync(file, pdf);
        using var process = Process.Start(new ProcessStartInfo(path, arguments(file))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = tool == "qpdf" ? Encoding.Latin1 : Encoding.UTF8,
        })!;
        var (said, wrong) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.That((process.ExitCode, await wrong), Is.EqualTo((0, "")), tool);
        return await said;
    }
}

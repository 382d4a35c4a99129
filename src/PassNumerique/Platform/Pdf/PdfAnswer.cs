using System.IO.Pipelines;

namespace PassNumerique.Platform.Pdf;

/// <summary>A document as the answer to a request.</summary>
internal static class PdfAnswer
{
    /// <summary>Says what follows, and gives where to write it. A document is made for whoever asks: no cache keeps it.</summary>
    /// <param name="isShown">Shown in the browser rather than saved.</param>
    public static PipeWriter Begin(HttpResponse response, string fileName, bool isShown = false)
    {
        response.ContentType = PdfWriter.ContentType;
        response.Headers.CacheControl = "no-store";
        response.Headers.ContentDisposition = $"{(isShown ? "inline" : "attachment")}; filename=\"{fileName}\"";
        return response.BodyWriter;
    }
}

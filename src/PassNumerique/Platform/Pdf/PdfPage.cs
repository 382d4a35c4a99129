namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A page under way. What is drawn between <see cref="BeginLeaf"/> and <see cref="EndLeaf"/> is read aloud, in the
/// order in which it is drawn; all else stands between <see cref="PdfContent.BeginArtifact"/> and its end.
/// </summary>
internal sealed class PdfPage : PdfContent
{
    private readonly PdfWriter _pdf;
    private readonly List<int> _elements = [];

    internal PdfPage(PdfWriter pdf) => _pdf = pdf;

    public double Width { get; private set; }

    public double Height { get; private set; }

    internal int ObjectNumber { get; private set; }

    /// <summary>The structure element of each marked piece, in the order of their numbers.</summary>
    internal IReadOnlyList<int> Elements => _elements;

    /// <summary>
    /// Begins an element with text of its own: <c>P</c>, <c>H1</c>, <c>TD</c>, <c>Lbl</c>, <c>Span</c>, <c>Figure</c>…
    /// </summary>
    /// <param name="type">One of the standard structure types, ISO 32000-1, 14.8.4.</param>
    /// <param name="alternative">What is read instead of a picture.</param>
    /// <param name="actual">What is read instead of letters that are drawn otherwise than they are typed.</param>
    /// <param name="language">Where it is not that of the document: <c>en</c>, <c>ar</c>.</param>
    public void BeginLeaf(string type, string? alternative = null, string? actual = null, string? language = null)
    {
        _pdf.BeginTag(type, alternative, actual, language);
        Raw("/"u8);
        Ascii(type);
        Raw(" <</MCID "u8);
        Whole(_elements.Count);
        Raw(">>BDC\n"u8);
        _elements.Add(_pdf.MarkHere(_elements.Count));
    }

    public void EndLeaf()
    {
        Raw("EMC\n"u8);
        _pdf.EndTag();
    }

    internal void Begin(int number, double width, double height)
    {
        (ObjectNumber, Width, Height) = (number, width, height);
        _elements.Clear();
        Clear();
    }
}

using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>What a document says of itself.</summary>
/// <param name="Language">As in HTML: <c>fr</c>, <c>en</c>, <c>ar</c>.</param>
/// <param name="Id">What it is made from: the same gives the same bytes, and another document another identifier.</param>
internal sealed record PdfInfo(string Title, string Author, string Language, string Id);

/// <summary>
/// Writes a PDF 1.7 document as its pages are made (ISO 32000-1): tagged, with language and reading order, bookmarks
/// and compressed streams. What stays in memory to the end is a few bytes an object, so that a hundred thousand
/// passes take no more than a page. The same calls give the same bytes: no clock and no chance is in it.
/// </summary>
/// <remarks>
/// Objects other than streams are collected into object streams (7.5.7), and the file ends in a cross-reference
/// stream (7.5.8): structure that would be as large as the pages shrinks to a few bytes an element.
/// </remarks>
internal sealed class PdfWriter : IAsyncDisposable
{
    public const string ContentType = "application/pdf";

    private const int ObjectsAStream = 400;
    private const int PagesANode = 100;
    private const int KeysAParentNode = 50;
    private const int FlushBytes = 1 << 16;
    private const int PlaceBytes = 8;

    private readonly PipeWriter _output;
    private readonly PdfInfo _info;
    private readonly List<long> _places = [0]; // Of each object: its offset, or ~(stream << 16 | index within it).
    private readonly ArrayBufferWriter<byte> _collected = new(1 << 15);
    private readonly List<(int Number, int At)> _collectedAt = [];
    private readonly MemoryStream _compressed = new();
    private readonly List<PdfFont> _fonts = [.. StandardFont.All];
    private readonly List<PdfResource> _drawn = [];
    private readonly List<int> _pageNodes = [];
    private readonly List<int> _nodePages = [];
    private readonly List<int> _parentNodes = [];
    private readonly ArrayBufferWriter<byte> _parentNums = new(1 << 13);
    private readonly List<(string Title, int Level, int Page)> _bookmarks = [];
    private readonly Stack<Tag> _open = new();
    private readonly Stack<Tag> _spare = new();
    private readonly PdfPage _page;
    private readonly int _resources;
    private readonly int _pages;
    private readonly int _structure;
    private readonly int _root;
    private int _pageCount;
    private int _parentKey;
    private int _parentCount;
    private int _node;
    private long _written;
    private long _sinceFlush;
    private bool _isOnPage;

    public PdfWriter(PipeWriter output, PdfInfo info)
    {
        (_output, _info) = (output, info);
        _page = new PdfPage(this);
        Emit(Header);
        _root = NewNumber();
        _pages = NewNumber();
        _resources = NewNumber();
        _structure = NewNumber();
        _open.Push(new Tag().Begin(NewNumber(), "Document", null, null, null));
    }

    /// <summary>Four bytes above 127 tell that this is no text.</summary>
    private static ReadOnlySpan<byte> Header => "%PDF-1.7\n%\u00E2\u00E3\u00CF\n"u8;

    public long PageCount => _pageCount;

    /// <summary>A page in points; A4 upright where nothing is said.</summary>
    public PdfPage BeginPage(double width = 595, double height = 842)
    {
        if (_isOnPage) throw new InvalidOperationException("A page is under way.");
        _isOnPage = true;
        _page.Begin(NewNumber(), width, height);
        return _page;
    }

    /// <summary>Writes the page; the same object is used for the next one.</summary>
    public void EndPage()
    {
        if (_node == 0) _node = NewNumber();
        var content = NewNumber();
        WriteStream(content, "", _page.Bytes);
        WriteObject(_page.ObjectNumber, string.Create(CultureInfo.InvariantCulture,
            $"<</Type/Page/Parent {_node} 0 R/MediaBox[0 0 {_page.Width:0.##} {_page.Height:0.##}]/Resources {_resources} 0 R/Contents {content} 0 R/StructParents {_pageCount}/Tabs/S>>"));
        KeepParents();
        _nodePages.Add(_page.ObjectNumber);
        _pageCount++;
        if (_nodePages.Count == PagesANode) EndPageNode();
        _isOnPage = false;
    }

    /// <summary>Begins an element that holds others: <c>Sect</c>, <c>Table</c>, <c>TR</c>, <c>L</c>, <c>LI</c>… It may go over pages.</summary>
    public void BeginTag(string type, string? alternative = null, string? actual = null, string? language = null)
    {
        if (!_spare.TryPop(out var tag)) tag = new Tag();
        tag.Begin(NewNumber(), type, alternative, actual, language);
        _open.Peek().Kids.Add((tag.Number, 0));
        _open.Push(tag);
    }

    /// <summary>What a cell of a table heads: <c>Column</c> or <c>Row</c>; call it after the cell was begun.</summary>
    public void HeadsTheColumn() => _open.Peek().Attributes = "/A<</O/Table/Scope/Column>>";

    /// <inheritdoc cref="HeadsTheColumn"/>
    public void HeadsTheRow() => _open.Peek().Attributes = "/A<</O/Table/Scope/Row>>";

    public void EndTag()
    {
        if (_open.Count == 1) throw new InvalidOperationException("No element is open.");
        var tag = _open.Pop();
        WriteElement(tag, _open.Peek().Number);
        _spare.Push(tag);
    }

    /// <summary>A line of the outline that leads to the page under way, or to the next one.</summary>
    public void Bookmark(string title, int level = 0) =>
        _bookmarks.Add((title, _bookmarks.Count == 0 ? 0 : level, _isOnPage ? _page.ObjectNumber : _places.Count));

    /// <summary>A font of this document besides the standard ones.</summary>
    public void Add(PdfFont font) => _fonts.Add(font);

    /// <summary>The next free name of a font.</summary>
    public string NextFontName => string.Create(CultureInfo.InvariantCulture, $"F{_fonts.Count + 1}");

    /// <summary>Writes what pages will share.</summary>
    public PdfResource Add(PdfForm form, double width, double height)
    {
        var resource = NextResource();
        WriteStream(resource.Number, string.Create(CultureInfo.InvariantCulture,
            $"/Type/XObject/Subtype/Form/BBox[0 0 {width:0.##} {height:0.##}]/Resources {_resources} 0 R"), form.Bytes);
        return resource;
    }

    /// <summary>Writes a picture, and its mask where it has one.</summary>
    public PdfResource Add(PdfPicture picture)
    {
        var resource = NextResource();
        var mask = "";
        if (picture.Alpha is { } alpha)
        {
            var number = NewNumber();
            WriteStream(number, ImageEntries(picture.Width, picture.Height, "/DeviceGray", 8), alpha);
            mask = string.Create(CultureInfo.InvariantCulture, $"/SMask {number} 0 R");
        }

        var entries = ImageEntries(picture.Width, picture.Height, picture.ColourSpace, picture.BitsAComponent) + mask;
        if (picture.IsJpeg) WriteStreamAsIs(resource.Number, entries + "/Filter/DCTDecode", picture.Bytes);
        else WriteStream(resource.Number, entries, picture.Bytes);
        return resource;
    }

    /// <summary>Hands what was written to the reader; false where he is gone.</summary>
    public async ValueTask<bool> FlushAsync(CancellationToken ct)
    {
        if (_sinceFlush < FlushBytes) return true;
        _sinceFlush = 0;
        return !(await _output.FlushAsync(ct)).IsCompleted;
    }

    /// <summary>Everything that is only known at the end; the document is whole after it.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        if (_isOnPage || _open.Count != 1) throw new InvalidOperationException("A page or an element is still open.");
        if (_nodePages.Count > 0) EndPageNode();
        if (_parentCount > 0) EndParentNode();
        var document = _open.Pop();
        WriteElement(document, _structure);
        WriteObject(_pages, $"<</Type/Pages/Count {Text(_pageCount)}/Kids[{References(_pageNodes)}]>>");
        WriteFonts();
        var parents = NewNumber();
        WriteObject(parents, "<</Kids[" + References(_parentNodes) + "]>>");
        WriteObject(_structure,
            $"<</Type/StructTreeRoot/K {document.Number} 0 R/ParentTree {parents} 0 R/ParentTreeNextKey {Text(_pageCount)}>>");
        var outline = WriteOutline();
        WriteObject(_root, $"<</Type/Catalog/Pages {_pages} 0 R/StructTreeRoot {_structure} 0 R/MarkInfo<</Marked true>>/Lang({_info.Language})"
            + $"/ViewerPreferences<</DisplayDocTitle true>>{(outline > 0 ? $"/Outlines {Text(outline)} 0 R/PageMode/UseOutlines" : "")}>>");
        var info = NewNumber();
        WriteObject(info, $"<</Title{String(_info.Title)}/Author{String(_info.Author)}/Creator{String("Pass numérique")}>>");
        EndObjectStream();
        WriteReferences(info);
        await _output.FlushAsync(ct);
    }

    /// <summary>Nothing is closed here: whoever made the output ends it.</summary>
    public ValueTask DisposeAsync() => _compressed.DisposeAsync();

    /// <summary>A string of any letters (7.9.2.2).</summary>
    public static string String(string text) =>
        "<FEFF" + Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text)) + ">";

    /// <summary>A number for an object that is written later, once.</summary>
    public int NewNumber()
    {
        _places.Add(0);
        return _places.Count - 1;
    }

    /// <summary>Writes an object that is no stream.</summary>
    public void WriteObject(int number, string body)
    {
        BeginObject(number);
        Put(body);
        EndObject();
    }

    /// <summary>Writes a stream, compressed; <paramref name="entries"/> of its dictionary besides length and filter.</summary>
    public void WriteStream(int number, string entries, ReadOnlySpan<byte> bytes) =>
        WriteStream(number, entries, bytes, [], CompressionLevel.Optimal);

    /// <summary>The element that the next piece of the page under way belongs to; its number is kept by the page.</summary>
    internal int MarkHere(int mark)
    {
        if (!_isOnPage) throw new InvalidOperationException("Text stands on a page.");
        var tag = _open.Peek();
        tag.Kids.Add((mark, _page.ObjectNumber));
        return tag.Number;
    }

    private PdfResource NextResource()
    {
        var resource = new PdfResource(string.Create(CultureInfo.InvariantCulture, $"X{_drawn.Count + 1}"), NewNumber());
        _drawn.Add(resource);
        return resource;
    }

    private static string ImageEntries(int width, int height, string colours, int bits) => string.Create(CultureInfo.InvariantCulture,
        $"/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace{colours}/BitsPerComponent {bits}");

    private void WriteStreamAsIs(int number, string entries, ReadOnlySpan<byte> bytes)
    {
        _places[number] = _written;
        Emit(Encoding.ASCII.GetBytes($"{Text(number)} 0 obj\n<<{entries}/Length {Text(bytes.Length)}>>stream\n"));
        Emit(bytes);
        Emit("\nendstream endobj\n"u8);
    }

    private void WriteStream(
        int number, string entries, ReadOnlySpan<byte> head, ReadOnlySpan<byte> rest, CompressionLevel level)
    {
        _compressed.SetLength(0);
        using (var deflate = new ZLibStream(_compressed, level, leaveOpen: true))
        {
            deflate.Write(head);
            deflate.Write(rest);
        }

        WriteStreamAsIs(number, entries + "/Filter/FlateDecode", _compressed.GetBuffer().AsSpan(0, (int)_compressed.Length));
    }

    /// <summary>Structure repeats itself so much that the quickest way makes it small enough.</summary>
    private void EndObjectStream()
    {
        if (_collectedAt.Count == 0) return;
        var number = NewNumber();
        var heads = new ArrayBufferWriter<byte>(1 << 13);
        for (var i = 0; i < _collectedAt.Count; i++)
        {
            var (inner, at) = _collectedAt[i];
            _places[inner] = ~(((long)number << 16) | (uint)i);
            Put(heads, inner);
            Put(heads, at);
        }

        WriteStream(number, $"/Type/ObjStm/N {Text(_collectedAt.Count)}/First {Text(heads.WrittenCount)}",
            heads.WrittenSpan, _collected.WrittenSpan, CompressionLevel.Fastest);
        _collected.ResetWrittenCount();
        _collectedAt.Clear();
    }

    /// <summary>Straight into the bytes that are collected: a sheet of ten passes has a dozen elements.</summary>
    private void WriteElement(Tag tag, int parent)
    {
        var page = tag.Page;
        BeginObject(tag.Number);
        Put("<</S/");
        Put(tag.Type);
        Put("/P ");
        PutReference(parent);
        if (page > 0)
        {
            Put("/Pg ");
            PutReference(page);
        }

        if (tag.Language is { } language) Put($"/Lang({language})");
        if (tag.Alternative is { } alternative) Put("/Alt" + String(alternative));
        if (tag.Actual is { } actual) Put("/ActualText" + String(actual));
        Put(tag.Attributes);
        Put("/K[");
        foreach (var (kid, on) in tag.Kids)
        {
            if (on == 0) PutReference(kid);
            else if (on == page) Put(_collected, kid);
            else Put(string.Create(CultureInfo.InvariantCulture, $"<</Type/MCR/Pg {on} 0 R/MCID {kid}>>"));
        }

        Put("]>>");
        EndObject();
    }

    private void BeginObject(int number) => _collectedAt.Add((number, _collected.WrittenCount));

    private void EndObject()
    {
        Put("\n");
        if (_collectedAt.Count == ObjectsAStream) EndObjectStream();
    }

    private void Put(string ascii) => _collected.Advance(Encoding.ASCII.GetBytes(ascii, _collected.GetSpan(ascii.Length)));

    private void PutReference(int number)
    {
        Put(_collected, number);
        _collected.Write("0 R "u8);
    }

    /// <summary>A number and a blank.</summary>
    private static void Put(ArrayBufferWriter<byte> bytes, int number)
    {
        var span = bytes.GetSpan(12);
        Utf8Formatter.TryFormat(number, span, out var written);
        span[written] = (byte)' ';
        bytes.Advance(written + 1);
    }

    /// <summary>From a piece on the page back to its element, page by page (14.7.4.4).</summary>
    private void KeepParents()
    {
        Put(_parentNums, _parentKey++);
        _parentNums.Write("["u8);
        foreach (var element in _page.Elements)
        {
            Put(_parentNums, element);
            _parentNums.Write("0 R "u8);
        }

        _parentNums.Write("]"u8);
        if (++_parentCount == KeysAParentNode) EndParentNode();
    }

    private void EndParentNode()
    {
        var (number, last) = (NewNumber(), _parentKey - 1);
        BeginObject(number);
        Put($"<</Limits[{Text(_parentKey - _parentCount)} {Text(last)}]/Nums[");
        _collected.Write(_parentNums.WrittenSpan);
        Put("]>>");
        EndObject();
        _parentNodes.Add(number);
        _parentNums.ResetWrittenCount();
        _parentCount = 0;
    }

    private void EndPageNode()
    {
        WriteObject(_node,
            $"<</Type/Pages/Parent {_pages} 0 R/Count {Text(_nodePages.Count)}/Kids[{References(_nodePages)}]>>");
        _pageNodes.Add(_node);
        _nodePages.Clear();
        _node = 0;
    }

    private void WriteFonts()
    {
        var fonts = new StringBuilder();
        foreach (var font in _fonts)
        {
            var number = NewNumber();
            font.Write(this, number);
            fonts.Append(CultureInfo.InvariantCulture, $"/{font.Name} {number} 0 R");
        }

        var drawn = string.Concat(_drawn.Select(d => string.Create(CultureInfo.InvariantCulture, $"/{d.Name} {d.Number} 0 R")));
        WriteObject(_resources, $"<</Font<<{fonts}>>/XObject<<{drawn}>>>>");
    }

    /// <summary>The outline, closed where it has two levels; 0 where there is none.</summary>
    private int WriteOutline()
    {
        if (_bookmarks.Count == 0) return 0;
        var root = NewNumber();
        var numbers = _bookmarks.Select(_ => NewNumber()).ToArray();
        var tops = Enumerable.Range(0, numbers.Length).Where(i => _bookmarks[i].Level == 0).ToArray();
        for (var t = 0; t < tops.Length; t++)
        {
            var (at, end) = (tops[t], t + 1 < tops.Length ? tops[t + 1] : numbers.Length);
            var kids = end - at - 1;
            WriteBookmark(numbers, at, root, t > 0 ? tops[t - 1] : -1, t + 1 < tops.Length ? tops[t + 1] : -1,
                kids == 0 ? "" : $"/First {Text(numbers[at + 1])} 0 R/Last {Text(numbers[end - 1])} 0 R/Count {Text(-kids)}");
            for (var i = at + 1; i < end; i++)
                WriteBookmark(numbers, i, numbers[at], i > at + 1 ? i - 1 : -1, i + 1 < end ? i + 1 : -1, "");
        }

        WriteObject(root, $"<</Type/Outlines/First {Text(numbers[tops[0]])} 0 R/Last {Text(numbers[tops[^1]])} 0 R/Count {Text(tops.Length)}>>");
        return root;
    }

    private void WriteBookmark(int[] numbers, int at, int parent, int previous, int next, string kids) => WriteObject(numbers[at],
        $"<</Title{String(_bookmarks[at].Title)}/Parent {Text(parent)} 0 R/Dest[{Text(_bookmarks[at].Page)} 0 R/Fit]"
        + (previous < 0 ? "" : $"/Prev {Text(numbers[previous])} 0 R") + (next < 0 ? "" : $"/Next {Text(numbers[next])} 0 R")
        + kids + ">>");

    /// <summary>The cross-reference stream: a kind, an offset or a stream, an index within it, of each object.</summary>
    private void WriteReferences(int info)
    {
        var number = NewNumber();
        _places[number] = _written;
        _compressed.SetLength(0);
        using (var deflate = new ZLibStream(_compressed, CompressionLevel.Optimal, leaveOpen: true)) WriteRows(deflate);
        var id = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(_info.Id))[..16]);
        var at = _written;
        WriteStreamAsIs(number, string.Create(CultureInfo.InvariantCulture,
            $"/Type/XRef/Size {_places.Count}/W[1 5 2]/Root {_root} 0 R/Info {info} 0 R/ID[<{id}><{id}>]/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns {PlaceBytes}>>"),
            _compressed.GetBuffer().AsSpan(0, (int)_compressed.Length));
        Emit(Encoding.ASCII.GetBytes($"startxref\n{Text(at)}\n%%EOF\n"));
    }

    /// <summary>Each place as its difference from the one before, as in a PNG: neighbours hardly differ.</summary>
    private void WriteRows(Stream output)
    {
        Span<byte> row = stackalloc byte[PlaceBytes];
        Span<byte> before = stackalloc byte[PlaceBytes];
        Span<byte> line = stackalloc byte[PlaceBytes + 1];
        line[0] = 2; // The filter "up".
        for (var i = 0; i < _places.Count; i++)
        {
            var place = _places[i];
            var isInStream = place < 0;
            row[0] = (byte)(i == 0 ? 0 : isInStream ? 2 : 1);
            BinaryPrimitives.WriteUInt16BigEndian(row[6..], (ushort)(isInStream ? ~place & 0xFFFF : i == 0 ? 0xFFFF : 0));
            var value = isInStream ? ~place >> 16 : place;
            for (var b = 0; b < 5; b++) row[5 - b] = (byte)((value >> (8 * b)) & 0xFF);
            for (var b = 0; b < PlaceBytes; b++) line[b + 1] = (byte)((row[b] - before[b]) & 0xFF);
            output.Write(line);
            row.CopyTo(before);
        }
    }

    private void Emit(ReadOnlySpan<byte> bytes)
    {
        _output.Write(bytes);
        _written += bytes.Length;
        _sinceFlush += bytes.Length;
    }

    private static string References(IEnumerable<int> numbers) =>
        string.Join(' ', numbers.Select(n => string.Create(CultureInfo.InvariantCulture, $"{n} 0 R")));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// An element under way: its pieces (a mark and its page) and the elements within it (page 0). Used again for another
    /// one when it was written.
    /// </summary>
    private sealed class Tag
    {
        public int Number { get; private set; }

        public string Type { get; private set; } = "";

        public string? Alternative { get; private set; }

        public string? Actual { get; private set; }

        public string? Language { get; private set; }

        public string Attributes { get; set; } = "";

        public List<(int Kid, int Page)> Kids { get; } = [];

        /// <summary>That of its first piece; 0 where it has none.</summary>
        public int Page => Kids.Find(k => k.Page > 0).Page;

        public Tag Begin(int number, string type, string? alternative, string? actual, string? language)
        {
            (Number, Type, Alternative, Actual, Language, Attributes) = (number, type, alternative, actual, language, "");
            Kids.Clear();
            return this;
        }
    }
}

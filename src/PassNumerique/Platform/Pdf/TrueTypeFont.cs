using System.Buffers.Binary;
using System.Text;

namespace PassNumerique.Platform.Pdf;

/// <summary>
/// A TrueType font file of the machine, read as far as a page needs it: which glyph shows a character, how wide
/// it is, and a smaller font that holds nothing but the glyphs in use. No font is part of this project.
/// </summary>
internal sealed class TrueTypeFont
{
    private const uint TrueType = 0x00010000;
    private const uint AppleTrueType = 0x74727565;
    private const int RecordBytes = 16;
    private const int HeaderBytes = 12;

    // Flags of a part of a composite glyph.
    private const int ArgumentsAreWords = 0x0001;
    private const int HasScale = 0x0008;
    private const int MoreParts = 0x0020;
    private const int HasTwoScales = 0x0040;
    private const int HasMatrix = 0x0080;

    private static readonly string[] Needed = ["head", "hhea", "hmtx", "maxp", "cmap", "loca", "glyf"];

    /// <summary>What a smaller font keeps of the others: instructions, and the values they work with.</summary>
    private static readonly string[] Kept = ["cvt ", "fpgm", "prep"];

    private readonly byte[] _file;
    private readonly Dictionary<string, (int At, int Length)> _tables;
    private readonly Dictionary<int, ushort> _glyphs;
    private readonly int _unitsPerEm;
    private readonly int _metrics;
    private readonly bool _hasLongOffsets;

    private TrueTypeFont(byte[] file)
    {
        _file = file;
        _tables = ReadTables();
        foreach (var table in Needed)
            if (!_tables.ContainsKey(table)) throw new InvalidDataException($"The font has no table {table}.");
        _unitsPerEm = U16("head", 18);
        _hasLongOffsets = U16("head", 50) != 0;
        _metrics = U16("hhea", 34);
        GlyphCount = U16("maxp", 4);
        if (_unitsPerEm == 0 || _metrics == 0) throw new InvalidDataException("The font has no measures.");
        _glyphs = ReadCharacters();
        Name = ReadName();
    }

    public int GlyphCount { get; }

    /// <summary>The PostScript name.</summary>
    public string Name { get; }

    /// <summary>In thousandths of the type size, as everything that a page asks for.</summary>
    public int Ascent => Scaled(S16("hhea", 4));

    public int Descent => Scaled(S16("hhea", 6));

    public (int Left, int Bottom, int Right, int Top) Box =>
        (Scaled(S16("head", 36)), Scaled(S16("head", 38)), Scaled(S16("head", 40)), Scaled(S16("head", 42)));

    /// <summary>Whether its maker lets a document carry it (OS/2, fsType: "restricted" says no).</summary>
    public bool MayBeEmbedded => !_tables.ContainsKey("OS/2") || (U16("OS/2", 8) & 0x000F) != 0x0002;

    /// <exception cref="InvalidDataException">This is no TrueType font, or a damaged one.</exception>
    public static TrueTypeFont Read(byte[] file)
    {
        try
        {
            return new TrueTypeFont(file);
        }
        catch (Exception exception) when (exception is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("The font ends before what it announces.", exception);
        }
    }

    /// <summary>The glyph of a character; 0, the empty box, where it has none.</summary>
    public ushort Glyph(int character) => _glyphs.GetValueOrDefault(character);

    public bool Has(int character) => Glyph(character) != 0;

    public int Width(ushort glyph) => Scaled(U16("hmtx", Math.Min(glyph, _metrics - 1) * 4));

    /// <summary>
    /// A font of these glyphs alone, numbered as they come, with the parts that composite ones are made of behind
    /// them. The first should be 0, the empty box.
    /// </summary>
    public byte[] Subset(IReadOnlyList<ushort> glyphs)
    {
        var chosen = glyphs.ToList();
        var numbers = new Dictionary<ushort, ushort>();
        for (var i = 0; i < chosen.Count; i++) numbers.TryAdd(chosen[i], checked((ushort)i));
        using var outlines = new MemoryStream();
        var offsets = new List<uint>();
        // The list grows while it is walked: a part may have parts of its own.
        for (var i = 0; i < chosen.Count; i++)
        {
            offsets.Add((uint)outlines.Position);
            outlines.Write(Renumbered(Outline(chosen[i]), chosen, numbers));
            while (outlines.Position % 4 != 0) outlines.WriteByte(0);
        }

        offsets.Add((uint)outlines.Position);
        return Assemble(new SortedDictionary<string, byte[]>(StringComparer.Ordinal)
        {
            ["glyf"] = outlines.ToArray(),
            ["loca"] = Words32(offsets),
            ["hmtx"] = Metrics(chosen),
            ["hhea"] = With16(Table("hhea"), 34, chosen.Count),
            ["maxp"] = With16(Table("maxp"), 4, chosen.Count),
            ["head"] = With16(Table("head"), 50, 1),
        });
    }

    /// <summary>An outline whose parts go by the numbers of the smaller font.</summary>
    private static byte[] Renumbered(ReadOnlySpan<byte> outline, List<ushort> chosen, Dictionary<ushort, ushort> numbers)
    {
        var copy = outline.ToArray();
        if (copy.Length == 0 || BinaryPrimitives.ReadInt16BigEndian(copy) >= 0) return copy;
        for (var at = 10; ;)
        {
            var flags = BinaryPrimitives.ReadUInt16BigEndian(copy.AsSpan(at));
            var part = BinaryPrimitives.ReadUInt16BigEndian(copy.AsSpan(at + 2));
            if (!numbers.TryGetValue(part, out var number))
            {
                number = checked((ushort)chosen.Count);
                numbers.Add(part, number);
                chosen.Add(part);
            }

            BinaryPrimitives.WriteUInt16BigEndian(copy.AsSpan(at + 2), number);
            if ((flags & MoreParts) == 0) return copy;
            at += 4 + ((flags & ArgumentsAreWords) != 0 ? 4 : 2);
            at += (flags & HasMatrix) != 0 ? 8 : (flags & HasTwoScales) != 0 ? 4 : (flags & HasScale) != 0 ? 2 : 0;
        }
    }

    private ReadOnlySpan<byte> Outline(ushort glyph)
    {
        if (glyph >= GlyphCount) throw new ArgumentOutOfRangeException(nameof(glyph));
        var (from, to) = _hasLongOffsets
            ? (U32("loca", glyph * 4), U32("loca", (glyph + 1) * 4))
            : (U16("loca", glyph * 2) * 2L, U16("loca", (glyph + 1) * 2) * 2L);
        var (at, length) = _tables["glyf"];
        return _file.AsSpan(at, length).Slice(checked((int)from), checked((int)(to - from)));
    }

    private byte[] Metrics(List<ushort> glyphs)
    {
        var metrics = new byte[glyphs.Count * 4];
        for (var i = 0; i < glyphs.Count; i++)
        {
            var width = U16("hmtx", Math.Min(glyphs[i], _metrics - 1) * 4);
            var bearing = glyphs[i] < _metrics
                ? U16("hmtx", (glyphs[i] * 4) + 2)
                : U16("hmtx", (_metrics * 4) + ((glyphs[i] - _metrics) * 2));
            BinaryPrimitives.WriteUInt16BigEndian(metrics.AsSpan(i * 4), checked((ushort)width));
            BinaryPrimitives.WriteUInt16BigEndian(metrics.AsSpan((i * 4) + 2), checked((ushort)bearing));
        }

        return metrics;
    }

    private byte[] Assemble(SortedDictionary<string, byte[]> tables)
    {
        foreach (var name in Kept)
            if (_tables.ContainsKey(name)) tables[name] = Table(name);
        tables["head"].AsSpan(8, 4).Clear();
        var powers = 1;
        while (powers * 2 <= tables.Count) powers *= 2;
        using var file = new MemoryStream();
        Write32(file, TrueType);
        Write16(file, tables.Count);
        Write16(file, powers * RecordBytes);
        Write16(file, System.Numerics.BitOperations.Log2((uint)powers));
        Write16(file, (tables.Count - powers) * RecordBytes);
        var at = (uint)(HeaderBytes + (tables.Count * RecordBytes));
        foreach (var (name, bytes) in tables)
        {
            file.Write(Encoding.ASCII.GetBytes(name));
            Write32(file, Sum(bytes));
            Write32(file, at);
            Write32(file, (uint)bytes.Length);
            at += (uint)((bytes.Length + 3) / 4 * 4);
        }

        var headAt = 0;
        foreach (var (name, bytes) in tables)
        {
            if (name == "head") headAt = (int)file.Position;
            file.Write(bytes);
            while (file.Position % 4 != 0) file.WriteByte(0);
        }

        var whole = file.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(whole.AsSpan(headAt + 8), unchecked(0xB1B0AFBA - Sum(whole)));
        return whole;
    }

    private Dictionary<string, (int At, int Length)> ReadTables()
    {
        var kind = BinaryPrimitives.ReadUInt32BigEndian(_file);
        if (kind is not (TrueType or AppleTrueType)) throw new InvalidDataException("This is no TrueType font.");
        var count = BinaryPrimitives.ReadUInt16BigEndian(_file.AsSpan(4));
        var tables = new Dictionary<string, (int, int)>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var record = _file.AsSpan(HeaderBytes + (i * RecordBytes), RecordBytes);
            var at = checked((int)BinaryPrimitives.ReadUInt32BigEndian(record[8..]));
            var length = checked((int)BinaryPrimitives.ReadUInt32BigEndian(record[12..]));
            _ = _file.AsSpan(at, length);
            tables[Encoding.ASCII.GetString(record[..4])] = (at, length);
        }

        return tables;
    }

    /// <summary>The map of the basic plane (format 4), platform Windows or Unicode.</summary>
    private Dictionary<int, ushort> ReadCharacters()
    {
        var count = U16("cmap", 2);
        for (var i = 0; i < count; i++)
        {
            var record = 4 + (i * 8);
            var isUnicode = U16("cmap", record) is 0 || (U16("cmap", record) == 3 && U16("cmap", record + 2) is 1);
            var at = checked((int)U32("cmap", record + 4));
            if (isUnicode && U16("cmap", at) == 4) return ReadSegments(at);
        }

        throw new InvalidDataException("The font has no map of Unicode characters.");
    }

    private Dictionary<int, ushort> ReadSegments(int at)
    {
        var twice = U16("cmap", at + 6);
        var (ends, starts) = (at + 14, at + 16 + twice);
        var (deltas, ranges) = (starts + twice, starts + (2 * twice));
        var glyphs = new Dictionary<int, ushort>();
        for (var i = 0; i < twice; i += 2)
        {
            var (first, last) = (U16("cmap", starts + i), U16("cmap", ends + i));
            var (delta, range) = (U16("cmap", deltas + i), U16("cmap", ranges + i));
            for (var c = first; c <= last && c < 0xFFFF; c++)
            {
                var glyph = range == 0 ? c : U16("cmap", ranges + i + range + (2 * (c - first)));
                if (range == 0 || glyph != 0) glyph = (glyph + delta) & 0xFFFF;
                if (glyph != 0 && glyph < GlyphCount) glyphs.TryAdd(c, (ushort)glyph);
            }
        }

        return glyphs;
    }

    private string ReadName()
    {
        if (!_tables.ContainsKey("name")) return "Font";
        var (count, texts) = (U16("name", 2), U16("name", 4));
        for (var i = 0; i < count; i++)
        {
            var record = 6 + (i * 12);
            if (U16("name", record + 6) != 6 || U16("name", record) is not (0 or 3)) continue;
            var bytes = Table("name").AsSpan(texts + U16("name", record + 10), U16("name", record + 8));
            var name = string.Concat(Encoding.BigEndianUnicode.GetString(bytes).Where(c => char.IsAsciiLetterOrDigit(c) || c == '-'));
            if (name.Length > 0) return name;
        }

        return "Font";
    }

    private int Scaled(int units) => (int)Math.Round(units * 1000m / _unitsPerEm, MidpointRounding.AwayFromZero);

    private byte[] Table(string name)
    {
        var (at, length) = _tables[name];
        return _file.AsSpan(at, length).ToArray();
    }

    private ReadOnlySpan<byte> At(string table, int offset)
    {
        var (at, length) = _tables[table];
        return _file.AsSpan(at, length)[offset..];
    }

    private int U16(string table, int offset) => BinaryPrimitives.ReadUInt16BigEndian(At(table, offset));

    private int S16(string table, int offset) => BinaryPrimitives.ReadInt16BigEndian(At(table, offset));

    private long U32(string table, int offset) => BinaryPrimitives.ReadUInt32BigEndian(At(table, offset));

    private static byte[] With16(byte[] table, int offset, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(table.AsSpan(offset), checked((ushort)value));
        return table;
    }

    private static byte[] Words32(List<uint> values)
    {
        var bytes = new byte[values.Count * 4];
        for (var i = 0; i < values.Count; i++) BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(i * 4), values[i]);
        return bytes;
    }

    /// <summary>The sum of a table's 32-bit words, the last one filled with zeros.</summary>
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        Span<byte> last = stackalloc byte[4];
        for (var at = 0; at < bytes.Length; at += 4)
        {
            last.Clear();
            bytes[at..Math.Min(at + 4, bytes.Length)].CopyTo(last);
            sum = unchecked(sum + BinaryPrimitives.ReadUInt32BigEndian(last));
        }

        return sum;
    }

    private static void Write16(Stream to, int value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, checked((ushort)value));
        to.Write(bytes);
    }

    private static void Write32(Stream to, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        to.Write(bytes);
    }
}

using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace PassNumerique.Benchmarks;

/// <summary>A b-tree of a store: the pages it takes, and the bytes of them that hold something.</summary>
internal sealed record BTree(string Name, string Table, long Pages, long FreeBytes, int PageBytes)
{
    public long Bytes => Pages * PageBytes;

    /// <summary>About 1 where rows came in the order of the key, lower where they came in no order.</summary>
    public double Fill => 1 - ((double)FreeBytes / Bytes);
}

/// <summary>
/// Counts the pages of each b-tree of an SQLite file by walking them as the file format describes them
/// (www.sqlite.org/fileformat2.html): the engine's own table of statistics is not compiled into this build. The
/// write-ahead log must be empty.
/// </summary>
internal sealed class StorePages : IDisposable
{
    private const int HeaderBytes = 100;
    private readonly SafeFileHandle _file;
    private readonly int _pageBytes;

    public StorePages(string path)
    {
        _file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (RandomAccess.Read(_file, header, 0) != HeaderBytes || header[20] != 0)
            throw new InvalidDataException($"{path} is not a file that this program can walk.");
        var size = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        _pageBytes = size == 1 ? 65_536 : size;
    }

    public BTree Walk(string name, string table, long root)
    {
        var (pages, free) = (0L, 0L);
        var waiting = new Stack<long>([root]);
        var page = new byte[_pageBytes];
        while (waiting.TryPop(out var number))
        {
            if (RandomAccess.Read(_file, page, (number - 1) * _pageBytes) != _pageBytes)
                throw new InvalidDataException($"Page {number} of {name} is not whole.");
            var head = number == 1 ? HeaderBytes : 0;
            pages += 1 + Overflow(page, head);
            free += Free(page, head);
            foreach (var child in Children(page, head)) waiting.Push(child);
        }

        return new(name, table, pages, free, _pageBytes);
    }

    public void Dispose() => _file.Dispose();

    private static bool IsLeaf(byte kind) => kind is 0x0a or 0x0d;

    private static int Cells(byte[] page, int head) => BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(head + 3));

    private static int Pointers(byte[] page, int head) => head + (IsLeaf(page[head]) ? 8 : 12);

    private static int Cell(byte[] page, int head, int index) =>
        BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(Pointers(page, head) + (2 * index)));

    private static List<long> Children(byte[] page, int head)
    {
        if (IsLeaf(page[head])) return [];
        if (page[head] is not (0x02 or 0x05)) throw new InvalidDataException($"A page of kind {page[head]}.");
        var children = new List<long> { BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(head + 8)) };
        for (var i = 0; i < Cells(page, head); i++)
            children.Add(BinaryPrimitives.ReadUInt32BigEndian(page.AsSpan(Cell(page, head, i))));
        return children;
    }

    /// <summary>The gap before the cells, the blocks freed between them, and the fragments.</summary>
    private static long Free(byte[] page, int head)
    {
        var content = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(head + 5));
        long free = (content == 0 ? 65_536 : content) - Pointers(page, head) - (2 * Cells(page, head)) + page[head + 7];
        for (int block = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(head + 1)); block != 0;
             block = BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(block)))
            free += BinaryPrimitives.ReadUInt16BigEndian(page.AsSpan(block + 2));
        return free;
    }

    /// <summary>Pages that the long rows of this page go on in; counted as full.</summary>
    private long Overflow(byte[] page, int head)
    {
        var kind = page[head];
        if (kind == 0x05) return 0;
        var most = kind == 0x0d ? _pageBytes - 35 : (((_pageBytes - 12) * 64) / 255) - 23;
        var least = (((_pageBytes - 12) * 32) / 255) - 23;
        var pages = 0L;
        for (var i = 0; i < Cells(page, head); i++)
        {
            var payload = Varint(page, Cell(page, head, i) + (kind == 0x02 ? 4 : 0));
            if (payload <= most) continue;
            var local = least + ((payload - least) % (_pageBytes - 4));
            if (local > most) local = least;
            pages += (payload - local + _pageBytes - 5) / (_pageBytes - 4);
        }

        return pages;
    }

    private static long Varint(byte[] page, int at)
    {
        var value = 0L;
        for (var i = 0; i < 8; i++)
        {
            value = (value << 7) | (page[at + i] & 0x7FL);
            if (page[at + i] < 0x80) return value;
        }

        return (value << 8) | page[at + 8];
    }
}

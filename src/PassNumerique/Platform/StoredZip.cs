using System.Buffers.Binary;
using System.IO.Pipelines;

namespace PassNumerique.Platform;

/// <summary>
/// A ZIP archive of many small files that are small already: stored as they are, without a clock, straight into
/// the buffers of the response. Of each file 16 bytes are remembered for the directory at the end; its name is
/// asked for again.
/// </summary>
internal sealed class StoredZip(PipeWriter writer, long files)
{
    private const int LocalBytes = 30;
    private const int DirectoryBytes = 46;
    private const int EndBytes = 56 + 20 + 22;
    private const ushort Utf8Names = 0x0800;

    /// <summary>1 January 1980, the first day that the format knows.</summary>
    private const ushort FirstDay = 0x0021;

    private static readonly uint[] Remainders = MakeRemainders();

    private readonly uint[] _offsets = new uint[files];
    private readonly uint[] _sizes = new uint[files];
    private readonly uint[] _checks = new uint[files];
    private long _count;
    private long _written;
    private long _directoryAt;
    private long _listed;

    public void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> content)
    {
        _offsets[_count] = checked((uint)_written);
        _sizes[_count] = checked((uint)content.Length);
        _checks[_count] = Crc32(content);
        var span = writer.GetSpan(LocalBytes + name.Length + content.Length);
        var at = 0;
        Put32(span, ref at, 0x04034b50);
        Put16(span, ref at, 20);
        PutCommon(span, ref at, _count, name.Length);
        Put(span, ref at, name);
        Put(span, ref at, content);
        Advance(at);
        _count++;
    }

    /// <summary>A line of the directory for each file, in the same order, once all are written.</summary>
    public void List(ReadOnlySpan<byte> name)
    {
        if (_count < _offsets.Length || _listed >= _count) throw new InvalidOperationException("Files first, then their list.");
        if (_listed == 0) _directoryAt = _written;
        var span = writer.GetSpan(DirectoryBytes + name.Length);
        var at = 0;
        Put32(span, ref at, 0x02014b50);
        Put16(span, ref at, 20);
        Put16(span, ref at, 20);
        PutCommon(span, ref at, _listed, name.Length);
        Put16(span, ref at, 0);
        Put16(span, ref at, 0);
        Put16(span, ref at, 0);
        Put32(span, ref at, 0);
        Put32(span, ref at, _offsets[_listed]);
        Put(span, ref at, name);
        Advance(at);
        _listed++;
    }

    /// <summary>The end, in both forms: the short one counts to 65,535 only, and then says to look at the long one.</summary>
    public void End()
    {
        if (_listed < _count) throw new InvalidOperationException("A file is not in the list.");
        var (endAt, bytes) = (_written, _written - _directoryAt);
        var span = writer.GetSpan(EndBytes);
        var at = 0;
        Put32(span, ref at, 0x06064b50);
        Put64(span, ref at, 44);
        Put16(span, ref at, 45);
        Put16(span, ref at, 45);
        Put32(span, ref at, 0);
        Put32(span, ref at, 0);
        Put64(span, ref at, (ulong)_count);
        Put64(span, ref at, (ulong)_count);
        Put64(span, ref at, (ulong)bytes);
        Put64(span, ref at, (ulong)_directoryAt);
        Put32(span, ref at, 0x07064b50);
        Put32(span, ref at, 0);
        Put64(span, ref at, (ulong)endAt);
        Put32(span, ref at, 1);
        Put32(span, ref at, 0x06054b50);
        Put32(span, ref at, 0);
        var count = (ushort)Math.Min(_count, ushort.MaxValue);
        Put16(span, ref at, count);
        Put16(span, ref at, count);
        Put32(span, ref at, checked((uint)bytes));
        Put32(span, ref at, checked((uint)_directoryAt));
        Put16(span, ref at, 0);
        Advance(at);
    }

    /// <summary>The CRC-32 of ZIP and PNG.</summary>
    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes) crc = Remainders[(crc ^ b) & 0xFF] ^ (crc >> 8);
        return ~crc;
    }

    /// <summary>What a file's own header and its line of the directory have in common.</summary>
    private void PutCommon(Span<byte> span, ref int at, long file, int nameLength)
    {
        Put16(span, ref at, Utf8Names);
        Put16(span, ref at, 0);
        Put16(span, ref at, 0);
        Put16(span, ref at, FirstDay);
        Put32(span, ref at, _checks[file]);
        Put32(span, ref at, _sizes[file]);
        Put32(span, ref at, _sizes[file]);
        Put16(span, ref at, checked((ushort)nameLength));
        Put16(span, ref at, 0);
    }

    private void Advance(int bytes)
    {
        writer.Advance(bytes);
        _written += bytes;
    }

    private static void Put(Span<byte> span, ref int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(span[at..]);
        at += bytes.Length;
    }

    private static void Put16(Span<byte> span, ref int at, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(span[at..], value);
        at += sizeof(ushort);
    }

    private static void Put32(Span<byte> span, ref int at, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(span[at..], value);
        at += sizeof(uint);
    }

    private static void Put64(Span<byte> span, ref int at, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(span[at..], value);
        at += sizeof(ulong);
    }

    private static uint[] MakeRemainders()
    {
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var crc = i;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? 0xEDB88320 ^ (crc >> 1) : crc >> 1;
            table[i] = crc;
        }

        return table;
    }
}

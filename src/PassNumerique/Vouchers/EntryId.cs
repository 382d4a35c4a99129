using System.Buffers.Binary;

namespace PassNumerique.Vouchers;

/// <summary>
/// The id of a row of a story: a UUIDv8 that packs the number (serial or booklet) and the part, so that it is
/// read back without a column or an index. It is no secret: scope is checked as for any id.
/// </summary>
internal static class EntryId
{
    /// <param name="number">Serial or booklet.</param>
    /// <param name="part">Its part, from 1.</param>
    /// <param name="story">Tells the stories of one number apart: 0 is the pass's or the booklet's own.</param>
    public static string Pack(long number, long part, byte story = 0)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, checked((uint)number));
        bytes[5] = story;
        bytes[6] = 0x80; // version 8
        bytes[8] = 0x80; // variant 10
        BinaryPrimitives.WriteUInt32BigEndian(bytes[12..], checked((uint)part));
        return new Guid(bytes, bigEndian: true).ToString("D");
    }

    /// <summary>Number and part of an id, or null where it is none of ours.</summary>
    public static (long Number, long Part)? Read(string id, byte story = 0)
    {
        if (!Guid.TryParse(id, out var guid)) return null;
        Span<byte> bytes = stackalloc byte[16];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        long number = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        long part = BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]);
        return Pack(number, part, story) == guid.ToString("D") ? (number, part) : null;
    }
}

using System.Net;
using System.Net.Sockets;

namespace PassNumerique.Vouchers;

/// <summary>
/// Whose guesses are counted, in 16 bytes: the id of a place or of a member, or an address. Of an IPv6 address its
/// network counts, the first half: whoever has one address there has 2⁶⁴.
/// </summary>
internal readonly record struct Guesser(ulong High, ulong Low)
{
    private const int Bytes = 16;

    /// <summary>Null where the text is no UUID: who has not signed in has no id.</summary>
    public static Guesser? Of(string id)
    {
        if (!Guid.TryParse(id, out var guid)) return null;
        Span<byte> bytes = stackalloc byte[Bytes];
        guid.TryWriteBytes(bytes);
        return new(BitConverter.ToUInt64(bytes), BitConverter.ToUInt64(bytes[8..]));
    }

    public static Guesser? Of(IPAddress? address)
    {
        if (address is null) return null;
        Span<byte> bytes = stackalloc byte[Bytes];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetwork) return new(0, BitConverter.ToUInt32(bytes));
        return address.IsIPv4MappedToIPv6
            ? new(0, BitConverter.ToUInt32(bytes[12..]))
            : new(BitConverter.ToUInt64(bytes), 0);
    }

    /// <summary>Differs from process to process, so that nobody can choose whom he shares a set with.</summary>
    public override int GetHashCode() =>
        HashCode.Combine(High >> 32, High & uint.MaxValue, Low >> 32, Low & uint.MaxValue);
}

/// <summary>Wrong guesses since the first of them, for a minute; then they are forgotten together.</summary>
internal readonly record struct GuessWindow(long EndsAt, long Count)
{
    public long At(long now) => now < EndsAt ? Count : 0;

    public GuessWindow Plus(long now, long length) => now < EndsAt ? this with { Count = Count + 1 } : new(now + length, 1);
}

/// <summary>
/// Windows by guesser, in memory that is taken once and never grows: sets of eight. Who comes new to a full set
/// takes the place of a window that is over, else of the smallest, so that those who guess most are forgotten last.
/// The caller holds the lock.
/// </summary>
internal sealed class GuessTable
{
    public const int Slots = Sets * Ways;
    private const int Sets = 512;
    private const int Ways = 8;

    private readonly Slot[] _slots = new Slot[Slots];

    public GuessWindow Find(Guesser guesser)
    {
        foreach (ref readonly var slot in SetOf(guesser))
        {
            if (slot.Guesser == guesser) return slot.Window;
        }

        return default;
    }

    /// <summary>Counts one more, and says how many there are.</summary>
    public long Add(Guesser guesser, long now, long length)
    {
        ref var slot = ref Choose(SetOf(guesser), guesser, now);
        slot = new(guesser, (slot.Guesser == guesser ? slot.Window : default).Plus(now, length));
        return slot.Window.Count;
    }

    private static ref Slot Choose(Span<Slot> set, Guesser guesser, long now)
    {
        var chosen = 0;
        for (var i = 0; i < set.Length; i++)
        {
            if (set[i].Guesser == guesser) return ref set[i];
            if (set[i].Window.At(now) < set[chosen].Window.At(now)) chosen = i;
        }

        return ref set[chosen];
    }

    private Span<Slot> SetOf(Guesser guesser) => _slots.AsSpan((guesser.GetHashCode() & (Sets - 1)) * Ways, Ways);

    private record struct Slot(Guesser Guesser, GuessWindow Window);
}

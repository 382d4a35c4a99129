using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using PassNumerique.Platform;

namespace PassNumerique.Vouchers;

/// <summary>Why what was typed is not a code. A typing error reveals nothing and is no guess.</summary>
internal enum CodeMistake
{
    None,
    Empty,
    Length,
    Alphabet,
    Check
}

/// <summary>How the code was read: as typed, or with a desk reader set to QWERTY undone.</summary>
internal enum Keyboard
{
    Plain,
    Azerty
}

/// <summary>
/// The secret code printed on a voucher: 20 Crockford base-32 symbols, most significant bit first. Symbols
/// 0 to 6 hold 3 bits of key version and 32 bits of serial, 7 to 18 the first 60 bits of HMAC-SHA-256(code
/// key, order salt ‖ serial as 4 bytes big-endian), 19 is the check symbol. Reading touches no database;
/// <see cref="ToString"/> gives the serial alone, so that a log never holds a code.
/// </summary>
/// <remarks>
/// The check: in GF(32) = GF(2)[x]/(x⁵+x²+1), Σ wᵢ·sᵢ = 0, where α = x and wᵢ = α¹⁹⁻ⁱ. The polynomial is
/// primitive, so α has order 31 and the 20 weights are distinct and none is zero. Therefore:
/// a wrong symbol at i moves the sum by wᵢ·(s − s′) ≠ 0;
/// a swap of i and j moves it by (wᵢ − wⱼ)·(sᵢ − sⱼ) ≠ 0, wherever i and j are;
/// two equal symbols misread alike (AA → BB) move it by (wᵢ + wⱼ)·(s + s′) ≠ 0, as minus is plus here.
/// Any other error passes once in 32, and is then stopped by the 60 bits.
/// </remarks>
internal readonly record struct VoucherCode
{
    public const int Length = 20;
    public const int SaltBytes = 16;
    public const int KeyBytes = 32;
    public const int VersionMax = 7;
    public const long SerialMax = uint.MaxValue;

    /// <summary>Longest input looked at, in characters: every symbol between separators, and some.</summary>
    public const int TypedLimit = 80;

    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int HeadSymbols = 7;
    private const int GroupSymbols = 4;
    private const int TagsAtOnce = 64;
    private const byte NoSymbol = 255;

    private static readonly byte[] Strict = MapAlphabet(lenient: false);
    private static readonly byte[] Lenient = MapAlphabet(lenient: true);

    // The digit row of French AZERTY without shift; § and ! are 6 and 8 on a Mac and in Belgium, and the
    // capitals come from Caps Lock on Linux. "-" is 6 too but no sign: people type it between the groups.
    private static readonly SearchValues<char> AzertySigns = SearchValues.Create("&é\"'(è_çà§!ÉÈÇÀ");

    private VoucherCode(int version, long serial, long tag, Keyboard readByKeyboard)
    {
        Version = version;
        Serial = serial;
        Tag = tag;
        ReadByKeyboard = readByKeyboard;
    }

    /// <summary>Version of the key, 0 to 7.</summary>
    public int Version { get; }

    /// <summary>Number printed in clear beside the code, 0 to 2³² − 1.</summary>
    public long Serial { get; }

    /// <summary>60 bits that only the holder of key and order salt can make.</summary>
    public long Tag { get; }

    /// <summary>No part of the code's identity: two readings of one code are equal.</summary>
    public Keyboard ReadByKeyboard { get; }

    /// <summary>Version 0 is made with a public key: for demonstrations, never redeemable.</summary>
    public bool IsSpecimen => Version == 0;

    /// <summary>20 symbols without separators, as in the QR code. Secret: never stored or logged.</summary>
    public string Text
    {
        get
        {
            Span<char> text = stackalloc char[Length];
            Write(text);
            return new string(text);
        }
    }

    /// <summary>XXXX-XXXX-XXXX-XXXX-XXXX, for people. Secret: never stored or logged.</summary>
    public string Grouped
    {
        get
        {
            Span<char> text = stackalloc char[Length];
            Span<char> grouped = stackalloc char[Length + Length / GroupSymbols - 1];
            Write(text);
            for (var i = 0; i < grouped.Length; i++)
                grouped[i] = i % (GroupSymbols + 1) == GroupSymbols ? '-' : text[i - i / (GroupSymbols + 1)];
            return new string(grouped);
        }
    }

    /// <summary>The code of a voucher; it is derived again for a reprint and never stored.</summary>
    /// <exception cref="ArgumentException">A key or salt of wrong length, a version or serial out of range.
    /// </exception>
    public static VoucherCode Sign(
        ReadOnlySpan<byte> codeKey, int version, long serial, ReadOnlySpan<byte> orderSalt)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(version);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(version, VersionMax);
        ArgumentOutOfRangeException.ThrowIfNegative(serial);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(serial, SerialMax);
        return new VoucherCode(version, serial, TagOf(codeKey, serial, orderSalt), Keyboard.Plain);
    }

    /// <inheritdoc cref="Sign"/>
    public static string Compose(
        ReadOnlySpan<byte> codeKey, int version, long serial, ReadOnlySpan<byte> orderSalt)
        => Sign(codeKey, version, serial, orderSalt).Text;

    /// <summary>Writes the 20 symbols, without allocating, for printing in bulk.</summary>
    public static void Compose(
        ReadOnlySpan<byte> codeKey, int version, long serial, ReadOnlySpan<byte> orderSalt,
        Span<char> destination)
        => Sign(codeKey, version, serial, orderSalt).Write(destination);

    /// <summary>Writes the 20 symbols as ASCII, without allocating, for printing in bulk.</summary>
    public static void Compose(
        ReadOnlySpan<byte> codeKey, int version, long serial, ReadOnlySpan<byte> orderSalt,
        Span<byte> destination)
    {
        var code = Sign(codeKey, version, serial, orderSalt);
        WriteAscii(code.Version, code.Serial, code.Tag, destination[..Length]);
    }

    /// <summary>
    /// Writes the codes of serials that follow one another, 20 ASCII symbols each and nothing between, several times as
    /// fast as one by one where the processor has wide vectors.
    /// </summary>
    /// <exception cref="ArgumentException">As for <see cref="Sign"/>, for the first serial and the last; or no room for
    /// whole codes.</exception>
    public static void ComposeRange(
        ReadOnlySpan<byte> codeKey, int version, long firstSerial, ReadOnlySpan<byte> orderSalt,
        Span<byte> destination)
    {
        if (destination.Length % Length != 0)
            throw new ArgumentException($"A code has {Length} symbols.", nameof(destination));

        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstSerial, SerialMax + 1 - (destination.Length / Length));
        _ = Sign(codeKey, version, firstSerial, orderSalt);
        Span<long> tags = stackalloc long[TagsAtOnce];
        for (var first = 0; first < destination.Length / Length; first += TagsAtOnce)
        {
            var some = tags[..Math.Min(TagsAtOnce, (destination.Length / Length) - first)];
            FillTags(codeKey, firstSerial + first, orderSalt, some);
            for (var i = 0; i < some.Length; i++)
                WriteAscii(version, firstSerial + first + i, some[i], destination.Slice((first + i) * Length, Length));
        }
    }

    /// <summary>
    /// Reads what a person or a reader typed: any case, blanks, dashes, dots and slashes anywhere, O as 0, I
    /// and L as 1. When that fails and the input shows AZERTY digits, a QWERTY desk reader is undone. True
    /// says well-formed, not ours: see <see cref="Matches"/>.
    /// </summary>
    public static bool TryRead(string? typed, out VoucherCode code, out CodeMistake mistake)
    {
        Span<byte> symbols = stackalloc byte[Length];
        mistake = ReadPlain(typed, symbols);
        if (mistake == CodeMistake.None)
        {
            code = FromSymbols(symbols, Keyboard.Plain);
            return true;
        }

        if (ReadAzerty(typed, symbols))
        {
            mistake = CodeMistake.None;
            code = FromSymbols(symbols, Keyboard.Azerty);
            return true;
        }

        code = default;
        return false;
    }

    /// <summary>
    /// Whether this key and this order's salt made the code; constant time. A specimen matches the public
    /// key, so <see cref="IsSpecimen"/> is asked first.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> codeKey, ReadOnlySpan<byte> orderSalt)
    {
        Span<byte> expected = stackalloc byte[sizeof(long)];
        Span<byte> given = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(expected, TagOf(codeKey, Serial, orderSalt));
        BinaryPrimitives.WriteInt64BigEndian(given, Tag);
        return CryptographicOperations.FixedTimeEquals(expected, given);
    }

    public bool Equals(VoucherCode other)
        => Version == other.Version && Serial == other.Serial && Tag == other.Tag;

    public override int GetHashCode() => HashCode.Combine(Version, Serial, Tag);

    /// <summary>The serial alone: what reaches a log must not be spendable.</summary>
    public override string ToString() => $"serial {Serial}";

    /// <summary>
    /// Σ wᵢ·sᵢ in GF(32) by Horner's rule; zero when the check holds. Without a branch: one that depends on the
    /// symbols is foreseen better in a small serial, and that can be measured.
    /// </summary>
    internal static int Syndrome(ReadOnlySpan<byte> symbols)
    {
        var sum = 0;
        foreach (var symbol in symbols)
        {
            sum <<= 1;
            sum ^= (0b100101 & -(sum >> 5)) ^ symbol;
        }

        return sum;
    }

    private static long TagOf(ReadOnlySpan<byte> codeKey, long serial, ReadOnlySpan<byte> orderSalt)
    {
        if (codeKey.Length != KeyBytes)
            throw new ArgumentException($"A code key has {KeyBytes} bytes.", nameof(codeKey));
        if (orderSalt.Length != SaltBytes)
            throw new ArgumentException($"An order salt has {SaltBytes} bytes.", nameof(orderSalt));

        Span<byte> message = stackalloc byte[SaltBytes + sizeof(uint)];
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        orderSalt.CopyTo(message);
        BinaryPrimitives.WriteUInt32BigEndian(message[SaltBytes..], (uint)serial);
        Hmac.Fill(codeKey, message, mac);
        return (long)(BinaryPrimitives.ReadUInt64BigEndian(mac) >> 4);
    }

    private static void FillTags(
        ReadOnlySpan<byte> codeKey, long firstSerial, ReadOnlySpan<byte> orderSalt, Span<long> tags)
    {
        if (Vector256.IsHardwareAccelerated) CodeTags.Fill(codeKey, orderSalt, firstSerial, tags);
        else FillOneByOne(codeKey, firstSerial, orderSalt, tags);
    }

    /// <summary>The tags of serials that follow one another, where the processor has no wide vectors.</summary>
    internal static void FillOneByOne(
        ReadOnlySpan<byte> codeKey, long firstSerial, ReadOnlySpan<byte> orderSalt, Span<long> tags)
    {
        for (var i = 0; i < tags.Length; i++)
            tags[i] = TagOf(codeKey, firstSerial + i, orderSalt);
    }

    private void Write(Span<char> destination)
    {
        Span<byte> text = stackalloc byte[Length];
        WriteAscii(Version, Serial, Tag, text);
        for (var i = 0; i < Length; i++)
            destination[i] = (char)text[i];
    }

    private static void WriteAscii(int version, long serial, long tag, Span<byte> destination)
    {
        WriteBits(((long)version << 32) | serial, destination[..HeadSymbols]);
        WriteBits(tag, destination[HeadSymbols..^1]);

        // The last weight is 1, so the sum over the others is itself the symbol that brings it to zero.
        destination[^1] = 0;
        destination[^1] = (byte)Syndrome(destination);
        for (var i = 0; i < Length; i++)
            destination[i] = (byte)Alphabet[destination[i]];
    }

    private static void WriteBits(long bits, Span<byte> symbols)
    {
        for (var i = symbols.Length - 1; i >= 0; i--)
        {
            symbols[i] = (byte)(bits & 31);
            bits >>= 5;
        }
    }

    private static long ReadBits(ReadOnlySpan<byte> symbols)
    {
        var bits = 0L;
        foreach (var symbol in symbols)
            bits = (bits << 5) | symbol;
        return bits;
    }

    private static VoucherCode FromSymbols(ReadOnlySpan<byte> symbols, Keyboard readByKeyboard)
    {
        var head = ReadBits(symbols[..HeadSymbols]);
        var tag = ReadBits(symbols[HeadSymbols..^1]);
        return new VoucherCode((int)(head >> 32), head & SerialMax, tag, readByKeyboard);
    }

    private static CodeMistake ReadPlain(ReadOnlySpan<char> typed, Span<byte> symbols)
    {
        if (typed.Length > TypedLimit)
            return CodeMistake.Length;

        var count = 0;
        foreach (var character in typed)
        {
            var symbol = character < Lenient.Length ? Lenient[character] : NoSymbol;
            if (symbol == NoSymbol)
            {
                if (IsSeparator(character))
                    continue;
                return CodeMistake.Alphabet;
            }

            if (count < Length)
                symbols[count] = symbol;
            count++;
        }

        if (count == 0)
            return CodeMistake.Empty;
        if (count != Length)
            return CodeMistake.Length;
        return Syndrome(symbols) == 0 ? CodeMistake.None : CodeMistake.Check;
    }

    /// <summary>
    /// A reader types the 20 symbols of the QR code and no separator, so here "-" and "_" are digits, blanks
    /// at the ends are all that is ignored, and no leniency on letters is due.
    /// </summary>
    private static bool ReadAzerty(ReadOnlySpan<char> typed, Span<byte> symbols)
    {
        if (typed.Length > TypedLimit)
            return false;

        typed = typed.Trim();
        if (typed.Length != Length || !typed.ContainsAny(AzertySigns))
            return false;

        for (var i = 0; i < Length; i++)
        {
            var key = QwertyKey(typed[i]);
            symbols[i] = key < Strict.Length ? Strict[key] : NoSymbol;
            if (symbols[i] == NoSymbol)
                return false;
        }

        return Syndrome(symbols) == 0;
    }

    /// <summary>What the same key gives on QWERTY; '\0' for keys that no symbol of a code can hit.</summary>
    private static char QwertyKey(char typed) => typed switch
    {
        '&' => '1',
        'é' or 'É' => '2',
        '"' => '3',
        '\'' => '4',
        '(' => '5',
        '-' or '§' => '6',
        'è' or 'È' => '7',
        '_' or '!' => '8',
        'ç' or 'Ç' => '9',
        'à' or 'À' => '0',
        'A' or 'a' => 'Q',
        'Q' or 'q' => 'A',
        'Z' or 'z' => 'W',
        'W' or 'w' => 'Z',
        '?' or ',' => 'M',
        'M' or 'm' => '\0',
        _ => char.IsAsciiDigit(typed) ? '\0' : typed
    };

    private static bool IsSeparator(char character) => character switch
    {
        '-' or '_' or '.' or '/' or '\\' => true,
        '\u00AD' or '\u00B7' or '\u2022' or '\u2212' => true, // soft hyphen, middle dot, bullet, minus
        >= '\u2010' and <= '\u2015' => true, // hyphens and dashes
        (>= '\u200B' and <= '\u200F') or '\u2060' or '\uFEFF' => true, // invisible, from copy and paste
        _ => char.IsWhiteSpace(character) // no-break and narrow no-break spaces included
    };

    private static byte[] MapAlphabet(bool lenient)
    {
        var map = new byte[128];
        Array.Fill(map, NoSymbol);
        for (var symbol = 0; symbol < Alphabet.Length; symbol++)
            map[Alphabet[symbol]] = map[char.ToLowerInvariant(Alphabet[symbol])] = (byte)symbol;

        if (lenient)
        {
            map['O'] = map['o'] = 0;
            map['I'] = map['i'] = map['L'] = map['l'] = 1;
        }

        return map;
    }
}

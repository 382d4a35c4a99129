using System.IO.Compression;
using System.Text;

namespace PassNumerique.Conventions;

/// <summary>
/// The decoded form of the embedded list of communes, départements and EPCI: parallel arrays in the order of
/// the codes, about one megabyte, names as one text. The resource is a Brotli stream of columns, each a run
/// of variable-length numbers: codes and postcodes as differences, names without what they share with the
/// name before, one byte a character of an alphabet that the resource begins with.
/// </summary>
internal sealed class CommuneTable
{
    public const byte FormatVersion = 1;
    public const int NoParent = -1;
    private const int CommuneCodeLength = 5;
    private const int CodeRadix = 36;

    private readonly int[] codes;
    private readonly int[] arrondissements;
    private readonly NameColumn names;
    private readonly ushort[] epciNumbers;
    private readonly int[] populations;
    private readonly int[] postcodes;
    private readonly ushort[] postcodeEnds;
    private readonly ushort[] postcodeNumbers;
    private readonly int[] sirens;
    private readonly NameColumn epciNames;
    private readonly string[] folds;

    public int Count => codes.Length;

    public IReadOnlyList<(string Code, string Name)> Departements { get; }

    public IReadOnlyList<int> Arrondissements => arrondissements;

    private CommuneTable(ColumnReader reader)
    {
        if (reader.Byte() != FormatVersion)
            throw new InvalidDataException("The embedded list of territories has an unknown format.");
        var alphabet = reader.Text();
        folds = [.. alphabet.Select(c => Platform.FrenchOrder.Fold(c.ToString()))];
        var departementCodes = new string[reader.Number()];
        for (var i = 0; i < departementCodes.Length; i++)
            departementCodes[i] = reader.Text();
        var departementNames = reader.Names(alphabet, departementCodes.Length);
        Departements = [.. departementCodes.Select((code, i) => (code, departementNames.Text(i)))];
        sirens = reader.Rising(reader.Number());
        epciNames = reader.Names(alphabet, sirens.Length);
        codes = reader.Rising(reader.Number());
        arrondissements = reader.Rising(reader.Number());
        names = reader.Names(alphabet, codes.Length);
        epciNumbers = reader.Near(codes.Length);
        populations = reader.Numbers(codes.Length);
        postcodes = reader.Rising(reader.Number());
        postcodeEnds = reader.Ends(codes.Length);
        postcodeNumbers = reader.Near(postcodeEnds[^1]);
    }

    public static CommuneTable Read(Stream resource)
    {
        using var brotli = new BrotliStream(resource, CompressionMode.Decompress);
        using var columns = new MemoryStream();
        brotli.CopyTo(columns);
        return new CommuneTable(new ColumnReader(columns.GetBuffer()));
    }

    /// <summary>The number that stands for a commune code and keeps its order; -1 for another text.</summary>
    public static int Key(ReadOnlySpan<char> code)
    {
        if (code.Length != CommuneCodeLength)
            return -1;
        var key = 0;
        foreach (var c in code)
        {
            if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterUpper(c))
                return -1;
            key = key * CodeRadix + (char.IsAsciiDigit(c) ? c - '0' : c - 'A' + 10);
        }
        return key;
    }

    /// <summary>Two characters, three overseas (97x, 98x).</summary>
    public static ReadOnlySpan<char> DepartementOf(ReadOnlySpan<char> communeCode) =>
        communeCode.StartsWith("97") || communeCode.StartsWith("98") ? communeCode[..3] : communeCode[..2];

    /// <summary>The rank of a commune or arrondissement, negative when the code is unknown.</summary>
    public int Find(ReadOnlySpan<char> code) =>
        Key(code) is >= 0 and var key ? Array.BinarySearch(codes, key) : -1;

    /// <summary>The ranks of the codes of a département; empty when it is unknown.</summary>
    public Range RangeOf(ReadOnlySpan<char> departement)
    {
        Span<char> first = stackalloc char[CommuneCodeLength];
        Span<char> last = stackalloc char[CommuneCodeLength];
        first.Fill('0');
        last.Fill('Z');
        departement.CopyTo(first);
        departement.CopyTo(last);
        return LowerBound(Key(first))..LowerBound(Key(last) + 1);
    }

    public bool IsArrondissement(int commune) => Array.BinarySearch(arrondissements, commune) >= 0;

    /// <summary>The rank of the city of an arrondissement, <see cref="NoParent"/> for a commune.</summary>
    public int ParentOf(int commune) => !IsArrondissement(commune)
        ? NoParent
        : Code(commune)[..2] switch
        {
            "13" => Find("13055"),
            "69" => Find("69123"),
            "75" => Find("75056"),
            var other => throw new InvalidDataException($"No city has arrondissements in {other}.")
        };

    public string Code(int commune) => string.Create(CommuneCodeLength, codes[commune], static (text, key) =>
    {
        for (var i = text.Length - 1; i >= 0; i--, key /= CodeRadix)
            text[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[key % CodeRadix];
    });

    public string Name(int commune) => names.Text(commune);

    public int Population(int commune) => populations[commune];

    /// <summary>The number of the commune's EPCI from 1, 0 for none.</summary>
    public int EpciNumber(int commune) => epciNumbers[commune];

    /// <summary>The number of an EPCI from 1, 0 when the SIREN is unknown.</summary>
    public int FindEpci(ReadOnlySpan<char> siren) =>
        siren.Length == 9 && siren.IndexOfAnyExceptInRange('0', '9') < 0
            ? Math.Max(Array.BinarySearch(sirens, int.Parse(siren, provider: null)) + 1, 0)
            : 0;

    public string? Siren(int epciNumber) => epciNumber == 0 ? null : sirens[epciNumber - 1].ToString("D9");

    public string EpciName(int epciNumber) => epciNames.Text(epciNumber - 1);

    public int PostcodeCount(int commune) => postcodeEnds[commune] - FirstPostcode(commune);

    public int Postcode(int commune, int index) => postcodes[postcodeNumbers[FirstPostcode(commune) + index]];

    /// <summary>
    /// Writes the name as <see cref="Platform.FrenchOrder.Fold"/> would, and returns its length.
    /// </summary>
    public int FoldedName(int commune, Span<char> room)
    {
        var (length, gap) = (0, false);
        foreach (var letter in names.Bytes(commune))
        {
            var fold = folds[letter];
            if (fold.Length > 0 && gap && length > 0)
                room[length++] = ' ';
            fold.CopyTo(room[length..]);
            length += fold.Length;
            gap = fold.Length == 0;
        }
        return length;
    }

    private int FirstPostcode(int commune) => commune == 0 ? 0 : postcodeEnds[commune - 1];

    private int LowerBound(int key) => Array.BinarySearch(codes, key) is var rank && rank < 0 ? ~rank : rank;

    /// <summary>Names as bytes of an alphabet, one after the other.</summary>
    private sealed class NameColumn(string alphabet, byte[] text, int[] ends)
    {
        public ReadOnlySpan<byte> Bytes(int index) =>
            text.AsSpan((index == 0 ? 0 : ends[index - 1])..ends[index]);

        public string Text(int index)
        {
            var bytes = Bytes(index);
            var name = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
            for (var i = 0; i < name.Length; i++)
                name[i] = alphabet[bytes[i]];
            return new string(name);
        }
    }

    private sealed class ColumnReader(byte[] bytes)
    {
        private int position;

        public byte Byte() => bytes[position++];

        public int Number()
        {
            var (value, shift) = (0, 0);
            byte part;
            do
            {
                part = Byte();
                value |= (part & 0x7F) << shift;
                shift += 7;
            }
            while (part >= 0x80);
            return value;
        }

        public string Text()
        {
            var length = Number();
            position += length;
            return Encoding.UTF8.GetString(bytes, position - length, length);
        }

        public int[] Numbers(int count)
        {
            var numbers = new int[count];
            for (var i = 0; i < count; i++)
                numbers[i] = Number();
            return numbers;
        }

        public int[] Rising(int count)
        {
            var numbers = Numbers(count);
            for (var i = 1; i < count; i++)
                numbers[i] += numbers[i - 1];
            return numbers;
        }

        public ushort[] Ends(int count)
        {
            var ends = new ushort[count];
            var end = 0;
            for (var i = 0; i < count; i++)
                ends[i] = (ushort)(end += Number());
            return ends;
        }

        // Differences of either sign with the number before, the sign in the lowest bit.
        public ushort[] Near(int count)
        {
            var numbers = new ushort[count];
            var last = 0;
            for (var i = 0; i < count; i++)
            {
                var difference = Number();
                last += (difference >> 1) ^ -(difference & 1);
                numbers[i] = (ushort)last;
            }
            return numbers;
        }

        public NameColumn Names(string alphabet, int count)
        {
            var shared = Numbers(count);
            var ends = Numbers(count);
            for (var i = 0; i < count; i++)
                ends[i] += shared[i] + (i == 0 ? 0 : ends[i - 1]);
            var text = new byte[ends[^1]];
            for (var i = 0; i < count; i++)
            {
                var start = i == 0 ? 0 : ends[i - 1];
                var before = i < 2 ? 0 : ends[i - 2];
                text.AsSpan(before, shared[i]).CopyTo(text.AsSpan(start));
                var rest = ends[i] - start - shared[i];
                bytes.AsSpan(position, rest).CopyTo(text.AsSpan(start + shared[i]));
                position += rest;
            }
            return new NameColumn(alphabet, text, ends);
        }
    }
}

using System.IO.Compression;
using System.Text;
using PassNumerique.Conventions;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Makes the resource that <see cref="CommuneTable"/> reads out of three CSV files of the official geographic
/// code: communes.csv (code_insee, nom, type, departement, region, epci, population, codes_postaux),
/// departements.csv (code, nom, region) and epci.csv (siren, nom, nature). Run it when the official list
/// changes; the same files give the same bytes.
/// </summary>
internal static class TerritoryTable
{
    /// <summary>Arguments: the folder of the CSV files, the file to write. Returns the exit code.</summary>
    public static int Run(string[] args)
    {
        if (args.Length != 2)
        {
            Console.Error.WriteLine("territories <folder of the CSV files> <file to write>");
            return 2;
        }
        var communes = Rows(args[0], "communes.csv", 8);
        var departements = Rows(args[0], "departements.csv", 3);
        var epcis = Rows(args[0], "epci.csv", 3);
        Check(communes, departements);
        var columns = Columns(communes, departements, epcis);
        var resource = Compress(columns);
        var count = CommuneTable.Read(new MemoryStream(resource)).Count;
        File.WriteAllBytes(args[1], resource);
        Console.WriteLine(
            $"{count} codes, {columns.Length} bytes of columns, {resource.Length} bytes written.");
        return 0;
    }

    private static List<string[]> Rows(string folder, string file, int width)
    {
        var rows = new List<string[]>();
        foreach (var line in File.ReadLines(Path.Combine(folder, file)).Skip(1))
        {
            var row = Fields(line);
            if (row.Length != width)
                throw new InvalidDataException($"{file}: unexpected line {line}");
            rows.Add(row);
        }
        rows.Sort((a, b) => string.CompareOrdinal(a[0], b[0]));
        return rows;
    }

    // A comma between two quotation marks belongs to its field; the files have no mark inside a name.
    private static string[] Fields(string line) => [.. line
        .Split('"')
        .SelectMany((part, i) => i % 2 == 0 ? part.Select(c => c == ',' ? '\n' : c) : part)
        .Aggregate(new StringBuilder(), (text, c) => text.Append(c))
        .ToString()
        .Split('\n')];

    private static void Check(List<string[]> communes, List<string[]> departements)
    {
        var known = departements.Select(row => row[0]).ToHashSet();
        foreach (var row in communes)
        {
            if (CommuneTable.Key(row[0]) < 0 || row[2] is not ("commune" or "arrondissement"))
                throw new InvalidDataException($"{row[0]} is neither a commune nor an arrondissement.");
            if (!known.Contains(row[3]) || row[3] != CommuneTable.DepartementOf(row[0]).ToString())
                throw new InvalidDataException($"{row[0]} is not in département {row[3]}.");
        }
    }

    private static byte[] Columns(List<string[]> communes, List<string[]> departements, List<string[]> epcis)
    {
        var names = communes.Concat(departements).Concat(epcis).SelectMany(row => row[1]);
        var alphabet = new string([.. names.Distinct().Order()]);
        if (alphabet.Length > byte.MaxValue)
            throw new InvalidDataException("The names use more than 255 characters.");
        var writer = new ColumnWriter(alphabet);
        writer.Byte(CommuneTable.FormatVersion);
        writer.Text(alphabet);
        writer.Number(departements.Count);
        foreach (var departement in departements)
            writer.Text(departement[0]);
        writer.Names([.. departements.Select(row => row[1])]);
        writer.Number(epcis.Count);
        writer.Rising([.. epcis.Select(row => int.Parse(row[0]))]);
        writer.Names([.. epcis.Select(row => row[1])]);
        writer.Number(communes.Count);
        writer.Rising([.. communes.Select(row => CommuneTable.Key(row[0]))]);
        int[] arrondissements =
            [.. communes.Index().Where(at => at.Item[2] != "commune").Select(at => at.Index)];
        writer.Number(arrondissements.Length);
        writer.Rising(arrondissements);
        writer.Names([.. communes.Select(row => row[1])]);
        var epciNumbers = epcis.Index().ToDictionary(at => at.Item[0], at => at.Index + 1);
        writer.Near(communes.Select(row => row[5].Length == 0 ? 0 : epciNumbers[row[5]]));
        foreach (var commune in communes)
            writer.Number(commune[6].Length == 0 ? 0 : int.Parse(commune[6]));
        WritePostcodes(writer, [.. communes.Select(Postcodes)]);
        return writer.ToArray();
    }

    private static int[] Postcodes(string[] commune) =>
        [.. commune[7].Split('|', StringSplitOptions.RemoveEmptyEntries).Select(code => int.Parse(code))];

    private static void WritePostcodes(ColumnWriter writer, int[][] postcodes)
    {
        int[] distinct = [.. postcodes.SelectMany(codes => codes).Distinct().Order()];
        writer.Number(distinct.Length);
        writer.Rising(distinct);
        foreach (var codes in postcodes)
            writer.Number(codes.Length);
        writer.Near(postcodes.SelectMany(codes => codes).Select(code => Array.BinarySearch(distinct, code)));
    }

    private static byte[] Compress(byte[] columns)
    {
        using var written = new MemoryStream();
        using (var brotli = new BrotliStream(written, CompressionLevel.SmallestSize))
            brotli.Write(columns);
        return written.ToArray();
    }

    private sealed class ColumnWriter(string alphabet)
    {
        private readonly MemoryStream bytes = new();

        public byte[] ToArray() => bytes.ToArray();

        public void Byte(byte value) => bytes.WriteByte(value);

        public void Number(int value)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            for (; value >= 0x80; value >>= 7)
                Byte((byte)(value & 0x7F | 0x80));
            Byte((byte)value);
        }

        public void Text(string text)
        {
            Number(Encoding.UTF8.GetByteCount(text));
            bytes.Write(Encoding.UTF8.GetBytes(text));
        }

        public void Rising(int[] numbers)
        {
            for (var i = 0; i < numbers.Length; i++)
                Number(i == 0 ? numbers[i] : numbers[i] - numbers[i - 1]);
        }

        public void Near(IEnumerable<int> numbers)
        {
            var last = 0;
            foreach (var number in numbers)
            {
                var difference = number - last;
                Number(difference << 1 ^ difference >> 31);
                last = number;
            }
        }

        public void Names(string[] names)
        {
            int[] shared =
                [.. names.Select((name, i) => i == 0 ? 0 : name.AsSpan().CommonPrefixLength(names[i - 1]))];
            foreach (var length in shared)
                Number(length);
            for (var i = 0; i < names.Length; i++)
                Number(names[i].Length - shared[i]);
            for (var i = 0; i < names.Length; i++)
                foreach (var letter in names[i].AsSpan(shared[i]))
                    Byte((byte)alphabet.IndexOf(letter));
        }
    }
}

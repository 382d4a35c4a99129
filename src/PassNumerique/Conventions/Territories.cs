using System.Globalization;
using PassNumerique.Platform;

namespace PassNumerique.Conventions;

/// <summary>
/// A commune of the official geographic code, or a municipal arrondissement of Paris, Lyon or Marseille,
/// whose <paramref name="Parent"/> is then its city. Population is in persons, 0 where none is published.
/// </summary>
internal sealed record Commune(
    string Code,
    string Name,
    string Departement,
    string? Epci,
    long Population,
    IReadOnlyList<string> Postcodes,
    bool IsArrondissement,
    string? Parent);

/// <summary>
/// The communes, départements and EPCI of France, and what lies in what. A territory is a list of their
/// codes: 5 characters for a commune, 2 or 3 for a département, 9 digits for an EPCI; regions are not
/// accepted, and a code that is not known adds nothing. Source: code officiel géographique (INSEE) and the
/// list of EPCI. The table is embedded, and read on first use.
/// </summary>
internal static class Territories
{
    public const int MaximumSearchResults = 100;

    // Longer than any name, ligatures counted twice; the table's tests read every name through it.
    private const int FoldedNameRoom = 256;

    private static readonly Lazy<CommuneTable> Loaded = new(Load);

    private static CommuneTable Table => Loaded.Value;

    /// <summary>Communes and arrondissements, in the order of their codes.</summary>
    public static IEnumerable<Commune> All => Enumerable.Range(0, Table.Count).Select(Read);

    /// <summary>In the order of their codes (29, 2A, 2B, 30).</summary>
    public static IReadOnlyList<(string Code, string Name)> Departements => Table.Departements;

    public static Commune? FindCommune(string code) =>
        Table.Find(code) is >= 0 and var rank ? Read(rank) : null;

    public static string? DepartementName(string code)
    {
        foreach (var departement in Table.Departements)
            if (departement.Code == code)
                return departement.Name;
        return null;
    }

    public static string? EpciName(string siren) =>
        Table.FindEpci(siren) is > 0 and var number ? Table.EpciName(number) : null;

    /// <summary>Whether a commune, a département or an EPCI has this code.</summary>
    public static bool Exists(string territoryCode) => territoryCode.Length switch
    {
        5 => Table.Find(territoryCode) >= 0,
        2 or 3 => DepartementName(territoryCode) is not null,
        9 => Table.FindEpci(territoryCode) > 0,
        _ => false
    };

    /// <summary>
    /// The name of a commune, a département or an EPCI; the code itself when it is unknown.
    /// </summary>
    public static string Name(string territoryCode) => territoryCode.Length switch
    {
        5 => Table.Find(territoryCode) is >= 0 and var rank ? Table.Name(rank) : territoryCode,
        2 or 3 => DepartementName(territoryCode) ?? territoryCode,
        9 => EpciName(territoryCode) ?? territoryCode,
        _ => territoryCode
    };

    /// <summary>
    /// Whether the territory names the commune, its département or its EPCI. An arrondissement lies also in
    /// its city and in the city's EPCI; a territory that names an arrondissement does not contain the city.
    /// </summary>
    public static bool Contains(IReadOnlyCollection<string> territory, string communeCode)
    {
        var rank = Table.Find(communeCode);
        if (rank < 0)
            return false;
        var parent = Table.ParentOf(rank);
        var epci = Table.EpciNumber(parent < 0 ? rank : parent);
        var departement = CommuneTable.DepartementOf(communeCode);
        foreach (var code in territory)
        {
            var inside = code.Length switch
            {
                5 => code == communeCode || (parent >= 0 && Table.Find(code) == parent),
                9 => epci > 0 && Table.FindEpci(code) == epci,
                _ => departement.SequenceEqual(code)
            };
            if (inside)
                return true;
        }
        return false;
    }

    /// <summary>
    /// The communes of a territory, each once, in the order of their codes; arrondissements only where the
    /// territory names them.
    /// </summary>
    public static IReadOnlyList<Commune> Communes(IReadOnlyCollection<string> territory)
    {
        var chosen = Choose(territory);
        var communes = new List<Commune>();
        for (var rank = 0; rank < chosen.Length; rank++)
            if (chosen[rank])
                communes.Add(Read(rank));
        return communes;
    }

    /// <summary>
    /// Inhabitants of a territory. Nobody counts twice, whether a commune comes with its EPCI or an
    /// arrondissement with its city.
    /// </summary>
    public static long Population(IReadOnlyCollection<string> territory)
    {
        var chosen = Choose(territory);
        foreach (var rank in Table.Arrondissements)
            chosen[rank] &= !chosen[Table.ParentOf(rank)];
        var persons = 0L;
        for (var rank = 0; rank < chosen.Length; rank++)
            if (chosen[rank])
                persons += Table.Population(rank);
        return persons;
    }

    /// <summary>
    /// Communes and arrondissements whose name, code or postcode matches what somebody types, without regard
    /// to accents, case, hyphens or "st" for "saint": first the name itself, then names, codes and postcodes
    /// that begin with the text, then names that contain it, the largest population first. At most <see
    /// cref="MaximumSearchResults"/>.
    /// </summary>
    public static IReadOnlyList<Commune> Search(string text, int limit)
    {
        var sought = Spell(FrenchOrder.Fold(text));
        if (sought.Length is 0 or > FoldedNameRoom)
            return [];
        var found = new List<(int Rank, int Distance)>();
        Span<char> room = stackalloc char[FoldedNameRoom];
        for (var rank = 0; rank < Table.Count; rank++)
        {
            var distance = Distance(rank, sought, room);
            if (distance >= 0)
                found.Add((rank, distance));
        }
        return [.. found
            .OrderBy(at => at.Distance)
            .ThenByDescending(at => Table.Population(at.Rank))
            .ThenBy(at => at.Rank)
            .Take(Math.Min(limit, MaximumSearchResults))
            .Select(at => Read(at.Rank))];
    }

    /// <summary>
    /// The IANA time zone of the legal day in a commune or a département. Overseas it is the one of the
    /// collectivity's seat (Tahiti for the Marquesas too); everywhere else, Europe/Paris.
    /// </summary>
    public static string TimeZone(string communeOrDepartement)
    {
        if (communeOrDepartement.Length is not (3 or 5))
            return "Europe/Paris";
        return communeOrDepartement[..3] switch
        {
            "971" => "America/Guadeloupe",
            "972" => "America/Martinique",
            "973" => "America/Cayenne",
            "974" => "Indian/Reunion",
            "975" => "America/Miquelon",
            "976" => "Indian/Mayotte",
            "977" => "America/St_Barthelemy",
            "978" => "America/Marigot",
            "984" => "Indian/Kerguelen",
            "986" => "Pacific/Wallis",
            "987" => "Pacific/Tahiti",
            "988" => "Pacific/Noumea",
            "989" => "Etc/GMT+8",
            _ => "Europe/Paris"
        };
    }

    private static CommuneTable Load()
    {
        using var resource = typeof(Territories).Assembly.GetManifestResourceStream("territories")
            ?? throw new InvalidOperationException("The list of territories is not embedded in this build.");
        return CommuneTable.Read(resource);
    }

    private static Commune Read(int rank)
    {
        var code = Table.Code(rank);
        var parent = Table.ParentOf(rank);
        var postcodes = new string[Table.PostcodeCount(rank)];
        for (var i = 0; i < postcodes.Length; i++)
            postcodes[i] = Table.Postcode(rank, i).ToString("D5", CultureInfo.InvariantCulture);
        return new Commune(
            code,
            Table.Name(rank),
            CommuneTable.DepartementOf(code).ToString(),
            Table.Siren(Table.EpciNumber(rank)),
            Table.Population(rank),
            postcodes,
            parent >= 0,
            parent >= 0 ? Table.Code(parent) : null);
    }

    private static bool[] Choose(IReadOnlyCollection<string> territory)
    {
        var chosen = new bool[Table.Count];
        foreach (var code in territory)
        {
            if (code.Length == 5 && Table.Find(code) is >= 0 and var rank)
                chosen[rank] = true;
            else if (code.Length == 9 && Table.FindEpci(code) is > 0 and var epci)
                ChooseEpci(chosen, epci);
            else if (DepartementName(code) is not null)
                ChooseDepartement(chosen, code);
        }
        return chosen;
    }

    private static void ChooseEpci(bool[] chosen, int epci)
    {
        for (var rank = 0; rank < chosen.Length; rank++)
            chosen[rank] |= Table.EpciNumber(rank) == epci;
    }

    private static void ChooseDepartement(bool[] chosen, string departement)
    {
        var (start, length) = Table.RangeOf(departement).GetOffsetAndLength(chosen.Length);
        for (var rank = start; rank < start + length; rank++)
            chosen[rank] |= !Table.IsArrondissement(rank);
    }

    // 0 for the name itself, 1 for a beginning, 2 for a part, -1 for no match.
    private static int Distance(int rank, string sought, Span<char> room)
    {
        if (char.IsAsciiDigit(sought[0]))
        {
            var beginsCode = Table.Code(rank).StartsWith(sought, StringComparison.OrdinalIgnoreCase);
            if (beginsCode || BeginsPostcode(rank, sought))
                return 1;
        }
        ReadOnlySpan<char> name = room[..Table.FoldedName(rank, room)];
        if (name.StartsWith(sought))
            return name.Length == sought.Length ? 0 : 1;
        return name.IndexOf(sought) >= 0 ? 2 : -1;
    }

    private static bool BeginsPostcode(int rank, string sought)
    {
        Span<char> postcode = stackalloc char[5];
        for (var i = 0; i < Table.PostcodeCount(rank); i++)
        {
            Table.Postcode(rank, i).TryFormat(postcode, out _, "D5", CultureInfo.InvariantCulture);
            if (postcode.StartsWith(sought))
                return true;
        }
        return false;
    }

    private static string Spell(string folded)
    {
        var words = folded.Split(' ').Select(word => word switch
        {
            "st" => "saint",
            "ste" => "sainte",
            _ => word
        });
        return string.Join(' ', words);
    }
}

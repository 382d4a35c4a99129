using NUnit.Framework;
using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Conventions;

[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class TerritoriesTests
{
    private const string Paris = "75056";
    private const string Marseille = "13055";
    private const string Lyon = "69123";
    private const string GrandParis = "200054781";
    private const string BordeauxMetropole = "243300316";

    [Test]
    public void The_table_holds_every_commune_arrondissement_departement_and_epci()
    {
        var all = Territories.All.ToList();
        Assert.That(all.Count(commune => !commune.IsArrondissement), Is.EqualTo(34_969));
        Assert.That(all.Count(commune => commune.IsArrondissement), Is.EqualTo(45));
        Assert.That(Territories.Departements, Has.Count.EqualTo(109));
        Assert.That(all.Select(commune => commune.Epci).OfType<string>().Distinct().Count(),
            Is.EqualTo(1_255));
    }

    [Test]
    public void Codes_come_in_order_and_once()
    {
        var codes = Territories.All.Select(commune => commune.Code).ToList();
        Assert.That(codes, Is.Ordered.Ascending.Using((IComparer<string>)StringComparer.Ordinal).And.Unique);
        Assert.That(Territories.Departements.Select(departement => departement.Code),
            Is.Ordered.Ascending.Using((IComparer<string>)StringComparer.Ordinal).And.Unique);
    }

    [Test]
    public void Every_commune_of_the_official_list_is_the_same_field_by_field()
    {
        var expected = OfficialList.Rows("communes.csv")
            .OrderBy(row => row[0], StringComparer.Ordinal)
            .Select(row => string.Join('|', row[0], row[1], row[2], row[3], row[5],
                row[6] == "" ? "0" : row[6], row[7]));
        var actual = Territories.All.Select(commune => string.Join('|', commune.Code, commune.Name,
            commune.IsArrondissement ? "arrondissement" : "commune", commune.Departement, commune.Epci,
            commune.Population, string.Join('|', commune.Postcodes)));
        Assert.That(actual.ToArray(), Is.EqualTo(expected.ToArray()));
    }

    [Test]
    public void Every_commune_of_the_official_list_is_found_by_its_code()
    {
        foreach (var row in OfficialList.Rows("communes.csv"))
            if (Territories.FindCommune(row[0])?.Name != row[1] || !Territories.Exists(row[0]))
                Assert.Fail($"{row[0]} {row[1]} is not found.");
    }

    [Test]
    public void Every_departement_of_the_official_list_has_its_name()
    {
        var rows = OfficialList.Rows("departements.csv");
        Assert.That(rows, Has.Count.EqualTo(Territories.Departements.Count));
        foreach (var row in rows)
            Assert.That(Territories.DepartementName(row[0]), Is.EqualTo(row[1]));
    }

    [Test]
    public void Every_epci_of_the_official_list_has_its_name()
    {
        foreach (var row in OfficialList.Rows("epci.csv"))
        {
            Assert.That(Territories.Exists(row[0]), Is.True);
            Assert.That(Territories.EpciName(row[0]), Is.EqualTo(row[1]));
        }
    }

    [TestCase("2A004", "Ajaccio", "2A")]
    [TestCase("2B033", "Bastia", "2B")]
    [TestCase("01004", "Ambérieu-en-Bugey", "01")]
    [TestCase("97209", "Fort-de-France", "972")]
    [TestCase("97411", "Saint-Denis", "974")]
    [TestCase("97701", "Saint-Barthélemy", "977")]
    [TestCase("98818", "Nouméa", "988")]
    [TestCase("98901", "Île de Clipperton", "989")]
    public void Corsican_and_overseas_communes_lie_in_their_departement(
        string code, string name, string departement)
    {
        var commune = Territories.FindCommune(code)!;
        Assert.That((commune.Name, commune.Departement), Is.EqualTo((name, departement)));
        Assert.That(Territories.Contains([departement], code), Is.True);
        Assert.That(Territories.Communes([departement]).Select(other => other.Code), Does.Contain(code));
    }

    [TestCase("971")]
    [TestCase("973")]
    [TestCase("975")]
    [TestCase("976")]
    [TestCase("984")]
    [TestCase("986")]
    [TestCase("987")]
    public void An_overseas_departement_has_its_communes_and_no_other(string departement)
    {
        Assert.That(Territories.Communes([departement]), Is.Not.Empty
            .And.All.Matches<Commune>(commune => commune.Departement == departement));
    }

    [TestCase("")]
    [TestCase("0")]
    [TestCase("97")]
    [TestCase("20")]
    [TestCase("1")]
    [TestCase("99999")]
    [TestCase("2a004")]
    [TestCase("2A0 4")]
    [TestCase("020011")]
    [TestCase("970")]
    [TestCase("000000000")]
    [TestCase("24330031X")]
    [TestCase("+43300316")]
    public void An_unknown_code_is_nowhere(string code)
    {
        Assert.That(Territories.Exists(code), Is.False);
        Assert.That(Territories.FindCommune(code), Is.Null);
        Assert.That(Territories.DepartementName(code), Is.Null);
        Assert.That(Territories.EpciName(code), Is.Null);
        Assert.That(Territories.Name(code), Is.EqualTo(code));
        Assert.That(Territories.Communes([code]), Is.Empty);
        Assert.That(Territories.Population([code]), Is.Zero);
        Assert.That(Territories.Contains([code], "97209"), Is.False);
        Assert.That(Territories.Contains(["01", "972", GrandParis], code), Is.False);
    }

    [Test]
    public void A_name_is_the_one_of_the_commune_departement_or_epci()
    {
        Assert.That(Territories.Name("33063"), Is.EqualTo("Bordeaux"));
        Assert.That(Territories.Name("2A"), Is.EqualTo("Corse-du-Sud"));
        Assert.That(Territories.Name("988"), Is.EqualTo("Nouvelle-Calédonie"));
        Assert.That(Territories.Name(BordeauxMetropole), Is.EqualTo("Bordeaux Métropole"));
    }

    [Test]
    public void A_commune_lies_in_a_territory_by_itself_by_its_departement_or_by_its_epci()
    {
        Assert.That(Territories.Contains(["33063"], "33063"), Is.True);
        Assert.That(Territories.Contains(["33"], "33063"), Is.True);
        Assert.That(Territories.Contains([BordeauxMetropole], "33063"), Is.True);
        Assert.That(Territories.Contains(["2A004", "24", GrandParis], "33063"), Is.False);
        Assert.That(Territories.Contains([], "33063"), Is.False);
    }

    [TestCase("75101", Paris, GrandParis, "75")]
    [TestCase("13216", Marseille, "200054807", "13")]
    [TestCase("69385", Lyon, "200046977", "69")]
    public void An_arrondissement_lies_in_its_city_and_wherever_the_city_lies(
        string code, string city, string epci, string departement)
    {
        var arrondissement = Territories.FindCommune(code)!;
        Assert.That((arrondissement.IsArrondissement, arrondissement.Parent), Is.EqualTo((true, city)));
        Assert.That(Territories.Contains([code], code), Is.True);
        Assert.That(Territories.Contains([city], code), Is.True);
        Assert.That(Territories.Contains([epci], code), Is.True);
        Assert.That(Territories.Contains([departement], code), Is.True);
        Assert.That(Territories.Contains([code], city), Is.False);
        Assert.That(Territories.Contains([code], code[..4] + (code[4] == '1' ? '2' : '1')), Is.False);
    }

    [Test]
    public void Cities_with_arrondissements_have_them_all()
    {
        var parents = Territories.All
            .Where(commune => commune.IsArrondissement)
            .CountBy(commune => commune.Parent!);
        Assert.That(parents.ToDictionary(), Is.EqualTo(
            new Dictionary<string, int> { [Marseille] = 16, [Lyon] = 9, [Paris] = 20 }));
    }

    [Test]
    public void The_communes_of_a_territory_come_once_in_order_without_arrondissements()
    {
        Assert.That(Codes(["75", Paris]), Is.EqualTo(new[] { Paris }));
        Assert.That(Codes(["75", GrandParis, Paris]), Is.Unique.And.Contain(Paris).And.Not.Contain("75101"));
        Assert.That(Codes(["33063", BordeauxMetropole, "33063"]), Is.Unique.And.Ordered.And.Contain("33063"));
        Assert.That(Codes(["75102", "75101", "01004"]), Is.EqualTo(new[] { "01004", "75101", "75102" }));
        Assert.That(Codes([]), Is.Empty);
    }

    [Test]
    public void Nobody_is_counted_twice_in_a_population()
    {
        var paris = Territories.FindCommune(Paris)!.Population;
        Assert.That(Territories.Population(["75", Paris, "75101"]), Is.EqualTo(paris));
        Assert.That(Territories.Population(["75101"]),
            Is.EqualTo(Territories.FindCommune("75101")!.Population));
        Assert.That(Territories.Population([BordeauxMetropole, "33063"]),
            Is.EqualTo(Territories.Communes([BordeauxMetropole]).Sum(commune => commune.Population)));
        var communes = Territories.All.Where(commune => !commune.IsArrondissement);
        var everybody = communes.Sum(commune => commune.Population);
        Assert.That(everybody, Is.GreaterThan(68_000_000));
        string[] departements = [.. Territories.Departements.Select(departement => departement.Code)];
        Assert.That(Territories.Population(departements), Is.EqualTo(everybody));
    }

    [TestCase("SAINT ETIENNE", "42218")]
    [TestCase("St-Étienne", "42218")]
    [TestCase("saint-étienne-du-rouv", "76575")]
    [TestCase("chateauroux", "36044")]
    [TestCase("l’hay les", "94038")]
    [TestCase("havre", "76351")]
    [TestCase("Œting", "57521")]
    [TestCase("oeting", "57521")]
    [TestCase("97240", "97210")]
    [TestCase("2a004", "2A004")]
    [TestCase("Paris", "75056")]
    public void A_search_finds_the_place_first(string text, string code)
    {
        Assert.That(Territories.Search(text, 5).FirstOrDefault()?.Code, Is.EqualTo(code));
    }

    [Test]
    public void A_search_gives_beginnings_before_parts_and_keeps_its_limit()
    {
        var names = Territories.Search("tours", 100)
            .Select(commune => FrenchOrder.Fold(commune.Name))
            .ToList();
        var parts = names.SkipWhile(name => name.StartsWith("tours", StringComparison.Ordinal)).ToList();
        Assert.That(names[0], Is.EqualTo("tours"));
        Assert.That(parts, Is.Not.Empty.And.None.StartsWith("tours").And.All.Contains("tours"));
        Assert.That(Territories.Search("a", 7), Has.Count.EqualTo(7));
        Assert.That(Territories.Search("a", 5_000), Has.Count.EqualTo(Territories.MaximumSearchResults));
        Assert.That(Territories.Search("a", 0), Is.Empty);
        Assert.That(Territories.Search(" - ", 5), Is.Empty);
        Assert.That(Territories.Search(new string('a', 1_000), 5), Is.Empty);
    }

    [Test]
    public void Every_place_is_found_by_the_name_that_is_shown()
    {
        var table = typeof(Territories).Assembly.GetManifestResourceStream("territories")!;
        var decoded = CommuneTable.Read(table);
        var room = new char[256];
        for (var rank = 0; rank < decoded.Count; rank++)
        {
            var folded = new string(room, 0, decoded.FoldedName(rank, room));
            if (folded != FrenchOrder.Fold(decoded.Name(rank)))
                Assert.Fail($"{decoded.Name(rank)} is folded as {folded}.");
        }
    }

    [TestCase("33063", "Europe/Paris")]
    [TestCase("2A", "Europe/Paris")]
    [TestCase("97", "Europe/Paris")]
    [TestCase("97209", "America/Martinique")]
    [TestCase("971", "America/Guadeloupe")]
    [TestCase("973", "America/Cayenne")]
    [TestCase("974", "Indian/Reunion")]
    [TestCase("975", "America/Miquelon")]
    [TestCase("976", "Indian/Mayotte")]
    [TestCase("97701", "America/St_Barthelemy")]
    [TestCase("97801", "America/Marigot")]
    [TestCase("984", "Indian/Kerguelen")]
    [TestCase("986", "Pacific/Wallis")]
    [TestCase("98735", "Pacific/Tahiti")]
    [TestCase("98818", "Pacific/Noumea")]
    [TestCase("989", "Etc/GMT+8")]
    public void The_legal_day_is_the_one_of_the_departement(string code, string zone) =>
        Assert.That(Territories.TimeZone(code), Is.EqualTo(zone));

    [Test]
    public void Every_departement_has_a_time_zone_that_the_machine_knows()
    {
        foreach (var (code, _) in Territories.Departements)
            Assert.That(TimeZoneInfo.TryFindSystemTimeZoneById(Territories.TimeZone(code), out _),
                Is.True, code);
    }

    [Test]
    public void Many_threads_read_the_same_table()
    {
        var names = new string[2_000];
        Parallel.For(0, names.Length, i => names[i] = Territories.Name(i % 2 == 0 ? "33063" : "2A004"));
        Assert.That(names.Distinct(), Is.EquivalentTo(new[] { "Bordeaux", "Ajaccio" }));
    }

    private static List<string> Codes(string[] territory) =>
        [.. Territories.Communes(territory).Select(commune => commune.Code)];
}

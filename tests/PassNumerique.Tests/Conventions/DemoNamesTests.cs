using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Conventions;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Conventions;

[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class DemoNamesTests
{
    private static readonly Lazy<HashSet<string>> RealNames = new(ReadRealNames);

    private static IEnumerable<TestCaseData> EveryKind()
    {
        yield return Kind("City", DemoNames.City);
        yield return Kind("Authority", DemoNames.Authority);
        yield return Kind("Hub", DemoNames.Hub);
        yield return Kind("Structure", DemoNames.Structure);
        yield return Kind("Site", DemoNames.Site);
        foreach (var channel in Vocabularies.Channels.Codes)
            yield return Kind("Point " + channel, n => DemoNames.Point(n, channel));
    }

    [TestCaseSource(nameof(EveryKind))]
    public void No_name_comes_twice(Func<long, string> name)
    {
        var names = Names(name);
        Assert.That(names.ToHashSet(), Has.Count.EqualTo(names.Count));
    }

    [TestCaseSource(nameof(EveryKind))]
    public void No_name_is_the_name_of_a_real_place(Func<long, string> name)
    {
        var folded = Names(name).Select(FrenchOrder.Fold);
        Assert.That(folded.Where(RealNames.Value.Contains), Is.Empty);
    }

    [TestCaseSource(nameof(EveryKind))]
    public void A_name_without_its_kind_is_not_a_real_place_either(Func<long, string> name)
    {
        var places = Names(name).Select(invented => FrenchOrder.Fold(invented)
            .Replace("communaute de communes ", "cc ", StringComparison.Ordinal)
            .Replace("communaute d agglomeration ", "ca ", StringComparison.Ordinal)
            .Replace("departement de ", "", StringComparison.Ordinal)
            .Replace("departement d ", "", StringComparison.Ordinal));
        Assert.That(places.Where(RealNames.Value.Contains), Is.Empty);
    }

    [TestCaseSource(nameof(EveryKind))]
    public void A_name_is_written_as_french_is(Func<long, string> name)
    {
        foreach (var invented in Names(name))
            if (invented.Contains("  ", StringComparison.Ordinal) || WrongElision(invented))
                Assert.Fail(invented);
    }

    [TestCaseSource(nameof(EveryKind))]
    public void A_negative_number_has_no_name(Func<long, string> name) =>
        Assert.That(() => name(-1), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Examples_read_as_french()
    {
        Assert.That(DemoNames.City(0), Is.EqualTo("Ambreline-sur-Ambrine"));
        Assert.That(DemoNames.Authority(0), Is.EqualTo("Communauté de communes du Val d'Ambreline"));
        Assert.That(DemoNames.Authority(5), Is.EqualTo("Département de Haute-Ambrine"));
        Assert.That(DemoNames.Structure(0), Is.EqualTo("Association Clic & Lien"));
        Assert.That(DemoNames.Structure(8), Is.EqualTo("Association La Souris Verte"));
        Assert.That(DemoNames.Hub(0), Is.EqualTo("Hub La Passerelle du Val d'Ambreline"));
        Assert.That(DemoNames.Site(4), Is.EqualTo("Atelier numérique de Brumeval-les-Roches"));
        Assert.That(DemoNames.Point(0, "ccas"), Is.EqualTo("CCAS d'Ambreline-sur-Ambrine"));
        Assert.That(DemoNames.Point(4, "la-poste"), Does.StartWith("Bureau de poste de Brumeval-"));
    }

    [Test]
    public void A_siret_is_valid_as_is_its_siren_and_none_comes_twice()
    {
        long[] numbers = [.. Enumerable.Range(0, 5_000), 9_999, 10_000, 99_979_999];
        var sirets = numbers.Select(DemoNames.Siret).ToList();
        Assert.That(sirets, Is.All.Matches<string>(siret =>
            siret.StartsWith("9999", StringComparison.Ordinal)
            && Identifiers.IsSiret(siret) && Identifiers.IsSiren(siret[..9])));
        Assert.That(sirets.ToHashSet(), Has.Count.EqualTo(numbers.Length));
        Assert.That(sirets.Take(5_000).Select(siret => siret[..9]).ToHashSet(), Has.Count.EqualTo(5_000));
        Assert.That(() => DemoNames.Siret(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => DemoNames.Siret(99_990_000), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private static TestCaseData Kind(string label, Func<long, string> name) =>
        new TestCaseData(name).SetArgDisplayNames(label);

    private static List<string> Names(Func<long, string> name) =>
        [.. Enumerable.Range(0, (int)DemoNames.Distinct).Select(n => name(n))];

    private static bool WrongElision(string name) =>
        FrenchOrder.Fold(name).Split(' ') is var words
        && words.Index().Any(at => at.Index > 0
            && ((words[at.Index - 1] == "de" && "aeiouy".Contains(at.Item[0]))
                || (words[at.Index - 1] == "d" && !"aeiouy".Contains(at.Item[0]))));

    private static HashSet<string> ReadRealNames() =>
    [
        .. Territories.All.Select(commune => FrenchOrder.Fold(commune.Name)),
        .. Territories.Departements.Select(departement => FrenchOrder.Fold(departement.Name)),
        .. Territories.All.Select(commune => commune.Epci).OfType<string>().Distinct()
            .Select(siren => FrenchOrder.Fold(Territories.EpciName(siren)!))
    ];
}

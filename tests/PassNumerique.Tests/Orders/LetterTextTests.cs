using NUnit.Framework;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Sites;

namespace PassNumerique.Tests.Orders;

/// <summary>What the letter says, in each language, whatever the booklet.</summary>
internal sealed class LetterTextTests
{
    private static readonly LetterFacts Facts = new(
        Booklet: 4_711, Passes: 5, MinutesPerPass: 120, ValidUntilDay: 20_818, WholeVouchersOnly: true, OwnShareCents: null,
        "CCAS d'essai", "1 place de la Mairie, Guéret", Telephone: null);

    [Test]
    public void In_french_one_idea_a_line()
    {
        var lines = Lines("fr", Facts);
        Assert.That(lines, Does.Contain("Il y a 5 pass dans ce carnet.")
            .And.Contain("Un pass donne droit à 2 heures d'aide ou de cours.")
            .And.Contain("En tout, vous avez 10 heures.")
            .And.Contain("Utilisez vos pass jusqu'au 31 décembre 2026 inclus.")
            .And.Contain("C'est gratuit. Vous ne payez rien.")
            .And.Contain("On ne rend pas la monnaie.")
            .And.Contain("Un pass ne s'échange pas contre de l'argent.")
            .And.Contain("Votre carnet a le n° 4711.")
            .And.Contain("Prévenez vite : CCAS d'essai, 1 place de la Mairie, Guéret."));
        Assert.That(lines.Where(l => !l.StartsWith("Prévenez", StringComparison.Ordinal)).Max(l => l.Length), Is.LessThan(75));
    }

    [Test]
    public void Its_own_share_is_told_where_the_convention_has_one()
    {
        var paying = Facts with { OwnShareCents = 250, WholeVouchersOnly = false, Telephone = "+33 5 55 51 00 00" };
        Assert.That(Lines("fr", paying), Does.Contain("Vous payez 2,50 € pour chaque pass utilisé. Vous payez sur place.")
            .And.Contain("S'il reste du temps sur un pass, on vous donne un papier qui le dit.")
            .And.Contain("Appelez vite le 05 55 51 00 00.").And.Not.Contain("C'est gratuit. Vous ne payez rien."));
        Assert.That(Lines("en", paying), Does.Contain("You pay €2.50 for each pass you use. You pay there."));
        Assert.That(Lines("ar", paying), Does.Contain("تدفع 2,50 يورو عن كل قسيمة تستعملها. تدفع في المكان نفسه."));
    }

    [TestCase(30, "30 minutes")]
    [TestCase(60, "1 heure")]
    [TestCase(90, "1 heure 30")]
    [TestCase(150, "2 heures 30")]
    public void Hours_are_told_in_words(long minutes, string told) =>
        Assert.That(Lines("fr", Facts with { MinutesPerPass = minutes }), Does.Contain($"Un pass donne droit à {told} d'aide ou de cours."));

    [TestCase(60, 1, "في هذا الدفتر قسيمة واحدة.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة ساعة واحدة.")]
    [TestCase(120, 2, "في هذا الدفتر قسيمتان.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة ساعتين.")]
    [TestCase(180, 10, "في هذا الدفتر 10 قسائم.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة 3 ساعات.")]
    [TestCase(660, 20, "في هذا الدفتر 20 قسيمة.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة 11 ساعة.")]
    [TestCase(30, 3, "في هذا الدفتر 3 قسائم.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة 30 دقيقة.")]
    [TestCase(90, 3, "في هذا الدفتر 3 قسائم.", "كل قسيمة تعطيك الحق في مساعدة أو دروس لمدة ساعة واحدة و30 دقيقة.")]
    public void Arabic_counts_as_arabic_does(long minutes, long passes, string count, string time) =>
        Assert.That(Lines("ar", Facts with { MinutesPerPass = minutes, Passes = passes }),
            Does.Contain(count).And.Contain(time));

    [Test]
    public void All_languages_say_the_same_number_of_things()
    {
        foreach (var facts in new[] { Facts, Facts with { Passes = 1 }, Facts with { OwnShareCents = 100 } })
        {
            var shapes = LetterText.Codes.Select(code => string.Join(' ', LetterText.Find(code)!.Sections(facts)
                .Select(s => $"{s.Lines.Count}{s.Lines[0].Kind}"))).ToList();
            Assert.That(shapes.Distinct().Count(), Is.EqualTo(1), string.Join('\n', shapes));
        }
    }

    [Test]
    public void Every_service_of_the_standard_has_its_words()
    {
        foreach (var service in Vocabularies.Services.Codes)
        {
            Assert.That(LetterText.Find("fr")!.Service(service), Is.EqualTo(service));
            Assert.That(LetterText.Find("en")!.Service(service), Is.Not.EqualTo(service));
            Assert.That(LetterText.Find("ar")!.Service(service), Is.Not.EqualTo(service).And.Matches(@"^[\u0600-\u06FF ]+$"));
        }
    }

    [Test]
    public void A_place_is_as_near_as_it_is()
    {
        var text = LetterText.Find("fr")!;
        Assert.That(text.Nearness(SiteDistance.SameCommune, "Guéret"), Is.EqualTo("Dans la commune : Guéret"));
        Assert.That((text.More(1), text.More(3)), Is.EqualTo((
            "Il y a encore 1 autre lieu. Demandez la liste complète.",
            "Il y a encore 3 autres lieux. Demandez la liste complète.")));
    }

    [TestCase("+33 5 55 51 00 00", "05 55 51 00 00")]
    [TestCase("+33 (0)5 55 51 00 00", "05 55 51 00 00")]
    [TestCase("+33555510000", "0555510000")]
    [TestCase("05.55.51.00.00", "05.55.51.00.00")]
    [TestCase("+590 590 00 00 00", "+590 590 00 00 00")]
    [TestCase("3949", "3949")]
    public void A_telephone_is_written_as_it_is_dialled(string stored, string dialled) =>
        Assert.That(LetterText.Telephone(stored), Is.EqualTo(dialled));

    private static List<string> Lines(string code, LetterFacts facts) =>
    [
        .. LetterText.Find(code)!.Sections(facts).SelectMany(s => s.Lines)
            .Select(l => l.Text.Replace('\u00A0', ' ').Replace('\u202F', ' ')),
    ];
}

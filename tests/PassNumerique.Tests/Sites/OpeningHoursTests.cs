using NUnit.Framework;
using PassNumerique.Orders;
using PassNumerique.Sites;

namespace PassNumerique.Tests.Sites;

internal sealed class OpeningHoursTests
{
    [TestCase("Mo-Fr 09:00-12:00,14:00-17:30; Sa 09:00-12:00",
        "Du lundi au vendredi : de 9 h à 12 h et de 14 h à 17 h 30|Samedi : de 9 h à 12 h")]
    [TestCase("Mo,We,Fr 09:00-12:00", "Lundi, mercredi et vendredi : de 9 h à 12 h")]
    [TestCase("Mo,Tu 09:00-12:00", "Lundi et mardi : de 9 h à 12 h")]
    [TestCase("09:00-18:00", "Tous les jours : de 9 h à 18 h")]
    [TestCase("Mo-Su 10:00-24:00", "Tous les jours : de 10 h à minuit")]
    [TestCase("24/7", "Ouvert tous les jours, à toute heure.")]
    [TestCase("Mo-Fr 09:00-17:00; We 09:00-12:00",
        "Lundi et mardi, jeudi et vendredi : de 9 h à 17 h|Mercredi : de 9 h à 12 h")]
    [TestCase("Mo-Fr 09:00-17:00; We off", "Lundi et mardi, jeudi et vendredi : de 9 h à 17 h")]
    [TestCase("Mo-Fr 09:00-12:00, Sa 10:00-12:00", "Du lundi au vendredi : de 9 h à 12 h|Samedi : de 10 h à 12 h")]
    [TestCase("Mo-Fr 09:00-12:00, We 14:00-16:00",
        "Lundi et mardi, jeudi et vendredi : de 9 h à 12 h|Mercredi : de 9 h à 12 h et de 14 h à 16 h")]
    [TestCase("Tu 14:00+", "Mardi : à partir de 14 h")]
    [TestCase("Mo-Fr 09:00-12:00; PH off", "Du lundi au vendredi : de 9 h à 12 h|Fermé les jours fériés.")]
    [TestCase("Mo-Sa 09:00-19:00; Su,PH off; SH off",
        "Du lundi au samedi : de 9 h à 19 h|Fermé les jours fériés.|Fermé pendant les vacances scolaires.")]
    [TestCase("""Mo-Fr 09:00-12:00 "sur rendez-vous" """, "Du lundi au vendredi : de 9 h à 12 h|sur rendez-vous")]
    [TestCase("Sa-Mo 10:00-12:00", "Lundi, samedi et dimanche : de 10 h à 12 h")]
    public void Common_hours_are_told_in_plain_words(string written, string told) =>
        Assert.That(French(written), Is.EqualTo(told));

    [TestCase("Mo[1] 09:00-12:00")]
    [TestCase("Jan-Mar Mo-Fr 09:00-12:00")]
    [TestCase("week 1-53/2 Mo 09:00-12:00")]
    [TestCase("Mo-Fr 09:00-12:00; PH 10:00-12:00")]
    [TestCase("Mo-Fr 09:00-25:00")]
    [TestCase("Mo-Fr 22:00-02:00")]
    [TestCase("Mo-Fr sunrise-sunset")]
    [TestCase("Mo-Fr 9h-12h")]
    [TestCase("le mardi matin")]
    [TestCase("SH Mo-Fr 10:00-12:00")]
    [TestCase("Mo-PH 10:00-12:00")]
    [TestCase("""Mo 09:00-12:00 "a"; Tu 09:00-12:00 "b" """)]
    [TestCase("24/7; Su off")]
    [TestCase("Mo-Fr off")]
    public void What_cannot_be_told_is_shown_as_written(string written)
    {
        Assert.That(OpeningHours.Parse(written), Is.Null);
        Assert.That(French(written), Is.EqualTo("Horaires : " + written.Trim()));
    }

    [Test]
    public void Nothing_written_is_nothing_told() => Assert.That(French("  "), Is.Empty);

    [Test]
    public void Each_language_tells_them_its_own_way()
    {
        const string written = "Mo-Fr 09:00-12:00,14:00-17:30; PH off";
        Assert.That(LetterText.Find("en")!.Hours(written),
            Is.EqualTo(new[] { "Monday to Friday: 9:00 to 12:00 and 14:00 to 17:30", "Closed on public holidays." }));
        Assert.That(LetterText.Find("ar")!.Hours(written), Is.EqualTo(new[]
        {
            "من الاثنين إلى الجمعة: من الساعة 9:00 إلى الساعة 12:00 ومن الساعة 14:00 إلى الساعة 17:30",
            "مغلق في أيام العطل الرسمية.",
        }));
    }

    private static string French(string written) =>
        string.Join('|', LetterText.Find("fr")!.Hours(written)).Replace('\u00A0', ' ');
}

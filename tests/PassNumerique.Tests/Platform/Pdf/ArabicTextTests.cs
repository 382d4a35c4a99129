using NUnit.Framework;
using PassNumerique.Platform.Pdf;

namespace PassNumerique.Tests.Platform.Pdf;

internal sealed class ArabicTextTests
{
    [TestCase("ب", "\uFE8F", TestName = "Alone")]
    [TestCase("ببب", "\uFE91\uFE92\uFE90", TestName = "Both sides join")]
    [TestCase("دار", "\uFEA9\uFE8D\uFEAD", TestName = "Letters that never join the next one")]
    [TestCase("باب", "\uFE91\uFE8E\uFE8F", TestName = "An alef ends what joins")]
    [TestCase("سلام", "\uFEB3\uFEFC\uFEE1", TestName = "Lam and alef are one sign, joined")]
    [TestCase("لا", "\uFEFB", TestName = "Lam and alef are one sign, alone")]
    [TestCase("لأ لإ لآ", "\uFEF7 \uFEF9 \uFEF5", TestName = "Lam with each alef")]
    [TestCase("شيء", "\uFEB7\uFEF2\uFE80", TestName = "A hamza joins nothing")]
    [TestCase("مدرسة", "\uFEE3\uFEAA\uFEAD\uFEB3\uFE94", TestName = "Teh marbuta ends a word")]
    [TestCase("إلى", "\uFE87\uFEDF\uFEF0", TestName = "Alef maksura ends a word")]
    [TestCase("هذه", "\uFEEB\uFEAC\uFEE9", TestName = "Heh at both ends")]
    [TestCase("ـب", "\u0640\uFE90", TestName = "A stroke joins what follows it")]
    [TestCase("شكرًا", "\uFEB7\uFEDC\uFEAE\uFE8D", TestName = "Marks are left out")]
    public void A_letter_takes_the_form_that_its_neighbours_ask_for(string text, string shaped) =>
        Assert.That(ArabicText.Shape(text), Is.EqualTo(shaped));

    [Test]
    public void Every_form_is_read_back_as_the_letters_it_shows()
    {
        for (var letter = '\u0621'; letter <= '\u064A'; letter++)
        {
            if (letter is > '\u063A' and < '\u0641') continue;
            foreach (var text in new[] { $"{letter}", $"ب{letter}", $"{letter}ب", $"ب{letter}ب" })
            {
                var shaped = ArabicText.Shape(text);
                Assert.That(string.Concat(shaped.Select(ArabicText.Letters)), Is.EqualTo(text));
                Assert.That(shaped, Is.All.InRange('\uFE80', '\uFEFC'), $"U+{(int)letter:X4}");
            }
        }

        Assert.That(ArabicText.Letters('\uFEFC'), Is.EqualTo("لا"));
    }

    [Test]
    public void A_line_runs_from_right_to_left_and_its_numbers_from_left_to_right()
    {
        var runs = ArabicText.Order("رقم 123 (أ)");
        Assert.That(runs.Select(r => r.IsArabic), Is.EqualTo(new[] { true, false, true }));
        Assert.That(runs[1].Text, Is.EqualTo("123"));
        Assert.That(runs[2].Text, Is.EqualTo(" \uFEE2\uFED7\uFEAD"));
        Assert.That(runs[0].Text, Is.EqualTo("(\uFE83) "), "brackets open the other way");
    }

    [TestCase("الهاتف: 05 55 51 00 00", "05 55 51 00 00")]
    [TestCase("الهاتف: +33 5 55 51 00 00.", "+33 5 55 51 00 00")]
    [TestCase("المكان: CCAS d'Été, 1 rue X", "CCAS d'Été, 1 rue X")]
    [TestCase("من 9:00 إلى", "9:00")]
    public void Words_in_latin_letters_and_numbers_stay_together(string line, string piece)
    {
        var latin = ArabicText.Order(line).Where(r => !r.IsArabic).ToList();
        Assert.That(latin.Select(r => r.Text), Is.EqualTo(new[] { piece }));
    }

    [Test]
    public void An_empty_line_has_no_pieces() => Assert.That(ArabicText.Order(""), Is.Empty);
}

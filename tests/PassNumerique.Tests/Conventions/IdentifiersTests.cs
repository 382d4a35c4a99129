using NUnit.Framework;
using PassNumerique.Conventions;

namespace PassNumerique.Tests.Conventions;

[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class IdentifiersTests
{
    [TestCase("73282932000074", true)]
    [TestCase("35600000000048", true)]
    [TestCase("35600000049837", true)]
    [TestCase("35600000049838", false)]
    [TestCase("73282932000075", false)]
    [TestCase("73282932000047", false)]
    [TestCase("7328293200007", false)]
    [TestCase("732829320000744", false)]
    [TestCase("732 829 320 00074", false)]
    [TestCase("7328293200007A", false)]
    [TestCase("00000000000000", false)]
    [TestCase("", false)]
    public void A_siret_has_fourteen_digits_and_a_valid_key(string value, bool valid) =>
        Assert.That(Identifiers.IsSiret(value), Is.EqualTo(valid));

    [Test]
    public void An_establishment_of_la_poste_has_a_luhn_key_or_a_digit_sum_in_fives()
    {
        // 3 + 5 + 6 is 14: the rest has to bring the sum to a multiple of 5.
        Assert.That(Identifiers.IsSiret("35600000000001"), Is.True);
        Assert.That(Identifiers.IsSiret("35600000000010"), Is.True);
        Assert.That(Identifiers.IsSiret("35600000000002"), Is.False);
        Assert.That(Identifiers.IsSiret("73282932000011"), Is.False, "no other company has the exception");
    }

    [TestCase("732829320", true)]
    [TestCase("356000000", true)]
    [TestCase("732829321", false)]
    [TestCase("73282932", false)]
    [TestCase("000000000", false)]
    [TestCase("٧٣٢٨٢٩٣٢٠", false)]
    public void A_siren_has_nine_digits_and_a_valid_key(string value, bool valid) =>
        Assert.That(Identifiers.IsSiren(value), Is.EqualTo(valid));

    [TestCase("W751234567", true)]
    [TestCase("W9R2001234", true)]
    [TestCase("w751234567", false)]
    [TestCase("W75123456", false)]
    [TestCase("W7512345678", false)]
    [TestCase("W75-234567", false)]
    [TestCase("W75123456é", false)]
    public void A_rna_number_is_w_and_nine_letters_or_digits(string value, bool valid) =>
        Assert.That(Identifiers.IsRna(value), Is.EqualTo(valid));

    [TestCase("55217862900132", true)]
    [TestCase("W751234567", true)]
    [TestCase("123456789", true)]
    [TestCase("12345678", false)]
    [TestCase("123456789012345", false)]
    [TestCase("1234567890 1", false)]
    [TestCase("123456789\n", false)]
    public void A_pivot_has_nine_to_fourteen_letters_or_digits(string value, bool valid) =>
        Assert.That(Identifiers.IsPivot(value), Is.EqualTo(valid));

    [TestCase("FR1420041010050500013M02606", true)]
    [TestCase("FR7630006000011234567890189", true)]
    [TestCase("MC5811222000010123456789030", true)]
    [TestCase("DE89370400440532013000", true)]
    [TestCase("NO9386011117947", true)]
    [TestCase("MT84MALT011000012345MTLCAST001S", true)]
    [TestCase("FR7630006000011234567890188", false)]
    [TestCase("FR763000600001123456789018", false)]
    [TestCase("FR76 3000 6000 0112 3456 7890 189", false)]
    [TestCase("fr7630006000011234567890189", false)]
    [TestCase("7630006000011234567890189FR", false)]
    [TestCase("NO938601111794", false)]
    [TestCase("", false)]
    public void An_iban_has_the_length_of_its_country_and_is_one_modulo_97(string value, bool valid) =>
        Assert.That(Identifiers.IsIban(value), Is.EqualTo(valid));

    [Test]
    public void A_french_iban_has_twenty_seven_characters_even_when_the_key_fits_another_length()
    {
        var shorter = Enumerable.Range(2, 97).Select(key => $"FR{key:D2}3000600001123456789018").ToList();
        var german = Enumerable.Range(2, 97).Select(key => $"DE{key:D2}370400440532013000").ToList();
        Assert.That(shorter.Any(Identifiers.IsIban), Is.False);
        Assert.That(german.Count(Identifiers.IsIban), Is.EqualTo(1));
    }

    [Test]
    public void An_iban_key_is_never_00_01_or_99()
    {
        for (var account = 0; account < 10_000; account++)
            foreach (var key in new[] { "00", "01", "99" })
                if (Identifiers.IsIban($"FR{key}300060000112345678{account:D5}"))
                    Assert.Fail($"FR{key} with account {account} was accepted.");
    }

    [TestCase("BNPAFRPP", true)]
    [TestCase("BNPAFRPPXXX", true)]
    [TestCase("CEPAFRPP751", true)]
    [TestCase("BNPAFRP", false)]
    [TestCase("BNPAFRPPXX", false)]
    [TestCase("bnpafrpp", false)]
    [TestCase("BNPA1RPP", false)]
    [TestCase("BNPAFRP-", false)]
    public void A_bic_has_eight_or_eleven_characters_and_a_country(string value, bool valid) =>
        Assert.That(Identifiers.IsBic(value), Is.EqualTo(valid));

    [Test]
    public void A_luhn_key_makes_a_valid_number_and_no_other_digit_does()
    {
        for (var number = 10_000_000; number < 10_000_500; number++)
        {
            var valid = Enumerable.Range(0, 10).Select(key => $"{number}{key}").Where(Identifiers.IsSiren);
            Assert.That(valid, Is.EqualTo(new[] { $"{number}{Identifiers.LuhnKey($"{number}")}" }));
        }
    }
}

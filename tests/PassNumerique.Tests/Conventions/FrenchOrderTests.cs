using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Conventions;

[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class FrenchOrderTests
{
    [TestCase("cote", "côte", "coté", "côté")]
    [TestCase("Eaubonne", "Éauze", "Ebersheim", "Étampes", "Évian")]
    [TestCase("cœlacanthe", "cœur", "coffre")]
    [TestCase("coeur", "cœur")]
    [TestCase("La Baule", "La Rochelle", "Le Havre", "L'Haÿ")]
    [TestCase("Saint Denis", "Saint-Denis", "Saint-Denis-en-Val", "Sainte-Agnès")]
    [TestCase("élan", "ÉLANCÉ")]
    [TestCase("10", "2", "a")]
    [TestCase("naïf", "naître")]
    [TestCase("", "a")]
    [TestCase("pêche", "péché", "pêcher")]
    public void Words_come_as_in_a_dictionary(params string[] words)
    {
        Assert.That(words.Reverse().Order(FrenchOrder.Instance), Is.EqualTo(words));
        Assert.That(words.Order(FrenchOrder.Instance), Is.EqualTo(words));
    }

    [Test]
    public void Only_identical_texts_are_equal()
    {
        string[] texts =
            ["Saint-Denis", "Saint Denis", "saint-denis", "e\u0301t\u00E9", "\u00E9t\u00E9", "", "-"];
        foreach (var a in texts)
            foreach (var b in texts)
                Assert.That(FrenchOrder.CompareFrench(a, b) == 0, Is.EqualTo(a == b), $"{a} and {b}");
    }

    [Test]
    public void A_combining_accent_counts_as_the_accented_letter()
    {
        Assert.That(FrenchOrder.Fold("e\u0301te\u0301"), Is.EqualTo(FrenchOrder.Fold("été")));
        Assert.That(FrenchOrder.CompareFrench("e\u0301t", "et"), Is.Positive);
        Assert.That(FrenchOrder.CompareFrench("e\u0301t", "èt"), Is.Negative);
    }

    [Test]
    public void The_order_is_total_on_any_texts()
    {
        var random = new Random(20_240_101);
        var texts = Enumerable.Range(0, 120).Select(_ => new string([.. Enumerable.Range(0, random.Next(6))
            .Select(_ => "aàeéêœo -'ÆZß1\u0301"[random.Next(15)])])).ToList();
        foreach (var a in texts)
            foreach (var b in texts)
            {
                var order = Math.Sign(FrenchOrder.CompareFrench(a, b));
                if (order != -Math.Sign(FrenchOrder.CompareFrench(b, a)))
                    Assert.Fail($"{a} and {b} have no order.");
                foreach (var c in texts.Where(c => order <= 0 && FrenchOrder.CompareFrench(b, c) <= 0))
                    if (FrenchOrder.CompareFrench(a, c) > 0)
                        Assert.Fail($"{a}, {b} and {c} have no order.");
            }
    }

    [Test]
    public void Nothing_comes_before_a_text()
    {
        Assert.That(FrenchOrder.Instance.Compare(null, ""), Is.Negative);
        Assert.That(FrenchOrder.Instance.Compare("", null), Is.Positive);
        Assert.That(FrenchOrder.Instance.Compare(null, null), Is.Zero);
    }

    [Test]
    public void Long_texts_are_compared_to_the_end()
    {
        var text = new string('œ', 5_000);
        Assert.That(FrenchOrder.CompareFrench(text + "a", text + "b"), Is.Negative);
    }

    [TestCase("L'Haÿ-les-Roses", "l hay les roses")]
    [TestCase("  Œuilly (Aisne) ", "oeuilly aisne")]
    [TestCase("ÇÀ ET LÀ", "ca et la")]
    [TestCase("Straße", "strasse")]
    [TestCase("--", "")]
    public void A_folded_text_has_neither_accent_nor_case_nor_sign(string text, string folded) =>
        Assert.That(FrenchOrder.Fold(text), Is.EqualTo(folded));
}

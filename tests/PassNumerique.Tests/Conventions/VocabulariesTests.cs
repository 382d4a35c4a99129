using System.Reflection;
using NUnit.Framework;
using PassNumerique.Conventions;

namespace PassNumerique.Tests.Conventions;

[TestFixture]
[Parallelizable(ParallelScope.All)]
internal sealed class VocabulariesTests
{
    private static IEnumerable<TestCaseData> EveryList() => typeof(Vocabularies)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Where(field => field.FieldType == typeof(Vocabulary))
        .Select(field => new TestCaseData(field.GetValue(null)).SetArgDisplayNames(field.Name));

    [TestCase(nameof(Vocabularies.Services), 9)]
    [TestCase(nameof(Vocabularies.ActivityKinds), 2)]
    [TestCase(nameof(Vocabularies.Autonomy), 3)]
    [TestCase(nameof(Vocabularies.Levels), 3)]
    [TestCase(nameof(Vocabularies.Thematiques), 19)]
    [TestCase(nameof(Vocabularies.Genders), 4)]
    [TestCase(nameof(Vocabularies.AgeBands), 9)]
    [TestCase(nameof(Vocabularies.SocialStatuses), 6)]
    [TestCase(nameof(Vocabularies.Attendance), 5)]
    [TestCase(nameof(Vocabularies.TargetPublics), 14)]
    [TestCase(nameof(Vocabularies.PersonPublics), 9)]
    [TestCase(nameof(Vocabularies.PicGrounds), 5)]
    [TestCase(nameof(Vocabularies.PicEvidence), 14)]
    [TestCase(nameof(Vocabularies.Channels), 11)]
    [TestCase(nameof(Vocabularies.Charges), 3)]
    [TestCase(nameof(Vocabularies.AddressedPublics), 5)]
    [TestCase(nameof(Vocabularies.SpecificCare), 7)]
    [TestCase(nameof(Vocabularies.NationalProgrammes), 11)]
    [TestCase(nameof(Vocabularies.TrainingLabels), 10)]
    [TestCase(nameof(Vocabularies.AccessModes), 6)]
    [TestCase(nameof(Vocabularies.SupportModes), 4)]
    [TestCase(nameof(Vocabularies.Itinerance), 2)]
    [TestCase(nameof(Vocabularies.Typologies), 91)]
    public void A_list_has_all_its_codes(string list, int count)
    {
        var vocabulary = (Vocabulary)typeof(Vocabularies).GetField(list)!.GetValue(null)!;
        Assert.That(vocabulary.Codes, Has.Count.EqualTo(count));
    }

    [TestCaseSource(nameof(EveryList))]
    public void No_code_and_no_label_comes_twice_and_none_is_empty(object list)
    {
        var vocabulary = (Vocabulary)list;
        Assert.That(vocabulary.Codes, Is.Unique.And.All.Not.Empty);
        Assert.That(vocabulary.Codes.Select(vocabulary.Label), Is.Unique.And.All.Not.Empty);
        Assert.That(vocabulary.Codes.All(vocabulary.Has), Is.True);
    }

    [TestCaseSource(nameof(EveryList))]
    public void A_code_that_is_not_in_a_list_is_shown_as_it_is(object list)
    {
        var vocabulary = (Vocabulary)list;
        Assert.That(vocabulary.Has("retired-code"), Is.False);
        Assert.That(vocabulary.Label("retired-code"), Is.EqualTo("retired-code"));
    }

    [Test]
    public void A_value_of_the_national_standard_is_its_own_label()
    {
        Assert.That(Vocabularies.Services.Label("Utilisation sécurisée du numérique"),
            Is.EqualTo("Utilisation sécurisée du numérique"));
        Assert.That(Vocabularies.Services.Has("utilisation sécurisée du numérique"), Is.False);
        Assert.That(Vocabularies.Charges.Has("Gratuit sous condition"), Is.True);
    }

    [Test]
    public void Whatever_is_asked_about_a_person_may_stay_unknown()
    {
        Vocabulary[] asked = [Vocabularies.Genders, Vocabularies.AgeBands, Vocabularies.SocialStatuses];
        foreach (var list in asked)
            Assert.That(list.Has("unknown") && list.Has("non_communique"), Is.True);
        Assert.That(Vocabularies.PicGrounds.Has(Vocabularies.Unknown), Is.True);
        Assert.That(Vocabularies.PicEvidence.Has(Vocabularies.Unknown), Is.True);
        Assert.That(Vocabularies.Attendance.Codes[0], Is.EqualTo(Vocabularies.Unknown));
    }

    [TestCase(null, true)]
    [TestCase("unknown", true)]
    [TestCase("non_communique", true)]
    [TestCase("none", false)]
    [TestCase("feminin", false)]
    public void Unknown_and_not_communicated_tell_nothing(string? code, bool unknown) =>
        Assert.That(Vocabularies.IsUnknown(code), Is.EqualTo(unknown));

    [TestCase("personnes-en-situation-de-handicap")]
    [TestCase("personnes-en-situation-durgence")]
    [TestCase("personnes-en-situation-juridique-specifique")]
    [TestCase("personnes-exilees")]
    [TestCase("tous-publics")]
    public void A_sensitive_public_is_for_conventions_never_for_a_person(string code)
    {
        Assert.That(Vocabularies.TargetPublics.Has(code), Is.True);
        Assert.That(Vocabularies.PersonPublics.Has(code), Is.False);
    }

    [Test]
    public void A_referral_names_one_of_the_channels()
    {
        Assert.That(Vocabularies.PicEvidence.Label("referred-by-mission-locale"),
            Is.EqualTo("Orienté par : Mission locale"));
        Assert.That(Vocabularies.Channels.Codes.Select(code => "referred-by-" + code),
            Is.All.Matches<string>(Vocabularies.PicEvidence.Has));
        Assert.That(Vocabularies.PicEvidence.Has("referred-by-nobody"), Is.False);
    }

    [Test]
    public void Codes_keep_the_order_in_which_they_are_shown()
    {
        Assert.That(Vocabularies.AgeBands.Codes[0], Is.EqualTo("moins_de_douze"));
        Assert.That(Vocabularies.Channels.Codes[^1], Is.EqualTo("autre"));
        Assert.That(Vocabularies.PersonPublics.Codes,
            Is.EqualTo(Vocabularies.TargetPublics.Codes.Where(Vocabularies.PersonPublics.Has)));
    }

    [Test]
    public void The_same_code_twice_is_no_vocabulary() =>
        Assert.That(() => new Vocabulary(("a", "A"), ("a", "B")), Throws.ArgumentException);
}

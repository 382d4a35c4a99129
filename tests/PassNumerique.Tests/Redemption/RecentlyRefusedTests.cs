using NUnit.Framework;
using PassNumerique.Redemption;

namespace PassNumerique.Tests.Redemption;

/// <summary>What memory says of operations: new is only what lies in a gap, and only while nothing is recorded.</summary>
internal sealed class RecentlyRefusedTests
{
    private const string Site = "site";

    [TestCase("1", ExpectedResult = false)]
    [TestCase("2", ExpectedResult = true)]
    [TestCase("3", ExpectedResult = true)]
    [TestCase("4", ExpectedResult = false)]
    [TestCase("5", ExpectedResult = false)]
    public bool An_operation_is_new_from_the_first_of_a_gap_to_the_one_before_the_next(string operation)
    {
        var refused = new RecentlyRefused();
        refused.KeepGap(7, Site, "2", "4");
        return refused.IsNew(7, Site, operation);
    }

    [Test]
    public void Where_none_comes_after_all_later_ones_are_new()
    {
        var refused = new RecentlyRefused();
        refused.KeepGap(7, Site, "2", null);
        Assert.That(refused.IsNew(7, Site, "f"), Is.True);
        Assert.That(refused.IsNew(7, Site, "1"), Is.False);
    }

    [Test]
    public void Of_two_gaps_the_last_stands_whichever_was_found_first()
    {
        var refused = new RecentlyRefused();
        refused.KeepGap(7, Site, "2", "4");
        refused.KeepGap(7, Site, "6", "8");
        refused.KeepGap(7, Site, "3", "4");
        Assert.That(refused.IsNew(7, Site, "7"), Is.True);
        Assert.That(refused.IsNew(7, Site, "3"), Is.False);
    }

    [Test]
    public void It_is_forgotten_with_the_next_fact_is_of_one_organisation_and_not_kept_where_others_write()
    {
        var refused = new RecentlyRefused();
        refused.KeepGap(7, Site, "2", null);
        Assert.That(refused.IsNew(8, Site, "3"), Is.False);
        Assert.That(refused.IsNew(7, "other", "3"), Is.False);
        Assert.That(refused.IsNew(null, Site, "3"), Is.False);
        refused.KeepGap(null, Site, "2", null);
        Assert.That(refused.IsNew(null, Site, "3"), Is.False);
    }
}

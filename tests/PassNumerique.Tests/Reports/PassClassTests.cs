using NUnit.Framework;
using PassNumerique.Reports;

namespace PassNumerique.Tests.Reports;

internal sealed class PassClassTests
{
    private static readonly Validity Running = new(100, 100, 30);
    private static readonly Validity Over = new(101, 100, 30);

    [TestCase(false, true, 0, true, true, "NotActivated")]
    [TestCase(true, true, 0, true, true, "Blocked")]
    [TestCase(true, false, 0, true, true, "Spent")]
    [TestCase(true, false, 1, true, false, "Returned")]
    [TestCase(true, false, 1, false, false, "Expired")]
    [TestCase(true, false, 1, false, true, "Live")]
    public void The_first_class_that_applies_counts(
        bool activated, bool blocked, long left, bool returned, bool inTime, string expected) =>
        Assert.That(PassClasses.Of(new(activated, blocked, left, returned, inTime), Over).ToString(), Is.EqualTo(expected));

    [Test]
    public void Until_the_end_of_validity_nothing_expires()
    {
        Assert.That(Running.IsExpired(handedOutInTime: false), Is.False);
        Assert.That(new Validity(137, 100, 30).IsExpired(handedOutInTime: true), Is.False);
        Assert.That(new Validity(138, 100, 30).IsExpired(handedOutInTime: true), Is.True);
    }

    [Test]
    public void Ranges_that_overlap_or_touch_count_once()
    {
        var ranges = new SerialRanges([(10, 20), (5, 12), (21, 22), (30, 30)]);
        Assert.That(ranges.Count, Is.EqualTo(19));
        Assert.That(new long[] { 4, 5, 22, 23, 30, 31 }.Select(ranges.Contains),
            Is.EqualTo(new[] { false, true, true, false, true, false }));
    }
}

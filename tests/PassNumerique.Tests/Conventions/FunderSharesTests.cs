using NUnit.Framework;
using PassNumerique.Conventions;

namespace PassNumerique.Tests.Conventions;

internal sealed class FunderSharesTests
{
    [TestCase(2_500, new long[] { 3_500, 6_500 }, new long[] { 875, 1_625 })]
    [TestCase(1, new long[] { 5_000, 5_000 }, new long[] { 1, 0 })]
    [TestCase(-1, new long[] { 5_000, 5_000 }, new long[] { 0, -1 })]
    [TestCase(100, new long[] { 3_333, 3_333, 3_334 }, new long[] { 33, 34, 33 })]
    [TestCase(0, new long[] { 10_000 }, new long[] { 0 })]
    public void Shares_are_rounded_half_up_on_running_sums(long total, long[] shares, long[] parts) =>
        Assert.That(FunderShares.Split(total, shares), Is.EqualTo(parts));

    [TestCase(25, 10, ExpectedResult = 3)]
    [TestCase(24, 10, ExpectedResult = 2)]
    [TestCase(-25, 10, ExpectedResult = -2)]
    [TestCase(-26, 10, ExpectedResult = -3)]
    [TestCase(-15, 10, ExpectedResult = -1)]
    [TestCase(-20, 10, ExpectedResult = -2)]
    public long Halves_go_upwards(long numerator, long denominator) => FunderShares.HalfUp(numerator, denominator);

    [Test]
    public void Parts_sum_to_the_total_whatever_its_sign_and_size()
    {
        var random = new Random(7);
        for (var i = 0; i < 2_000; i++)
        {
            var cuts = Enumerable.Range(0, random.Next(0, 6)).Select(_ => (long)random.Next(0, 10_001)).Append(0).Append(10_000).Order().ToList();
            var shares = cuts.Zip(cuts.Skip(1), (a, b) => b - a).ToList();
            var total = random.NextInt64(-1_000_000_000_000_000, 1_000_000_000_000_000);
            var parts = FunderShares.Split(total, shares);
            Assert.That(parts.Sum(), Is.EqualTo(total));
            for (var f = 0; f < shares.Count; f++)
                Assert.That((long)(parts[f] - ((Int128)total * shares[f] / 10_000)), Is.InRange(-1, 1));
        }
    }
}

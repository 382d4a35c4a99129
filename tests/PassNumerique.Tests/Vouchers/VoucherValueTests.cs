using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

/// <summary>What minutes are worth: the parts of a pass, in cents.</summary>
internal sealed class VoucherValueTests
{
    private static readonly Arbitrary<int> Faces = Arb.From(Gen.Choose(1, 100_000));

    private static readonly Arbitrary<int> Credits = Arb.From(Gen.Choose(1, 6_000));

    private static readonly Arbitrary<int[]> Steps = Arb.From(Gen.Choose(1, 60).ArrayOf(20));

    [TestCase(0, 1_000, 120, 0)]
    [TestCase(120, 1_000, 120, 1_000)]
    [TestCase(60, 1_000, 120, 500)]
    [TestCase(1, 1_000, 120, 8, Description = "8.33")]
    [TestCase(5, 1_000, 120, 42, Description = "41.67")]
    [TestCase(1, 1, 2, 1, Description = "half a cent is a cent")]
    [TestCase(1, 1, 3, 0)]
    [TestCase(2, 1, 3, 1)]
    [TestCase(1, 5, 2, 3, Description = "2.5")]
    [TestCase(6_000, 1_000_000_00, 6_000, 1_000_000_00)]
    public void Minutes_are_worth_their_share_of_the_face_half_a_cent_rounded_up(
        long minutes, long faceCents, long creditMinutes, long cents) =>
        Assert.That(VoucherValue.Of(minutes, faceCents, creditMinutes), Is.EqualTo(cents));

    [Test]
    public void However_a_pass_is_used_up_its_parts_are_worth_its_face() => Prop
        .ForAll(Faces, Credits, Steps, (face, credit, steps) =>
        {
            var (used, cents) = (0L, 0L);
            foreach (var step in steps.Append(credit))
            {
                var before = VoucherValue.Of(used, face, credit);
                used = Math.Min(credit, used + step);
                var part = VoucherValue.Of(used, face, credit) - before;
                if (part < 0) return false;
                cents += part;
            }

            return cents == face;
        })
        .QuickCheckThrowOnFailure();
}

using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using PassNumerique.Conventions;

namespace PassNumerique.Tests.Conventions;

/// <summary>Whatever was redeemed and reversed, and whatever the shares: no cent appears and none is lost.</summary>
internal sealed class FunderSharesPropertyTests
{
    private static readonly Gen<long[]> Shares = Gen.Choose(0, 10_000).ArrayOf(4).Select(Between);

    private static readonly Gen<long> NetTotals = Gen.Choose(1, 100_000).NonEmptyListOf()
        .SelectMany(amounts => Gen.Elements(true, false).ArrayOf(amounts.Count).Select(undone => Net([.. amounts], undone)));

    [Test]
    public void The_parts_of_the_net_total_sum_to_it_after_any_history() => Prop
        .ForAll(Arb.From(Shares), Arb.From(NetTotals), (shares, net) =>
        {
            var parts = FunderShares.Split(net, shares);
            return parts.Sum() == net && parts.All(p => p >= 0);
        })
        .QuickCheckThrowOnFailure();

    [Test]
    public void A_net_total_below_zero_is_split_to_the_cent_too() => Prop
        .ForAll(Arb.From(Shares), Arb.From(Gen.Choose(-1_000_000, 0)), (shares, net) =>
            FunderShares.Split(net, shares).Sum() == net)
        .QuickCheckThrowOnFailure();

    [Test]
    public void No_part_is_further_than_a_cent_from_its_share() => Prop
        .ForAll(Arb.From(Shares), Arb.From(Gen.Choose(0, 10_000_000)), (shares, net) => FunderShares.Split(net, shares)
            .Zip(shares, (part, share) => Math.Abs((part * 10_000) - (net * share))).All(distance => distance <= 10_000))
        .QuickCheckThrowOnFailure();

    /// <summary>Shares that sum to 10,000: the gaps between cuts of the whole.</summary>
    private static long[] Between(int[] cuts)
    {
        var borders = cuts.Append(0).Append(10_000).Order().ToArray();
        return [.. borders.Zip(borders.Skip(1), (from, to) => (long)(to - from))];
    }

    /// <summary>What is left of the redemptions when those marked were reversed.</summary>
    private static long Net(int[] amounts, bool[] undone) => amounts.Where((_, i) => !undone[i]).Sum(cents => (long)cents);
}

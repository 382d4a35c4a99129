using PassNumerique.Conventions;

namespace PassNumerique.Settlement;

/// <summary>
/// What is withheld from a site: the downstream commission of the terms, in basis points before tax, and its
/// VAT, each rounded half up on the sum of the lines of one convention and version of its terms.
/// </summary>
internal readonly record struct DownstreamFee(long NetOfTaxCents, long VatCents)
{
    public long Cents => NetOfTaxCents + VatCents;

    public static DownstreamFee Of(long grossCents, Terms terms)
    {
        var fee = FunderShares.HalfUp((Int128)grossCents * terms.DownstreamFeeBasisPoints, FunderShares.Whole);
        return new(fee, FunderShares.HalfUp((Int128)fee * terms.FeeVatBasisPoints, FunderShares.Whole));
    }

    public static DownstreamFee operator +(DownstreamFee a, DownstreamFee b) =>
        new(a.NetOfTaxCents + b.NetOfTaxCents, a.VatCents + b.VatCents);
}

namespace PassNumerique.Conventions;

/// <summary>
/// What each funder owes of a value: funder i gets R(Sᵢ × total) − R(Sᵢ₋₁ × total), S the summed shares and R
/// half up. The parts always sum to the total to the cent, for a negative total too. Amounts per funder exist
/// once, on the net total of a convention and version of its shares; the parts of a single redemption are
/// indicative and are never summed.
/// </summary>
internal static class FunderShares
{
    public const long Whole = 10_000;

    /// <param name="netCents">The value to share, in cents; reversals make it smaller, even negative.</param>
    /// <param name="sharesBasisPoints">Shares in the convention's order, which sum to 10,000.</param>
    public static long[] Split(long netCents, IReadOnlyList<long> sharesBasisPoints)
    {
        var parts = new long[sharesBasisPoints.Count];
        var (summed, given) = (0L, 0L);
        for (var i = 0; i < parts.Length; i++)
        {
            summed += sharesBasisPoints[i];
            var upTo = HalfUp((Int128)summed * netCents, Whole);
            parts[i] = upTo - given;
            given = upTo;
        }

        return parts;
    }

    /// <summary>A quotient rounded to the nearest whole number, its halves upwards: R(2,5) = 3, R(−2,5) = −2.</summary>
    public static long HalfUp(Int128 numerator, Int128 denominator)
    {
        var twice = (2 * numerator) + denominator;
        var quotient = twice / (2 * denominator);
        return (long)(twice % (2 * denominator) < 0 ? quotient - 1 : quotient);
    }
}

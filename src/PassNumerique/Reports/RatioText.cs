using PassNumerique.Platform;

namespace PassNumerique.Reports;

/// <summary>A rate as the page writes it: French number, then numerator over denominator.</summary>
internal static class RatioText
{
    public static string Value(Ratio ratio) => ratio switch
    {
        { BasisPoints: { } points } => French.Percent(points, 10_000),
        { Hundredths: { } hundredths } => French.Decimal(hundredths),
        _ => "–",
    };

    public static string Parts(Ratio ratio) =>
        $"{French.Count(ratio.Numerator)} sur {French.Count(ratio.Denominator)}";
}

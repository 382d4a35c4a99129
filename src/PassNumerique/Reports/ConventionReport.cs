using System.Text.Json.Serialization;

namespace PassNumerique.Reports;

/// <summary>
/// The report of a convention at a cut-off: pure data, whole numbers and texts only, every list in a fixed
/// order, so that the same cut-off and definitions give the same bytes.
/// </summary>
internal sealed record ConventionReport(
    ReportCutOff CutOff,
    ReportConvention Convention,
    IReadOnlyList<FunnelStep> Funnel,
    ClassTable Classes,
    IReadOnlyList<Ratio> Rates,
    PersonCounts Persons,
    FirstUseDelay FirstUse,
    PicTable Pic,
    NewPublic NewPublic,
    HoursDelivered Hours,
    IReadOnlyList<Breakdown> Breakdowns,
    IReadOnlyList<PointLine> Points,
    IReadOnlyList<SiteLine> Sites,
    MoneyTable Money,
    LeadTimeTable LeadTimes,
    IReadOnlyList<ScoreGain> ScoreGains,
    IReadOnlyList<Ratio> Unknowns,
    IReadOnlyList<Ratio> TargetReach,
    IReadOnlyList<ObjectiveLine> Objectives,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] OfflineGuarantee? OfflineGuarantee = null)
{
    /// <summary>Changes whenever a definition below does: the same cut-off then has other figures.</summary>
    public const string DefinitionsVersion = "1";
}

/// <summary>Both clocks, and the seal that the figures can be checked against.</summary>
internal sealed record ReportCutOff(
    DateOnly ServedThrough, string KnownAt, long Batch, string SealedAt, string Root, string Chain,
    string DefinitionsVersion);

internal sealed record ReportConvention(
    string Id, string Reference, string AuthorityId, string AuthorityName, string? HubId, string? Program,
    long TermsVersion, DateOnly SignedOn, DateOnly StartsOn, DateOnly EndsOn, long FaceValueCents,
    long MinutesPerVoucher, long BudgetCents, IReadOnlyList<string> TargetPublics);

/// <summary>
/// A step of the funnel, or a side exit. Persons are null where a step is about stock, not about people.
/// </summary>
internal sealed record FunnelStep(string Code, string Label, long Passes, long? Persons, bool IsExit, string Definition);

/// <summary>
/// The six classes. In passes they sum to the passes issued; in minutes and cents they sum, with what was
/// redeemed, to the minutes and cents issued.
/// </summary>
internal sealed record ClassTable(
    Amounts Issued, Amounts Redeemed, IReadOnlyList<ClassLine> Classes, long ReplacedPapers);

internal sealed record Amounts(long Passes, long Minutes, long Cents);

internal sealed record ClassLine(string Code, string Label, long Passes, long Minutes, long Cents, string Definition);

/// <summary>
/// A figure with what it is made of. <paramref name="BasisPoints"/> for a share, else
/// <paramref name="Hundredths"/>, both rounded half up, null where the denominator is 0.
/// </summary>
internal sealed record Ratio(
    string Code, string Label, long Numerator, long Denominator, long? BasisPoints, long? Hundredths, string Definition)
{
    public static Ratio Share(string code, string label, long numerator, long denominator, string definition) =>
        new(code, label, numerator, denominator, Rounded(numerator, denominator, 10_000), null, definition);

    public static Ratio Mean(string code, string label, long numerator, long denominator, string definition) =>
        new(code, label, numerator, denominator, null, Rounded(numerator, denominator, 100), definition);

    private static long? Rounded(long numerator, long denominator, long factor) => denominator == 0
        ? null
        : Conventions.FunderShares.HalfUp((Int128)numerator * factor, denominator);
}

/// <summary>
/// Persons are distinct person numbers of the convention; an anonymous booklet and a booklet whose hand-out
/// was never recorded count as one each.
/// </summary>
internal sealed record PersonCounts(
    long Total, long Identified, long AnonymousBooklets, long UnrecordedHandOuts, Ratio AnonymousShare);

/// <summary>Days from hand-out to first use; <paramref name="MedianDays"/> is a decimal such as <c>12.5</c>.</summary>
internal sealed record FirstUseDelay(long Booklets, string? MedianDays, Ratio Under30Days);

/// <summary>The PIC public at four points, against the quota of the convention and its base.</summary>
internal sealed record PicTable(long? QuotaBasisPoints, string? QuotaBase, IReadOnlyList<PicLine> Lines);

internal sealed record PicLine(
    string Code, string Label, string Unit, long Yes, long No, long Unknown, Ratio Share, Ratio ShareOfKnown,
    bool IsQuotaBase, bool? MeetsQuota);

/// <summary>The answer to "first visit here?" at the first redemption of each booklet.</summary>
internal sealed record NewPublic(long Yes, long No, long Unknown, Ratio Rate);

/// <summary>Time delivered, apart from the time that passes were debited.</summary>
internal sealed record HoursDelivered(
    long PersonMinutes, long IndividualMinutes, long CollectiveMinutes, long OtherMinutes, long Sessions,
    long SessionMinutes, long DebitedMinutes, long Redemptions);

/// <summary>
/// Services rendered offline with a pass that others had used, paid within the guarantee or a settled dispute:
/// their hours are in <see cref="HoursDelivered"/>; passes, rates and shares are without them. Named only where
/// there are some.
/// </summary>
internal sealed record OfflineGuarantee(long Passes, long Minutes, long DeliveredMinutes, long Cents, long PaidCents);

/// <summary>One dimension: age band, gender, channel, commune or public.</summary>
internal sealed record Breakdown(string Code, string Label, IReadOnlyList<BreakdownLine> Lines);

internal sealed record BreakdownLine(
    string Key, string Label, long Persons, long Booklets, long HandedOutPasses, long RedeemedPasses,
    long DebitedMinutes, long DeliveredMinutes);

/// <summary>A distribution point: what it was given, what it handed out, what sleeps in its drawers.</summary>
internal sealed record PointLine(
    string Id, string Name, string Channel, string Commune, long AllocatedBooklets, long HandedOutBooklets,
    long HandedOutPasses, long RedeemedPasses, long StockBooklets, long StockPasses, long? OldestStockDays);

internal sealed record SiteLine(
    string Id, string Name, string Commune, string LabelStatus, long Redemptions, long DebitedMinutes,
    long DeliveredMinutes, long Cents, long PaidCents);

/// <summary>
/// Money. The amounts per funder sum to the value redeemed, to the cent; so do the lines by site and month.
/// </summary>
internal sealed record MoneyTable(
    long BudgetCents, long OrderedCents, long ActivatedCents, long RedeemedCents, long PaidCents,
    long ReceivedCents, long ReceivedFaceCents, long ExposureCents, IReadOnlyList<FunderLine> Funders,
    IReadOnlyList<ShareLine> Shares, IReadOnlyList<SiteMonthLine> SiteMonths, IReadOnlyList<CostLine> Costs,
    FullCost FullCost);

internal sealed record FunderLine(
    string Name, string Kind, string Mode, long RedeemedCents, long ReceivedCents, long ReceivedFaceCents);

/// <summary>The amount of one funder under one version of the shares.</summary>
internal sealed record ShareLine(long TermsVersion, string Funder, long ShareBasisPoints, long Cents);

/// <summary>A reversal counts in its own month, <c>yyyy-MM</c>.</summary>
internal sealed record SiteMonthLine(string SiteId, string Month, long Redemptions, long Reversals, long Minutes, long Cents);

internal sealed record CostLine(string Kind, string Label, long Cents);

internal sealed record FullCost(long RedeemedCents, long FeesCents, long CostsCents, long? CentsPerHour, Ratio PerHour);

internal sealed record LeadTimeTable(IReadOnlyList<LeadTime> Steps, IReadOnlyList<OrderDates> Orders);

/// <summary>Days between the first time each of two things happened; null where one has not happened.</summary>
internal sealed record LeadTime(string Code, string Label, DateOnly? From, DateOnly? To, long? Days);

internal sealed record OrderDates(
    string OrderId, DateOnly OrderedOn, DateOnly? DeliveredOn, DateOnly? ActivatedOn, DateOnly? FirstHandOutOn,
    DateOnly? FirstServedOn, DateOnly ValidUntil);

/// <summary>
/// Mean of t1 − t0 over persons who took both with one instrument; the 95 % interval is mean ± 1.96 s ÷ √n.
/// Texts are decimals with two places, null where n is too small.
/// </summary>
internal sealed record ScoreGain(
    string Instrument, string Version, long MaxScore, long Pairs, Ratio Attrition, Ratio MeanGain, string? Low95,
    string? High95, string EvidenceLevel);

/// <summary>An objective beside its result, in the unit of its indicator.</summary>
internal sealed record ObjectiveLine(
    string Indicator, string Label, string Unit, long Target, DateOnly By, long? Result, string Status);

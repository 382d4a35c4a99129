using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Reports;

/// <summary>
/// The bilan of a convention: every figure of it with its numerator and denominator, from the facts sealed at
/// the cut-off and from nothing else, so that it can be made again, byte for byte, in ten years.
/// </summary>
internal static class BuildConventionReport
{
    /// <summary>The report, or <c>not-found</c> where the caller may not see the convention.</summary>
    public static async Task<Result<ConventionReport>> RunAsync(
        Session db, string conventionId, CutOff cutOff, CancellationToken ct = default)
    {
        var day = cutOff.ServedThroughDay;
        var reads = new ReportReads(db, conventionId, cutOff.Seal.Batch, day);
        if (await reads.ConventionAsync(db.Caller.Scope, ct) is not var (card, authorityName)) return Problems.NotFound;
        var version = card.InForce(day);
        var tally = await TallyAsync(reads, day, version.Terms, ct);
        var points = new Dictionary<string, PointRow>(StringComparer.Ordinal);
        foreach (var id in Places.PointIds(tally)) points[id] = await reads.PointAsync(id, ct);
        var sites = new Dictionary<string, (SiteRow, string)>(StringComparer.Ordinal);
        foreach (var id in tally.Money.BySite.Keys)
            sites[id] = (await reads.SiteAsync(id, ct), await reads.LabelAsync(id, ct));
        var money = Money.Table(tally, card, version.Terms, await reads.ReceiptsAsync(ct), await reads.CostsAsync(ct),
            await reads.ExposureAsync(ct));

        var report = new ConventionReport(
            Header(cutOff),
            Convention(card, version, authorityName),
            Funnel.Steps(tally, version.Terms.BudgetCents / version.Terms.FaceValueCents),
            Funnel.Classes(tally),
            Funnel.Rates(tally),
            Publics.Persons(tally),
            Funnel.FirstUse(tally),
            Publics.Pic(tally, version.Terms),
            Publics.NewPublic(tally),
            await HoursAsync(reads, tally.Hours, ct),
            Publics.Breakdowns(tally, points),
            Places.Points(tally, points, day),
            Places.Sites(tally, sites),
            money,
            LeadTimes.Table(tally, card),
            ScoreGains.Of(await reads.AssessmentsAsync(ct)),
            Publics.Unknowns(tally),
            Publics.TargetReach(tally, version.Terms),
            [],
            tally.Guarantee);
        return report with { Objectives = Objectives.Lines(report, version.Terms) };
    }

    private static async Task<PassTally> TallyAsync(ReportReads reads, long day, Terms terms, CancellationToken ct)
    {
        var tally = new PassTally(await reads.ReplacementsAsync(ct));
        var guarantees = await reads.GuaranteesAsync(ct);
        foreach (var row in await reads.OrdersAsync(ct))
        {
            var blocks = await reads.BlocksAsync(row, ct);
            var order = new IssuedOrder(
                row, await reads.LotsAsync(row, ct),
                new SerialRanges(blocks.Select(b => (b.FirstSerial, b.LastSerial))),
                new Validity(day, row.ValidUntilDay, terms.ToleranceDays), tally.ReplacementPapersIn(row));
            await tally.AddAsync(order, reads.BookletEntriesAsync(row, ct), reads.EntriesAsync(row, ct),
                guarantees.Where(g => g.Serial >= row.FirstSerial && g.Serial <= row.LastSerial));
        }

        tally.Finish();
        return tally;
    }

    private static async Task<HoursDelivered> HoursAsync(ReportReads reads, HoursTally hours, CancellationToken ct)
    {
        var workshopMinutes = 0L;
        foreach (var id in hours.Workshops.Order(StringComparer.Ordinal))
            workshopMinutes += await reads.WorkshopMinutesAsync(id, ct) ?? 0;
        return new(
            hours.PersonMinutes, hours.IndividualMinutes, hours.CollectiveMinutes,
            hours.PersonMinutes - hours.IndividualMinutes - hours.CollectiveMinutes,
            hours.Workshops.Count + hours.OtherSessions, workshopMinutes + hours.OtherSessionMinutes,
            hours.DebitedMinutes, hours.Redemptions);
    }

    private static ReportCutOff Header(CutOff cutOff) => new(
        cutOff.ServedThroughDay.ToDate(), Clock.InstantText(cutOff.KnownAtMs), cutOff.Seal.Batch,
        Clock.InstantText(cutOff.Seal.SealedMs), cutOff.Seal.Root, cutOff.Seal.Chain,
        ConventionReport.DefinitionsVersion);

    private static ReportConvention Convention(ConventionCard card, TermsVersion version, string authorityName)
    {
        var terms = version.Terms;
        return new(
            card.Id, card.Reference, card.AuthorityId, authorityName, card.HubId, terms.Program, version.Version,
            card.Versions[0].SignedDay.ToDate(), terms.StartsOn, terms.EndsOn, terms.FaceValueCents,
            terms.MinutesPerVoucher, terms.BudgetCents, terms.TargetPublics);
    }
}

using PassNumerique.Conventions;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Settlement;
using PassNumerique.Sites;

namespace PassNumerique.Redemption;

/// <summary>
/// What a device may rely on while it is offline, told beforehand: how many second services of this month are
/// still paid to it, convention by convention, of those whose territory the site is in.
/// </summary>
internal static class ShowGuarantee
{
    /// <summary>
    /// Passes of this device in this month of Paris, the month in which they are recorded.
    /// <paramref name="OfflineDays"/> is how old a service may be when it is synchronised.
    /// </summary>
    internal sealed record Line(
        string ConventionId, string Reference, string Month, long LimitPasses, long UsedPasses, long LeftPasses,
        long OfflineDays, long DisputeDays);

    internal static readonly Refusal DeviceKeyNeeded = new("device-key-needed", 403,
        "Seul un appareil muni de sa propre clé se synchronise.",
        "Créez une clé pour cet appareil (POST /api-keys), et envoyez-la dans l'en-tête « Authorization: Bearer … ».");

    internal static void Map(IEndpointRouteBuilder redemptions) =>
        redemptions.Get("/guarantee", Role.Site, ListAsync);

    private static async Task<Result<Page<Line>>> ListAsync(Request request)
    {
        if (!request.Caller.IsKey) return DeviceKeyNeeded;
        var site = await request.Service<SiteCards>().FindAsync(request.Session, request.Caller.PlaceIds[0]);
        if (site is null) return Refusals.SiteUnknown;
        return await Page<Line>.OfAsync(LinesAsync(request, site), _ => true, request.Limit, line => line.ConventionId);
    }

    /// <summary>Where a site may be paid is written in the terms: they are read one by one, a page at a time.</summary>
    private static async IAsyncEnumerable<Line> LinesAsync(Request request, SiteCard site)
    {
        var (db, conventions) = (request.Session, request.Service<ConventionCards>());
        var after = request.FilterId("after");
        while (true)
        {
            var ids = await db.ListAsync<string>(
                Sql.Conventions, new { After = after, Take = Request.MaxLimit }, request.Aborted);
            foreach (var id in ids)
                if (await FindAsync(db, conventions, id, site) is { } line) yield return line;
            if (ids.Count < Request.MaxLimit) yield break;
            after = ids[^1];
        }
    }

    /// <summary>What is left of one convention; null where the site is outside of it, or it has ended.</summary>
    internal static async Task<Line?> FindAsync(
        Session db, ConventionCards conventions, string conventionId, SiteCard site)
    {
        var today = site.Today(db.NowMs);
        if (await conventions.FindLatestAsync(db, conventionId) is not { } card) return null;
        var terms = card.InForce(today).Terms;
        if (terms.EndsOn.ToDay() < today || !Territories.Contains([.. terms.Territory], site.Commune)) return null;
        var month = Clock.Month(db.Today);
        var used = await GuaranteeFunds.UsedAsync(db, conventionId, db.Caller.ActorId, month, default);
        return new(conventionId, card.Reference, ListPayables.MonthText(month), terms.OfflineGuaranteePasses, used,
            Math.Max(0, terms.OfflineGuaranteePasses - used), terms.OfflineDays, terms.DisputeDays);
    }

    private static class Sql
    {
        public const string Conventions = """
            SELECT id
              FROM conventions
             WHERE @After IS NULL OR id > @After
             ORDER BY id
            {limit}
            """;
    }
}

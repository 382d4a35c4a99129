using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Custody;

/// <summary>The stock of every point of a collectivité, by age: where booklets sleep is seen at one glance.</summary>
internal static class ListStock
{
    internal const Role Readers = Role.Overseers | Role.Authority | Role.Agent;

    /// <summary>Where an age class begins, in days since delivery; the last one has no end.</summary>
    internal static readonly long[] AgeBounds = [0, 31, 91, 181];

    internal sealed record Item(
        string DistributionPointId, string Name, string Channel, string Commune, long Booklets, long Passes, long ValueCents,
        long HandedOutBooklets, long ComingBooklets, long LeavingBooklets, long? OldestDays, DateOnly? EarliestValidUntil,
        IReadOnlyList<AgeClass> Ages);

    /// <summary><paramref name="ToDays"/> is the last day of the class, none in the last one.</summary>
    internal sealed record AgeClass(long FromDays, long? ToDays, long Booklets);

    internal static void Map(IEndpointRouteBuilder stock) => stock.Get("/", Readers, ListAsync);

    internal static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        var authorityId = AuthorityOf(request);
        var points = (await CustodyPoint.ListAsync(db, authorityId, ct))
            .Where(p => request.Caller.Reaches(p.Id, Role.Agent)
                && (request.After is null || string.CompareOrdinal(p.Id, request.After) > 0))
            .Take((int)request.Limit + 1).ToList();
        var lines = (await Stock.ReadAsync(db, authorityId, null, db.Today, ct)).ToLookup(l => l.PointId);
        var transit = await Stock.TransitAsync(db, authorityId, ct);
        return Page<CustodyPoint>.Of(points, request.Limit, p => p.Id)
            .To(p => Show(p, [.. lines[p.Id]], transit, db.Today));
    }

    /// <summary>Whose stock: the caller's own; who oversees several collectivités names one.</summary>
    internal static string AuthorityOf(Request request) => request.Caller.Scope ?? request.FilterId("authorityId")
        ?? throw new InvalidRequestException("authorityId", "Dites de quelle collectivité vous voulez le stock.");

    private static Item Show(
        CustodyPoint point, IReadOnlyList<StockLine> lines, IReadOnlyList<TransitLine> transit, long today)
    {
        var left = lines.Where(l => l.Left > 0).ToList();
        return new(
            point.Id, point.Name, point.Channel, point.Commune, left.Sum(l => l.Left), left.Sum(l => l.Passes),
            left.Sum(l => l.Cents), lines.Sum(l => l.HandedOut),
            transit.Where(t => t.ToPointId == point.Id).Sum(t => t.Booklets),
            transit.Where(t => t.FromPointId == point.Id).Sum(t => t.Booklets),
            left.Max(l => l.AgeDays(today)), left.Count == 0 ? null : left.Min(l => l.UntilDay).ToDate(), Ages(left, today));
    }

    /// <summary>Every booklet is in exactly one class.</summary>
    internal static IReadOnlyList<AgeClass> Ages(IReadOnlyList<StockLine> lines, long today) =>
    [
        .. AgeBounds.Select((from, i) =>
        {
            long? to = i + 1 < AgeBounds.Length ? AgeBounds[i + 1] - 1 : null;
            return new AgeClass(from, to,
                lines.Where(l => l.AgeDays(today) >= from && (to is null || l.AgeDays(today) <= to)).Sum(l => l.Left));
        })
    ];
}

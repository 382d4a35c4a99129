using PassNumerique.Platform;

namespace PassNumerique.Custody;

/// <summary>Inventories of a collectivité's points, differences and their explanations included.</summary>
internal static class ReadInventories
{
    internal sealed record Item(
        string Id, string PointId, string PointName, DateOnly On, bool ByNumber, long ExpectedBooklets, long CountedBooklets,
        long Difference, string? Explanation, string RecordedAt);

    internal sealed record Detail(
        Item Inventory, IReadOnlyList<long> MissingBookletNumbers, IReadOnlyList<long> SurplusBookletNumbers);

    internal static void Map(IEndpointRouteBuilder inventories)
    {
        inventories.Get("/", ListStock.Readers, ListAsync);
        inventories.Get("/{id}", ListStock.Readers, FindAsync);
    }

    internal static async Task<Result<Page<Item>>> ListAsync(Request request)
    {
        var args = new { request.Caller.Scope, PointId = request.FilterId("pointId"), request.After };
        var rows = request.Session.StreamAsync<Row>(Sql.List, args, request.Aborted);
        var page = await Page<Row>.OfAsync(rows, r => request.Caller.Reaches(r.PointId, Role.Agent), request.Limit, r => r.Id);
        return page.To(Show);
    }

    /// <summary>Those of one point that the caller may see, the latest first.</summary>
    internal static async Task<IReadOnlyList<Item>> OfPointAsync(Request request, string pointId)
    {
        var args = new { request.Caller.Scope, PointId = pointId, Take = 20L };
        return [.. (await request.Session.ListAsync<Row>(Sql.Latest, args, request.Aborted)).Select(Show)];
    }

    private static async Task<Result<Detail>> FindAsync(Request request)
    {
        var (db, ct) = (request.Session, request.Aborted);
        var row = await db.FindAsync<Row>(Sql.Find, new { Id = request.Id(), request.Caller.Scope }, ct);
        if (row is null || !request.Caller.Reaches(row.PointId, Role.Agent)) return Problems.NotFound;
        var rows = await db.ListAsync<DifferenceRow>(Sql.Differences, new { InventoryId = row.Id }, ct);
        var differences = rows.ToLookup(d => d.Difference, d => d.Booklet);
        return new Detail(Show(row), [.. differences["missing"]], [.. differences["surplus"]]);
    }

    private static Item Show(Row r) => new(
        r.Id, r.PointId, r.PointName, r.OnDay.ToDate(), r.ByNumber == 1, r.Expected, r.Counted, r.Counted - r.Expected,
        r.Explanation, Clock.InstantText(r.RecordedMs));

    private sealed record Row(
        string Id, string PointId, string PointName, long OnDay, long ByNumber, long Expected, long Counted,
        string? Explanation, long RecordedMs);

    private sealed record DifferenceRow(string Difference, long Booklet);

    private static class Sql
    {
        private const string Columns = """
            SELECT i.id AS Id,
                   i.point_id AS PointId,
                   p.name AS PointName,
                   i.on_day AS OnDay,
                   i.by_number AS ByNumber,
                   i.expected_booklets AS Expected,
                   i.counted_booklets AS Counted,
                   i.explanation AS Explanation,
                   i.recorded_ms AS RecordedMs
              FROM inventories i
              JOIN distribution_points p ON p.id = i.point_id
            """;

        public const string List = Columns + """

             WHERE (@Scope IS NULL OR p.authority_id = @Scope)
               AND (@PointId IS NULL OR i.point_id = @PointId)
               AND (@After IS NULL OR i.id > @After)
             ORDER BY i.id
            """;

        public const string Latest = Columns + """

             WHERE i.point_id = @PointId AND (@Scope IS NULL OR p.authority_id = @Scope)
             ORDER BY i.id DESC
            {limit}
            """;

        public const string Find = Columns + """

             WHERE i.id = @Id AND (@Scope IS NULL OR p.authority_id = @Scope)
            """;

        public const string Differences = """
            SELECT difference AS Difference,
                   booklet AS Booklet
              FROM inventory_differences
             WHERE inventory_id = @InventoryId
             ORDER BY booklet
            """;
    }
}

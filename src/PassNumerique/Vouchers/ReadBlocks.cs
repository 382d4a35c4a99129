using PassNumerique.Platform;

namespace PassNumerique.Vouchers;

/// <summary>The blocks of a collectivité's orders, lifted ones included.</summary>
internal static class ReadBlocks
{
    private const Role Readers = Role.Overseers | Role.Authority;

    internal sealed record Line(
        string Id, string OrderId, long FirstSerial, long LastSerial, string Reason, string BlockedAt, bool Lifted,
        string? LiftedAt, string? LiftReason);

    internal static void Map(IEndpointRouteBuilder blocks)
    {
        blocks.Get("/", Readers, ListAsync);
        blocks.Get("/{id}", Readers, FindAsync);
    }

    internal static async Task<Result<Page<Line>>> ListAsync(Request request)
    {
        var rows = await request.Session.ListAsync<Row>(Sql.List, new
        {
            request.Caller.Scope,
            request.After,
            Take = request.Limit + 1,
        }, request.Aborted);
        return Page<Line>.Of([.. rows.Select(Show)], request.Limit, line => line.Id);
    }

    private static async Task<Result<Line>> FindAsync(Request request)
    {
        var args = new { Id = request.Id(), request.Caller.Scope };
        return await request.Session.FindAsync<Row>(Sql.Find, args, request.Aborted) is { } row
            ? Show(row)
            : Problems.NotFound;
    }

    private static Line Show(Row row) => new(
        row.Id, row.OrderId, row.FirstSerial, row.LastSerial, row.Reason, Clock.InstantText(row.BlockedMs),
        row.LiftedMs is not null, row.LiftedMs is { } ms ? Clock.InstantText(ms) : null, row.LiftReason);

    private sealed record Row(
        string Id, string OrderId, long FirstSerial, long LastSerial, string Reason, long BlockedMs, long? LiftedMs,
        string? LiftReason);

    private static class Sql
    {
        public const string List = """
            SELECT b.id AS Id,
                   o.id AS OrderId,
                   b.first_serial AS FirstSerial,
                   b.last_serial AS LastSerial,
                   b.reason AS Reason,
                   b.recorded_ms AS BlockedMs,
                   l.recorded_ms AS LiftedMs,
                   l.reason AS LiftReason
              FROM blocks b
              JOIN orders o ON o.first_serial = b.order_serial
              LEFT JOIN block_lifts l ON l.block_id = b.id
             WHERE (@Scope IS NULL OR o.authority_id = @Scope)
               AND (@After IS NULL OR b.id > @After)
             ORDER BY b.id
            {limit}
            """;

        public const string Find = """
            SELECT b.id AS Id,
                   o.id AS OrderId,
                   b.first_serial AS FirstSerial,
                   b.last_serial AS LastSerial,
                   b.reason AS Reason,
                   b.recorded_ms AS BlockedMs,
                   l.recorded_ms AS LiftedMs,
                   l.reason AS LiftReason
              FROM blocks b
              JOIN orders o ON o.first_serial = b.order_serial
              LEFT JOIN block_lifts l ON l.block_id = b.id
             WHERE b.id = @Id AND (@Scope IS NULL OR o.authority_id = @Scope)
            """;
    }
}

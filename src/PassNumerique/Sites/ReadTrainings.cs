using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>A training as it is shown: how many agents of a point, on a day.</summary>
internal sealed record TrainingView(string Id, string PointId, DateOnly On, long Agents);

internal sealed record TrainingRow(string Id, string PointId, long OnDay, long Agents)
{
    public TrainingView Show() => new(Id, PointId, OnDay.ToDate(), Agents);
}

/// <summary>The trainings of an authority's points.</summary>
internal static class ReadTrainings
{
    internal static void Map(IEndpointRouteBuilder trainings)
    {
        trainings.Get("/", Role.Overseers | Role.Authority, ListAsync);
        trainings.Get("/{id}", Role.Overseers | Role.Authority, FindAsync);
    }

    private static async Task<Result<Page<TrainingView>>> ListAsync(Request request)
    {
        var limit = request.Limit;
        var rows = await request.Session.ListAsync<TrainingRow>(Sql.List, new
        {
            request.Caller.Scope,
            PointId = request.FilterId("pointId"),
            request.After,
            Take = limit + 1,
        }, request.Aborted);
        return Page<TrainingRow>.Of(rows, limit, t => t.Id).To(t => t.Show());
    }

    private static async Task<Result<TrainingView>> FindAsync(Request request)
    {
        var row = await request.Session.FindAsync<TrainingRow>(
            Sql.Find, new { request.Caller.Scope, Id = request.Id() }, request.Aborted);
        return row is null ? Problems.NotFound : row.Show();
    }

    private static class Sql
    {
        public const string List = """
            SELECT t.id AS Id,
                   t.point_id AS PointId,
                   t.on_day AS OnDay,
                   t.agents AS Agents
              FROM trainings t
              JOIN distribution_points p ON p.id = t.point_id
             WHERE (@Scope IS NULL OR p.authority_id = @Scope)
               AND (@PointId IS NULL OR t.point_id = @PointId)
               AND (@After IS NULL OR t.id > @After)
             ORDER BY t.id
            {limit}
            """;

        public const string Find = """
            SELECT t.id AS Id,
                   t.point_id AS PointId,
                   t.on_day AS OnDay,
                   t.agents AS Agents
              FROM trainings t
              JOIN distribution_points p ON p.id = t.point_id
             WHERE t.id = @Id AND (@Scope IS NULL OR p.authority_id = @Scope)
            """;
    }
}

using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Sites;

namespace PassNumerique.Orders;

/// <summary>What a collectivité prints on its passes; without a logo there are no bytes.</summary>
internal sealed record PrintSettings(string AuthorityId, string? Text, string? Telephone, byte[] Logo);

/// <summary>What is printed on the passes of a collectivité by now: nothing of its own where it set nothing.</summary>
internal static class ReadPrintSettings
{
    internal static void Map(IEndpointRouteBuilder settings) => settings
        .Get("/", Role.Operator | Role.Authority, ReadAsync);

    internal static Task<PrintSettings?> FindAsync(Session db, string authorityId, CancellationToken ct) =>
        db.FindAsync<PrintSettings>(Sql.Last, new { AuthorityId = authorityId, Take = 1L }, ct);

    private static async Task<Result<PrintSettings>> ReadAsync(Request request)
    {
        var (scope, named) = (request.Caller.Scope, request.FilterId("authorityId"));
        if ((named ?? scope) is not { } authorityId)
            throw new InvalidRequestException("authorityId", "L'opérateur nomme la collectivité, par son UUID.");
        if (scope is not null && scope != authorityId) return CreateDistributionPoint.UnknownAuthority;
        return await FindAsync(request.Session, authorityId, request.Aborted)
            ?? new PrintSettings(authorityId, null, null, []);
    }

    private static class Sql
    {
        public const string Last = """
            SELECT authority_id AS AuthorityId,
                   print_text AS Text,
                   telephone AS Telephone,
                   logo AS Logo
              FROM print_settings
             WHERE authority_id = @AuthorityId
             ORDER BY position DESC
            {limit}
            """;
    }
}

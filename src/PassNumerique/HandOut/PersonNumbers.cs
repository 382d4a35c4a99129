using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.HandOut;

/// <summary>
/// Numbers by which a convention counts persons. A number points to nothing: only the link from a reference's
/// digest leads to it, and erasure deletes the link.
/// </summary>
internal static class PersonNumbers
{
    /// <summary>The number of a reference within a convention, a new one where it is not known or not given.</summary>
    public static async Task<long> OfAsync(Session db, KeyRing keys, string conventionId, string? reference)
    {
        if (string.IsNullOrWhiteSpace(reference)) return await NextAsync(db, conventionId);
        var link = new { ConventionId = conventionId, Digest = keys.PersonDigest(conventionId, reference) };

        // The link is held until the command ends: an erasure at the same moment waits for it, and deletes the
        // contact that the command adds.
        if (await db.ExecuteAsync(Sql.Hold, link) == 1) return await db.FindAsync<long>(Sql.Find, link);
        var number = await NextAsync(db, conventionId);
        await db.ExecuteAsync(Sql.Link, new { link.ConventionId, link.Digest, Number = number, db.NowMs });
        return number;
    }

    private static async Task<long> NextAsync(Session db, string conventionId)
    {
        var counter = new { Counter = $"person:{conventionId}" };
        if (await db.ExecuteAsync(Sql.Advance, counter) == 0) await db.ExecuteAsync(Sql.Begin, counter);
        return await db.FindAsync<long>(Sql.Current, counter) - 1;
    }

    private static class Sql
    {
        public const string Hold = """
            UPDATE person_links
               SET person_number = person_number
             WHERE convention_id = @ConventionId AND reference_digest = @Digest
            """;

        public const string Find = """
            SELECT person_number
              FROM person_links
             WHERE convention_id = @ConventionId AND reference_digest = @Digest
            """;

        public const string Link = """
            INSERT INTO person_links (convention_id, reference_digest, person_number, created_ms)
            VALUES (@ConventionId, @Digest, @Number, @NowMs)
            """;

        public const string Advance = """
            UPDATE counters
               SET next_value = next_value + 1
             WHERE name = @Counter
            """;

        public const string Begin = """
            INSERT INTO counters (name, next_value)
            VALUES (@Counter, 2)
            """;

        public const string Current = """
            SELECT next_value
              FROM counters
             WHERE name = @Counter
            """;
    }
}

using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform.Data;
using PassNumerique.Tests.Platform.Data;

namespace PassNumerique.Tests.Custody;

/// <summary>A store from before transfers keeps every story, leaf by leaf, and its rules.</summary>
internal sealed class CustodyMigrationTests
{
    private const string Migration = "0012_custody.sql";

    [Test]
    public void The_stories_of_booklets_come_through_with_the_same_leaves()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        foreach (var before in SqlMigrations.Sqlite.TakeWhile(m => m.Name != Migration)) Run(connection, before.Text);
        Run(connection, """
            INSERT INTO booklet_entries (booklet, part, kind, point_id, day, person_number, anonymous, age_band, publics, reason,
                                         organisation_id, operation_id, body_hash, actor_id, recorded_ms, batch)
            VALUES (1, 1, 1, 'p', 20000, 7, 0, 'a', 's|d', NULL, 'o', 'x', 'h', 'a', 5, 3),
                   (1, 2, 4, 'p', 20000, 7, 0, 'b', NULL, 'é', 'o', 'y', 'h', 'a', 6, 4),
                   (6, 1, 3, 'p', 20001, NULL, NULL, NULL, NULL, 'rendu', 'o', 'z', 'h', 'b', 7, 4)
            """);
        var leaves = Leaves(connection);
        Assert.That(() => Run(connection, "UPDATE booklet_entries SET kind = 5 WHERE booklet = 6"), Throws.TypeOf<SqliteException>());

        Run(connection, SqlMigrations.Sqlite.Single(m => m.Name == Migration).Text);
        Assert.That(Leaves(connection), Is.EqualTo(leaves).And.Count.EqualTo(3));
        Run(connection, "UPDATE booklet_entries SET kind = 5 WHERE booklet = 6");
        foreach (var broken in new[]
        {
            "UPDATE booklet_entries SET kind = 9 WHERE booklet = 6",
            "UPDATE booklet_entries SET operation_id = 'x' WHERE booklet = 6",
            "UPDATE booklet_entries SET person_number = NULL WHERE part = 2",
            "UPDATE booklet_entries SET booklet = 1, part = 1 WHERE booklet = 6",
        })
            Assert.That(() => Run(connection, broken), Throws.TypeOf<SqliteException>(), broken);
        Assert.That(() => Run(connection, "SELECT COUNT(*) FROM booklet_entries_kept"), Throws.TypeOf<SqliteException>());
    }

    private static List<string> Leaves(SqliteConnection connection)
    {
        var table = Journal.Tables["booklet_entries"];
        using var command = connection.CreateCommand();
        command.CommandText = $"SELECT {string.Join(", ", table.Columns)} FROM booklet_entries ORDER BY booklet, part";
        using var reader = command.ExecuteReader();
        var leaves = new List<string>();
        while (reader.Read())
        {
            var row = new object?[reader.FieldCount];
            for (var i = 0; i < row.Length; i++) row[i] = reader.IsDBNull(i) ? null : reader.GetValue(i);
            leaves.Add(Convert.ToHexStringLower(table.Leaf(row)));
        }

        return leaves;
    }

    private static void Run(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }
}

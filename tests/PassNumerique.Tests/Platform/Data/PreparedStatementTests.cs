using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>What is bound comes back as it was, and what does not fit is said.</summary>
internal sealed class PreparedStatementTests
{
    private const string Insert = "INSERT INTO things (id, number, text, bytes) VALUES (@Id, @Number, @Text, @Bytes)";
    private const string All = "SELECT id AS Id, number AS Number, text AS Text, bytes AS Bytes FROM things ORDER BY id";

    private PreparedConnection _connection = null!;

    [SetUp]
    public void Open()
    {
        SQLitePCL.Batteries_V2.Init();
        var store = new SqliteConnection("Data Source=:memory:");
        store.Open();
        _connection = new PreparedConnection(store, _ => { });
        _connection.Run("CREATE TABLE things (id INTEGER PRIMARY KEY, number INTEGER, text TEXT, bytes BLOB) STRICT");
    }

    [TearDown]
    public void Close()
    {
        _connection.CloseForGood();
        _connection.Dispose();
    }

    [Test]
    public void Values_come_back_as_they_were_bound()
    {
        Thing[] things =
        [
            new(1, long.MinValue, "", []),
            new(2, long.MaxValue, "é€😀\0après", [0, 255]),
            new(3, null, null, null),
            new(4, 0, new string('ï', 5_000), new byte[5_000]),
            new(5, 5, new string('a', 300), [1]),
        ];
        foreach (var thing in things) Assert.That(_connection.Statement(Insert).Execute(thing), Is.EqualTo(1));
        var read = _connection.Statement(All).List<Thing>(null)!;
        Assert.That(read.Select(t => (t.Id, t.Number, t.Text)), Is.EqualTo(things.Select(t => (t.Id, t.Number, t.Text))));
        Assert.That(read.Select(t => t.Bytes), Is.EqualTo(things.Select(t => t.Bytes)));
        Assert.That(_connection.Statement(All).List<Thing>(null, max: 2), Has.Count.EqualTo(2));
    }

    [Test]
    public void An_empty_text_is_not_an_absent_one()
    {
        _connection.Statement(Insert).Execute(new Thing(1, null, "", []));
        const string absent = "SELECT COUNT(*) FROM things WHERE text IS NULL OR bytes IS NULL";
        Assert.That(_connection.Statement(absent).List<long>(null), Is.EqualTo(new[] { 0L }));
    }

    [Test]
    public void One_column_is_the_value_itself()
    {
        _connection.Statement(Insert).Execute(new Thing(1, null, "a", null));
        Assert.That(_connection.Statement("SELECT text FROM things").List<string>(null), Is.EqualTo(new[] { "a" }));
        Assert.That(_connection.Statement("SELECT number FROM things").List<long?>(null), Is.EqualTo(new long?[] { null }));
        Assert.That(_connection.Statement("SELECT bytes FROM things").List<byte[]>(null), Is.EqualTo(new byte[]?[] { null }));
    }

    [Test]
    public void Rows_that_have_no_place_in_the_type_are_left_to_another_reader()
    {
        Assert.That(_connection.Statement("SELECT id AS Id, number AS Count FROM things").List<Thing>(null), Is.Null);
    }

    private const string Again = """
        INSERT INTO things (id, number, text, bytes)
        SELECT t.id + @Step, t.number, t.text, t.bytes
          FROM things t
         WHERE t.id <= @Last
        """;

    [TestCase(0, ExpectedResult = 0)]
    [TestCase(1, ExpectedResult = 1)]
    [TestCase(3, ExpectedResult = 3)]
    public long What_is_read_of_the_own_table_is_inserted_as_it_was_before(long last)
    {
        Thing[] things = [new(1, long.MinValue, "é\0è", [0, 255]), new(2, null, null, null), new(3, 0, "", [])];
        foreach (var thing in things) _connection.Statement(Insert).Execute(thing);
        var changed = _connection.Statement(Again).Execute(new { Step = 1_000L, Last = last });
        var read = _connection.Statement(All).List<Thing>(null)!;
        Assert.That(read.Take(3).Select(t => (t.Number, t.Text)), Is.EqualTo(things.Select(t => (t.Number, t.Text))));
        Assert.That(read.Skip(3).Select(t => (t.Id - 1_000, t.Number, t.Text)),
            Is.EqualTo(things.Take((int)last).Select(t => (t.Id, t.Number, t.Text))));
        Assert.That(read.Skip(3).Select(t => t.Bytes), Is.EqualTo(things.Take((int)last).Select(t => t.Bytes)));
        return changed;
    }

    [TestCase(1)]
    [TestCase(2)]
    public void A_row_of_the_own_table_that_is_refused_leaves_the_statement_good_for_another_time(long last)
    {
        for (var id = 1; id <= 2; id++) _connection.Statement(Insert).Execute(new Thing(id, id, "a", null));
        Assert.That(() => _connection.Statement(Again).Execute(new { Step = 0L, Last = last }),
            Throws.TypeOf<SqliteException>().With.Property("SqliteExtendedErrorCode").EqualTo(1555));
        Assert.That(_connection.Statement(All).List<Thing>(null), Has.Count.EqualTo(2));
        Assert.That(_connection.Statement(Again).Execute(new { Step = 10L, Last = last }), Is.EqualTo(last));
        Assert.That(_connection.Statement(Again).Execute(new { Step = 20L, Last = 0L }), Is.Zero);
    }

    [Test]
    public void The_one_row_that_is_inserted_is_given_and_a_look_at_it_says_the_same()
    {
        _connection.Statement(Insert).Execute(new Thing(1, null, "é\0è", [0, 255]));
        var again = _connection.Statement(Again);
        Assert.That(again.Insert<Turned>(new { Step = 5L, Last = 0L }), Is.Null);
        var given = again.Insert<Turned>(new { Step = 5L, Last = 1L })!;
        var stored = _connection.Statement(All).List<Thing>(null)!.Last();
        Assert.That((given.Id, given.Number, given.Text), Is.EqualTo((stored.Id, stored.Number, stored.Text)));
        Assert.That(given.Id, Is.EqualTo(6));
    }

    [Test]
    public void What_inserts_several_rows_or_lacks_a_column_or_reads_another_table_gives_no_row()
    {
        for (var id = 1; id <= 2; id++) _connection.Statement(Insert).Execute(new Thing(id, id, "a", null));
        Assert.That(() => _connection.Statement(Again).Insert<Turned>(new { Step = 5L, Last = 2L }), Throws.InvalidOperationException);
        Assert.That(() => _connection.Statement(Again).Insert<Foreign>(new { Step = 9L, Last = 1L }), Throws.InvalidOperationException);
        Assert.That(() => _connection.Statement(Insert).Insert<Turned>(new Thing(9, 9, "a", null)), Throws.InvalidOperationException);
    }

    [Test]
    public void An_error_is_told_and_the_statement_is_good_for_another_time()
    {
        var insert = _connection.Statement(Insert);
        insert.Execute(new Thing(1, null, null, null));
        Assert.That(() => insert.Execute(new Thing(1, null, null, null)),
            Throws.TypeOf<SqliteException>().With.Property("SqliteExtendedErrorCode").EqualTo(1555));
        Assert.That(insert.Execute(new Thing(2, null, null, null)), Is.EqualTo(1));
        Assert.That(() => _connection.Statement("SELECT nothing FROM nowhere"), Throws.TypeOf<SqliteException>());
    }

    [Test]
    public void A_missing_argument_and_one_of_a_foreign_type_are_refused()
    {
        Assert.That(() => _connection.Statement(Insert).Execute(new { Id = 1L }), Throws.InvalidOperationException);
        Assert.That(() => _connection.Statement(Insert).Execute(new { Id = 1.5, Number = 1L, Text = "", Bytes = "" }),
            Throws.InvalidOperationException);
    }

    [Test]
    public void A_write_tells_how_many_rows_it_changed_also_when_there_are_none()
    {
        for (var id = 1L; id <= 3; id++) _connection.Statement(Insert).Execute(new Thing(id, 1, null, null));
        const string update = "UPDATE things SET number = @Next WHERE number = @Number";
        Assert.That(_connection.Statement(update).Execute(new { Number = 1L, Next = 2L }), Is.EqualTo(3));
        Assert.That(_connection.Statement(update).Execute(new { Number = 1L, Next = 2L }), Is.Zero);
    }

    private sealed record Turned(string? Text, long Id, long? Number);

    private sealed record Foreign(long Id, long Weight);

    private sealed record Thing(long Id, long? Number, string? Text, byte[]? Bytes);
}

using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>The disk, the lock or the end come in between: whoever waits hears of it, and the next batch is a good one.</summary>
internal sealed class FailingBatchTests : WriterFixture
{
    private const int IoError = 10;
    private const int DiskFull = 13;

    [Test]
    public async Task What_befalls_the_store_ends_the_batch_and_no_other()
    {
        using var blocked = new Blocked(Database);
        var failed = WriteAsync("a", _ => throw new SqliteException("the disk", IoError));
        var after = Enumerable.Range(0, 40).Select(i => WriteAsync($"n{i}")).ToList();
        blocked.Release();
        Assert.That(() => failed, Unavailable("The batch was not committed."));
        await Task.WhenAll(after);
        Assert.That(await NamesAsync(), Has.Count.EqualTo(40));
    }

    [Test]
    public async Task Who_shares_a_batch_that_fails_hears_of_that_and_not_of_his_own_mistake()
    {
        using var blocked = new Blocked(Database);
        var before = WriteAsync("a");
        var mistaken = WriteAsync("b", _ => throw new InvalidDataException("broken"));
        var failed = WriteAsync("c", _ => throw new SqliteException("the disk", IoError));
        blocked.Release();
        Assert.That(() => before, Unavailable("The batch was not committed."));
        Assert.That(() => mistaken, Unavailable("The batch was not committed."));
        Assert.That(() => failed, Unavailable("The batch was not committed."));
        Assert.That(await NamesAsync(), Is.Empty);
        Assert.That((await WriteAsync("d")).Value, Is.EqualTo("batch 1"));
    }

    [Test]
    public async Task A_command_of_one_statement_that_is_refused_or_breaks_its_constraint_leaves_nothing()
    {
        var id = Ids.New();
        using var blocked = new Blocked(Database);
        var kept = RunAsync(Database, _ => "kept", "a", id, oneStatement: true);
        var refused = RunAsync(Database, _ => No, oneStatement: true);
        var twice = RunAsync(Database, _ => "twice", "b", id, oneStatement: true);
        var after = RunAsync(Database, _ => "kept", "c", oneStatement: true);
        blocked.Release();
        Assert.That((await kept).Value, Is.EqualTo("kept"));
        Assert.That((await refused).Refused, Is.EqualTo(No));
        Assert.That(() => twice, Throws.TypeOf<SqliteException>().With.Property("SqliteErrorCode").EqualTo(19));
        Assert.That((await after).Value, Is.EqualTo("kept"));
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "c" }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_command_that_fails_after_its_one_statement_takes_its_batch_with_it(bool throws)
    {
        using var blocked = new Blocked(Database);
        var before = WriteAsync("a");
        var failed = RunAsync(
            Database, _ => throws ? throw new InvalidDataException("broken") : No, "b", oneStatement: true);
        blocked.Release();
        Assert.That(() => before, Unavailable("A command failed after its one statement."));
        Assert.That(() => failed, Unavailable("A command failed after its one statement."));
        await RunAsync(Database, _ => "kept", "c", oneStatement: true);
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "c" }));
    }

    [Test]
    public async Task A_batch_that_can_not_begin_answers_all_the_same()
    {
        await WriteAsync("a");
        using (var other = Folder.Open())
        {
            Run(other, "BEGIN IMMEDIATE");
            Assert.That(() => WriteAsync("b"), Unavailable("The batch was not committed."));
            Run(other, "ROLLBACK");
        }

        await WriteAsync("c");
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public async Task A_mistake_of_ours_ends_the_batch_and_not_the_writer()
    {
        Clock.NowMs = long.MaxValue; // No date is so late.
        Assert.That(() => WriteAsync("a"), Throws.InstanceOf<ArgumentException>());
        Clock.NowMs = Noon;
        Assert.That((await WriteAsync("b")).Value, Is.EqualTo("batch 1"));
    }

    /// <summary>A disk without room has the log copied, and given back; one that is broken has not.</summary>
    [TestCase(DiskFull, ExpectedResult = 0)]
    [TestCase(IoError, ExpectedResult = 1)]
    public async Task<int> A_full_disk_gets_back_the_room_of_the_log(int code)
    {
        for (var i = 0; i < 20; i++) await WriteAsync($"n{i}");
        for (var i = 0; i < 2; i++)
        {
            Assert.That(() => WriteAsync("x", _ => throw new SqliteException("the disk", code)), Throws.InstanceOf<StoreUnavailableException>());
            await Task.Delay(300);
        }

        return Math.Sign(new FileInfo(Database.Path + "-wal").Length);
    }

    [Test]
    [Platform("Linux")]
    public async Task A_log_that_its_disk_did_not_take_is_written_once_more_and_nobody_is_told_before()
    {
        await WriteAsync("a");
        using (new LostLog(Database.Path))
        {
            Assert.That(() => WriteAsync("b"), Throws.TypeOf<OutcomeUnknownException>()
                .With.Message.EqualTo("The log was written, and its disk did not take it."));
            Assert.That(() => new Session(Database, Clock).FindAsync<long>("SELECT CAST(1 AS bigint)", new { }),
                Unavailable("What was read is not on the disk."));
            Assert.That(Database.Version, Is.EqualTo(1));
            for (var round = 0; round < 2; round++)
            {
                var waiting = Enumerable.Range(0, GroupCommit.MaxWaiting).Select(_ => WriteAsync("c")).ToList();
                foreach (var write in waiting) Assert.That(() => write, Unavailable("The log can't be brought to its disk."));
            }
        }

        Assert.That(async () => (await WriteAsync("d", _ => No)).Refused, Is.EqualTo(No).After(5_000, 20), "503 until then");
        Assert.That(Database.Version, Is.EqualTo(2));
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "b" }));
        Assert.That((await WriteAsync("d")).Value, Is.EqualTo("batch 3"));
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "b", "d" }));
        Assert.That(Database.Version, Is.EqualTo(3));
        await Database.DisposeAsync();
        await using var after = Folder.Database(Clock);
        await after.MigrateAsync();
        Assert.That((await after.LastSealAsync()).Batch, Is.EqualTo(3));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_store_whose_log_has_no_disk_can_be_closed()
    {
        using var lost = new LostLog(Database.Path);
        Assert.That(() => WriteAsync("a"), Throws.TypeOf<OutcomeUnknownException>());
        await Database.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.That(HeadFile.Last(Folder.Head), Is.Null, "what no disk has is not sealed");
    }

    /// <summary>
    /// Sixteen, with the one that is waited for, are in the batch that the disk refuses, the next one is behind it.
    /// Whether that one begins in time is a matter of chance: stores, until it does.
    /// </summary>
    [TestCase(true, true)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    [Platform("Linux")]
    public async Task A_batch_that_runs_while_the_one_before_is_refused_waits_for_it(bool heals, bool isKept)
    {
        for (var left = 200; ; left--)
        {
            Assert.That(left, Is.Positive, "no batch was ever behind the other");
            using var folder = new TestFolder();
            await using var database = folder.Database(Clock);
            await database.MigrateAsync();
            using var entered = new ManualResetEventSlim();
            using var gate = new ManualResetEventSlim();
            using var blocked = new Blocked(database);
            var before = Enumerable.Range(0, 15).Select(i => RunAsync(database, _ => "kept", $"n{i}")).ToList();
            var behind = RunAsync(database, _ =>
            {
                entered.Set();
                gate.Wait();
                return isKept ? "kept" : throw new SqliteException("the disk", IoError);
            }, "behind");
            using (var lost = new LostLog(database.Path))
            {
                blocked.Release();
                if (WaitHandle.WaitAny([entered.WaitHandle, ((IAsyncResult)behind).AsyncWaitHandle]) != 0) continue;
                await Task.Delay(50);
                if (!heals)
                {
                    gate.Set();
                    foreach (var write in before) Assert.That(() => write, Throws.TypeOf<OutcomeUnknownException>());
                    if (isKept) Assert.That(() => behind, Throws.TypeOf<OutcomeUnknownException>());
                    else Assert.That(() => behind, Unavailable("The batch was not committed."));
                    return;
                }
            }

            gate.Set();
            await Task.WhenAll(before);
            if (isKept) Assert.That((await behind).Value, Is.EqualTo("kept"));
            else Assert.That(() => behind, Unavailable("The batch was not committed."));
            Assert.That(database.Version, Is.EqualTo(isKept ? 2 : 1));
            await database.DisposeAsync();
            Assert.That(Count(folder), Is.EqualTo(isKept ? 16 : 15));
            return;
        }
    }

    /// <summary>Whether somebody still waits at the end is a matter of milliseconds: stores, until one does.</summary>
    [Test]
    public async Task Who_waits_when_the_store_is_closed_is_told_so()
    {
        for (var (told, left) = (0, 200); told == 0; left--)
        {
            Assert.That(left, Is.Positive, "nobody was ever told");
            using var folder = new TestFolder();
            var database = folder.Database(Clock);
            await database.MigrateAsync();
            var blocked = new Blocked(database);
            var waiting = Enumerable.Range(0, 400).Select(i => RunAsync(database, _ => "done", $"n{i}")).ToList();
            var closing = Task.Run(() => database.DisposeAsync().AsTask());
            blocked.Dispose();
            await closing.WaitAsync(TimeSpan.FromSeconds(20));
            foreach (var write in waiting)
            {
                if (!write.IsCompletedSuccessfully) told++;
                if (!write.IsCompletedSuccessfully) Assert.That(() => write, Unavailable("The store is closing."));
            }

            Assert.That(Count(folder), Is.EqualTo(waiting.Count - told));
        }
    }

    private static long Count(TestFolder folder)
    {
        using var reader = folder.Open(readOnly: true);
        using var count = reader.CreateCommand();
        count.CommandText = "SELECT COUNT(*) FROM organisations";
        return (long)count.ExecuteScalar()!;
    }

    private static NUnit.Framework.Constraints.IResolveConstraint Unavailable(string message) =>
        Throws.TypeOf<StoreUnavailableException>().With.Message.EqualTo(message);

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>One writer, one commit for many commands, and each of them whole or not at all.</summary>
internal sealed class GroupCommitTests : WriterFixture
{
    /// <summary>Which commands share a batch is a matter of milliseconds: rounds, until these three do.</summary>
    [Test]
    public async Task A_refused_command_leaves_nothing_though_its_batch_commits()
    {
        var expected = new List<string>();
        for (var shared = false; !shared;)
        {
            using var blocked = new Blocked(Database);
            var before = WriteAsync("a");
            var refused = WriteAsync("b", _ => No);
            var after = WriteAsync("c");
            blocked.Release();
            Assert.That((await refused).Refused, Is.EqualTo(No));
            shared = (await before).Value == (await after).Value;
            expected.AddRange(["a", "c"]);
            Assert.That(await NamesAsync(), Is.EqualTo(expected));
        }

        Assert.That((await Database.LastSealAsync()).LeafCount, Is.EqualTo(2));
    }

    [Test]
    public async Task A_handler_that_throws_leaves_nothing_and_only_its_caller_hears_of_it()
    {
        using var blocked = new Blocked(Database);
        var before = WriteAsync("a");
        var thrown = WriteAsync("b", _ => throw new InvalidDataException("broken"));
        var after = WriteAsync("c");
        blocked.Release();
        Assert.That(() => thrown, Throws.TypeOf<InvalidDataException>());
        await Task.WhenAll(before, after);
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public async Task A_constraint_refuses_its_command_alone()
    {
        await WriteAsync("a", id: "same");
        using var blocked = new Blocked(Database);
        var twice = WriteAsync("b", id: "same");
        var after = WriteAsync("c");
        blocked.Release();
        Assert.That(() => twice, Throws.InstanceOf<System.Data.Common.DbException>());
        await after;
        Assert.That(await NamesAsync(), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public async Task A_batch_of_refusals_seals_nothing()
    {
        await WriteAsync("a", _ => No);
        Assert.That(await Database.LastSealAsync(), Is.EqualTo(Seal.None));
        Assert.That(await NamesAsync(), Is.Empty);
    }

    [Test]
    public async Task The_queue_has_a_bound_and_what_waits_is_still_done()
    {
        using var blocked = new Blocked(Database);
        var waiting = Enumerable.Range(0, GroupCommit.MaxWaiting).Select(i => WriteAsync($"n{i}")).ToList();
        for (var i = 0; i < GroupCommit.MaxWaiting; i++)
            Assert.That(() => WriteAsync("too many"), Throws.TypeOf<StoreUnavailableException>()
                .With.Message.EqualTo("Too many commands wait for the writer."));
        Assert.That(Database.IsFull, Is.True);
        blocked.Release();
        await Task.WhenAll(waiting);
        Assert.That(await NamesAsync(), Has.Count.EqualTo(GroupCommit.MaxWaiting));
        Assert.That(Database.IsFull, Is.False);
        await WriteAsync("there is room again");
    }

    /// <summary>One turn for all, however the threads of the machine are dealt out; every order of them is in the model.</summary>
    [Test]
    public async Task Of_many_callers_none_meets_another_in_the_writer()
    {
        const int callers = 48;
        const int eachCalls = 400;
        var inside = 0;
        var met = 0;
        await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < eachCalls; i++)
            {
                await WriteAsync($"{caller}-{i}", session =>
                {
                    if (Interlocked.Increment(ref inside) > 1) Interlocked.Increment(ref met);
                    Thread.SpinWait(20);
                    Interlocked.Decrement(ref inside);
                    return "done";
                });
            }
        })));
        Assert.That(met, Is.Zero);
        Assert.That(await NamesAsync(), Has.Count.EqualTo(callers * eachCalls));
    }

    /// <summary>Half of what waits, and sixteen at least, so that there is work to do while the disk takes the batch.</summary>
    [Test]
    public async Task A_batch_leaves_half_of_what_waits_to_the_next_one()
    {
        using var blocked = new Blocked(Database);
        var waiting = Enumerable.Range(0, 115).Select(i => WriteAsync($"n{i}")).ToList();
        blocked.Release();
        var sizes = (await Task.WhenAll(waiting)).CountBy(w => w.Value!).Select(b => b.Value).ToList();
        Assert.That(sizes[0], Is.LessThanOrEqualTo(15), "beside the one that was waited for");
        Assert.That(sizes, Has.All.LessThanOrEqualTo(50));
        Assert.That(sizes, Has.Count.LessThan(30));
    }

    [Test]
    public async Task A_command_that_records_nothing_is_no_batch_and_its_session_reads_on()
    {
        await WriteAsync("a");
        var session = new Session(Database, Clock);
        var answer = await Database.CommandAsync(session, () => Task.FromResult<Result<string>>($"{session.IsWriting}"));
        Assert.That((answer.Value, session.IsWriting), Is.EqualTo(("True", false)));
        Assert.That((await Database.LastSealAsync()).Batch, Is.EqualTo(1));
        Assert.That(() => session.ExecuteAsync("DELETE FROM organisations", new { }), Throws.InvalidOperationException);
    }

    [Test]
    public async Task Above_the_bound_the_api_answers_503_and_says_when_to_try_again()
    {
        await using var service = await TestService.StartAsync();
        var database = (SqliteDatabase)service.Services.GetService(typeof(Database))!;
        using var blocked = new Blocked(database);
        var waiting = new List<Task>();
        Assert.That(() =>
        {
            while (waiting.Count <= GroupCommit.MaxWaiting) waiting.Add(RunAsync(database, _ => No));
        }, Throws.TypeOf<StoreUnavailableException>());
        var answer = await service.Operator().PostAsync("organisations", new { kind = "state", name = "État" });
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((503, "store-unavailable")), answer.ToString());
        Assert.That(answer.Headers.RetryAfter?.Delta, Is.Not.Null);

        blocked.Release();
        await Task.WhenAll(waiting);
        Assert.That((await service.Operator().PostAsync("organisations", new { kind = "state", name = "État" })).Status,
            Is.EqualTo(201));
    }

    /// <summary>
    /// A commit shows before its sync. Whoever reads through a session is told of it after the sync only; the raw
    /// connection beside him shows that there is something to wait for.
    /// </summary>
    [Test]
    public async Task What_is_read_is_on_the_disk()
    {
        await WriteAsync("a");
        const string newest = "SELECT MAX(batch) FROM organisations";
        using var raw = new SqliteConnection($"Data Source={Database.Path};Pooling=False;Mode=ReadOnly");
        await raw.OpenAsync();
        await using var command = raw.CreateCommand();
        command.CommandText = newest;
        var session = new Session(Database, Clock);
        var (ahead, until) = (0, DateTime.UtcNow.AddSeconds(30));
        for (var i = 0; ahead < 20; i++)
        {
            Assert.That(DateTime.UtcNow, Is.LessThan(until), "no commit was ever seen before its sync");
            var write = Task.Run(() => WriteAsync($"n{i}"));
            while (!write.IsCompleted)
            {
                if ((long)(await command.ExecuteScalarAsync())! > Database.Version) ahead++;
                var read = await session.FindAsync<long>(newest, new { });
                Assert.That(Database.Version, Is.GreaterThanOrEqualTo(read));
                await foreach (var streamed in session.StreamAsync<long>(newest, new { }))
                    Assert.That(Database.Version, Is.GreaterThanOrEqualTo(streamed));
                Assert.That(await session.TogetherAsync(async () => await session.FindAsync<long>(newest, new { })
                    <= Database.Version), Is.True);
            }

            await write;
        }
    }

    [Test]
    public async Task An_instant_that_is_past_is_closed_once_by_an_empty_batch()
    {
        await WriteAsync("a");
        Clock.NowMs = Noon + 50;
        var closed = await Database.SealThroughAsync(Noon + 20);
        var last = await Database.LastSealAsync();
        Assert.That((closed.Batch, closed.SealedMs), Is.EqualTo((1L, Noon)));
        Assert.That((last.Batch, last.SealedMs, last.LeafCount), Is.EqualTo((2L, Noon + 50, 0L)));

        Clock.NowMs = Noon + 10;
        await WriteAsync("b");
        Assert.That((await Database.LastSealAsync()).SealedMs, Is.EqualTo(Noon + 51), "never before a closed instant");
        Assert.That(await Database.SealThroughAsync(Noon + 20), Is.EqualTo(closed));
        Assert.That((await Database.LastSealAsync()).Batch, Is.EqualTo(3));
    }

    [Test]
    public async Task An_instant_is_closed_in_a_batch_with_others()
    {
        await WriteAsync("a");
        Clock.NowMs = Noon + 50;
        using var blocked = new Blocked(Database);
        var closed = Database.SealThroughAsync(Noon + 20);
        blocked.Release();
        Assert.That((await closed).Batch, Is.EqualTo(1));
        Assert.That((await Database.LastSealAsync()).SealedMs, Is.EqualTo(Noon + 50));
    }

    /// <summary>Sixteen in a batch, with the one that is waited for; the second is sealed at that very instant.</summary>
    [Test]
    public async Task An_instant_that_a_batch_has_reached_meanwhile_needs_no_other()
    {
        await WriteAsync("a");
        using var blocked = new Blocked(Database);
        var writes = Enumerable.Range(0, 15 + 16).Select(i => WriteAsync($"n{i}")).ToList();
        var closed = Database.SealThroughAsync(Noon + 20);
        Clock.NowMs = Noon + 20;
        blocked.Release();
        await Task.WhenAll(writes);
        var seal = await closed;
        Assert.That((seal.Batch, seal.SealedMs), Is.EqualTo((3L, Noon + 20)));
        Assert.That(await Database.LastSealAsync(), Is.EqualTo(seal));
    }

    [Test]
    public async Task An_instant_to_come_is_not_closed()
    {
        await WriteAsync("a");
        Clock.NowMs = Noon + 50;
        await Database.SealThroughAsync(Noon + 50);
        Assert.That((await Database.LastSealAsync()).Batch, Is.EqualTo(1));
        await Database.SealThroughAsync(Noon + 5_000);
        Assert.That((await Database.LastSealAsync()).Batch, Is.EqualTo(1));
    }

    /// <summary>The log tells by its salt that it has begun anew.</summary>
    /// <summary>Or who asks without end, a batch at a time, would move the time of everybody.</summary>
    [Test]
    public async Task Far_ahead_of_the_clock_a_batch_moves_it_by_no_more_than_passes()
    {
        const int batches = 200;
        await WriteAsync("first");
        Clock.NowMs = Noon - 60_001;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < batches; i++) await WriteAsync($"n{i}");
        Assert.That((await Database.LastSealAsync()).SealedMs, Is.EqualTo(Noon + batches));
        Assert.That(watch.Elapsed.TotalMilliseconds, Is.GreaterThanOrEqualTo(batches));
    }

    [Test]
    public async Task A_log_that_has_grown_is_copied_and_begins_anew()
    {
        await WriteAsync("a");
        var first = Salt();
        for (var i = 0; i < 35; i++) await WriteAsync(new string('x', 2_000_000));
        Assert.That(async () =>
        {
            await WriteAsync("b");
            return Salt();
        }, Is.Not.EqualTo(first).After(20_000, 20));
    }

    /// <summary>So that who looks at the process sees what it waits for.</summary>
    [Test]
    [Platform("Linux")]
    public void The_thread_that_waits_for_the_disk_has_a_name() =>
        Assert.That(Directory.EnumerateDirectories("/proc/self/task").Select(NameOf), Has.Some.EqualTo("log"));

    [Test]
    public async Task The_head_gets_a_line_a_second_at_most_and_one_at_the_end()
    {
        await WriteAsync("a");
        await WriteAsync("b");
        Clock.NowMs = Noon + 999;
        await WriteAsync("c");
        Clock.NowMs = Noon + 1_000;
        await WriteAsync("d");
        await WriteAsync("e");
        Assert.That(Batches(), Is.EqualTo(new long[] { 1, 4 }));
        var last = await Database.LastSealAsync();
        await Database.DisposeAsync();
        Assert.That(Batches(), Is.EqualTo(new long[] { 1, 4, 5 }));
        Assert.That(HeadFile.Last(Folder.Head), Is.EqualTo((5L, last.Chain)));
        Assert.That(File.ReadLines(Folder.Head).Last(), Is.EqualTo($"5 {last.SealedMs} {last.Chain} {last.Mac}"));
    }

    [Test]
    public async Task A_line_cut_by_a_crash_is_passed_over()
    {
        await WriteAsync("a");
        var chain = (await Database.LastSealAsync()).Chain;
        await File.AppendAllTextAsync(Folder.Head, "2 17950000");
        Assert.That(HeadFile.Last(Folder.Head), Is.EqualTo((1L, chain)));
    }

    [Test]
    public async Task A_line_cut_by_a_full_disk_does_not_spoil_the_next_one()
    {
        await File.WriteAllTextAsync(Folder.Head, "1");
        await WriteAsync("a");
        var last = await Database.LastSealAsync();
        Assert.That(HeadFile.Last(Folder.Head), Is.EqualTo((1L, last.Chain)));
        Assert.That(File.ReadLines(Folder.Head), Is.EqualTo(new[] { "1", $"1 {last.SealedMs} {last.Chain} {last.Mac}" }));
    }

    [Test]
    public async Task A_head_that_cannot_be_written_takes_nobodys_answer_away()
    {
        Directory.CreateDirectory(Folder.Head);
        Assert.That((await WriteAsync("a")).Value, Is.EqualTo("batch 1"));
        Directory.Delete(Folder.Head);
        Clock.NowMs = Noon + 1_000;
        await WriteAsync("b");
        Assert.That(Batches(), Is.EqualTo(new long[] { 2 }));
    }

    [Test]
    public async Task The_head_goes_on_when_theClock_was_set_back()
    {
        await WriteAsync("a");
        Clock.NowMs = Noon - 3_600_000;
        await WriteAsync("b");
        Assert.That(Batches(), Is.EqualTo(new long[] { 1, 2 }));
    }

    private ulong Salt()
    {
        using var log = new FileStream(Database.Path + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = 16;
        return new BinaryReader(log).ReadUInt64();
    }

    /// <summary>Of a thread; nothing where it has ended meanwhile.</summary>
    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private IEnumerable<long> Batches() =>
        File.ReadLines(Folder.Head).Select(l => long.Parse(l.Split(' ')[0], CultureInfo.InvariantCulture));
}

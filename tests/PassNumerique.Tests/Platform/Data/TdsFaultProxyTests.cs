using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// The proxy must do to a connection exactly what it says it did, or the tests that stand on it prove
/// nothing. A peer that looks like a server is enough for that: no database is needed here.
/// </summary>
internal sealed class TdsFaultProxyTests
{
    private const long Seed = 20_260_301;
    private const byte Batch = (byte)TdsMessage.Batch;
    private const byte Rpc = (byte)TdsMessage.Rpc;
    private const int LongDelayMs = 600_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TdsFaults AlwaysBefore = new(0, 1, 0, 0);
    private static readonly TdsFaults AlwaysAfter = new(0, 0, 1, 0);
    private static readonly TdsFaults Mixed = new(0.2, 0.1, 0.1, 2);

    [Test]
    public async Task Without_faults_every_byte_passes()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        foreach (var bytes in new[] { 0, 1, 4_096, 4_097, 1_000_000 })
            Assert.That(await AskAsync(client, Batch, Bytes(bytes)), Is.EqualTo(Bytes(bytes)));

        Assert.That(proxy.Messages(TdsMessage.Batch), Is.EqualTo(5));
        Assert.That((proxy.Connections, proxy.Drawn), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task A_message_of_many_packets_is_one_message()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, new TdsFaults(Delay: 1, 0, 0, DelayMsMax: 1));
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        await AskAsync(client, (byte)TdsMessage.BulkLoad, Bytes(1_000_000));
        await AskAsync(client, Batch, Bytes(10));

        Assert.That(peer.Got.Select(m => m.Packets), Is.EqualTo([245, 1]));
        Assert.That(proxy.Messages(TdsMessage.BulkLoad), Is.EqualTo(1));
        Assert.That((proxy.Drawn, proxy.Delays), Is.EqualTo((2, 2)));
    }

    [Test]
    public async Task A_packet_that_comes_in_pieces_is_one_packet()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        foreach (var piece in TdsWire.Packet(Batch, Bytes(20), isLast: true)) await client.SendAsync([piece]);

        Assert.That((await ReadAsync(client))!.Payload, Is.EqualTo(Bytes(20)));
        Assert.That(proxy.Messages(TdsMessage.Batch), Is.EqualTo(1));
    }

    [TestCase(10)]
    [TestCase(1_000_000)]
    public async Task A_cut_before_is_never_seen_by_the_server(int bytes)
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, AlwaysBefore);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        Assert.That(await AskAsync(client, Batch, Bytes(bytes)), Is.Null);

        await UntilAsync(() => peer.Resets == 1);
        Assert.That(peer.Got, Is.Empty);
        Assert.That((proxy.CutsBefore, proxy.CutsAfter, proxy.Delays), Is.EqualTo((1, 0, 0)));
    }

    [TestCase(10)]
    [TestCase(1_000_000)]
    public async Task A_cut_after_is_done_but_unanswered(int bytes)
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, AlwaysAfter);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        Assert.That(await AskAsync(client, Rpc, Bytes(bytes)), Is.Null);

        await UntilAsync(() => peer.Resets == 1);
        Assert.That(peer.Got.Single().Payload, Is.EqualTo(Bytes(bytes)));
        Assert.That((proxy.CutsBefore, proxy.CutsAfter, proxy.Delays), Is.EqualTo((0, 1, 0)));
    }

    [Test]
    public async Task A_cut_after_waits_for_the_end_of_the_answer()
    {
        var done = new TaskCompletionSource();
        await using var peer = new TdsPeer { LastPacket = done.Task };
        await using var proxy = Proxy(peer, AlwaysAfter);
        using var client = await TdsWire.ConnectAsync(proxy.Port);
        var asking = AskAsync(client, Batch, Bytes(10_000));
        await UntilAsync(() => peer.Got.Count == 1);
        proxy.Faults = TdsFaults.None;
        using var other = await TdsWire.ConnectAsync(proxy.Port);
        await other.SendAsync(Batch, Bytes(10));
        await UntilAsync(() => peer.Got.Count == 2);

        Assert.That((asking.IsCompleted, proxy.CutsAfter), Is.EqualTo((false, 0)));
        done.SetResult();

        Assert.That(await asking, Is.Null);
        Assert.That(proxy.CutsAfter, Is.EqualTo(1));
    }

    /// <summary>A delay nobody could sit out: what another connection sends afterwards overtakes it.</summary>
    [Test]
    public async Task A_delayed_message_holds_up_nobody_else()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, new TdsFaults(Delay: 1, 0, 0, LongDelayMs));
        using var delayed = await TdsWire.ConnectAsync(proxy.Port);
        await delayed.SendAsync(Rpc, Bytes(10));
        await UntilAsync(() => proxy.Delays == 1);
        proxy.Faults = TdsFaults.None;
        using var other = await TdsWire.ConnectAsync(proxy.Port);

        for (var i = 0; i < 20; i++) await AskAsync(other, Batch, Bytes(10));

        Assert.That(peer.Got.Select(m => m.Type), Is.All.EqualTo(Batch));
    }

    [TestCase(TdsMessage.Prelogin)]
    [TestCase(TdsMessage.Login)]
    [TestCase(TdsMessage.Sspi)]
    [TestCase(TdsMessage.Attention)]
    public async Task What_is_not_a_command_passes(TdsMessage type)
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, AlwaysBefore);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        Assert.That(await AskAsync(client, (byte)type, Bytes(100)), Is.EqualTo(Bytes(100)));
        Assert.That((proxy.Messages(type), proxy.Drawn), Is.EqualTo((1, 0)));
    }

    [TestCase(TdsMessage.Batch)]
    [TestCase(TdsMessage.Rpc)]
    [TestCase(TdsMessage.BulkLoad)]
    [TestCase(TdsMessage.Transaction)]
    public async Task A_fault_meets_the_types_it_is_meant_for(TdsMessage type)
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, AlwaysBefore with { Types = new HashSet<TdsMessage> { type } });
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        foreach (var other in TdsFaults.Commands.Where(c => c != type))
            Assert.That(await AskAsync(client, (byte)other, Bytes(10)), Is.Not.Null);

        Assert.That(await AskAsync(client, (byte)type, Bytes(10)), Is.Null);
        Assert.That(proxy.Drawn, Is.EqualTo(1));
    }

    [Test]
    public async Task Faults_are_switched_on_and_off()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);
        Assert.That(await AskAsync(client, Batch, Bytes(10)), Is.Not.Null);

        proxy.Faults = AlwaysBefore;
        Assert.That(await AskAsync(client, Batch, Bytes(10)), Is.Null);

        proxy.Faults = TdsFaults.None;
        using var next = await TdsWire.ConnectAsync(proxy.Port);
        Assert.That(await AskAsync(next, Batch, Bytes(10)), Is.Not.Null);
    }

    [Test]
    public async Task The_same_seed_decides_the_same()
    {
        const int asked = 200;
        var (first, again, other) = (
            await FatesAsync(Seed, asked), await FatesAsync(Seed, asked), await FatesAsync(Seed + 1, asked));

        Assert.That(again, Is.EqualTo(first));
        Assert.That(other, Is.Not.EqualTo(first));
        Assert.That(first, Is.EqualTo(Enumerable.Range(1, asked).Select(n => Mixed.Decide(Seed, n).Fault)));
    }

    [Test]
    public void As_many_meet_a_fault_as_were_asked_for()
    {
        var fates = Enumerable.Range(1, 100_000).Select(n => Mixed.Decide(-Seed, n)).ToList();
        long Count(TdsFault fault) => fates.Count(f => f.Fault == fault);

        Assert.That(Count(TdsFault.Delay), Is.EqualTo(20_000).Within(600));
        Assert.That(Count(TdsFault.CutBefore), Is.EqualTo(10_000).Within(600));
        Assert.That(Count(TdsFault.CutAfter), Is.EqualTo(10_000).Within(600));
        var delays = fates.Where(f => f.Fault == TdsFault.Delay).Select(f => f.DelayMs).ToList();
        Assert.That(delays.Distinct(), Is.EquivalentTo([0, 1, 2]));
        Assert.That(fates.Where(f => f.Fault != TdsFault.Delay).Select(f => f.DelayMs), Is.All.Zero);
    }

    [TestCase(-0.1, 0, 0, 0)]
    [TestCase(0, -0.1, 0, 0)]
    [TestCase(0, 0, -0.1, 0)]
    [TestCase(0.5, 0.5, 0.5, 0)]
    [TestCase(0.5, 0, 0, -1)]
    public void Faults_that_cannot_be_are_refused(double delay, double before, double after, int delayMs) =>
        Assert.That(() => new TdsFaults(delay, before, after, delayMs).Checked(), Throws.ArgumentException);

    [Test]
    public void A_login_meets_no_fault() => Assert.That(
        () => (Mixed with { Types = new HashSet<TdsMessage> { TdsMessage.Login } }).Checked(),
        Throws.ArgumentException);

    /// <summary>As under <c>Encrypt=Optional</c>: TLS in prelogin packets, a login in TLS, then none.</summary>
    [Test]
    public async Task TLS_records_pass()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, AlwaysBefore);
        using var client = await TdsWire.ConnectAsync(proxy.Port);
        await AskAsync(client, (byte)TdsMessage.Prelogin, TdsWire.Record(Bytes(300)));
        foreach (var bytes in new[] { 1, 300, 16_384 })
        {
            await client.SendAsync(TdsWire.Record(Bytes(bytes)));
            Assert.That((await ReadAsync(client))!.Payload, Is.EqualTo(Bytes(bytes)));
        }

        Assert.That(proxy.EncryptedConnections, Is.Zero);
        Assert.That(await AskAsync(client, Batch, Bytes(10)), Is.Null);
        Assert.That(peer.Got.Select(m => m.Type).Distinct(), Is.EqualTo([(byte)TdsMessage.Prelogin, TdsWire.TlsData]));
    }

    [Test]
    public async Task A_connection_that_stays_encrypted_passes_and_is_counted_once()
    {
        await using var peer = new TdsPeer { AnswersTlsInTls = true };
        await using var proxy = Proxy(peer, AlwaysBefore);
        using var client = await TdsWire.ConnectAsync(proxy.Port);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(TdsWire.Record(Bytes(100 + i)));
            Assert.That((await ReadAsync(client))!.Payload, Is.EqualTo(Bytes(100 + i)));
        }

        Assert.That((proxy.EncryptedConnections, proxy.Drawn), Is.EqualTo((1, 0)));
    }

    [TestCase("474554202F20485454502F312E310D0A0D0A", Description = "GET / HTTP/1.1")]
    [TestCase("010100", Description = "Less than a header")]
    [TestCase("01010007000001", Description = "A length of 7, which no header fits in")]
    [TestCase("010100100000010000", Description = "A length of 16, and the stream ends before it")]
    public async Task What_is_neither_TDS_nor_TLS_is_cut(string hex)
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        await client.SendAsync(Convert.FromHexString(hex));
        client.SayNoMore();

        Assert.That(await IsTornAsync(client), Is.True);
        Assert.That(peer.Got, Is.Empty);
    }

    [Test]
    public async Task A_client_that_leaves_takes_its_server_connection_along()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var polite = await TdsWire.ConnectAsync(proxy.Port);
        using var rude = await TdsWire.ConnectAsync(proxy.Port);
        await AskAsync(polite, Batch, Bytes(10));
        await AskAsync(rude, Batch, Bytes(10));
        Assert.That(proxy.OpenConnections, Is.EqualTo(2));

        polite.Dispose();
        rude.Reset();

        await UntilAsync(() => (peer.Goodbyes, peer.Resets, proxy.OpenConnections) == (1, 1, 0));
    }

    [Test]
    public async Task A_client_that_has_said_all_still_gets_its_answer()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        await client.SendAsync(Batch, Bytes(100_000));
        client.SayNoMore();

        Assert.That((await ReadAsync(client))!.Payload, Is.EqualTo(Bytes(100_000)));
        Assert.That(await ReadAsync(client), Is.Null);
        await UntilAsync(() => (peer.Goodbyes, proxy.OpenConnections) == (1, 0));
    }

    [Test]
    public async Task A_server_that_leaves_first_is_heard_to_the_end()
    {
        await using var peer = new TdsPeer { ClosesAfterAnswer = true };
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var client = await TdsWire.ConnectAsync(proxy.Port);

        Assert.That(await AskAsync(client, Batch, Bytes(100_000)), Is.EqualTo(Bytes(100_000)));
        Assert.That(await ReadAsync(client), Is.Null);
        client.Dispose();
        await UntilAsync(() => proxy.OpenConnections == 0);
    }

    [Test]
    public async Task A_server_that_is_away_answers_nobody_until_it_is_back()
    {
        await using var peer = new TdsPeer();
        await using var proxy = Proxy(peer, TdsFaults.None);
        using var before = await TdsWire.ConnectAsync(proxy.Port);
        await AskAsync(before, Batch, Bytes(10));

        proxy.IsDown = true;
        Assert.That(await IsTornAsync(before), Is.True);
        Assert.That(await IsTurnedAwayAsync(proxy.Port), Is.True);
        Assert.That((proxy.Connections, proxy.Refused, peer.Got.Count), Is.EqualTo((1, 1, 1)));

        proxy.IsDown = false;
        using var after = await TdsWire.ConnectAsync(proxy.Port);
        Assert.That(await AskAsync(after, Batch, Bytes(10)), Is.EqualTo(Bytes(10)));
    }

    [Test]
    public async Task A_server_that_cannot_be_reached_disconnects_the_client()
    {
        await using var proxy = new TdsFaultProxy("127.0.0.1", FreePort(), Seed, TdsFaults.None);

        Assert.That(await IsTurnedAwayAsync(proxy.Port), Is.True);
        await UntilAsync(() => proxy.OpenConnections == 0);
    }

    /// <summary>Idle, delayed, unanswered, half sent: disposing waits for each task to end.</summary>
    [Test]
    public async Task Disposing_ends_every_connection_wherever_it_is()
    {
        await using var peer = new TdsPeer { LastPacket = new TaskCompletionSource().Task };
        var proxy = Proxy(peer, TdsFaults.None);
        var clients = new List<TdsWire>();
        for (var i = 0; i < 5; i++) clients.Add(await TdsWire.ConnectAsync(proxy.Port));
        await clients[1].SendAsync(Batch, Bytes(10_000));
        await clients[2].SendAsync(TdsWire.Packet(Batch, Bytes(10), isLast: true)[..10]);
        await UntilAsync(() => peer.Got.Count == 1);
        proxy.Faults = AlwaysAfter;
        await clients[3].SendAsync(Batch, Bytes(10_000));
        await UntilAsync(() => peer.Got.Count == 2);
        proxy.Faults = new TdsFaults(Delay: 1, 0, 0, LongDelayMs);
        await clients[4].SendAsync(Batch, Bytes(10));
        await UntilAsync(() => proxy.Delays == 1 && proxy.Connections == 5);

        await proxy.DisposeAsync().AsTask().WaitAsync(Patience);

        foreach (var client in clients) Assert.That(await IsTornAsync(client), Is.True);
        Assert.That(proxy.OpenConnections, Is.Zero);
        clients.ForEach(c => c.Dispose());
    }

    /// <summary>The sums that every test through the proxy relies on, under all faults at once.</summary>
    [Test]
    public async Task Many_clients_each_get_their_own_answer_or_none()
    {
        const int asked = 16 * 50;
        var unobserved = new ConcurrentQueue<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Enqueue(e.Exception);
        TaskScheduler.UnobservedTaskException += Note;
        await using var peer = new TdsPeer();
        var proxy = Proxy(peer, Mixed);
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => AskManyAsync(proxy, i, 50)));
        var answered = answers.Sum();
        await proxy.DisposeAsync().AsTask().WaitAsync(Patience);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TaskScheduler.UnobservedTaskException -= Note;

        Assert.That(proxy.Drawn, Is.EqualTo(asked), proxy.ToString());
        Assert.That(answered + proxy.CutsBefore + proxy.CutsAfter, Is.EqualTo(asked), proxy.ToString());
        Assert.That(peer.Got, Has.Count.EqualTo(answered + proxy.CutsAfter), proxy.ToString());
        Assert.That(Math.Min(proxy.CutsBefore, proxy.CutsAfter), Is.Positive, proxy.ToString());
        Assert.That(unobserved.Where(e => e.ToString().Contains(nameof(TdsFaultProxy))), Is.Empty);
    }

    [TestCase("db.example", "db.example,1433")]
    [TestCase("db.example,1533", "db.example,1533")]
    [TestCase("tcp:db.example,1533", "db.example,1533")]
    [TestCase(" TCP:db.example , 1533 ", "db.example,1533")]
    [TestCase("localhost", "localhost,1433")]
    [TestCase("(local)", "localhost,1433")]
    [TestCase(".", "localhost,1433")]
    [TestCase(".,1533", "localhost,1533")]
    [TestCase("::1,1533", "::1,1533")]
    public async Task A_data_source_names_the_server_behind(string dataSource, string server)
    {
        var (proxy, _) = TdsFaultProxy.Before($"Data Source={dataSource}", Seed, TdsFaults.None);
        await using var _ = proxy;

        Assert.That(proxy.Server, Is.EqualTo(server));
    }

    [TestCase(@"Server=db\express", "named instance")]
    [TestCase(@"Server=(localdb)\mssqllocaldb", "named instance")]
    [TestCase("Server=np:db", "is not TCP")]
    [TestCase("Server=db,", "no port")]
    [TestCase("Server=db,0", "no port")]
    [TestCase("Server=db,65536", "no port")]
    [TestCase("Server=db,sql", "no port")]
    [TestCase("Database=pass", "no host")]
    [TestCase("Server=db;MultipleActiveResultSets=true", "MultipleActiveResultSets")]
    public void What_the_proxy_cannot_stand_before_is_refused(string connectionString, string why) =>
        Assert.That(
            () => TdsFaultProxy.Before(connectionString, Seed, TdsFaults.None),
            Throws.ArgumentException.With.Message.Contains(why));

    [Test]
    public async Task The_string_through_the_proxy_keeps_what_was_said()
    {
        await using var peer = new TdsPeer();
        var (proxy, silent) = TdsFaultProxy.Before(
            $"Server=127.0.0.1,{peer.Port};Database=p;Pooling=false;ConnectRetryCount=3", Seed, TdsFaults.None);
        await using var first = proxy;
        var (other, explicitly) = TdsFaultProxy.Before(
            "Server=db;Encrypt=Mandatory;TrustServerCertificate=false", Seed, TdsFaults.None);
        await using var second = other;

        var through = new SqlConnectionStringBuilder(silent);
        Assert.That(through.DataSource, Is.EqualTo($"127.0.0.1,{proxy.Port}"));
        Assert.That((through.InitialCatalog, through.Pooling), Is.EqualTo(("p", false)));
        Assert.That(through.ConnectRetryCount, Is.Zero);
        Assert.That(through.Encrypt, Is.EqualTo(SqlConnectionEncryptOption.Optional));
        Assert.That(through.TrustServerCertificate, Is.True);
        through = new SqlConnectionStringBuilder(explicitly);
        Assert.That(through.Encrypt, Is.EqualTo(SqlConnectionEncryptOption.Mandatory));
        Assert.That(through.TrustServerCertificate, Is.False);
        using var client = await TdsWire.ConnectAsync(proxy.Port);
        Assert.That(await AskAsync(client, Batch, Bytes(10)), Is.EqualTo(Bytes(10)));
    }

    private static TdsFaultProxy Proxy(TdsPeer peer, TdsFaults faults) =>
        new("127.0.0.1", peer.Port, Seed, faults);

    private static byte[] Bytes(int count) =>
        [.. Enumerable.Range(0, count).Select(i => (byte)(i * 31 % 251))];

    private static Task<TdsWireMessage?> ReadAsync(TdsWire client) => client.ReadAsync().WaitAsync(Patience);

    /// <summary>The bytes of the answer, or nothing where the connection was torn away instead.</summary>
    private static async Task<byte[]?> AskAsync(TdsWire client, byte type, byte[] payload)
    {
        try
        {
            await client.SendAsync(type, payload).WaitAsync(Patience);
            return (await ReadAsync(client) ?? throw new InvalidDataException("A goodbye, no cut.")).Payload;
        }
        catch (IOException exception) when (exception is not EndOfStreamException)
        {
            return null;
        }
    }

    private static async Task<bool> IsTornAsync(TdsWire client)
    {
        try
        {
            await ReadAsync(client);
            return false;
        }
        catch (IOException exception)
        {
            return exception is not EndOfStreamException;
        }
    }

    /// <summary>The reset may come before the client has finished connecting, or just after.</summary>
    private static async Task<bool> IsTurnedAwayAsync(int port)
    {
        try
        {
            using var client = await TdsWire.ConnectAsync(port);
            return await IsTornAsync(client);
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionReset;
        }
    }

    /// <summary>One client after another: what became of each message, seen from both ends.</summary>
    private static async Task<List<TdsFault>> FatesAsync(long seed, int count)
    {
        await using var peer = new TdsPeer();
        await using var proxy = new TdsFaultProxy("127.0.0.1", peer.Port, seed, Mixed);
        var fates = new List<TdsFault>();
        while (fates.Count < count)
        {
            using var client = await TdsWire.ConnectAsync(proxy.Port);
            for (var isAnswered = true; isAnswered && fates.Count < count;)
            {
                var (got, delays) = (peer.Got.Count, proxy.Delays);
                isAnswered = await AskAsync(client, Batch, Bytes(10)) is not null;
                fates.Add((isAnswered, peer.Got.Count > got, proxy.Delays > delays) switch
                {
                    (true, true, false) => TdsFault.None,
                    (true, true, true) => TdsFault.Delay,
                    (false, true, false) => TdsFault.CutAfter,
                    (false, false, false) => TdsFault.CutBefore,
                    _ => throw new InvalidDataException("Answered, but never seen."),
                });
            }
        }

        return fates;
    }

    private static async Task<int> AskManyAsync(TdsFaultProxy proxy, int client, int count)
    {
        var (answered, wire) = (0, await TdsWire.ConnectAsync(proxy.Port));
        for (var i = 0; i < count; i++)
        {
            var mine = Bytes(20 + (client * count) + i);
            if (await AskAsync(wire, i % 2 == 0 ? Batch : Rpc, mine) is { } answer)
            {
                Assert.That(answer, Is.EqualTo(mine));
                answered++;
                continue;
            }

            wire.Dispose();
            wire = await TdsWire.ConnectAsync(proxy.Port);
        }

        wire.Dispose();
        return answered;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var since = Stopwatch.StartNew(); !condition(); await Task.Delay(5))
            Assert.That(since.Elapsed, Is.LessThan(Patience), "It never came to that.");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

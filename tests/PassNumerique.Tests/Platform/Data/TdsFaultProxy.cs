using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Data.SqlClient;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// Stands between the service and its SQL Server and does what networks do: it delays a command, loses it
/// before the server saw it, or loses the answer of a server that has done the work. A client can't tell the
/// last two apart, so this is where "exactly once" is won or lost. It reads headers of packets only (MS-TDS
/// 2.2.3.1), and what it does to the n-th command follows from the seed and n alone.
/// </summary>
internal sealed class TdsFaultProxy : IAsyncDisposable
{
    private const int DefaultPort = 1433;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly string[] LocalNames = [".", "(local)", "localhost"];
    private readonly string _host;
    private readonly int _port;
    private readonly long _seed;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Link, bool> _links = [];
    private readonly long[] _messages = new long[byte.MaxValue + 1];
    private readonly Task _accepting;
    private volatile TdsFaults _faults = TdsFaults.None;
    private volatile bool _isDown;
    private long _drawn;
    private long _connections;
    private long _refused;
    private long _encrypted;
    private long _delays;
    private long _cutsBefore;
    private long _cutsAfter;

    public TdsFaultProxy(string host, int port, long seed, TdsFaults faults)
    {
        (_host, _port, _seed, Faults) = (host, port, seed, faults);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The server behind it, as a data source.</summary>
    public string Server => $"{_host},{_port}";

    /// <summary>What happens to commands from now on; <see cref="TdsFaults.None"/> draws no number.</summary>
    public TdsFaults Faults
    {
        get => _faults;
        set => _faults = value.Checked();
    }

    /// <summary>The server goes away: every connection is cut, and new ones are until it is back.</summary>
    public bool IsDown
    {
        get => _isDown;
        set
        {
            _isDown = value;
            if (value) CutAll();
        }
    }

    /// <summary>Connections taken to the server so far, and of these the ones still open.</summary>
    public long Connections => Interlocked.Read(ref _connections);

    public long OpenConnections => _links.Count;

    /// <summary>Connections sent away while the server was down.</summary>
    public long Refused => Interlocked.Read(ref _refused);

    /// <summary>
    /// Connections whose every byte is TLS: their commands can't be seen, so a test that finds one here must
    /// say <c>Encrypt=Optional</c>. Where only the login is encrypted, the server answers it in the clear.
    /// </summary>
    public long EncryptedConnections => Interlocked.Read(ref _encrypted);

    /// <summary>Commands that met <see cref="Faults"/>: the number of the last decision.</summary>
    public long Drawn => Interlocked.Read(ref _drawn);

    public long Delays => Interlocked.Read(ref _delays);

    public long CutsBefore => Interlocked.Read(ref _cutsBefore);

    public long CutsAfter => Interlocked.Read(ref _cutsAfter);

    /// <summary>Messages of a type that clients began to send, whatever became of them.</summary>
    public long Messages(TdsMessage type) => Interlocked.Read(ref _messages[(byte)type]);

    /// <summary>A proxy before the server of a connection string, and the string through it.</summary>
    /// <exception cref="ArgumentException">Not TCP to a host and port, or with MARS.</exception>
    public static (TdsFaultProxy Proxy, string ConnectionString) Before(
        string connectionString, long seed, TdsFaults faults)
    {
        var through = new SqlConnectionStringBuilder(connectionString);
        var (host, port) = Parse(through.DataSource);
        if (through.MultipleActiveResultSets)
            throw new ArgumentException("The proxy can't see commands under MultipleActiveResultSets.");
        var proxy = new TdsFaultProxy(host, port, seed, faults);
        through.DataSource = $"127.0.0.1,{proxy.Port}";
        if (!through.ShouldSerialize("Encrypt")) through.Encrypt = SqlConnectionEncryptOption.Optional;
        if (!through.ShouldSerialize("Trust Server Certificate")) through.TrustServerCertificate = true;
        // SqlClient would quietly connect again and hide a cut from the code under test.
        through.ConnectRetryCount = 0;
        return (proxy, through.ConnectionString);
    }

    /// <summary>Connections are cut; what went wrong inside, or never ends, throws here.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        CutAll();
        await Task.WhenAll(_links.Keys.Select(l => l.Ended)).WaitAsync(Patience);
        _stopping.Dispose();
    }

    /// <summary>For the message of an assertion: with the seed, a run can be had again.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {_seed}: of {Drawn} commands {Delays} delayed, {CutsBefore} cut before, {CutsAfter} cut after; "
        + $"of {Connections} connections {EncryptedConnections} encrypted, {OpenConnections} open; {Refused} refused");

    private static (string Host, int Port) Parse(string dataSource)
    {
        var source = dataSource.Trim();
        if (source.StartsWith("tcp:", StringComparison.OrdinalIgnoreCase)) source = source[4..];
        var comma = source.LastIndexOf(',');
        var host = (comma < 0 ? source : source[..comma]).Trim();
        var port = DefaultPort;
        if (host.Contains('\\')) throw Unusable(dataSource, "has a named instance; name its port instead");
        if (host.Length == 0) throw Unusable(dataSource, "has no host");
        if (host.Contains(':') && !IPAddress.TryParse(host, out _)) throw Unusable(dataSource, "is not TCP");
        if (comma >= 0 && !(int.TryParse(source[(comma + 1)..], CultureInfo.InvariantCulture, out port)
            && port is > 0 and <= ushort.MaxValue)) throw Unusable(dataSource, "has no port after its comma");
        return (LocalNames.Contains(host, StringComparer.OrdinalIgnoreCase) ? "localhost" : host, port);
    }

    private static ArgumentException Unusable(string dataSource, string why) =>
        new($"The data source '{dataSource}' {why}: it must be 'host' or 'host,port'.");

    private async Task AcceptAsync()
    {
        try
        {
            while (true) Begin(await _listener.AcceptSocketAsync(_stopping.Token));
        }
        catch (OperationCanceledException)
        {
            // Only disposing stops it.
        }
    }

    /// <summary>Listed first and looked at afterwards, so that going down misses no connection.</summary>
    private void Begin(Socket client)
    {
        client.NoDelay = true;
        var link = new Link(this, client);
        _links.TryAdd(link, true);
        var isRefused = _isDown;
        Interlocked.Increment(ref isRefused ? ref _refused : ref _connections);
        if (isRefused) link.Cut();
        link.Start();
    }

    private void CutAll()
    {
        foreach (var link in _links.Keys) link.Cut();
    }

    /// <summary>What happens to a message that begins: decided once, by the next number.</summary>
    private TdsDecision Decide(TdsMessage type)
    {
        Interlocked.Increment(ref _messages[(byte)type]);
        var faults = _faults;
        return faults.IsOff || !faults.Types.Contains(type)
            ? TdsDecision.Pass
            : faults.Decide(_seed, Interlocked.Increment(ref _drawn));
    }

    /// <summary>A client's connection and the server's behind it: both end together.</summary>
    private sealed class Link(TdsFaultProxy proxy, Socket client)
    {
        private readonly Socket _server = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        // Never disposed: it holds nothing, and a cut may come from outside at any time.
        private readonly CancellationTokenSource _cut = new();
        private volatile bool _isAnswerWithheld;

        public Task Ended { get; private set; } = Task.CompletedTask;

        public void Start() => Ended = RunAsync();

        /// <summary>Closing with no time to linger is a reset (RST), not a goodbye (FIN).</summary>
        public void Cut()
        {
            client.Close(0);
            _server.Close(0);
            _cut.Cancel();
        }

        private async Task RunAsync()
        {
            await OrCutAsync(ForwardAsync());
            client.Dispose();
            _server.Dispose();
            proxy._links.TryRemove(this, out _);
        }

        /// <summary>However one side or one direction breaks, the rest breaks with it.</summary>
        private async Task OrCutAsync(Task work)
        {
            try
            {
                await work;
            }
            catch (Exception e) when (
                e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
            {
                Cut();
            }
        }

        private async Task ForwardAsync()
        {
            await _server.ConnectAsync(proxy._host, proxy._port, _cut.Token);
            var (ofClient, ofServer) = (new NetworkStream(client), new NetworkStream(_server));
            await Task.WhenAll(
                OrCutAsync(RequestsAsync(ofClient, ofServer)),
                OrCutAsync(AnswersAsync(ofServer, ofClient)));
        }

        private async Task RequestsAsync(NetworkStream from, NetworkStream to)
        {
            var frame = new TdsFrame();
            for (var isFirst = true; await frame.ReadAsync(from);)
            {
                if (!frame.IsTls)
                {
                    if (isFirst && !await PassesAsync(proxy.Decide(frame.Type))) return;
                    isFirst = frame.IsLast;
                }

                await frame.WriteAsync(to);
            }

            _server.Shutdown(SocketShutdown.Send);
        }

        private async ValueTask<bool> PassesAsync(TdsDecision decision)
        {
            switch (decision.Fault)
            {
                case TdsFault.CutBefore:
                    Interlocked.Increment(ref proxy._cutsBefore);
                    Cut();
                    return false;
                case TdsFault.CutAfter:
                    _isAnswerWithheld = true;
                    return true;
                case TdsFault.Delay:
                    Interlocked.Increment(ref proxy._delays);
                    await Task.Delay(decision.DelayMs, _cut.Token);
                    return true;
                default:
                    return true;
            }
        }

        /// <summary>A client asks one thing at a time, so the next answer is the withheld one.</summary>
        private async Task AnswersAsync(NetworkStream from, NetworkStream to)
        {
            var frame = new TdsFrame();
            for (var isEncrypted = false; await frame.ReadAsync(from);)
            {
                if (frame.IsTls && !isEncrypted) Interlocked.Increment(ref proxy._encrypted);
                isEncrypted |= frame.IsTls;
                if (!_isAnswerWithheld)
                {
                    await frame.WriteAsync(to);
                }
                else if (frame.IsLast)
                {
                    Interlocked.Increment(ref proxy._cutsAfter);
                    Cut();
                    return;
                }
            }

            client.Shutdown(SocketShutdown.Send);
        }
    }
}

/// <summary>A packet of TDS, or a record of TLS in its place: forwarded whole or not at all.</summary>
internal sealed class TdsFrame
{
    private const int PacketHeader = 8;
    private const int RecordHeader = 5;
    private readonly byte[] _bytes = new byte[RecordHeader + ushort.MaxValue];
    private int _length;

    /// <summary>Content types of TLS, 20 to 23, are no types of TDS; its major version is always 3.</summary>
    public bool IsTls => _bytes[0] is >= 20 and <= 23 && _bytes[1] == 3;

    public bool IsLast => !IsTls && (_bytes[1] & 1) == 1;

    public TdsMessage Type => (TdsMessage)_bytes[0];

    /// <summary>False where the sender says goodbye between two frames; within one it is an error.</summary>
    public async ValueTask<bool> ReadAsync(NetworkStream from)
    {
        var start = await from.ReadAtLeastAsync(
            _bytes.AsMemory(0, RecordHeader), RecordHeader, throwOnEndOfStream: false);
        if (start == 0) return false;
        if (start < RecordHeader) throw new EndOfStreamException("The stream ends within a header.");
        _length = IsTls
            ? RecordHeader + BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(3))
            : BinaryPrimitives.ReadUInt16BigEndian(_bytes.AsSpan(2));
        if (!IsTls && _length < PacketHeader) throw new IOException("This is neither TDS nor TLS.");
        await from.ReadExactlyAsync(_bytes.AsMemory(RecordHeader, _length - RecordHeader));
        return true;
    }

    public ValueTask WriteAsync(NetworkStream to) => to.WriteAsync(_bytes.AsMemory(0, _length));
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>A message as it came over the wire, or one record of TLS.</summary>
internal sealed record TdsWireMessage(byte Type, byte[] Payload, int Packets);

/// <summary>
/// Looks like a TDS server from outside and knows nothing of SQL: it notes each message it has got whole and
/// says the same bytes back as its answer. Written apart from the proxy, so that they don't share a mistake.
/// </summary>
internal sealed class TdsPeer : IAsyncDisposable
{
    private const byte AnswerType = 4;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<Task> _serving = [];
    private readonly Task _accepting;
    private int _goodbyes;
    private int _resets;

    public TdsPeer()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    public ConcurrentQueue<TdsWireMessage> Got { get; } = [];

    /// <summary>Where a record of TLS is answered in TLS, the whole connection is encrypted.</summary>
    public bool AnswersTlsInTls { get; init; }

    public bool ClosesAfterAnswer { get; init; }

    /// <summary>The last packet of each answer waits for this.</summary>
    public Task LastPacket { get; init; } = Task.CompletedTask;

    /// <summary>Clients that left in order, and those that were torn away.</summary>
    public int Goodbyes => Volatile.Read(ref _goodbyes);

    public int Resets => Volatile.Read(ref _resets);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        _listener.Dispose();
        await Task.WhenAll(_serving);
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            // Only disposing stops it.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var wire = new TdsWire(client);
        try
        {
            while (await wire.ReadAsync(_stopping.Token) is { } message)
            {
                Got.Enqueue(message);
                await AnswerAsync(wire, message);
                if (ClosesAfterAnswer) return;
            }

            Interlocked.Increment(ref _goodbyes);
        }
        catch (IOException)
        {
            Interlocked.Increment(ref _resets);
        }
        catch (OperationCanceledException)
        {
            // The peer itself is going.
        }
    }

    private async Task AnswerAsync(TdsWire wire, TdsWireMessage message)
    {
        if (message.Type == TdsWire.TlsData && AnswersTlsInTls)
            await wire.SendAsync(TdsWire.Record(message.Payload));
        else
            await wire.SendAsync(AnswerType, message.Payload, LastPacket.WaitAsync(_stopping.Token));
    }
}

/// <summary>One end of a connection that speaks TDS, for the peer and for its clients.</summary>
internal sealed class TdsWire : IDisposable
{
    public const byte TlsData = 0x17;
    private const int PacketBytes = 4_096;
    private readonly TcpClient _client;
    private readonly NetworkStream _stream;

    public TdsWire(TcpClient client)
    {
        client.NoDelay = true;
        (_client, _stream) = (client, client.GetStream());
    }

    public static async Task<TdsWire> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return new TdsWire(client);
    }

    public static byte[] Record(byte[] payload)
    {
        byte[] record = [TlsData, 3, 3, 0, 0, .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(3), (ushort)payload.Length);
        return record;
    }

    public static byte[] Packet(byte type, ReadOnlySpan<byte> payload, bool isLast)
    {
        byte[] packet = [type, (byte)(isLast ? 1 : 0), 0, 0, 0, 0, 1, 0, .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        return packet;
    }

    public Task SendAsync(byte[] bytes) => _stream.WriteAsync(bytes).AsTask();

    /// <summary>As many packets as it takes; the last one may have to wait.</summary>
    public async Task SendAsync(byte type, byte[] payload, Task? beforeLast = null)
    {
        var last = Math.Max(0, payload.Length - 1) / PacketBytes * PacketBytes;
        for (var at = 0; at < last; at += PacketBytes)
            await SendAsync(Packet(type, payload.AsSpan(at, PacketBytes), isLast: false));
        await (beforeLast ?? Task.CompletedTask);
        await SendAsync(Packet(type, payload.AsSpan(last), isLast: true));
    }

    /// <summary>The next message, or nothing after a goodbye. A connection torn away throws.</summary>
    public async Task<TdsWireMessage?> ReadAsync(CancellationToken ct = default)
    {
        var (header, payload) = (new byte[8], new MemoryStream());
        for (var packets = 1; ; packets++)
        {
            if (await _stream.ReadAtLeastAsync(header.AsMemory(0, 1), 1, throwOnEndOfStream: false, ct) == 0)
                return packets == 1 ? null : throw new EndOfStreamException("Half a message.");
            var isTls = header[0] == TlsData;
            await _stream.ReadExactlyAsync(header.AsMemory(1, isTls ? 4 : 7), ct);
            var length = BinaryPrimitives.ReadUInt16BigEndian(header.AsSpan(isTls ? 3 : 2)) - (isTls ? 0 : 8);
            var body = new byte[length];
            await _stream.ReadExactlyAsync(body, ct);
            payload.Write(body);
            if (isTls || header[1] == 1) return new TdsWireMessage(header[0], payload.ToArray(), packets);
        }
    }

    /// <summary>Half of a goodbye: it still listens.</summary>
    public void SayNoMore() => _client.Client.Shutdown(SocketShutdown.Send);

    public void Reset() => _client.Client.Close(0);

    public void Dispose() => _client.Dispose();
}

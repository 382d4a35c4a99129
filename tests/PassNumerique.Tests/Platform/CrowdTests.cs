using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NUnit.Framework;
using PassNumerique.Benchmarks;

namespace PassNumerique.Tests.Platform;

/// <summary>Many who come in one moment, to a real process and its real socket.</summary>
internal sealed class CrowdTests
{
    private const int Crowd = 1_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Whoever finds no place in the queue of the socket would be connected only when it runs again.</summary>
    [Test]
    public async Task A_thousand_find_their_place_while_the_service_stands_still()
    {
        var most = int.Parse(await File.ReadAllTextAsync("/proc/sys/net/core/somaxconn"), CultureInfo.InvariantCulture);
        if (most < Crowd) Assert.Ignore($"This machine lets {most} wait at most.");
        using var folder = new TestFolder();
        using var service = await RunningService.StartAsync(
            ServiceProcess.Host, new StoreFolder(folder.Data).Environment(), typeof(PassNumerique.Program).Assembly.Location);
        var sockets = Enumerable.Range(0, Crowd)
            .Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        try
        {
            service.Send(Signal.Stop);
            var connected = Task.WhenAll(sockets.Select(s => s.ConnectAsync(IPAddress.Loopback, service.Port)));
            await connected.WaitAsync(Patience);
            service.Send(Signal.Continue);
            foreach (var socket in sockets) Assert.That(await FirstLineAsync(socket), Is.EqualTo("HTTP/1.1 200 OK"));
        }
        finally
        {
            sockets.ForEach(s => s.Dispose());
        }
    }

    private static async Task<string?> FirstLineAsync(Socket socket)
    {
        using var late = new CancellationTokenSource(Patience);
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.WriteAsync("GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"u8.ToArray(), late.Token);
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync(late.Token);
    }
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>An answer as it came over the wire: its status, and all of its text.</summary>
internal sealed record RawAnswer(int Status, string Text);

/// <summary>Requests byte by byte, for what a client library would refuse to send.</summary>
internal static class RawHttp
{
    private static readonly Encoding Latin1 = Encoding.Latin1;

    public static async Task<Socket> ConnectAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return socket;
    }

    /// <summary>A whole and honest request for a connection of its own.</summary>
    public static byte[] Post(string path, string? key, byte[] body) => Request(
        "POST", path,
        [
            .. key is null ? (string[])[] : [$"Authorization: Bearer {key}"], "Content-Type: application/json",
            string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}"),
        ], body);

    /// <summary>Header lines as they are given, each byte of them one character.</summary>
    public static byte[] Request(string method, string path, IEnumerable<string> headers, byte[] body) =>
    [
        .. Latin1.GetBytes($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"),
        .. Latin1.GetBytes(string.Concat(headers.Select(h => h + "\r\n")) + "\r\n"), .. body,
    ];

    /// <summary>
    /// Sends, and reads until the service closes. Nothing where it closes without an answer, or waits for more than
    /// was sent.
    /// </summary>
    public static async Task<RawAnswer?> AskAsync(int port, byte[] request, TimeSpan patience)
    {
        using var socket = await ConnectAsync(port);
        using var late = new CancellationTokenSource(patience);
        try
        {
            await socket.SendAsync(request, late.Token);
        }
        catch (SocketException)
        {
            // It answered and closed before it had heard everything: the answer may still be there.
        }

        return await ReadAsync(socket, late.Token);
    }

    public static async Task<RawAnswer?> ReadAsync(Socket socket, CancellationToken late)
    {
        var all = new MemoryStream();
        var buffer = new byte[16_384];
        try
        {
            while (await socket.ReceiveAsync(buffer, late) is var length and > 0) all.Write(buffer, 0, length);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException)
        {
            // What came before is what was answered.
        }

        var text = Encoding.UTF8.GetString(all.ToArray());
        return text.StartsWith("HTTP/1.1 ", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status)
            ? new(status, text)
            : null;
    }
}

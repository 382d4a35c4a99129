using System.Net.Sockets;
using System.Text;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform;

[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class ConnectionReuseTests(string engine)
{
    [Test]
    public async Task A_body_that_is_refused_leaves_the_connection_to_the_next_request()
    {
        await using var service = await TestService.StartAsync(engine);
        var connections = 0;
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, ct) =>
            {
                Interlocked.Increment(ref connections);
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(context.DnsEndPoint, ct);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new Uri(service.Address + "/api/v1/") };
        client.DefaultRequestHeaders.Authorization = new("Bearer", service.OperatorKey);
        string[] refused = ["{}", "{", """{"kind":1}"""];
        foreach (var body in Enumerable.Repeat(refused, 10).SelectMany(bodies => bodies))
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await client.PostAsync("organisations", content);
            Assert.That((int)response.StatusCode, Is.EqualTo(400));
            await Task.Delay(2);
        }

        Assert.That(connections, Is.EqualTo(1));
    }
}

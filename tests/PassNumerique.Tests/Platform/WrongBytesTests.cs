using System.Net.Sockets;
using System.Text;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform;

/// <summary>Bodies whose bytes are no text, or end nowhere: a 400 that says so, as for any other mistake.</summary>
internal sealed class WrongBytesTests
{
    private TestService _service = null!;

    [OneTimeSetUp]
    public async Task Start() => _service = await TestService.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [TestCase("{\"kind\":\"state\",\"n\u00c0\u00afame\":\"x\"}", TestName = "An_overlong_sequence_in_a_name_is_told")]
    [TestCase("{\"kind\":\"state\",\"name\":\"\u00ff\"}", TestName = "A_byte_that_is_no_UTF8_in_a_value_is_told")]
    [TestCase("{\"kind\":\"state\",\"name\":\"x\",\"\\ud800\":1}", TestName = "Half_a_character_in_a_name_is_told")]
    [TestCase("{\"kind\":\"state\",\"name\":\"\\udc00\"}", TestName = "Half_a_character_in_a_value_is_told")]
    public async Task Is_told(string bytes)
    {
        using var content = new ByteArrayContent(Encoding.Latin1.GetBytes(bytes));
        content.Headers.ContentType = new("application/json");
        using var response = await _service.Operator().PostAsync("organisations", content);
        var answer = await Answer.FromAsync(response);
        Assert.That((answer.Status, answer.Problem), Is.EqualTo((400, "invalid-request")), answer.ToString());
        Assert.That(answer["errors"].EnumerateObject().Count(), Is.EqualTo(1), answer.Body);
    }

    [TestCase("ffffffffffffffff\r\n{}\r\n0\r\n\r\n", TestName = "A_chunk_longer_than_any_body_is_a_bad_request")]
    [TestCase("2\r\n{}\r\n0\r\nX-Trailer: \0\r\n\r\n", TestName = "A_trailer_with_a_null_is_a_bad_request")]
    [TestCase("zz\r\n{}\r\n0\r\n\r\n", TestName = "A_chunk_without_a_length_is_a_bad_request")]
    public async Task Is_a_bad_request(string chunks)
    {
        using var client = new TcpClient("127.0.0.1", new Uri(_service.Address).Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/organisations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            + $"Authorization: Bearer {_service.OperatorKey}\r\nContent-Type: application/json\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n" + chunks));
        using var reader = new StreamReader(client.GetStream());
        Assert.That(await reader.ReadToEndAsync(), Does.StartWith("HTTP/1.1 400 ").And.Contain("invalid-request"));
    }
}

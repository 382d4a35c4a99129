using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using MediatR;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests;

/// <summary>
/// The real service on Kestrel, on a port of its own and a store of its own, with an operator's key to begin
/// with. Nothing of ours is mocked; only the clock can be replaced, by whoever owns the store.
/// </summary>
internal sealed class TestService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;
    private readonly bool _ownsFolder;
    private readonly string _engine;

    private TestService(WebApplication app, string engine, string folder, bool ownsFolder)
    {
        (_app, _engine, _folder, _ownsFolder) = (app, engine, folder, ownsFolder);
        Address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
    }

    public string Address { get; }

    public IServiceProvider Services => _app.Services;

    public string Folder => _folder;

    public string OperatorKey { get; private set; } = "";

    public static async Task<TestService> StartAsync(
        string engine = Engines.Sqlite, TimeProvider? clock = null, string? folder = null, bool demo = false,
        bool bootstrap = true, string? connectionString = null, IReadOnlyDictionary<string, string?>? settings = null)
    {
        var data = folder ?? Path.Combine(Path.GetTempPath(), "pass-numerique-" + Guid.NewGuid().ToString("N"));
        var isNew = engine == Engines.Sqlite
            ? !File.Exists(Path.Combine(data, SqliteDatabase.FileName))
            : await PrepareServerAsync(data);
        var app = await Program.BuildAsync([], builder =>
        {
            builder.Environment.EnvironmentName = "Development";
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["PassNumerique:Data"] = data,
                ["PassNumerique:Store"] = engine,
                ["ConnectionStrings:PassNumerique"] = engine == Engines.Sqlite ? null : connectionString ?? TestServer.For(data),
                ["PassNumerique:Demo"] = demo ? "true" : "false",
                ["urls"] = "http://127.0.0.1:0",
            });
            if (settings is not null) builder.Configuration.AddInMemoryCollection(settings);
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(new Failures());
            if (clock is not null) builder.Services.AddSingleton(clock);
        });
        await app.StartAsync();
        var service = new TestService(app, engine, data, folder is null);
        if (!demo && isNew && bootstrap) service.OperatorKey = await service.BootstrapAsync();
        // What the start wrote is sealed by the clock of the start, before a test moves it.
        if (engine == Engines.SqlServer && isNew) await service.SealAsync();
        return service;
    }

    /// <summary>A client with a key, or without one.</summary>
    /// <param name="apiKey">Whose.</param>
    /// <param name="isPatient">Whether it comes again as long as a server is too busy to answer within the deadline.</param>
    public HttpClient Client(string? apiKey = null, bool isPatient = true)
    {
        var client = new HttpClient(isPatient ? Handler(new SocketsHttpHandler()) : new SocketsHttpHandler())
        {
            BaseAddress = new Uri(Address + "/api/v1/"),
            Timeout = TimeSpan.FromSeconds(60),
        };
        if (apiKey is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        return client;
    }

    public HttpClient Operator() => Client(OperatorKey);

    /// <summary>
    /// Where facts are sealed a second after their commit, who reads a figure waits for the seal first; and a small
    /// server under many calls is asked again, as its 503 says.
    /// </summary>
    public HttpMessageHandler Handler(HttpMessageHandler inner) =>
        _engine == Engines.Sqlite ? inner : new SealedFigures(this, inner);

    /// <summary>Seals what is committed.</summary>
    public Task SealAsync() => Services.GetRequiredService<Database>().SealThroughAsync(0);

    /// <summary>Runs a command as the service itself would, without HTTP.</summary>
    public async Task<Result<T>> SendAsync<T>(ICommand<T> command, Caller? caller = null)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Session>().Caller = caller ?? SystemCaller;
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(command);
    }

    /// <summary>Reads the store directly.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, object? args = null)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<Session>().ListAsync<T>(sql, args ?? new { });
    }

    /// <summary>Writes to the store directly, past every rule but its own.</summary>
    public async Task<long> ExecuteAsync(string sql, object? args = null)
    {
        await using var scope = _app.Services.CreateAsyncScope();
        var session = scope.ServiceProvider.GetRequiredService<Session>();
        var database = scope.ServiceProvider.GetRequiredService<Database>();
        return (await database.CommandAsync(
            session, async () => new Result<long>(await session.ExecuteAsync(sql, args ?? new { }), null))).Value;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        if (!_ownsFolder) return;
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        if (_engine == Engines.SqlServer) await TestServer.DropAsync(_folder);
    }

    /// <summary>The database and the key file: on a server neither is made by the service.</summary>
    private static async Task<bool> PrepareServerAsync(string data)
    {
        Directory.CreateDirectory(data);
        var keys = Path.Combine(data, "code.keys");
        if (!File.Exists(keys)) KeyRing.Create(keys);
        return await TestServer.CreateAsync(data);
    }

    private static readonly Caller SystemCaller =
        new("00000000-0000-0000-0000-000000000000", Role.Operator, "00000000-0000-0000-0000-000000000000", [], "système");

    private async Task<string> BootstrapAsync()
    {
        var organisation = await SendAsync(new CreateOrganisation.Command("operator", "Opérateur d'essai"));
        var key = await SendAsync(new CreateApiKey.Command(organisation.Value!.Id, "operator", "essais"));
        return key.Value!.ApiKey;
    }
}

/// <summary>What the service calls a bug is told by the test that met it, with its trace.</summary>
internal sealed class Failures : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) TestContext.Progress.WriteLine($"{formatter(state, exception)}\n{exception}");
    }

    public void Dispose()
    {
    }
}

/// <summary>Reports, exports and their pages show sealed facts.</summary>
internal sealed class SealedFigures(TestService service, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly string[] Figures = ["/reports", "/bilans", "/exports", "/open-data", "/indicators"];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (Figures.Any(f => path.Contains(f, StringComparison.Ordinal))) await service.SealAsync();
        for (var tries = 1; ; tries++)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if ((int)response.StatusCode != 503 || tries == 10) return response;
            Assert.That(response.Headers.RetryAfter, Is.Not.Null);
            response.Dispose();
            await Task.Delay(Random.Shared.Next(200, 1_000), cancellationToken);
        }
    }
}

/// <summary>Short words for calling the API in a test.</summary>
internal static class Calls
{
    public static async Task<Answer> PostAsync(this HttpClient client, string path, object body, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var response = await client.SendAsync(request);
        return await Answer.FromAsync(response);
    }

    /// <summary>
    /// As a till does: while the service says that it is not there yet, the same request again. Many calls at the
    /// same moment can be more than a small server takes within a deadline.
    /// </summary>
    public static async Task<Answer> PostUntilTakenAsync(this HttpClient client, string path, object body)
    {
        for (var tries = 1; ; tries++)
        {
            var answer = await client.PostAsync(path, body);
            if (answer.Status != 503 || tries == 20) return answer;
            Assert.That(answer.Headers.RetryAfter, Is.Not.Null, answer.ToString());
            await Task.Delay(Random.Shared.Next(200, 1_000));
        }
    }

    public static async Task<Answer> PostTextAsync(this HttpClient client, string path, string body, string type = "application/json")
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, type);
        using var response = await client.PostAsync(path, content);
        return await Answer.FromAsync(response);
    }

    /// <summary>A file as the body of a POST.</summary>
    public static async Task<Answer> UploadAsync(this HttpClient client, string path, byte[] file, string type = "text/csv")
    {
        using var content = new ByteArrayContent(file);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        using var response = await client.PostAsync(path, content);
        return await Answer.FromAsync(response);
    }

    public static Task<Answer> UploadAsync(this HttpClient client, string path, string file) =>
        client.UploadAsync(path, System.Text.Encoding.UTF8.GetBytes(file));

    public static async Task<Answer> ReadAsync(this HttpClient client, string path)
    {
        using var response = await client.GetAsync(path);
        return await Answer.FromAsync(response);
    }

    public static async Task<Answer> RemoveAsync(this HttpClient client, string path)
    {
        using var response = await client.DeleteAsync(path);
        return await Answer.FromAsync(response);
    }
}

/// <summary>An answer, read whole.</summary>
internal sealed record Answer(int Status, string Body, bool Replayed, HttpResponseHeaders Headers, string? ContentType)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The refusal code of a problem, without its prefix; empty when it is none.</summary>
    public string Problem => ContentType == "application/problem+json"
        ? Json.GetProperty("type").GetString()!.Replace("urn:pass-numerique:", "", StringComparison.Ordinal)
        : "";

    public string Id => Json.GetProperty("id").GetString()!;

    public JsonElement this[string member] => Json.GetProperty(member);

    public static async Task<Answer> FromAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode,
        await response.Content.ReadAsStringAsync(),
        response.Headers.Contains("Idempotency-Replayed"),
        response.Headers,
        response.Content.Headers.ContentType?.MediaType);

    public override string ToString() => $"{Status} {Body}";
}

using MediatR;
using Microsoft.Extensions.DependencyInjection;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests;

/// <summary>
/// Another copy of the service behind the same balancer: the same store, key file and clock, a memory of its own.
/// What it records is unknown to the memory of the first.
/// </summary>
internal sealed class OtherCopy : IAsyncDisposable
{
    private static readonly Caller SystemCaller =
        new("00000000-0000-0000-0000-000000000001", Role.Operator, "00000000-0000-0000-0000-000000000001", [], "système");

    private readonly ServiceProvider _services;

    public OtherCopy(TestService first)
    {
        var services = new ServiceCollection();
        services.AddSingleton(first.Services.GetRequiredService<TimeProvider>());
        services.AddLogging();
        Hosting.AddServices(services, first.Services.GetRequiredService<Settings>());
        services.AddSingleton(first.Services.GetRequiredService<KeyRing>());
        services.AddSingleton(first.Services.GetRequiredService<Database>());
        _services = services.BuildServiceProvider();
    }

    public async Task<Result<T>> SendAsync<T>(ICommand<T> command, Caller? caller = null)
    {
        await using var scope = _services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<Session>().Caller = caller ?? SystemCaller;
        return await scope.ServiceProvider.GetRequiredService<IMediator>().Send(command);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks;

/// <summary>The demonstration on the embedded engine, opened in this process, with the codes of its passes.</summary>
internal sealed class DemoStore : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private DemoStore(WebApplication app, string folder, IReadOnlyList<OrderRange> orders)
    {
        (_app, _folder, Orders) = (app, folder, orders);
    }

    /// <summary>An order: its serials, and what its codes are made of.</summary>
    internal sealed record OrderRange(long FirstSerial, long LastSerial, byte[] Salt, long KeyVersion);

    public IReadOnlyList<OrderRange> Orders { get; }

    public KeyRing Keys => _app.Services.GetRequiredService<KeyRing>();

    public static async Task<DemoStore> OpenAsync()
    {
        var folder = Directory.CreateTempSubdirectory("pass-numerique-demo-").FullName;
        var app = await PassNumerique.Program.BuildAsync([], builder =>
        {
            builder.Environment.EnvironmentName = "Development";
            builder.Logging.ClearProviders();
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["PassNumerique:Data"] = folder,
                ["PassNumerique:Demo"] = "true",
            });
        });
        await using var scope = app.Services.CreateAsyncScope();
        var orders = await scope.ServiceProvider.GetRequiredService<Session>().ListAsync<OrderRange>(
            """
            SELECT first_serial AS FirstSerial,
                   last_serial AS LastSerial,
                   salt AS Salt,
                   key_version AS KeyVersion
              FROM orders
             ORDER BY first_serial
            """,
            new { });
        return new(app, folder, orders);
    }

    /// <summary>A session of its own for each thread.</summary>
    public AsyncServiceScope Scope() => _app.Services.CreateAsyncScope();

    /// <summary>What counts guesses and stops nobody.</summary>
    public static Guesses Unlimited() =>
        new(new(long.MaxValue, long.MaxValue, long.MaxValue), TimeProvider.System, NullLogger<Guesses>.Instance);

    public ReadCode Reader(Guesses guesses, OrderCards orders) => new(orders, Keys, guesses);

    /// <summary>The codes of some passes, taken at random.</summary>
    public IReadOnlyList<string> Codes(int count, Random random)
    {
        var codes = new string[count];
        for (var i = 0; i < count; i++)
        {
            var serial = random.NextInt64(1, Orders[^1].LastSerial + 1);
            var order = Orders.Last(o => o.FirstSerial <= serial);
            var version = (int)order.KeyVersion;
            codes[i] = VoucherCode.Compose(Keys.Derive(version, KeyLabel.Code), version, serial, order.Salt);
        }

        return codes;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

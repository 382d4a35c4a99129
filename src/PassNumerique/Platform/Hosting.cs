using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PassNumerique.Access;
using PassNumerique.Audit;
using PassNumerique.Conventions;
using PassNumerique.Orders;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;
using PassNumerique.Platform.Pdf;
using PassNumerique.Platform.Web;
using PassNumerique.Redemption;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique.Platform;

/// <summary>How the process is put together: settings, limits, services, and the store opened at the start.</summary>
internal static class Hosting
{
    public const string DefaultUrl = "http://localhost:5080";

    /// <summary>
    /// Connections that wait to be accepted: a crowd that comes in one moment, as after a restart. Whom Linux finds no
    /// place for there tries again after a second, then three. Its own limit, <c>net.core.somaxconn</c>, is by default
    /// the same.
    /// </summary>
    private const int MostConnecting = 4_096;

    /// <summary>
    /// The small host: settings are read once, so that no file is watched (a watch costs memory, and an inotify
    /// instance, of which a machine has few).
    /// </summary>
    public static WebApplicationBuilder CreateBuilder(string[] args) =>
        WebApplication.CreateSlimBuilder([.. args, "--hostBuilder:reloadConfigOnChange=false"]);

    public static void Configure(WebApplicationBuilder builder)
    {
        var settings = Settings.From(builder.Configuration, builder.Environment);
        if (string.IsNullOrEmpty(builder.Configuration["urls"])) builder.WebHost.UseUrls(DefaultUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = Api.MaxBodyBytes;
        });
        builder.Services.Configure<SocketTransportOptions>(static sockets => sockets.Backlog = MostConnecting);
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        // A start that fails is told once, in one line, by Main.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        AddServices(builder.Services, settings);
    }

    public static void AddServices(IServiceCollection services, Settings settings)
    {
        services.AddSingleton(settings);
        services.AddSingleton(settings.Guesses);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(Journal.Tables);
        services.AddSingleton(OpenKeys);
        services.AddSingleton(CreateDatabase);
        services.AddScoped<Session>();
        services.AddSingleton<CallerCache>();
        services.AddSingleton<ConventionCards>();
        services.AddSingleton<OrderCards>();
        services.AddSingleton<SiteCards>();
        services.AddSingleton<RecentlyRefused>();
        services.AddSingleton<Guesses>();
        services.AddSingleton<ReadCode>();
        services.AddSingleton<ArabicFont>();
        services.AddSingleton<DemoState>();
        services.AddSingleton<Menu>();
        services.AddSingleton<JobDesk>();
        services.AddSingleton(RecordCodeExport.Job);
        services.AddSingleton(PlaceOrderFile.Job);
        services.AddScoped<StageOrderFile>();
        services.AddHostedService<JobRunner>();
        services.AddPipeline();
    }

    /// <summary>Opens, migrates and checks the store; throws <see cref="StartException"/> with the reason.</summary>
    public static async Task OpenStoreAsync(WebApplication app)
    {
        var database = app.Services.GetRequiredService<Database>();
        await database.MigrateAsync();
        foreach (var warning in database.Warnings) app.Logger.StoreWarning(warning);
        if (app.Services.GetRequiredService<Settings>().Demo && (await database.LastSealAsync()).Batch == 0)
            await Demonstration.LoadAsync(app.Services, day: null, seed: 1, Console.Out);
    }

    private static Database CreateDatabase(IServiceProvider services)
    {
        var settings = services.GetRequiredService<Settings>();
        var facts = services.GetRequiredService<FactTables>();
        var clock = services.GetRequiredService<TimeProvider>();
        var keys = services.GetRequiredService<KeyRing>();
        return settings.Store == "sqlite"
            ? new SqliteDatabase(settings.Data, settings.HeadFile, facts, clock, keys)
            : new SqlServerDatabase(settings.ConnectionString!, settings.HeadFile, facts, clock, keys);
    }

    /// <summary>A key is made only where no store is yet: beside a store, a missing one stops the start.</summary>
    private static KeyRing OpenKeys(IServiceProvider services)
    {
        var settings = services.GetRequiredService<Settings>();
        var isNew = settings.Store == "sqlite" && !File.Exists(Path.Combine(settings.Data, SqliteDatabase.FileName));
        if (settings.Store == "sqlserver" && !File.Exists(settings.CodeKeyFile))
        {
            throw new StartException(
                $"Fichier de clés {settings.CodeKeyFile} : introuvable ; restaurez-le depuis le coffre. Pour une base neuve, "
                + "« keys create » en crée un.");
        }

        if (!isNew || File.Exists(settings.CodeKeyFile)) return KeyRing.Load(settings.CodeKeyFile);
        Directory.CreateDirectory(Path.GetDirectoryName(settings.CodeKeyFile)!);
        return KeyRing.Create(settings.CodeKeyFile);
    }
}

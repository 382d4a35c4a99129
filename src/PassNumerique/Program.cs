using PassNumerique.Access;
using PassNumerique.Audit;
using PassNumerique.Conventions;
using PassNumerique.Custody;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Platform.Jobs;
using PassNumerique.Platform.Web;
using PassNumerique.Redemption;
using PassNumerique.Reports;
using PassNumerique.Settlement;
using PassNumerique.Sites;
using PassNumerique.Vouchers;

namespace PassNumerique;

/// <summary>The service: what it is made of, and one line per feature.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        Globalization.Choose(args);
        try
        {
            if (Verbs.Handles(args)) return await Verbs.RunAsync(args, Console.Out, Console.Error);
            await using var app = await BuildAsync(args);
            await app.StartAsync();
            await Greeting.PrintAsync(app, Console.Out);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception exception) when (StartException.Explain(exception) is { } reason)
        {
            await Console.Error.WriteLineAsync(reason);
            return 2;
        }
    }

    /// <summary>The application with its store open and migrated, not yet listening.</summary>
    public static async Task<WebApplication> BuildAsync(string[] args, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = Hosting.CreateBuilder(args);
        configure?.Invoke(builder);
        Hosting.Configure(builder);

        var app = builder.Build();
        app.Use(Problems.Catch);
        app.UseRouting();
        app.Use((http, next) => Api.TurnAwayAsync(http, next, app.Services.GetRequiredService<Database>()));
        app.UseMiddleware<Gate>();

        Health.Map(app);
        OpenApi.Map(app);
        SitePages.Map(app);
        var api = app.MapGroup(Api.Root);
        AccessEndpoints.Map(api);
        SitesEndpoints.Map(api);
        ConventionsEndpoints.Map(api);
        OrdersEndpoints.Map(api);
        HandOutEndpoints.Map(api);
        CustodyEndpoints.Map(api);
        VouchersEndpoints.Map(api);
        RedemptionEndpoints.Map(api);
        SettlementEndpoints.Map(api);
        ReportsEndpoints.Map(api);
        AuditEndpoints.Map(api);
        ReadJobs.Map(api);

        await Hosting.OpenStoreAsync(app);
        return app;
    }
}

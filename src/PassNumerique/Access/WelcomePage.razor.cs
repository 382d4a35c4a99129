using System.Text.Json;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Access;

/// <summary>What the service is; with the demonstration, the accounts to try it with.</summary>
public partial class WelcomePage
{
    internal sealed record View(IReadOnlyList<Account> Accounts);

    internal sealed record Account(string Role, string Login, string Password, string Organisation)
    {
        public string RoleLabel => Roles.Label(Roles.Parse(Role));
    }

    internal static void Map(IEndpointRouteBuilder app) => app.Page("/", Role.Anonymous, ShowAsync);

    private static async Task ShowAsync(Request request)
    {
        var isDemo = await request.Service<DemoState>().IsLoadedAsync(request.Session);
        var accounts = isDemo ? await AccountsAsync(request.Service<Settings>().Data, request.Aborted) : [];
        await request.ShowAsync<WelcomePage, View>(new(accounts));
    }

    /// <summary>The accounts that the demonstration wrote beside its store, if the file is still there.</summary>
    private static async Task<IReadOnlyList<Account>> AccountsAsync(string data, CancellationToken ct)
    {
        var file = Path.Combine(data, "demo.json");
        if (!File.Exists(file)) return [];
        await using var stream = File.OpenRead(file);
        using var document = await JsonDocument.ParseAsync(stream, cancellationToken: ct);
        return
        [
            .. from user in document.RootElement.GetProperty("users").EnumerateArray()
               select new Account(
                   user.GetProperty("role").GetString()!, user.GetProperty("login").GetString()!,
                   user.GetProperty("password").GetString()!, user.GetProperty("organisation").GetString()!),
        ];
    }
}

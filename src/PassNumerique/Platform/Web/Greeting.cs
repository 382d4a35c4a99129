
namespace PassNumerique.Platform.Web;

/// <summary>What the console of the first command says: the address, and three things to try.</summary>
internal static class Greeting
{
    public static async Task PrintAsync(WebApplication app, TextWriter output)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        if (!settings.IsDevelopment) return;
        var address = app.Urls.FirstOrDefault() ?? Hosting.DefaultUrl;
        var file = Path.Combine(settings.Data, "demo.json");
        await output.WriteLineAsync(
            $"""

            Pass numérique écoute sur {address}

            Trois choses à essayer :
              1. Ouvrez {address} et choisissez un compte de la démonstration.
              2. Demandez si tout va bien :  curl -s {address}/health/ready
              3. Suivez la visite guidée du README ; clés et codes à essayer : {file}

            Ctrl+C arrête le service ; tout ce qui a été confirmé est sur le disque.
            """);
    }
}

using System.Globalization;
using PassNumerique.Platform.Data;

namespace PassNumerique.Platform;

/// <summary>
/// How many wrong guesses of codes a minute are answered: of one place, from one address, and of all together, by
/// one copy of the service.
/// </summary>
internal sealed record GuessLimits(long PerSite = 10, long PerAddress = 60, long Overall = 600)
{
    public const long Max = 1_000_000;
}

/// <summary>The settings of <c>api.md</c>. A wrong one stops the start with one line that names it.</summary>
internal sealed record Settings(
    string Data, string Store, string? ConnectionString, bool Demo, string CodeKeyFile, string? HeadFile, bool IsDevelopment,
    GuessLimits Guesses, string? ArabicFont = null)
{
    internal static readonly string[] Names =
    [
        "Data", "Store", "Demo", "CodeKeyFile", "HeadFile", "GuessesPerSite", "GuessesPerAddress", "GuessesOverall",
        "ArabicFont",
    ];

    public static Settings From(IConfiguration configuration, IHostEnvironment environment)
    {
        var section = configuration.GetSection("PassNumerique");
        foreach (var child in section.GetChildren())
        {
            if (!Names.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw new StartException(
                    $"Réglage inconnu « PassNumerique__{child.Key} ». Réglages possibles : "
                    + string.Join(", ", Names.Select(n => "PassNumerique__" + n).Append("ConnectionStrings__PassNumerique")) + ".");
            }
        }

        var development = environment.IsDevelopment();
        var data = Path.GetFullPath(NotEmpty(section, "Data") ?? "data");
        var store = section["Store"] ?? "sqlite";
        if (store is not ("sqlite" or "sqlserver"))
            throw new StartException($"PassNumerique__Store vaut « {store} » : choisissez sqlite ou sqlserver.");
        var connectionString = configuration.GetConnectionString("PassNumerique");
        if (store == "sqlserver" && string.IsNullOrWhiteSpace(connectionString))
            throw new StartException("PassNumerique__Store=sqlserver demande ConnectionStrings__PassNumerique.");
        return new(
            data, store, connectionString, Flag(section, "Demo", development),
            KeyFileOf(section, data, development), HeadFileOf(section, data, development), development,
            GuessLimitsOf(section), ArabicFontOf(section));
    }

    private static string KeyFileOf(IConfigurationSection section, string data, bool development)
    {
        var file = NotEmpty(section, "CodeKeyFile");
        if (development) return Path.GetFullPath(file ?? Path.Combine(data, "code.keys"));
        if (file is null)
        {
            throw new StartException(
                "En production, PassNumerique__CodeKeyFile doit nommer un fichier de clés hors du dossier des données.");
        }

        file = Path.GetFullPath(file);
        return Inside(file, data)
            ? throw new StartException($"PassNumerique__CodeKeyFile « {file} » est dans le dossier des données : placez-le ailleurs.")
            : file;
    }

    private static string? HeadFileOf(IConfigurationSection section, string data, bool development)
    {
        var file = NotEmpty(section, "HeadFile");
        if (file is null) return development ? Path.Combine(data, "head.log") : null;
        file = Path.GetFullPath(file);
        return !development && Inside(file, data)
            ? throw new StartException($"PassNumerique__HeadFile « {file} » est dans le dossier des données : placez-le ailleurs.")
            : file;
    }

    private static string? ArabicFontOf(IConfigurationSection section)
    {
        if (NotEmpty(section, "ArabicFont") is not { } file) return null;
        return File.Exists(file)
            ? Path.GetFullPath(file)
            : throw new StartException($"PassNumerique__ArabicFont « {file} » : ce fichier n'existe pas.");
    }

    private static GuessLimits GuessLimitsOf(IConfigurationSection section)
    {
        var usual = new GuessLimits();
        return new(
            Number(section, "GuessesPerSite", usual.PerSite, GuessLimits.Max),
            Number(section, "GuessesPerAddress", usual.PerAddress, GuessLimits.Max),
            Number(section, "GuessesOverall", usual.Overall, GuessLimits.Max));
    }

    private static bool Inside(string file, string folder) =>
        !Path.GetRelativePath(folder, file).StartsWith("..", StringComparison.Ordinal);

    private static string? NotEmpty(IConfigurationSection section, string name) => section[name] switch
    {
        null => null,
        "" => throw new StartException($"PassNumerique__{name} est vide."),
        var value => value,
    };

    private static long Number(IConfigurationSection section, string name, long otherwise, long max) => section[name] switch
    {
        null => otherwise,
        var text when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= 1 && number <= max => number,
        var text => throw new StartException($"PassNumerique__{name} vaut « {text} » : donnez un nombre de 1 à {max}."),
    };

    private static bool Flag(IConfigurationSection section, string name, bool otherwise) => section[name] switch
    {
        null => otherwise,
        var text when bool.TryParse(text, out var flag) => flag,
        var text => throw new StartException($"PassNumerique__{name} vaut « {text} » : choisissez true ou false."),
    };
}

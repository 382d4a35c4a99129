using System.CommandLine;
using System.Data.Common;
using System.Globalization;
using MediatR;
using PassNumerique.Access;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// The command line besides <c>serve</c>, with the same settings. A verb that writes takes the lock of the
/// store, so it never runs beside the service. Exit codes: 0 done, 1 something does not hold, 2 not
/// done, with one line that says why.
/// </summary>
internal static class Verbs
{
    private static readonly string[] Helps = ["--help", "-h", "-?", "--version"];

    /// <summary>Cheap, since it stands before every start of the service.</summary>
    public static bool Handles(string[] args) => args.Length > 0
        && ((args[0] != "serve" && !args[0].StartsWith('-')) || args.Any(a => Helps.Contains(a)));

    public static async Task<int> RunAsync(
        string[] args, TextWriter output, TextWriter error, Action<WebApplicationBuilder>? configure = null)
    {
        var verbs = new VerbTable(output, error, configure).Root();
        var line = verbs.Parse(args);
        try
        {
            if (line.Action is FrenchHelp || line.Errors.Count == 0)
            {
                return await line.InvokeAsync(new InvocationConfiguration
                {
                    Output = output,
                    Error = error,
                    EnableDefaultExceptionHandler = false,
                });
            }

            await error.WriteLineAsync(FrenchHelp.Mistake(line));
            await FrenchHelp.WriteAsync(line.CommandResult.Command, error);
            return 2;
        }
        catch (Exception exception) when (Reason(exception) is not null)
        {
            await error.WriteLineAsync(Reason(exception));
            return 2;
        }
    }

    /// <summary>One line for what a person at the command line can mend; null for what is a bug.</summary>
    private static string? Reason(Exception exception) => exception switch
    {
        StartException or KeyFileException => exception.Message,
        InvalidRequestException invalid => string.Join(" ", invalid.Errors.SelectMany(e => e.Value)),
        DbException => $"Le magasin ne peut pas être lu ou écrit : {exception.Message}",
        IOException or UnauthorizedAccessException => $"Le fichier ne peut pas être lu ou écrit : {exception.Message}",
        _ => null,
    };
}

/// <summary>The verbs, one method each.</summary>
internal sealed class VerbTable(TextWriter output, TextWriter error, Action<WebApplicationBuilder>? configure)
{
    public RootCommand Root()
    {
        var root = new RootCommand("Pass numérique : émet et encaisse des pass d'accompagnement au numérique.")
        {
            Serve(), Migrate(), Demo(), Verify(), Backup(), Restore(), Keys(), User(),
        };
        FrenchHelp.Install(root);
        return root;
    }

    private static Command Serve()
    {
        var verb = new Command("serve", "Démarre le service (le verbe par défaut).");
        verb.SetAction(int (_) => throw new InvalidOperationException("The service is not started from here."));
        return verb;
    }

    private Command Migrate() => Verb(
        new("migrate", "Crée le magasin, ou le met au niveau de cette version."), async (services, _) =>
        {
            await services.GetRequiredService<Database>().MigrateAsync();
            await output.WriteLineAsync("Le magasin est à jour.");
            return 0;
        });

    private Command Demo()
    {
        var day = new Option<DateOnly?>("--day")
        {
            HelpName = "JOUR",
            Description = "Dernier jour simulé, AAAA-MM-JJ, terminé à Paris ; hier par défaut.",
            CustomParser = result =>
            {
                if (DateOnly.TryParseExact(result.Tokens[0].Value, "yyyy-MM-dd", CultureInfo.InvariantCulture,
                    DateTimeStyles.None, out var date)) return date;
                result.AddError("A day is yyyy-MM-dd.");
                return null;
            },
        };
        var seed = new Option<long>("--seed")
        {
            HelpName = "N",
            Description = "Graine du tirage ; 1 par défaut. Même graine et même jour, même histoire.",
            DefaultValueFactory = _ => 1,
        };
        return Verb(
            new("demo", "Charge la démonstration (données fictives) dans un magasin neuf.") { day, seed },
            async (services, line) =>
            {
                await services.GetRequiredService<Database>().MigrateAsync();
                await Demonstration.LoadAsync(services, line.GetValue(day), line.GetValue(seed), output);
                return 0;
            });
    }

    private Command Verify()
    {
        var head = new Option<FileInfo?>("--head")
        {
            HelpName = "FICHIER",
            Description = "Journal de tête à comparer ; celui du réglage PassNumerique__HeadFile par défaut.",
        };
        return Verb(
            new("verify", "Recalcule faits, sceaux et comptes, sans rien écrire, même à côté du service.") { head },
            async (services, line) =>
            {
                var settings = services.GetRequiredService<Settings>();
                ThrowIfNoStore(settings);
                var given = line.GetValue(head)?.FullName;
                if (given is not null && HeadFile.Last(given) is null)
                    throw new StartException($"Le journal de tête « {given} » est introuvable ou vide.");
                var database = services.GetRequiredService<Database>();
                await database.ThrowIfNotReadableAsync();
                var outcome = await VerifyStore.RunAsync(
                    database, services.GetRequiredService<KeyRing>(), services.GetRequiredService<FactTables>(),
                    given ?? settings.HeadFile, output);
                return outcome.Holds ? 0 : 1;
            });
    }

    private Command Backup()
    {
        var file = File("FICHIER", "Le fichier à écrire ; il ne doit pas exister.");
        return Verb(
            new("backup", "Copie le magasin dans un fichier, sans les clés, même à côté du service.") { file },
            async (services, line) =>
            {
                var store = StorePath(services.GetRequiredService<Settings>());
                ThrowIfNoStore(services.GetRequiredService<Settings>());
                var target = line.GetRequiredValue(file).FullName;
                var copy = await StoreCopy.BackupAsync(store, target);
                await output.WriteLineAsync(
                    $"Sauvegarde écrite et vérifiée : {target}, {French.Count(copy.Bytes / 1024)} Kio, "
                    + $"{Through(copy.Last)}. "
                    + "Les clés n'y sont pas : « keys export » les donne pour le coffre.");
                return 0;
            });
    }

    private Command Restore()
    {
        var file = File("FICHIER", "La sauvegarde à remettre en place.");
        return Verb(
            new("restore", "Remet une sauvegarde en place d'un magasin absent ou vide.") { file },
            async (services, line) =>
            {
                var settings = services.GetRequiredService<Settings>();
                var path = StorePath(settings);
                using var held = StoreLock.Take(settings.Data);

                // Not the ring of the services: they would make a new key where no store is.
                var (store, movedHead) = await StoreCopy.RestoreAsync(
                    line.GetRequiredValue(file).FullName, path, settings.HeadFile, KeyRing.Load(settings.CodeKeyFile),
                    services.GetRequiredService<TimeProvider>().GetUtcNow());
                await output.WriteLineAsync($"Magasin restauré : {path}, {Through(store.Last)}.");
                if (movedHead is not null)
                {
                    await output.WriteLineAsync(
                        "Le journal de tête, qui connaît ce qui a été scellé depuis, est maintenant "
                        + $"« {movedHead} » : gardez-le, il dit ce qui manque.");
                }

                return 0;
            });
    }

    private Command Keys()
    {
        var create = Verb(new("create", "Crée le fichier de clés d'un magasin neuf sur SQL Server ; n'écrase jamais."), async (services, _) =>
        {
            var file = services.GetRequiredService<Settings>().CodeKeyFile;
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            KeyRing.Create(file);
            await output.WriteLineAsync(
                $"Clés créées dans « {file} ». Donnez ce fichier à toutes les copies du service, et une copie au coffre : "
                + "sans lui, aucun pass ne peut plus être lu.");
            return 0;
        });
        var rotate = Verb(new("rotate", "Ajoute une version de clé, pour les commandes à venir."), async (services, _) =>
        {
            var settings = services.GetRequiredService<Settings>();
            ThrowIfNoStore(settings);
            using var held = settings.Store == "sqlite" ? StoreLock.Take(settings.Data) : null;
            var keys = KeyRing.Rotate(settings.CodeKeyFile);
            await output.WriteLineAsync(
                $"Version {keys.Current} ajoutée à « {settings.CodeKeyFile} ». Donnez ce fichier à toutes "
                + "les copies du service, et une copie au coffre, avant de redémarrer.");
            return 0;
        });
        var export = Verb(new("export", "Écrit les clés sur la sortie, pour le coffre."), async (services, _) =>
        {
            var keys = KeyRing.Load(services.GetRequiredService<Settings>().CodeKeyFile);
            await output.WriteAsync(keys.Export());
            await error.WriteLineAsync("Ce texte ouvre tous les pass : au coffre, jamais avec les données.");
            return 0;
        });
        return new("keys", "Les clés dont les codes sont dérivés.") { create, rotate, export };
    }

    private Command User()
    {
        var role = Text("--role", "RÔLE", $"L'un de : {string.Join(", ", Roles.Codes)}.", required: true);
        var organisation = Text(
            "--organisation", "NOM", "Son organisation ; créée si elle n'existe pas.", required: true);
        var login = Text("--login", "IDENTIFIANT", "Ce qu'elle tape pour se connecter.", required: true);
        var siret = Text("--siret", "SIRET", "Le SIRET d'une nouvelle collectivité ou structure.", required: false);
        var place = Text(
            "--place", "ID", "Le lieu ou le point de remise d'une personne qui y travaille.", required: false);
        var add = Verb(
            new("add", "Ajoute une personne, avec un mot de passe et une clé d'API montrés une seule fois.")
            {
                role, organisation, login, siret, place,
            },
            async (services, line) =>
            {
                await services.GetRequiredService<Database>().MigrateAsync();
                await using var scope = services.CreateAsyncScope();
                scope.ServiceProvider.GetRequiredService<Session>().Caller = Machine;
                var result = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new AddUser.Command(
                    line.GetRequiredValue(role), line.GetRequiredValue(organisation), line.GetRequiredValue(login),
                    line.GetValue(siret), line.GetValue(place)));
                if (result.Refused is { } refusal) throw new StartException($"{refusal.Title} {refusal.Detail}");
                await output.WriteLineAsync(
                    $"""
                    Organisation : {result.Value!.Organisation} ({result.Value.OrganisationId})
                    Identifiant  : {result.Value.Login}
                    Mot de passe : {result.Value.Password}
                    Clé d'API    : {result.Value.ApiKey}
                    Notez-les : ils ne seront plus montrés.
                    """);
                return 0;
            });
        return new("user", "Les personnes qui se connectent.") { add };
    }

    /// <summary>Who acts from the command line of the machine: no member, an operator.</summary>
    private static readonly Caller Machine = new(
        "00000000-0000-0000-0000-000000000000", Role.Operator, "00000000-0000-0000-0000-000000000000", [], "système");

    private Command Verb(Command verb, Func<IServiceProvider, ParseResult, Task<int>> run)
    {
        verb.SetAction(async (line, _) =>
        {
            var builder = Hosting.CreateBuilder([]);
            configure?.Invoke(builder);
            var collection = new ServiceCollection();
            collection.AddLogging();
            Hosting.AddServices(collection, Settings.From(builder.Configuration, builder.Environment));
            await using var services = collection.BuildServiceProvider();
            return await run(services, line);
        });
        return verb;
    }

    private static Argument<FileInfo> File(string name, string description) =>
        new(name) { Description = description };

    private static Option<string> Text(string name, string value, string description, bool required) =>
        new(name) { HelpName = value, Description = description, Required = required };

    private static string StorePath(Settings settings) => settings.Store == "sqlite"
        ? Path.Combine(settings.Data, SqliteDatabase.FileName)
        : throw new StartException(
            "Avec SQL Server, utilisez ses propres sauvegardes : BACKUP DATABASE, RESTORE DATABASE.");

    /// <summary>Before the key ring is asked for: it would make a key for a new store.</summary>
    private static void ThrowIfNoStore(Settings settings)
    {
        if (settings.Store == "sqlite" && !System.IO.File.Exists(StorePath(settings)))
            throw new StartException($"Il n'y a pas de magasin dans « {settings.Data} » (réglage PassNumerique__Data).");
    }

    private static string Through(Seal last) => last.Batch == 0
        ? "sans aucun fait"
        : $"jusqu'au lot {French.Count(last.Batch)} scellé le {Clock.InstantText(last.SealedMs)}";
}

using System.Diagnostics;
using System.Text.Json;
using FluentValidation;
using MediatR;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// The demonstration: invented authorities on real territories, at the first generation's scale and with its
/// use rate, deterministic in seed and day except codes and keys. Loaded only into an empty store.
/// </summary>
internal static class Demonstration
{
    public const string Setting = "demo";
    public const string Password = "pass-numerique-demo";

    /// <summary>Loads it and writes <c>demo.json</c>; throws <see cref="StartException"/> when it may not.</summary>
    /// <param name="day">The last simulated day, over in Paris; yesterday when absent.</param>
    public static async Task LoadAsync(IServiceProvider services, DateOnly? day, long seed, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        var database = services.GetRequiredService<Database>();
        var keys = services.GetRequiredService<KeyRing>();
        var settings = services.GetRequiredService<Settings>();
        var today = Clock.ParisDay(services.GetRequiredService<TimeProvider>().NowMs());
        var lastDay = day?.ToDay() ?? today - 1;
        if (lastDay >= today) throw new StartException("Le jour de la démonstration doit être terminé : choisissez au plus hier.");
        await database.SealThroughAsync(0);
        if ((await database.LastSealAsync()).Batch > 0)
            throw new StartException("Le magasin n'est pas vide : la démonstration ne se charge que dans un magasin neuf.");

        var story = new DemoStory(new DemoRows(services.GetRequiredService<FactTables>()), keys, lastDay, seed);
        story.Tell();
        var tables = story.Rows.Seal(keys);
        await database.LoadAsync(tables);
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new FinishDemonstration.Command(story.NextSerial));
        await WriteFileAsync(Path.Combine(settings.Data, "demo.json"), story.File);
        await output.WriteLineAsync(
            $"Démonstration chargée en {clock.Elapsed.TotalSeconds:0.0} s : {French.Count(tables.Sum(t => t.Rows.Count))} lignes, "
            + $"{French.Count(story.IssuedVouchers)} pass, jusqu'au {French.Date(lastDay)} (données fictives).");
    }

    /// <summary>Secrets of the demonstration: readable by the owner alone.</summary>
    private static async Task WriteFileAsync(string path, DemoFile file)
    {
        await using var stream = new FileStream(path, FileMode.Create, FileAccess.Write);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await JsonSerializer.SerializeAsync(stream, file, Json.Indented);
    }
}

/// <summary>What <c>demo.json</c> holds: who to sign in as, and codes to try.</summary>
internal sealed record DemoFile(
    IReadOnlyList<DemoUser> Users, DemoVouchers Vouchers, IReadOnlyList<DemoConvention> Conventions,
    IReadOnlyList<DemoPlace> Sites, IReadOnlyList<DemoPlace> DistributionPoints);

internal sealed record DemoUser(string Role, string Login, string Password, string ApiKey, string Organisation);

internal sealed record DemoVouchers(
    IReadOnlyList<string> Fresh, IReadOnlyList<string> Started, IReadOnlyList<string> Spent,
    IReadOnlyList<string> Expired, IReadOnlyList<string> Blocked, IReadOnlyList<string> NotHandedOut);

internal sealed record DemoConvention(string Id, string Reference);

internal sealed record DemoPlace(string Id, string Name, string ApiKey);

/// <summary>The last step of loading: the counter of serials, and the mark that all of this is invented.</summary>
internal static class FinishDemonstration
{
    internal sealed record Command(long NextSerial) : ICommand<Empty>;

    internal sealed class Validator : AbstractValidator<Command>;

    internal sealed class Handler(Session db) : IRequestHandler<Command, Result<Empty>>
    {
        public async Task<Result<Empty>> Handle(Command command, CancellationToken ct)
        {
            await db.ExecuteAsync(Sql.Serials, new { command.NextSerial }, ct);
            await db.ExecuteAsync(Sql.Mark, new { Demonstration.Setting, Value = "true" }, ct);
            return new Empty();
        }
    }

    private static class Sql
    {
        public const string Serials = """
            UPDATE counters
               SET next_value = @NextSerial
             WHERE name = 'serial'
            """;

        public const string Mark = """
            INSERT INTO store_settings (name, value)
            VALUES (@Setting, @Value)
            """;
    }
}

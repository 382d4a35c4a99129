namespace PassNumerique.Platform;

/// <summary>
/// The process runs without the system's language data: it starts faster, and gives the same text on every
/// machine. SqlClient refuses to work without them, so a process that serves from SQL Server takes them in, and
/// keeps the neutral culture all the same.
/// </summary>
internal static class Globalization
{
    public const string Invariant = "System.Globalization.Invariant";

    /// <summary>
    /// Before anything else in the process: the runtime reads this switch once, at the first text it compares.
    /// That is before the settings are read, so only the environment and the command line are looked at.
    /// </summary>
    public static void Choose(string[] args)
    {
        if (!IsSqlServer(Environment.GetEnvironmentVariable("PassNumerique__Store")) && !IsOnCommandLine(args)) return;
        AppContext.SetSwitch(Invariant, false);
        System.Globalization.CultureInfo.DefaultThreadCurrentCulture = System.Globalization.CultureInfo.InvariantCulture;
        System.Globalization.CultureInfo.CurrentCulture = System.Globalization.CultureInfo.InvariantCulture;
    }

    private static bool IsOnCommandLine(string[] args)
    {
        foreach (var arg in args)
        {
            var equals = arg.LastIndexOf('=');
            if (equals > 0 && arg.AsSpan(0, equals).EndsWith("Store", StringComparison.Ordinal) && IsSqlServer(arg[(equals + 1)..])) return true;
        }

        return false;
    }

    private static bool IsSqlServer(string? store) => string.Equals(store, "sqlserver", StringComparison.Ordinal);
}

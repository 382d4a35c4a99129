namespace PassNumerique.Benchmarks.Faults;

/// <summary>What the machine lacks for an experiment, in words: it is then skipped aloud.</summary>
internal sealed class MissingException(string what) : Exception(what);

/// <summary>The same experiment with a fault planted in it: worth nothing unless the checker catches it.</summary>
internal sealed record Control(string What, bool IsCaught, string Seen);

/// <summary>What an experiment counted, what did not hold, and its control.</summary>
internal sealed record Finding(string Counts, IReadOnlyList<string> Faults, Control Control)
{
    public bool Holds => Faults.Count == 0;
}

/// <summary>How much of an experiment is run. Durations are judged in the long runs only.</summary>
internal sealed record Dose(int Cycles, bool IsLong, int Seed)
{
    /// <summary>Other choices in each part of an experiment, the same in each run of the same seed.</summary>
    public Random Random(int part = 0) => new(unchecked((Seed * 397) ^ part));
}

/// <summary>
/// One way in which the world treats the service badly, and how long it takes to see whether anything is lost:
/// in a long run, and in the seconds that it gets within <c>dotnet test</c>.
/// </summary>
internal sealed record Experiment(
    string Name, string About, int LongCycles, int ShortCycles, Func<Workbench, Dose, Task<Finding>> RunAsync)
{
    public static readonly Experiment[] All =
    [
        new("power-loss", "the power goes: what no fsync covers is gone, whole or in part",
            500, 6, PowerLoss.RunAsync),
        new("kill", "kill -9 while passes are redeemed at full speed", 1_000, 6, KillUnderLoad.RunAsync),
        new("kill-phase", "kill -9 at the very call: begin, command, commit, answer, checkpoint",
            330, 11, KillInPhase.RunAsync),
        new("kill-issuing", "kill -9 while orders, order files and print files are under way",
            200, 10, KillWhileIssuing.RunAsync),
        new("io-error", "a read, a write or a sync fails, once or a few times", 400, 10, FailingCalls.RunAsync),
        new("disk-full", "no write succeeds until there is room again", 60, 2, FullDisk.SimulatedAsync),
        new("disk-full-real", "a small file system is filled up and relieved", 20, 1, FullDisk.RealAsync),
        new("malformed", "bodies and headers that no client of ours would send", 10_000, 600, MalformedInput.RunAsync),
        new("unknown-outcome", "the client hangs up before the answer, and asks again",
            10_000, 300, UnknownOutcomes.RunAsync),
        new("hot-codes", "64 clients on one code at the same moment", 10_000, 15, HotCodes.RunAsync),
        new("terminate", "SIGTERM under load", 100, 2, Signals.TerminateAsync),
        new("stop", "SIGSTOP under load, and on again", 50, 2, Signals.StopAsync),
        new("corruption", "bytes, sectors and pages of the store change at rest", 2_000, 40, CorruptedPages.RunAsync),
        new("backup", "backup under load, restored and compared", 50, 1, BackupUnderLoad.RunAsync),
        new("clock", "the clock jumps ahead and back", 500, 12, ClockJumps.RunAsync),
        new("slow-clients", "headers and bodies that trickle in", 20, 1, SlowClients.RunAsync),
        new("locked", "another process holds the lock of the database", 20, 1, LockedStore.RunAsync),
        new("sequences", "redeem, repeat, reuse and reverse in any order, against a model",
            2_000, 25, Sequences.RunAsync),
    ];
}

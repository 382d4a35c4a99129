namespace PassNumerique.Tests.Platform.Data;

/// <summary>Types of messages from a client (MS-TDS 2.2.3.1.1).</summary>
internal enum TdsMessage : byte
{
    Batch = 1,
    Rpc = 3,
    Attention = 6,
    BulkLoad = 7,
    Transaction = 14,
    Login = 16,
    Sspi = 17,
    Prelogin = 18,
}

internal enum TdsFault
{
    None,
    Delay,
    CutBefore,
    CutAfter,
}

internal readonly record struct TdsDecision(TdsFault Fault, int DelayMs)
{
    public static readonly TdsDecision Pass = new(TdsFault.None, 0);
}

/// <summary>
/// How often a command meets which fault: shares of 1, at most 1 together, since at most one fault happens to
/// it. Only commands meet any, so that a test always gets its connection and fails where it means to.
/// </summary>
internal sealed record TdsFaults(double Delay, double CutBefore, double CutAfter, int DelayMsMax)
{
    public static readonly IReadOnlySet<TdsMessage> Commands = new HashSet<TdsMessage>
    {
        TdsMessage.Batch, TdsMessage.Rpc, TdsMessage.BulkLoad, TdsMessage.Transaction,
    };

    public static readonly TdsFaults None = new(0, 0, 0, 0);

    /// <summary>Which types are drawn for; the others pass and use up no number.</summary>
    public IReadOnlySet<TdsMessage> Types { get; init; } = Commands;

    public bool IsOff => Delay + CutBefore + CutAfter == 0;

    public TdsFaults Checked()
    {
        var isPossible = Delay >= 0 && CutBefore >= 0 && CutAfter >= 0 && Delay + CutBefore + CutAfter <= 1;
        if (!isPossible || DelayMsMax < 0) throw new ArgumentException($"These faults can't be: {this}.");
        return Types.IsSubsetOf(Commands)
            ? this
            : throw new ArgumentException("Faults are for commands only.");
    }

    /// <summary>The fate of a command: the same for the same seed, number and shares, in any run.</summary>
    public TdsDecision Decide(long seed, long number)
    {
        var draw = Share(seed, 2 * number);
        if (draw < CutBefore) return new(TdsFault.CutBefore, 0);
        if (draw < CutBefore + CutAfter) return new(TdsFault.CutAfter, 0);
        return draw < CutBefore + CutAfter + Delay
            ? new(TdsFault.Delay, (int)(Share(seed, 2 * number + 1) * (DelayMsMax + 1L)))
            : TdsDecision.Pass;
    }

    /// <summary>From 0 to below 1, by 53 bits: all a double holds.</summary>
    private static double Share(long seed, long index) =>
        (Mix(unchecked(Mix((ulong)seed) + (ulong)index)) >> 11) / (double)(1L << 53);

    /// <summary>SplitMix64 (Steele, Lea, Flood 2014): neighbouring numbers come out unrelated.</summary>
    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}

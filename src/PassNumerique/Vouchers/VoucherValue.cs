namespace PassNumerique.Vouchers;

/// <summary>
/// V(m) = face × m ÷ credit, rounded half up: what m net minutes of a pass are worth, in cents. A fully used
/// pass is worth exactly its face. A redemption is worth V(net minutes after) − net cents so far.
/// </summary>
internal static class VoucherValue
{
    public static long Of(long minutes, long faceCents, long creditMinutes) =>
        ((2 * faceCents * minutes) + creditMinutes) / (2 * creditMinutes);
}

/// <summary>The kinds of <c>voucher_entries</c>.</summary>
internal static class EntryKind
{
    public const long Redemption = 1;
    public const long Capture = 2;
    public const long Hold = 3;
    public const long Release = 4;
    public const long Closing = 5;
    public const long Reversal = 6;
}

/// <summary>The kinds of <c>booklet_entries</c>.</summary>
internal static class BookletKind
{
    public const long HandOut = 1;
    public const long Reversal = 2;
    public const long Return = 3;
    public const long Correction = 4;
    public const long Departure = 5;
    public const long Arrival = 6;

    /// <summary>Its transfer was cancelled: it is where it was.</summary>
    public const long Kept = 7;

    /// <summary>Lost, and another booklet stands for it.</summary>
    public const long Replacement = 8;
}

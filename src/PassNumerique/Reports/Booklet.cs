using PassNumerique.Conventions;

namespace PassNumerique.Reports;

/// <summary>The coded facts of a hand-out. What nobody said is unknown, never no.</summary>
internal sealed record Profile(
    string? AgeBand, string? Gender, string? Commune, IReadOnlyList<string> Publics, string? Channel, string? PicGround)
{
    public static readonly Profile Unknown = new(null, null, null, [], null, null);

    public static Profile Of(BookletRow row) => new(
        row.AgeBand, row.Gender, row.Commune,
        row.Publics?.Split('|', StringSplitOptions.RemoveEmptyEntries).Where(p => p != Vocabularies.Unknown)
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList() ?? [],
        row.Channel, row.PicGround);
}

/// <summary>A booklet that somebody touched: handed out, scanned, or both.</summary>
internal sealed class Booklet(long number, IssuedOrder order)
{
    public long Number { get; } = number;

    public IssuedOrder Order { get; } = order;

    /// <summary>The hand-out that stands, if any.</summary>
    public BookletRow? HandOut { get; private set; }

    public Profile Profile { get; private set; } = Profile.Unknown;

    public bool IsReturned { get; private set; }

    /// <summary>It was sent to another point at least once.</summary>
    public bool HasMoved { get; private set; }

    /// <summary>Where its last transfer left it; null while it is on its way, and where there was none.</summary>
    public string? PlaceId { get; private set; }

    /// <summary>Neither handed out nor returned; a booklet of replacement papers never lies anywhere.</summary>
    public bool IsInStock => !IsHandedOut && !IsReturned && IssuedPasses > 0;

    /// <summary>The first redemption that stands, by service date.</summary>
    public EntryRow? FirstUse { get; private set; }

    public bool IsUnrecorded => HandOut is null && FirstUse is not null;

    public bool IsHandedOut => HandOut is not null || FirstUse is not null;

    public long? HandedOutDay => HandOut?.Day ?? FirstUse?.ServiceDay;

    public bool IsHandedOutInTime => HandedOutDay <= Order.Row.ValidUntilDay;

    /// <summary>A forgotten hand-out and an anonymous one are a person each.</summary>
    public bool IsAnonymous => HandOut is null || HandOut.Anonymous == 1 || HandOut.PersonNumber is null;

    /// <summary>Person numbers are positive: minus the booklet's number stands for an anonymous person.</summary>
    public long PersonKey => IsAnonymous ? -Number : HandOut!.PersonNumber!.Value;

    public string? PointId => HandOut?.PointId;

    public long IssuedPasses { get; set; }

    public long SpentPasses { get; set; }

    public long RedeemedPasses { get; set; }

    public long PaidPasses { get; set; }

    public long DebitedMinutes { get; set; }

    public long DeliveredMinutes { get; set; }

    public void Apply(BookletRow row)
    {
        switch (row.Kind)
        {
            case Vouchers.BookletKind.HandOut:
                (HandOut, Profile, IsReturned) = (row, Profile.Of(row), false);
                break;
            case Vouchers.BookletKind.Reversal:
                (HandOut, Profile) = (null, Profile.Unknown);
                break;
            case Vouchers.BookletKind.Return:
                IsReturned = true;
                break;
            case Vouchers.BookletKind.Departure:
                (HasMoved, PlaceId) = (true, null);
                break;
            case Vouchers.BookletKind.Arrival or Vouchers.BookletKind.Kept:
                PlaceId = row.PointId;
                break;
            case Vouchers.BookletKind.Correction when HandOut is not null:
                HandOut = HandOut with { PersonNumber = row.PersonNumber, Anonymous = row.Anonymous };
                Profile = Profile.Of(row);
                break;
        }
    }

    public void Use(EntryRow redemption)
    {
        if (FirstUse is null || Rank(redemption).CompareTo(Rank(FirstUse)) < 0) FirstUse = redemption;
        static (long, long, long) Rank(EntryRow e) => (e.ServiceDay, e.Serial, e.Part);
    }
}

/// <summary>An issued order at the cut-off, with what is said of ranges of it.</summary>
internal sealed class IssuedOrder(
    OrderRow row, IReadOnlyList<LotRow> lots, SerialRanges blocked, Validity validity, long replacementPapers)
{
    public OrderRow Row { get; } = row;

    public IReadOnlyList<LotRow> Lots { get; } = lots;

    public SerialRanges Blocked { get; } = blocked;

    public Validity Validity { get; } = validity;

    /// <summary>Passes issued: a paper that replaces another one is not issued a second time.</summary>
    public long IssuedPasses { get; } = row.VoucherCount - replacementPapers;

    public bool IsActivated => Row.ActivatedDay is not null;

    public long? FirstHandOutDay { get; set; }

    public long? FirstServiceDay { get; set; }

    /// <summary>The lot that holds a booklet; lots are in the order of their serials and cover the order.</summary>
    public LotRow? LotOf(long serial)
    {
        var (low, high) = (0, Lots.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Lots[middle].LastSerial < serial) low = middle + 1;
            else if (Lots[middle].FirstSerial > serial) high = middle - 1;
            else return Lots[middle];
        }

        return null;
    }
}

/// <summary>One paper at the cut-off: what its entries sum to.</summary>
internal sealed class Paper(long serial, Booklet? booklet, IssuedOrder order, long creditMinutes)
{
    public long Serial { get; } = serial;

    public Booklet? Booklet { get; } = booklet;

    public IssuedOrder Order { get; } = order;

    public long CreditMinutes { get; } = creditMinutes;

    public long NetMinutes { get; set; }

    public long NetCents { get; set; }

    public bool IsClosed { get; set; }

    public long Redemptions { get; set; }

    public long PaidRedemptions { get; set; }

    public bool IsHandedOut => Booklet?.IsHandedOut == true;

    public PassState State => new(
        Order.IsActivated, Order.Blocked.Contains(Serial), CreditMinutes - NetMinutes, IsClosed,
        Booklet?.IsHandedOutInTime == true);
}

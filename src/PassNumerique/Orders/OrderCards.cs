using PassNumerique.Platform.Data;

namespace PassNumerique.Orders;

/// <summary>What never changes of an order: the dense range of its serials, and what each pass is worth.</summary>
internal sealed record OrderCard(
    string Id, string ConventionId, string AuthorityId, long FirstSerial, long LastSerial, long VouchersPerBooklet,
    long FaceCents, long CreditMinutes, long ValidUntilDay, byte[] Salt, long KeyVersion)
{
    /// <summary>Without a branch, so that the processor foresees nothing of it.</summary>
    public bool Holds(long serial) => (serial >= FirstSerial) & (serial <= LastSerial);

    /// <summary>The number of a booklet is the serial of its first pass.</summary>
    public long BookletOf(long serial) => serial - ((serial - FirstSerial) % VouchersPerBooklet);

    public bool IsBooklet(long number) => Holds(number) && BookletOf(number) == number;
}

/// <summary>Orders in memory, found by any serial of their range.</summary>
internal sealed class OrderCards
{
    private const int Max = 50_000;

    /// <summary>A division takes the longer the longer its quotient: with this, about the same for all serials.</summary>
    private const long Stretch = 1L << 30;

    private readonly Lock _lock = new();
    private readonly SortedList<long, OrderCard> _byFirstSerial = [];

    /// <summary>The order whose range holds the serial, or null.</summary>
    public async ValueTask<OrderCard?> FindAsync(Session session, long serial)
    {
        if (Known(serial) is { } known && known.Holds(serial)) return known;
        if (await AskAsync(session, serial) is not { } asked || !asked.Card.Holds(serial)) return null;
        Keep(asked);
        return asked.Card;
    }

    /// <summary>
    /// The order of the serial, as far as memory knows, else another one: a serial of nobody is looked for where
    /// one of somebody would be, so that the time it takes says nothing. Null only where memory is empty.
    /// </summary>
    public OrderCard? Known(long serial)
    {
        lock (_lock)
        {
            var count = _byFirstSerial.Count;
            return count == 0 ? null : Nearest(Fold(serial, _byFirstSerial.GetValueAtIndex(count - 1).LastSerial + 1));
        }
    }

    /// <summary>The same from the store: one row, whether the serial is somebody's or not.</summary>
    public async Task<Asked?> AskAsync(Session session, long serial)
    {
        var row = await session.FindAsync<Row>(
            Sql.Nearest, new { Serial = Math.Max(1, serial), Counter = SerialNumbers.Counter, Stretch });
        if (row is null) return null;
        var card = new OrderCard(
            row.Id, row.ConventionId, row.AuthorityId, row.FirstSerial, row.LastSerial, row.VouchersPerBooklet,
            row.FaceCents, row.CreditMinutes, row.ValidUntilDay, row.Salt, row.KeyVersion);
        return new(card, row.Batch is { } batch && !(session.Batch is { } current && batch >= current));
    }

    /// <summary>Takes an order into memory, unless its own command may still be undone.</summary>
    public void Keep(Asked asked)
    {
        if (!asked.IsSettled) return;
        lock (_lock)
        {
            if (_byFirstSerial.Count >= Max) _byFirstSerial.Clear();
            _byFirstSerial[asked.Card.FirstSerial] = asked.Card;
        }
    }

    /// <summary>Serials are 1 to next − 1: they stay what they are, all others fall among them.</summary>
    private static long Fold(long serial, long next) => 1 + ((Math.Max(1, serial) - 1 + (Stretch * next)) % next);

    private OrderCard? Nearest(long serial)
    {
        var (low, high) = (0, _byFirstSerial.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (_byFirstSerial.GetKeyAtIndex(middle) <= serial) low = middle + 1;
            else high = middle - 1;
        }

        return high < 0 ? null : _byFirstSerial.GetValueAtIndex(high);
    }

    /// <summary>An order from the store, and whether it is there for good.</summary>
    internal sealed record Asked(OrderCard Card, bool IsSettled);

    private sealed record Row(
        string Id, string ConventionId, string AuthorityId, long FirstSerial, long LastSerial, long VouchersPerBooklet,
        long FaceCents, long CreditMinutes, long ValidUntilDay, byte[] Salt, long KeyVersion, long? Batch);

    private static class Sql
    {
        /// <summary>The fold, by the counter that the order moved in its own transaction.</summary>
        public const string Nearest = """
            SELECT id AS Id,
                   convention_id AS ConventionId,
                   authority_id AS AuthorityId,
                   first_serial AS FirstSerial,
                   last_serial AS LastSerial,
                   vouchers_per_booklet AS VouchersPerBooklet,
                   face_cents AS FaceCents,
                   credit_minutes AS CreditMinutes,
                   valid_until_day AS ValidUntilDay,
                   salt AS Salt,
                   key_version AS KeyVersion,
                   batch AS Batch
              FROM orders
             WHERE first_serial = (SELECT MAX(first_serial)
                                     FROM orders
                                    WHERE first_serial <= (SELECT 1 + (@Serial - 1 + @Stretch * next_value) % next_value
                                                             FROM counters
                                                            WHERE name = @Counter))
            """;
    }
}

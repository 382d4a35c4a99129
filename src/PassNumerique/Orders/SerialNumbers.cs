using PassNumerique.Platform;
using PassNumerique.Platform.Data;
using PassNumerique.Vouchers;

namespace PassNumerique.Orders;

/// <summary>The numbers of passes, given out in dense ranges, each once.</summary>
internal static class SerialNumbers
{
    /// <summary>The name of their counter in the store.</summary>
    public const string Counter = "serial";

    internal static readonly Refusal Exhausted = new("serials-exhausted", 409,
        "Il ne reste pas assez de numéros de pass.",
        "Prévenez l'opérateur : la numérotation doit être renouvelée.");

    /// <summary>The first of so many; null where fewer are left.</summary>
    public static async Task<long?> TakeAsync(Session db, long count, CancellationToken ct)
    {
        var args = new { Counter, Count = count, LastSerial = VoucherCode.SerialMax };
        return await db.ExecuteAsync(Sql.Take, args, ct) == 0 ? null : await db.FindAsync<long>(Sql.First, args, ct);
    }

    private static class Sql
    {
        public const string Take = """
            UPDATE counters
               SET next_value = next_value + @Count
             WHERE name = @Counter AND next_value + @Count - 1 <= @LastSerial
            """;

        public const string First = """
            SELECT next_value - @Count AS FirstSerial
              FROM counters
             WHERE name = @Counter
            """;
    }
}

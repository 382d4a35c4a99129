using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using PassNumerique.Vouchers;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>An order as its row has it, and what a line of its print file must be.</summary>
internal sealed record PrintedOrder(
    long FirstSerial, long LastSerial, long VouchersPerBooklet, long FaceCents, long CreditMinutes, byte[] Salt, string Authority,
    string Point)
{
    /// <summary>The line of a serial, composed here and not by the service.</summary>
    public Func<long, string> Line(Stage stage) => serial =>
    {
        var code = VoucherCode.Compose(stage.CodeKey, stage.KeyVersion, serial, Salt);
        var grouped = string.Join('-', code.Replace("-", "", StringComparison.Ordinal).Chunk(4).Select(g => new string(g)));
        var place = (serial - FirstSerial) % VouchersPerBooklet;
        return string.Create(CultureInfo.InvariantCulture,
            $"{serial},{serial - place},{place + 1},{grouped},{grouped.Replace("-", "", StringComparison.Ordinal)},{FaceCents},{CreditMinutes},2099-12-31,{Authority},,,{Point}");
    };
}

/// <summary>
/// Reads a store with its own SQL, by the tables themselves, and compares with what was wanted: each wish one order
/// with exactly its passes, all serials given out once and without a gap, lots that fill their order.
/// </summary>
internal static class IssuingCheck
{
    /// <summary>What is wrong; nothing where all is as it should be. A wish without an answer may be there or not.</summary>
    public static IReadOnlyList<string> Run(string store, IReadOnlyList<OrderWish> wishes)
    {
        var faults = new List<string>();
        using var connection = StoreCheck.Open(store);
        using var moment = connection.BeginTransaction(deferred: true);
        var next = 1L;
        var waves = new Dictionary<string, (string Id, long Passes)>(StringComparer.Ordinal);
        foreach (var order in Rows(connection,
            "SELECT id, first_serial, last_serial, voucher_count, wave FROM orders NOT INDEXED ORDER BY first_serial",
            r => (Id: r.GetString(0), First: r.GetInt64(1), Last: r.GetInt64(2), Passes: r.GetInt64(3), Wave: r.IsDBNull(4) ? null : r.GetString(4))))
        {
            if (order.First != next) faults.Add($"order {order.Id} begins at {order.First}, not at {next}");
            if (order.Last - order.First + 1 != order.Passes) faults.Add($"order {order.Id} has not {order.Passes} serials");
            next = order.Last + 1;
            if (order.Wave is { } wave && !waves.TryAdd(wave, (order.Id, order.Passes))) faults.Add($"wish {wave} has a second order {order.Id}");
        }

        CheckLots(connection, faults);
        if (Number(connection, "SELECT next_value FROM counters WHERE name = 'serial'") != next) faults.Add("the counter is not behind the last serial");
        if (Number(connection, "SELECT COALESCE(SUM(ordered_cents), 0) FROM convention_balances")
            != Number(connection, "SELECT COALESCE(SUM(total_cents), 0) FROM orders NOT INDEXED"))
            faults.Add("what is ordered is not the sum of the orders");
        foreach (var wish in wishes)
        {
            if (!waves.Remove(wish.Wave, out var there))
            {
                if (wish.OrderId is not null) faults.Add($"wish {wish.Wave} was acknowledged and is not there");
                continue;
            }

            if (there.Passes != wish.Passes) faults.Add($"wish {wish.Wave} has {there.Passes} passes, not {wish.Passes}");
            if (wish.OrderId is { } told && told != there.Id) faults.Add($"wish {wish.Wave} is order {there.Id}, not {told}");
        }

        faults.AddRange(waves.Keys.Select(wave => $"nobody asked for wish {wave}"));
        return faults;
    }

    /// <summary>Rows that a job left behind.</summary>
    public static long Staged(string store)
    {
        using var connection = StoreCheck.Open(store);
        return Number(connection, "SELECT (SELECT COUNT(*) FROM order_file_lines) + (SELECT COUNT(*) FROM order_file_stagings)");
    }

    public static PrintedOrder OrderOf(string store, string orderId)
    {
        using var connection = StoreCheck.Open(store);
        return Rows(connection, $"""
            SELECT o.first_serial, o.last_serial, o.vouchers_per_booklet, o.face_cents, o.credit_minutes, o.salt, a.name, p.name
              FROM orders o
              JOIN organisations a ON a.id = o.authority_id
              JOIN lots l ON l.order_id = o.id
              JOIN distribution_points p ON p.id = l.point_id
             WHERE o.id = '{orderId}'
            """, r => new PrintedOrder(
            r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4), (byte[])r.GetValue(5), r.GetString(6),
            r.GetString(7))).Single();
    }

    /// <summary>The first line of a print file that is not the next serial's; null where the file is whole and right.</summary>
    public static string? FirstWrong(byte[] bytes, long firstSerial, long lastSerial, Func<long, string> line)
    {
        var lines = Encoding.UTF8.GetString(bytes).Split("\r\n");
        if (lines[^1].Length > 0) return $"it ends in the middle of a line: {lines[^1]}";
        for (var serial = firstSerial; serial <= lastSerial; serial++)
        {
            var at = serial - firstSerial + 1;
            if (at >= lines.Length - 1) return $"serial {serial} is missing";
            if (lines[at] != line(serial)) return $"line {at} is {lines[at]}, not {line(serial)}";
        }

        return lines.Length - 2 == lastSerial - firstSerial + 1 ? null : "there are more lines than passes";
    }

    /// <summary>Faults to plant, each in a copy: what the checker and <c>verify</c> must tell.</summary>
    public static IEnumerable<string> Plants(string orderId)
    {
        yield return $"DELETE FROM lots WHERE order_id = '{orderId}' AND position = 1";
        yield return $"""
            CREATE TEMP TABLE twin AS SELECT * FROM orders WHERE id = '{orderId}';
            UPDATE twin SET id = 'ffffffff-ffff-4fff-8fff-ffffffffffff',
                            first_serial = (SELECT next_value FROM counters WHERE name = 'serial'),
                            last_serial = (SELECT next_value FROM counters WHERE name = 'serial') + voucher_count - 1;
            INSERT INTO orders SELECT * FROM twin;
            UPDATE counters SET next_value = (SELECT last_serial + 1 FROM twin) WHERE name = 'serial'
            """;
    }

    private static void CheckLots(SqliteConnection connection, List<string> faults)
    {
        var (order, next, last) = ("", 0L, 0L);
        foreach (var lot in Rows(connection, """
            SELECT o.id, o.first_serial, o.last_serial, l.first_serial, l.last_serial
              FROM orders o
              LEFT JOIN lots l ON l.order_id = o.id
             ORDER BY o.id, l.position
            """, r => (Order: r.GetString(0), First: r.GetInt64(1), Last: r.GetInt64(2), From: r.IsDBNull(3) ? 0 : r.GetInt64(3), To: r.IsDBNull(4) ? 0 : r.GetInt64(4))))
        {
            if (lot.Order != order)
            {
                if (next != last + 1 && order.Length > 0) faults.Add($"the lots of order {order} end at {next - 1}, not at {last}");
                (order, next, last) = (lot.Order, lot.First, lot.Last);
            }

            if (lot.From != next) faults.Add($"a lot of order {order} begins at {lot.From}, not at {next}");
            next = lot.To + 1;
        }

        if (order.Length > 0 && next != last + 1) faults.Add($"the lots of order {order} end at {next - 1}, not at {last}");
    }

    private static IEnumerable<T> Rows<T>(SqliteConnection connection, string sql, Func<SqliteDataReader, T> read)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var rows = command.ExecuteReader();
        while (rows.Read()) yield return read(rows);
    }

    private static long Number(SqliteConnection connection, string sql) => Rows(connection, sql, r => r.GetInt64(0)).Single();
}

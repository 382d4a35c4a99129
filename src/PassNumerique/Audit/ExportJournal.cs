using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// Every sealed fact as a line of JSON, <c>{"table", "batch", "row":{column: value}}</c>, bytes as hex: what
/// somebody else needs to recount any figure, or to hash the leaves again. The whole journal comes in the
/// order of batches; that of one convention table after table, with its own facts alone (payment runs and
/// payouts add up several conventions and are left out).
/// </summary>
internal static class ExportJournal
{
    private const long WindowFacts = 2_000;
    private const long PageRows = 4_000;
    private const int FlushBytes = 65_536;

    internal static void Map(IEndpointRouteBuilder exports) =>
        exports.Stream("/journal", Role.Overseers | Role.Authority, WriteAsync);

    private static async Task WriteAsync(Request r)
    {
        var db = r.Session;
        var conventionId = r.Text("conventionId");
        var after = AfterBatch(r);
        if (conventionId is null && db.Caller.Scope is not null)
            throw new InvalidRequestException("conventionId", "Indiquez laquelle de vos conventions exporter.");
        if (conventionId is not null)
        {
            conventionId = await db.FindAsync<string>(
                Sql.Convention, new { Id = Ids.Normalise(conventionId) ?? "", db.Caller.Scope }, r.Aborted)
                ?? throw new RefusedException(Problems.NotFound);
        }

        var through = (await r.Service<Database>().LastSealAsync(r.Aborted)).Batch;
        r.Http.Response.ContentType = "application/x-ndjson";
        r.Http.Response.Headers.CacheControl = "no-store";
        r.Http.Response.Headers["Journal-Through-Batch"] = through.ToString(CultureInfo.InvariantCulture);
        var lines = new Lines(r.Http.Response.BodyWriter, r.Aborted);
        if (conventionId is null) await AllAsync(db, lines, after, through, r.Aborted);
        else await new OfConvention(db, lines, conventionId, after, through, r.Aborted).RunAsync();
        await lines.EndAsync();
    }

    private static long AfterBatch(Request r) => r.Text("afterBatch") is not { } text
        ? 0
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var batch)
            ? batch
            : throw new InvalidRequestException("afterBatch", "Un numéro de lot est attendu : un nombre entier.");

    /// <summary>Some batches at a time, so that no read stays open and memory stays small.</summary>
    private static async Task AllAsync(Session db, Lines lines, long after, long through, CancellationToken ct)
    {
        while (after < through)
        {
            var seals = await db.ListAsync<SealRow>(Sql.Seals, new { After = after, Through = through, Take = PageRows }, ct);
            if (seals.Count == 0) return;
            var (count, facts) = (0, 0L);
            while (count < seals.Count && (count == 0 || facts + seals[count].LeafCount <= WindowFacts))
                facts += seals[count++].LeafCount;
            var last = seals[count - 1].Batch;
            if (facts > 0) await WindowAsync(db, lines, after, last, ct);
            after = last;
        }
    }

    private static async Task WindowAsync(Session db, Lines lines, long after, long last, CancellationToken ct)
    {
        var rows = new List<(long Batch, string Table, IDictionary<string, object?> Row)>();
        foreach (var table in Journal.Tables.All)
        {
            await foreach (var row in db.StreamAsync<object>(table.Between, new { After = after, Through = last }, ct))
            {
                var columns = (IDictionary<string, object?>)row;
                if (last == after + 1) await lines.AddAsync(table.Name, columns);
                else rows.Add(((long)columns["batch"]!, table.Name, columns));
            }
        }

        // The sort is stable: within a batch the order of the tables and of their keys stays.
        foreach (var (_, table, row) in rows.OrderBy(r => r.Batch)) await lines.AddAsync(table, row);
    }

    /// <summary>The facts of one convention; the long ones by key, in pages.</summary>
    private sealed class OfConvention(
        Session db, Lines lines, string conventionId, long after, long through, CancellationToken ct)
    {
        private readonly SortedSet<string> _sites = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _workshops = new(StringComparer.Ordinal);
        private readonly SortedSet<string> _runs = new(StringComparer.Ordinal);

        public async Task RunAsync()
        {
            foreach (var (table, statement) in Sql.OfConvention)
            {
                var rows = await db.ListAsync<object>(
                    statement, new { Id = conventionId, After = after, Through = through }, ct);
                foreach (var row in rows) await lines.AddAsync(table, (IDictionary<string, object?>)row);
            }

            foreach (var order in await db.ListAsync<OrderRange>(Sql.Orders, new { Id = conventionId, Through = through }, ct))
            {
                foreach (var (table, key, statement) in Sql.OfRange) await RangeAsync(order, table, key, statement);
            }

            foreach (var (table, statement) in Sql.OfKey)
            {
                var keys = table switch { "workshops" => _workshops, "payment_confirmations" => _runs, _ => _sites };
                foreach (var key in keys)
                {
                    var rows = await db.ListAsync<object>(
                        statement, new { Key = key, After = after, Through = through }, ct);
                    foreach (var row in rows) await lines.AddAsync(table, (IDictionary<string, object?>)row);
                }
            }
        }

        private async Task RangeAsync(OrderRange order, string table, string key, string statement)
        {
            var (from, part) = (order.FirstSerial, 0L);
            while (true)
            {
                // Read from the beginning: what a fact names may be new to the reader though the fact is not.
                var rows = await db.ListAsync<object>(statement,
                    new { From = from, Part = part, order.LastSerial, Through = through, Take = PageRows }, ct);
                foreach (var row in rows.Cast<IDictionary<string, object?>>())
                {
                    Remember(row);
                    if ((long)row["batch"]! > after) await lines.AddAsync(table, row);
                    (from, part) = ((long)row[key]!, (long)row["part"]!);
                }

                if (rows.Count < PageRows) return;
            }
        }

        private void Remember(IDictionary<string, object?> row)
        {
            if (row.TryGetValue("site_id", out var site) && site is string siteId) _sites.Add(siteId);
            if (row.TryGetValue("workshop_id", out var workshop) && workshop is string id) _workshops.Add(id);
            if (row.TryGetValue("run_id", out var run) && run is string runId) _runs.Add(runId);
        }
    }

    /// <summary>Lines on their way out, flushed as they fill a buffer.</summary>
    private sealed class Lines(PipeWriter output, CancellationToken ct)
    {
        private readonly ArrayBufferWriter<byte> _buffer = new(2 * FlushBytes);
        private readonly JsonWriterOptions _options = new()
        {
            Encoder = Json.Options.Encoder,
            SkipValidation = true,
        };

        public async ValueTask AddAsync(string table, IDictionary<string, object?> row)
        {
            Write(table, row);
            if (_buffer.WrittenCount >= FlushBytes) await FlushAsync();
        }

        public async ValueTask EndAsync()
        {
            await FlushAsync();
            await output.CompleteAsync();
        }

        private async ValueTask FlushAsync()
        {
            await output.WriteAsync(_buffer.WrittenMemory, ct);
            _buffer.ResetWrittenCount();
        }

        private void Write(string table, IDictionary<string, object?> row)
        {
            using (var json = new Utf8JsonWriter(_buffer, _options))
            {
                json.WriteStartObject();
                json.WriteString("table", table);
                json.WriteNumber("batch", (long)row["batch"]!);
                json.WriteStartObject("row");
                foreach (var (column, value) in row.Where(c => c.Key != "batch")) Value(json, column, value);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            _buffer.Write("\n"u8);
        }

        private static void Value(Utf8JsonWriter json, string column, object? value)
        {
            switch (value)
            {
                case null:
                    json.WriteNull(column);
                    break;
                case long number:
                    json.WriteNumber(column, number);
                    break;
                case byte[] bytes:
                    json.WriteString(column, Convert.ToHexStringLower(bytes));
                    break;
                case string text:
                    json.WriteString(column, text);
                    break;
                default:
                    throw new InvalidOperationException($"A fact holds no {value.GetType().Name}.");
            }
        }
    }

    private sealed record SealRow(long Batch, long LeafCount);

    private sealed record OrderRange(long FirstSerial, long LastSerial);

    private static class Sql
    {
        public const string Convention = """
            SELECT id
              FROM conventions
             WHERE id = @Id AND (@Scope IS NULL OR authority_id = @Scope)
            """;

        public const string Seals = """
            SELECT batch AS Batch,
                   leaf_count AS LeafCount
              FROM seals
             WHERE batch > @After AND batch <= @Through
             ORDER BY batch
             {limit}
            """;

        public const string Orders = """
            SELECT first_serial AS FirstSerial,
                   last_serial AS LastSerial
              FROM orders
             WHERE convention_id = @Id AND batch <= @Through
             ORDER BY first_serial
            """;

        private static readonly string Sealed = " AND batch > @After AND batch <= @Through";
        private static readonly string Own = "convention_id = @Id";
        private static readonly string OfOrder =
            "EXISTS (SELECT 1 FROM orders o WHERE o.convention_id = @Id AND o.id = order_id)";

        private static readonly string OfRequest =
            "EXISTS (SELECT 1 FROM reprint_requests q JOIN orders o ON o.id = q.order_id"
            + " WHERE o.convention_id = @Id AND q.id = request_id)";

        /// <summary>The short tables: what belongs to a convention.</summary>
        public static readonly IReadOnlyList<(string Table, string Statement)> OfConvention =
        [
            Select("organisations", "EXISTS (SELECT 1 FROM conventions c WHERE c.id = @Id"
                + " AND (c.authority_id = organisations.id OR c.hub_id = organisations.id))"),
            Select("distribution_points", "EXISTS (SELECT 1 FROM conventions c WHERE c.id = @Id"
                + " AND c.authority_id = distribution_points.authority_id)"),
            Select("print_settings", "EXISTS (SELECT 1 FROM conventions c WHERE c.id = @Id"
                + " AND c.authority_id = print_settings.authority_id)"),
            Select("trainings", "EXISTS (SELECT 1 FROM conventions c JOIN distribution_points p"
                + " ON p.authority_id = c.authority_id WHERE c.id = @Id AND p.id = trainings.point_id)"),
            Select("conventions", "id = @Id"),
            Select("convention_terms", Own),
            Select("orders", Own),
            Select("lots", OfOrder),
            Select("order_steps", OfOrder),
            Select("derogation_requests", OfOrder),
            Select("derogations", OfOrder),
            Select("order_extensions", OfOrder),
            Select("code_exports", OfOrder),
            Select("order_files", OfOrder),
            Select("code_releases", OfOrder),
            OfExport("code_transfers"),
            OfExport("code_export_ends"),
            Select("reprint_requests", OfOrder),
            Select("reprints", OfRequest),
            Select("reprint_uses", OfRequest),
            Select("dispatches", OfOrder),
            Select("dispatch_receipts", OfOrder),
            Select("assessments", Own),
            Select("blocks", "EXISTS (SELECT 1 FROM orders o WHERE o.convention_id = @Id"
                + " AND o.first_serial = blocks.order_serial)"),
            Select("block_lifts", "EXISTS (SELECT 1 FROM blocks b JOIN orders o ON o.first_serial = b.order_serial"
                + " WHERE o.convention_id = @Id AND b.id = block_lifts.block_id)"),
            Select("replacements", "EXISTS (SELECT 1 FROM orders o WHERE o.convention_id = @Id"
                + " AND replacements.serial BETWEEN o.first_serial AND o.last_serial)"),
            Select("funds_receipts", Own),
            Select("costs", Own),
            Select("transfers", Carries("transfers.id")),
            Select("transfer_booklets", Carries("transfer_booklets.transfer_id")),
            Select("transfer_receipts", Carries("transfer_receipts.transfer_id")),
            Select("transfer_cancellations", Carries("transfer_cancellations.transfer_id")),
            Select("inventories", "EXISTS (SELECT 1 FROM conventions c JOIN distribution_points p"
                + " ON p.authority_id = c.authority_id WHERE c.id = @Id AND p.id = inventories.point_id)"),
            Select("inventory_differences", "EXISTS (SELECT 1 FROM conventions c JOIN distribution_points p"
                + " ON p.authority_id = c.authority_id JOIN inventories i ON i.point_id = p.id"
                + " WHERE c.id = @Id AND i.id = inventory_differences.inventory_id)"),
            Select("replacement_orders", OfOrder),
        ];

        /// <summary>The long tables, by the serials of an order.</summary>
        public static readonly IReadOnlyList<(string Table, string Key, string Statement)> OfRange =
        [
            Page("booklet_entries", "booklet"),
            Page("voucher_entries", "serial"),
            Page("redemption_outcomes", "serial"),
            Page("offline_services", "serial"),
            Page("guarantees", "serial"),
            Page("disputes", "serial"),
            Page("dispute_settlements", "serial"),
            Page("guarantee_outcomes", "serial"),
        ];

        /// <summary>What the long ones name.</summary>
        public static readonly IReadOnlyList<(string Table, string Statement)> OfKey =
        [
            Select("sites", "id = @Key"),
            Select("site_labels", "site_id = @Key"),
            Select("workshops", "id = @Key"),
            Select("payment_confirmations", "run_id = @Key"),
        ];

        public static IEnumerable<string> Composed => OfConvention.Concat(OfKey).Select(s => s.Statement)
            .Concat(OfRange.Select(s => s.Statement));

        /// <summary>A transfer is of a collectivité: whole, where a booklet of the convention is among those sent.</summary>
        private static string Carries(string transfer) =>
            "EXISTS (SELECT 1 FROM transfer_booklets b JOIN orders o"
            + " ON b.booklet BETWEEN o.first_serial AND o.last_serial"
            + $" WHERE o.convention_id = @Id AND b.transfer_id = {transfer})";

        private static (string, string) Select(string name, string condition)
        {
            var table = Journal.Tables[name];
            return (name, table.Selecting(condition + Sealed, table.Key));
        }

        private static (string, string) OfExport(string name) => Select(name,
            "EXISTS (SELECT 1 FROM code_exports e JOIN orders o ON o.id = e.order_id"
            + $" WHERE o.convention_id = @Id AND e.id = {name}.export_id)");

        private static (string, string, string) Page(string name, string key)
        {
            var condition = $"{key} >= @From AND {key} <= @LastSerial AND ({key} > @From OR part > @Part)"
                + " AND batch <= @Through";
            return (name, key, Journal.Tables[name].Selecting(condition, $"{key}, part") + " {limit}");
        }
    }
}

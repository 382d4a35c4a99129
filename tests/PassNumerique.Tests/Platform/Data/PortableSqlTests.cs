using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>The walk lets the subset through and stops all else, with a message that names it.</summary>
internal sealed class PortableSqlTests
{
    private static IEnumerable<TestCaseData> Allowed => Case(
        ("the redemption", """
            INSERT INTO voucher_entries (serial, part, kind, minutes, used_after, value_cents, hold_minutes,
                                         operation_id, body_hash, order_serial)
            SELECT @Serial, v.part + 1, 1, @Minutes, v.used + @Minutes,
                   (2 * o.face_cents * (v.used + @Minutes) + o.credit_minutes) / (2 * o.credit_minutes)
                       - v.cents,
                   0, @Operation, @BodyHash, o.first_serial
              FROM (SELECT CAST(COALESCE(MAX(part), 0) AS bigint) AS part,
                           CAST(COALESCE(SUM(minutes), 0) AS bigint) AS used,
                           CAST(COALESCE(SUM(value_cents), 0) AS bigint) AS cents,
                           CAST(COALESCE(SUM(CASE WHEN hold_until_ms > @Now THEN hold_minutes ELSE 0 END), 0)
                                AS bigint) AS held,
                           CAST(COALESCE(SUM(CASE WHEN operation_id = @Operation THEN 1 ELSE 0 END), 0)
                                AS bigint) AS seen
                      FROM voucher_entries WHERE serial = @Serial) v
              JOIN orders o ON o.first_serial = @Order
             WHERE v.seen = 0 AND v.used + v.held + @Minutes <= o.credit_minutes
               AND NOT EXISTS (SELECT 1 FROM blocks k
                                WHERE k.order_serial = o.first_serial AND k.last_serial >= @Serial
                                  AND k.first_serial <= @Serial
                                  AND NOT EXISTS (SELECT 1 FROM block_lifts l WHERE l.block_id = k.id))
            """),
        ("a page", "SELECT id AS Id, status FROM orders WHERE id > @After ORDER BY Id {limit}"),
        ("a page in two lines", "SELECT id AS Id\n  FROM orders\n ORDER BY id DESC\n{limit}\n"),
        ("a scalar", "SELECT CAST(COUNT(*) AS bigint) FROM orders"),
        ("a cast in a coalesce",
            "SELECT COALESCE(CAST(SUM(minutes) AS bigint), 0) AS M FROM voucher_entries"),
        ("groups", """
            SELECT SUBSTRING(e.operation_id, 1, 7) AS Month, o.status,
                   CAST(COUNT(DISTINCT e.serial) AS bigint) AS N
              FROM voucher_entries e
              LEFT JOIN orders o ON o.first_serial = e.order_serial
             GROUP BY SUBSTRING(e.operation_id, 1, 7), o.status
            HAVING COUNT(*) > 1
             ORDER BY SUM(e.minutes) DESC, Month
            """),
        ("a CTE with windows", """
            WITH ranked AS (
                SELECT serial, part, minutes,
                       ROW_NUMBER() OVER (PARTITION BY serial ORDER BY part DESC) AS place,
                       LAG(minutes, 1, 0) OVER (ORDER BY serial, part) AS before,
                       CAST(SUM(minutes) OVER (PARTITION BY serial ORDER BY part ROWS UNBOUNDED PRECEDING)
                            AS bigint) AS running
                  FROM voucher_entries),
            firsts (s, p) AS (SELECT serial, part FROM ranked WHERE place = 1)
            SELECT r.serial, r.before, r.running, f.p
              FROM ranked r
             INNER JOIN firsts f ON f.s = r.serial AND f.p = r.part
             ORDER BY r.serial
            """),
        ("digits", """
            INSERT INTO block_lifts (block_id, at_ms)
            SELECT CAST(a.d + 10 * b.d AS char(36)), @Now
              FROM (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2) a
             CROSS JOIN (SELECT 0 AS d UNION ALL SELECT 1) b
             WHERE a.d + 10 * b.d < @Count
            """),
        ("an update", """
            UPDATE orders
               SET status = 'closed', label = COALESCE(@Label, label)
             WHERE id = @Id AND status = 'open'
               AND EXISTS (SELECT 1 FROM blocks b WHERE b.order_serial = orders.first_serial)
            """),
        ("an update by a sum", """
            UPDATE orders SET face_cents = face_cents - @Cents
             WHERE (SELECT COUNT(*) FROM blocks WHERE order_serial = orders.first_serial) = 0
            """),
        ("a delete",
            "DELETE FROM blocks WHERE id IN (SELECT block_id FROM block_lifts WHERE at_ms < @Before)"),
        ("values", "INSERT INTO block_lifts (block_id, at_ms) VALUES (@A, 1), (@B, -2)"),
        ("one value by a whole key", """
            SELECT b.id, (SELECT o.status FROM orders o WHERE o.first_serial = b.order_serial) AS Status
              FROM blocks b
             WHERE NOT (b.reason IS NULL) AND b.first_serial BETWEEN @From AND @To AND b.id IN (@X, @Y)
            """),
        ("conditions", """
            SELECT CASE o.status WHEN 'open' THEN CAST(1 AS bigint) ELSE NULLIF(o.face_cents % 7, 0) END AS A,
                   CAST(CASE WHEN EXISTS (SELECT 1 FROM blocks) THEN 1 ELSE 0 END AS bigint) AS B,
                   ABS(o.face_cents - 86400000) AS C, UPPER(o.id) AS D, CAST(5000000000 AS bigint) AS E
              FROM orders o
             WHERE o.face_cents <> 1 OR o.face_cents >= 2
            """),
        ("without a table", """
            INSERT INTO block_lifts (block_id, at_ms)
            SELECT @Id, @Now WHERE NOT EXISTS (SELECT 1 FROM block_lifts WHERE block_id = @Id)
            """),
        ("a derived table that sees the outer query", """
            SELECT o.id FROM orders o
             WHERE EXISTS (SELECT 1 FROM (SELECT b.id FROM blocks b WHERE b.order_serial = o.first_serial) x
                            WHERE x.id > '')
            """));

    private static IEnumerable<TestCaseData> Refused => Case(
        ("IFNULL", "SELECT IFNULL(hold_until_ms, 0) AS H FROM voucher_entries"),
        ("ISNULL", "SELECT ISNULL(hold_until_ms, 0) AS H FROM voucher_entries"),
        ("julianday", "SELECT id FROM orders WHERE face_cents > julianday('now')"),
        ("strftime", "SELECT strftime('%Y', id) AS Y FROM orders"),
        ("GETDATE", "SELECT id FROM orders WHERE face_cents > GETDATE()"),
        ("CURRENT_TIMESTAMP", "SELECT id FROM orders WHERE face_cents > CURRENT_TIMESTAMP"),
        ("LEN", "SELECT LEN(id) AS L FROM orders"),
        ("LENGTH", "SELECT LENGTH(id) AS L FROM orders"),
        ("LIMIT", "SELECT id FROM orders ORDER BY id LIMIT 5"),
        ("TOP", "SELECT TOP (5) id FROM orders ORDER BY id"),
        ("||", "SELECT id || status AS X FROM orders"),
        ("OUTPUT", "INSERT INTO block_lifts (block_id, at_ms) OUTPUT inserted.at_ms VALUES (@A, 1)"),
        ("RETURNING", "DELETE FROM blocks WHERE id = @Id RETURNING id"),
        ("MERGE", "MERGE INTO orders USING blocks ON orders.id = blocks.id WHEN MATCHED THEN DELETE"),
        ("CONFLICT", "INSERT INTO block_lifts (block_id, at_ms) VALUES (@A, 1) ON CONFLICT DO NOTHING"),
        ("UPDATE … FROM", "UPDATE orders SET status = 'closed' FROM blocks WHERE blocks.id = orders.id"),
        ("UPDATE without WHERE", "UPDATE orders SET status = 'closed'"),
        ("a join", "DELETE FROM blocks FROM orders WHERE blocks.id = orders.id"),
        ("WITH (…)", "SELECT id FROM orders WITH (NOLOCK)"),
        ("OPTION", "SELECT id FROM orders OPTION (RECOMPILE)"),
        ("hint", "SELECT o.id FROM orders o INNER HASH JOIN blocks b ON b.id = o.id"),
        ("LIKE", "SELECT id FROM orders WHERE id LIKE @Pattern"),
        ("AVG", "SELECT AVG(face_cents) AS A FROM orders"),
        ("ROUND", "SELECT ROUND(face_cents, 2) AS R FROM orders"),
        ("decimal", "SELECT CAST(face_cents AS decimal(10, 2)) AS D FROM orders"),
        ("int ; bigint", "SELECT CAST(face_cents AS int) AS D FROM orders"),
        ("varchar ; bigint", "SELECT CAST(face_cents AS varchar) AS D FROM orders"),
        ("1.5", "SELECT face_cents * 1.5 AS D FROM orders"),
        ("5000000000 is a decimal", "SELECT face_cents FROM orders WHERE face_cents > 5000000000"),
        ("0xAB", "SELECT id FROM orders WHERE face_cents = 0xAB"),
        ("SELECT *", "SELECT * FROM orders"),
        ("SELECT *", "SELECT o.* FROM orders o"),
        ("+ on text", "SELECT id + 'x' AS X FROM orders"),
        ("+ on text", "SELECT 'x' + @A AS X FROM orders"),
        ("- on text", "SELECT face_cents - id AS X FROM orders"),
        ("semicolon", "SELECT id FROM orders;"),
        ("2 statements", "SELECT id FROM orders SELECT id FROM blocks"),
        ("DROP", "DROP TABLE orders"),
        ("unknown table customers", "SELECT id FROM customers"),
        ("unknown table customers", "UPDATE customers SET id = @Id WHERE id = @Id"),
        ("unknown table sqlite_master", "SELECT name FROM sqlite_master"),
        ("several parts", "SELECT id FROM dbo.orders"),
        ("unknown column colour", "SELECT colour FROM orders"),
        ("unknown column o.colour", "SELECT o.colour FROM orders o"),
        ("unknown column ID", "SELECT ID FROM orders"),
        ("unknown column orders.colour", "UPDATE orders SET colour = 1 WHERE id = @Id"),
        ("unknown column block_lifts.colour",
            "INSERT INTO block_lifts (block_id, at_ms, colour) VALUES (@A, 1, 2)"),
        ("unknown alias x", "SELECT x.id FROM orders o"),
        ("unknown alias orders", "SELECT orders.id FROM orders o"),
        ("unknown alias o",
            "SELECT d.id FROM orders o CROSS JOIN (SELECT b.id FROM blocks b WHERE b.id = o.id) d"),
        ("unknown alias k",
            "SELECT o.id FROM orders o JOIN blocks b ON b.id = k.id JOIN blocks k ON k.id = b.id"),
        ("unknown column colour",
            "SELECT o.id FROM orders o WHERE EXISTS (SELECT 1 FROM blocks WHERE colour = 1)"),
        ("unknown column id", "WITH c AS (SELECT status FROM orders) SELECT id FROM c"),
        ("unknown table c", "WITH c AS (SELECT id FROM c) SELECT id FROM c"),
        ("unknown column Month", "SELECT SUBSTRING(id, 1, 7) AS Month FROM orders GROUP BY Month"),
        ("unknown column Month", "SELECT SUBSTRING(id, 1, 7) AS Month FROM orders ORDER BY UPPER(Month)"),
        ("ambiguous column id", "SELECT id FROM orders CROSS JOIN blocks"),
        ("ambiguous column id", "SELECT o.id, b.id FROM orders o CROSS JOIN blocks b ORDER BY id"),
        ("ambiguous column status", "SELECT UPPER(id) AS status FROM orders ORDER BY status"),
        ("orders for two tables", "SELECT 'a' AS A FROM orders CROSS JOIN orders"),
        ("2 columns and 1 values", "INSERT INTO block_lifts (block_id, at_ms) VALUES (@A)"),
        ("2 columns and 3 values",
            "INSERT INTO block_lifts (block_id, at_ms) SELECT id, first_serial, 1 FROM blocks"),
        ("without its columns", "INSERT INTO block_lifts VALUES (@A, 1)"),
        ("without INTO", "INSERT block_lifts (block_id, at_ms) VALUES (@A, 1)"),
        ("at_ms is NOT NULL", "INSERT INTO block_lifts (block_id) VALUES (@A)"),
        ("NULL for at_ms", "INSERT INTO block_lifts (block_id, at_ms) VALUES (@A, NULL)"),
        ("text for at_ms", "INSERT INTO block_lifts (block_id, at_ms) VALUES (@A, 'now')"),
        ("longer than status", "UPDATE orders SET status = 'closed for good' WHERE id = @Id"),
        ("at_ms twice", "UPDATE block_lifts SET at_ms = 1, at_ms = 2 WHERE block_id = @A"),
        ("*=", "UPDATE block_lifts SET at_ms *= 2 WHERE block_id = @A"),
        ("COUNT leaves without CAST", "SELECT COUNT(*) AS N FROM orders"),
        ("SUM leaves without CAST", "SELECT COALESCE(SUM(face_cents), 0) AS N FROM orders"),
        ("SUM leaves without CAST", "SELECT d.n FROM (SELECT SUM(face_cents) AS n FROM orders) d"),
        ("SUM leaves without CAST", "WITH c AS (SELECT SUM(face_cents) AS n FROM orders) SELECT n FROM c"),
        ("SUM leaves without CAST", "SELECT SUM(face_cents) OVER (ORDER BY id) AS n FROM orders"),
        ("COUNT leaves without CAST", "SELECT (SELECT COUNT(*) FROM blocks) AS n FROM orders"),
        ("an int on SQL Server", "SELECT 1 AS One FROM orders"),
        ("an int on SQL Server", "SELECT CASE WHEN face_cents > 1 THEN 1 ELSE 0 END AS One FROM orders"),
        ("NULL, an int", "SELECT id, NULL AS Nothing FROM orders"),
        ("a comparison in a select list", "SELECT face_cents = 1 FROM orders"),
        ("Incorrect syntax", "SELECT face_cents > 1 AS X FROM orders"),
        ("Incorrect syntax", "SELECT EXISTS (SELECT 1 FROM blocks) AS X FROM orders"),
        ("ORDER BY a position", "SELECT id FROM orders ORDER BY 1"),
        ("ORDER BY a parameter", "SELECT id FROM orders ORDER BY @By"),
        ("GROUP BY a position", "SELECT id FROM orders GROUP BY id, 1"),
        ("ends with a blank", "SELECT id FROM orders WHERE 'a ' = id"),
        ("not ASCII", "SELECT id FROM orders WHERE id = 'é'"),
        ("N'a'", "SELECT id FROM orders WHERE id = N'a'"),
        ("\"id\"", "SELECT \"id\" FROM orders"),
        ("[id]", "SELECT [id] FROM orders"),
        ("needs ORDER BY", "SELECT id FROM orders {limit}"),
        ("before the end", "SELECT id FROM (SELECT id FROM orders ORDER BY id {limit}) d"),
        ("FETCH", "SELECT id FROM orders ORDER BY id OFFSET 0 ROWS FETCH NEXT 5 ROWS ONLY"),
        ("OFFSET", "SELECT id FROM orders ORDER BY id OFFSET 5 ROWS"),
        ("without an alias", "SELECT id FROM (SELECT id FROM orders)"),
        ("without an alias", "SELECT id FROM (SELECT id FROM orders) WHERE id = @Id"),
        ("list of columns", "SELECT d.a FROM (SELECT id FROM orders) AS d (a)"),
        ("ORDER BY clause is not valid", "SELECT d.id FROM (SELECT id FROM orders ORDER BY id) d"),
        ("without a name", "SELECT d.id FROM (SELECT id, face_cents + 1 FROM orders) d"),
        ("NULL without a type", "SELECT d.id FROM (SELECT id, NULL AS n FROM orders) d"),
        ("comma", "SELECT o.id FROM orders o, blocks b WHERE b.id = o.id"),
        ("FULL", "SELECT o.id FROM orders o FULL JOIN blocks b ON b.id = o.id"),
        ("RIGHT", "SELECT o.id FROM orders o RIGHT JOIN blocks b ON b.id = o.id"),
        ("APPLY", "SELECT o.id FROM orders o CROSS APPLY (SELECT b.id FROM blocks b) d"),
        ("EXCEPT", "SELECT id FROM orders EXCEPT SELECT id FROM blocks"),
        ("UNION of 1 and 2", "SELECT id FROM orders UNION ALL SELECT id, reason FROM blocks"),
        ("text beside integer", "SELECT id FROM orders UNION ALL SELECT first_serial FROM blocks"),
        ("text beside integer", "SELECT id FROM orders WHERE id = 1"),
        ("integer beside text", "SELECT COALESCE(face_cents, 'none') AS X FROM orders"),
        ("with NULL", "SELECT id FROM orders WHERE label = NULL"),
        ("collation", "SELECT id FROM orders WHERE label = @Label"),
        ("collation", "SELECT label FROM orders ORDER BY label"),
        ("collation", "SELECT DISTINCT label FROM orders"),
        ("neither in GROUP BY", "SELECT id, CAST(COUNT(*) AS bigint) AS N FROM orders GROUP BY status"),
        ("neither in GROUP BY", "SELECT id, MAX(face_cents) AS M FROM orders"),
        ("MAX outside", "SELECT id FROM orders WHERE MAX(face_cents) > 1"),
        ("ROW_NUMBER outside", "SELECT id FROM orders WHERE ROW_NUMBER() OVER (ORDER BY id) = 1"),
        ("without ORDER BY", "SELECT ROW_NUMBER() OVER (PARTITION BY id) AS N FROM orders"),
        ("RANK", "SELECT RANK() OVER (ORDER BY id) AS N FROM orders"),
        ("subquery inside an aggregate", """
            SELECT CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM blocks) THEN 1 ELSE 0 END) AS bigint) AS N
              FROM orders
            """),
        ("outer column", """
            SELECT o.id FROM orders o
             WHERE (SELECT MAX(o.face_cents + b.first_serial) FROM blocks b) > 1
            """),
        ("several rows",
            "SELECT o.id, (SELECT b.id FROM blocks b WHERE b.order_serial = 1) AS B FROM orders o"),
        ("MAX with 2 arguments", "SELECT MAX(face_cents, credit_minutes) AS M FROM orders"),
        ("select list of DISTINCT", "SELECT DISTINCT status FROM orders ORDER BY id"),
        ("INTO", "SELECT id INTO copies FROM orders"),
        ("VALUES as a table", "SELECT d.a FROM (VALUES (1), (2)) AS d (a)"),
        ("without AS", "SELECT id status FROM orders"),
        ("COLLATE", "SELECT id FROM orders ORDER BY id COLLATE NOCASE"),
        ("@@ROWCOUNT", "SELECT id FROM orders WHERE face_cents = @@ROWCOUNT"),
        ("!", "SELECT id FROM orders WHERE face_cents != 1"),
        ("Incorrect syntax", "SELECT id FROM orders WHERE id IN @Ids"),
        ("&", "SELECT face_cents & 1 AS X FROM orders"),
        ("EXEC", "EXEC sp_who"),
        ("DECLARE", "DECLARE @A bigint"));

    [TestCaseSource(nameof(Allowed))]
    public void The_subset_passes_on_both_engines(string _, string text)
    {
        var statement = new SqlStatement("Control.Allowed", text);

        Assert.Multiple(() =>
        {
            Assert.That(PortableSql.Refusals(ScratchSchema.SqlServer, statement), Is.Empty);
            Assert.That(PortableSql.Style(statement), Is.Empty);
            Assert.That(() => ScratchSchema.Sqlite.Compile(statement), Throws.Nothing);
        });
    }

    [TestCaseSource(nameof(Refused))]
    public void All_else_is_refused_by_its_name(string name, string text)
    {
        var refusals = PortableSql.Refusals(
            ScratchSchema.SqlServer, new SqlStatement("Control.Refused", text));

        Assert.That(refusals, Is.Not.Empty);
        foreach (var word in name.Split(" ; ")) Assert.That(refusals, Has.Some.Contains(word));
    }

    [Test]
    public void A_refusal_says_where_it_stands()
    {
        var statement = new SqlStatement("Control.Place", "SELECT id,\n       colour\n  FROM orders");
        var refusals = PortableSql.Refusals(ScratchSchema.SqlServer, statement);

        Assert.That(refusals, Is.EqualTo(new[] { "Control.Place (2,8): unknown column colour" }));
    }

    [TestCase("select id FROM orders", "(1,1): the keyword select")]
    [TestCase("SELECT cast(1 AS bigint) AS One", "(1,8): the keyword cast")]
    [TestCase("SELECT id FROM orders WHERE id = @id", "(1,34): the parameter @id")]
    [TestCase("SELECT id FROM orders WHERE id = @the_id", "(1,34): the parameter @the_id")]
    public void Small_keywords_and_parameters_are_found(string text, string place) =>
        Assert.That(PortableSql.Style(new("Control.Style", text)), Has.One.Contains(place));

    [Test]
    public void A_CHECK_is_walked_too()
    {
        var schema = SqlSchema.Parse([new("scratch", """
            CREATE TABLE a (
                id   bigint NOT NULL PRIMARY KEY CHECK (id > 0),
                hash binary(32) NULL CHECK (LEN(hash) = 32)
            )
            """)]);

        Assert.That(PortableSql.CheckRefusals(schema, schema.Find("a")!),
            Has.One.Contains("the function LEN"));
    }

    private static IEnumerable<TestCaseData> Case(params (string Name, string Text)[] cases) =>
        cases.Select((c, i) => new TestCaseData(c.Name, c.Text).SetArgDisplayNames($"{i:000} {c.Name}"));
}

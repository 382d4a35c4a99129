using System.Reflection;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Every statement and both sides of every migration, held to one text and one schema.</summary>
internal sealed partial class SqlTests
{
    private static IEnumerable<TestCaseData> Statements =>
        SqlStatements.All.Select(s => new TestCaseData(s).SetArgDisplayNames(s.Name));

    private static IEnumerable<TestCaseData> Migrations => SqlMigrations.SqlServer
        .Select(m => new TestCaseData(m).SetArgDisplayNames("sqlserver/" + m.Name));

    [Test]
    public void There_are_statements_to_walk() => Assert.Multiple(() =>
    {
        Assert.That(SqlStatements.All, Is.Not.Empty);
        Assert.That(SqlMigrations.Sqlite, Is.Not.Empty);
        Assert.That(SqlMigrations.SqlServer, Is.Not.Empty);
        Assert.That(SqlStatements.Hidden(SqlStatements.Service.GetTypes()), Is.Empty);
    });

    [TestCaseSource(nameof(Statements))]
    public void Compiles_on_sqlite(SqlStatement statement) =>
        Assert.That(() => SqliteSchema.Service.Value.Compile(statement), Throws.Nothing);

    [TestCaseSource(nameof(Statements))]
    public void Is_portable(SqlStatement statement) =>
        Assert.That(PortableSql.Refusals(SqlSchema.Service.Value, statement), Is.Empty);

    [TestCaseSource(nameof(Statements))]
    public void Has_large_keywords_and_PascalCase_parameters(SqlStatement statement) =>
        Assert.That(PortableSql.Style(statement), Is.Empty);

    [Test]
    public void Both_engines_have_the_same_migrations()
    {
        Assert.That(SqlMigrations.SqlServer.Select(m => m.Name),
            Is.EqualTo(SqlMigrations.Sqlite.Select(m => m.Name)));
        Assert.That(SqlSchema.Service.Value.Describe(), Is.EqualTo(SqliteSchema.Service.Value.Describe()));
    }

    [TestCaseSource(nameof(Migrations))]
    public void A_migration_can_be_cut_at_its_semicolons(SqlStatement migration)
    {
        var lines = migration.Text.Split('\n').Where(l => !l.StartsWith("--", StringComparison.Ordinal));
        var parts = string.Join('\n', lines).Split(';').Where(p => !string.IsNullOrWhiteSpace(p));
        foreach (var part in parts)
            Assert.That(SqlTokens.Parse(migration.Name, part).Count(), Is.EqualTo(1), part);
    }

    [Test]
    public void Every_table_of_sqlite_is_strict() =>
        Assert.That(SqliteSchema.Service.Value.Loose(), Is.Empty);

    [Test]
    public void Every_CHECK_is_portable() => Assert.That(
        SqlSchema.Service.Value.Tables.SelectMany(t => PortableSql.CheckRefusals(SqlSchema.Service.Value, t)),
        Is.Empty);

    [Test]
    public void Ids_and_codes_are_compared_by_their_bytes() =>
        Assert.That(Uncollated(SqlSchema.Service.Value), Is.Empty);

    [Test]
    public void No_key_is_too_wide_for_sql_server() => Assert.That(Wide(SqlSchema.Service.Value), Is.Empty);

    [Test]
    public void Only_the_data_folder_knows_the_engines() =>
        Assert.That(Elsewhere(EngineType()), Is.Empty);

    [Test]
    public void No_statement_is_put_together_by_interpolation() =>
        Assert.That(Elsewhere(Interpolated()), Is.Empty);

    [Test]
    public void The_scratch_twins_agree_and_one_change_is_seen()
    {
        var twin = ScratchSchema.SqlServer.Describe().ToList();
        Assert.That(twin, Is.EqualTo(ScratchSchema.Sqlite.Describe()));
        Assert.That(twin, Has.Some.EqualTo("voucher_entries check used_after >= 0 AND kind <> 9"));
        Assert.That(ScratchSchema.Sqlite.Loose(), Is.Empty);
        foreach (var (from, to) in Drifts())
        {
            var text = ScratchSchema.SqlServerSide.Replace(from, to, StringComparison.Ordinal);
            var changed = SqlSchema.Parse([new("scratch", text)]);
            Assert.That(changed.Describe(), Is.Not.EqualTo(twin), $"{from} → {to}");
        }
    }

    [Test]
    public void A_text_key_without_binary_collation_and_a_wide_key_are_seen()
    {
        var schema = SqlSchema.Parse([new("scratch", """
            CREATE TABLE a (
                code  varchar(24)   NOT NULL PRIMARY KEY,
                name  nvarchar(200) NOT NULL UNIQUE,
                long  varchar(1800) COLLATE Latin1_General_BIN2 NOT NULL UNIQUE,
                label nvarchar(max) NULL
            )
            """)]);

        Assert.That(Uncollated(schema), Is.EqualTo(new[] { "a.code", "a.name" }));
        Assert.That(Wide(schema), Is.EqualTo(new[] { "a (long)" }));
    }

    [TestCase("CREATE TABLE a (id bigint IDENTITY NOT NULL)")]
    [TestCase("CREATE TABLE a (id int NOT NULL)")]
    [TestCase("CREATE TABLE a (id varchar NOT NULL)")]
    [TestCase("CREATE TABLE a (id bigint NOT NULL INDEX ix)")]
    [TestCase("CREATE TABLE a (id bigint NOT NULL, INDEX ix (id))")]
    [TestCase("CREATE TABLE a (id bigint NOT NULL, b AS id + 1)")]
    [TestCase("CREATE VIEW a AS SELECT 1 AS b")]
    [TestCase("DROP TABLE a")]
    [TestCase("CREATE INDEX ix ON a (id)")]
    public void A_migration_holds_only_plain_tables_and_indexes(string text) =>
        Assert.That(() => SqlSchema.Parse([new("scratch", text)]), Throws.InvalidOperationException);

    [Test]
    public void Constants_and_composed_statements_are_all_collected()
    {
        var types = typeof(Slice).GetNestedTypes(BindingFlags.NonPublic).Append(typeof(Other.Sql)).ToList();

        Assert.That(SqlStatements.Of(types).Select(s => s.Name), Is.EqualTo(new[]
        {
            "Other.Find", "Slice.Claim", "Slice.Kept", "Slice.Composed[0]", "Slice.Composed[1]",
        }));
        Assert.That(SqlStatements.Hidden(types), Is.EqualTo(new[] { "Other.Sql.Late" }));
    }

    [TestCase("var c = new SqliteConnection();", true)]
    [TestCase("var c = new SqlConnection(text);", true)]
    [TestCase("var c = new MySqlConnections();", false)]
    public void The_name_of_an_engine_is_found(string source, bool found) =>
        Assert.That(EngineType().IsMatch(source), Is.EqualTo(found));

    [TestCase("$\"SELECT {a}\"", true)]
    [TestCase("$\"\"\"\n    UPDATE {t} SET a = 1\n    \"\"\"", true)]
    [TestCase("$$\"\"\"\n DELETE FROM x", true)]
    [TestCase("$@\" INSERT INTO {t}\"", true)]
    [TestCase("\"SELECT a\"", false)]
    [TestCase("$\"{a} was SELECTED\"", false)]
    public void An_interpolated_statement_is_found(string source, bool found) =>
        Assert.That(Interpolated().IsMatch(source), Is.EqualTo(found));

    private static IEnumerable<(string From, string To)> Drifts() =>
    [
        ("face_cents     bigint      NOT NULL", "face_cents     bigint      NULL"),
        ("CHECK (face_cents > 0)", "CHECK (face_cents >= 0)"),
        ("UNIQUE,", ","),
        ("PRIMARY KEY (serial, part)", "PRIMARY KEY (part, serial)"),
        ("body_hash     binary(32)", "body_hash     bigint"),
        ("REFERENCES orders (first_serial)", "REFERENCES orders (id)"),
        ("(operation_id, part DESC)", "(operation_id, part)"),
        ("WHERE part > 0", "WHERE part > 1"),
        ("DEFAULT 'open'", "DEFAULT 'closed'"),
        ("CREATE UNIQUE INDEX", "CREATE INDEX"),
        ("ADD reason", "ADD motive"),
    ];

    /// <summary>
    /// Texts that stand in a key or index, and all that are not free text, without the binary collation.
    /// </summary>
    private static IEnumerable<string> Uncollated(SqlSchema schema) =>
        from table in schema.Tables
        let keys = table.Uniques.Append(table.PrimaryKey).Concat(table.Indexes.Select(i => i.Columns))
            .Concat(table.ForeignKeys.Select(f => f.Columns))
            .SelectMany(k => k).Select(c => c.Split(' ')[0]).ToHashSet(StringComparer.Ordinal)
        from column in table.Columns
        where column.Kind == SqlKind.FreeText && (column.Type != "nvarchar" || keys.Contains(column.Name))
        select $"{table.Name}.{column.Name}";

    private static IEnumerable<string> Wide(SqlSchema schema) =>
        from table in schema.Tables
        from key in table.Uniques.Concat(table.Indexes.Select(i => i.Columns))
            .Select(k => (Columns: k, Bytes: 1700L)).Append((table.PrimaryKey, 900L))
        let names = key.Columns.Select(c => c.Split(' ')[0]).ToList()
        where table.Columns.Where(c => names.Contains(c.Name)).Sum(c => c.Bytes) > key.Bytes
        select $"{table.Name} ({string.Join(", ", key.Columns)})";

    private static IEnumerable<string> Elsewhere(Regex pattern) =>
        Sources().Where(s => !IsData(s.Path) && pattern.IsMatch(s.Text)).Select(s => s.Path);

    private static List<(string Path, string Text)> Sources()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "PassNumerique.sln"))) root = root.Parent!;
        var src = Path.Combine(root.FullName, "src");
        List<(string, string)> files = [.. Directory.EnumerateFiles(src, "*.*", SearchOption.AllDirectories)
            .Select(f => (Path: Path.GetRelativePath(src, f).Replace('\\', '/'), File: f))
            .Where(f => f.Path.EndsWith(".cs", StringComparison.Ordinal)
                || f.Path.EndsWith(".razor", StringComparison.Ordinal))
            .Where(f => !f.Path.Contains("/obj/", StringComparison.Ordinal)
                && !f.Path.Contains("/bin/", StringComparison.Ordinal))
            .Select(f => (f.Path, File.ReadAllText(f.File)))];
        Assert.That(files, Is.Not.Empty);
        return files;
    }

    private static bool IsData(string path) => path.Contains("/Platform/Data/", StringComparison.Ordinal);

    [GeneratedRegex(@"\b(SqliteConnection|SqlConnection)\b")]
    private static partial Regex EngineType();

    [GeneratedRegex("""(\$+@?|@\$)"+\s*(SELECT|INSERT|UPDATE|DELETE)\b""")]
    private static partial Regex Interpolated();

    private static class Slice
    {
        private static class Sql
        {
            public const string Claim = "UPDATE a";
            private const string Kept = "DELETE FROM a";
            private const long Rows = 5;

            public static IReadOnlyList<string> Composed => [Claim + Rows, Kept];
        }
    }

    private static class Other
    {
        internal static class Sql
        {
            public const string Find = "SELECT a";

            public static string Late() => Find;
        }
    }
}

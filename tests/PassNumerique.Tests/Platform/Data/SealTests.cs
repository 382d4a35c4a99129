using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Leaves, roots, chain and MACs: what exactly is sealed.</summary>
internal sealed class SealTests
{
    private static readonly FactTable Table = new("things", "id", "id, label, size, body");
    private readonly TestFolder _folder = new();
    private KeyRing _keys = null!;

    [OneTimeSetUp]
    public void Begin() => _keys = KeyRing.Create(_folder.Keys);

    [OneTimeTearDown]
    public void End() => _folder.Dispose();

    [Test]
    public void A_leaf_is_the_hash_of_the_table_and_each_value_with_kind_and_length()
    {
        byte[] row =
        [
            0, (byte)'t', 0, 0, 0, 6, .. "things"u8,
            (byte)'s', 0, 0, 0, 2, .. "é"u8,
            (byte)'n',
            (byte)'i', 0, 0, 0, 0, 0, 0, 1, 2,
            (byte)'b', 0, 0, 0, 1, 7,
            (byte)'s', 0, 0, 0, 1, (byte)'a',
            (byte)'i', 255, 255, 255, 255, 255, 255, 255, 255,
        ];
        Assert.That(Table.Leaf(["é", null, 258L, new byte[] { 7 }, "a", -1L]), Is.EqualTo(SHA256.HashData(row)));
    }

    [Test]
    public void No_two_rows_share_a_leaf()
    {
        object?[][] rows =
        [
            ["a", null, 1L, null, "x", 1L], ["a", "", 1L, null, "x", 1L], ["a", null, null, null, "x", 1L],
            ["a", "1", null, null, "x", 1L], ["a", null, 1L, Array.Empty<byte>(), "x", 1L], ["ab", "c", 1L, null, "x", 1L],
            ["a", "bc", 1L, null, "x", 1L], ["a", "s", 1L, "x"u8.ToArray(), "x", 1L], ["a", null, 0L, null, "x", 1L],
        ];
        var other = new FactTable("thing", "id", "id, label, size, body");
        Assert.That(rows.Select(r => Convert.ToHexString(Table.Leaf(r))).Append(Convert.ToHexString(other.Leaf(rows[0]))), Is.Unique);
    }

    [Test]
    public void A_seal_binds_its_batch_to_all_before_it()
    {
        var first = Seal.After(Seal.None, 1_000, [Table.Leaf(["a", null, 1L, null, "x", 1L])], _keys);
        var second = Seal.After(first, 1_001, [], _keys);
        var text = $"{first.Chain} 2 1001 0 {second.Root}";
        Assert.That(first.Batch, Is.EqualTo(1));
        Assert.That(second.Chain, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))));
        Assert.That(second.Root, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData([]))));
        var mac = HMACSHA256.HashData(_keys.Derive(1, KeyLabel.Seal), Encoding.UTF8.GetBytes(second.Chain));
        Assert.That((second.KeyVersion, second.Mac), Is.EqualTo((1L, Convert.ToHexStringLower(mac))));
        string[] others =
        [
            second.Chain, Seal.ChainOf(first.Root, 2, 1_001, 0, second.Root), Seal.ChainOf(first.Chain, 3, 1_001, 0, second.Root),
            Seal.ChainOf(first.Chain, 2, 1_002, 0, second.Root), Seal.ChainOf(first.Chain, 2, 1_001, 1, second.Root),
            Seal.ChainOf(first.Chain, 2, 1_001, 0, first.Root),
        ];
        Assert.That(others, Is.Unique);
    }

    [TestCase(5_000, 5_001)]
    [TestCase(4_999, 5_001)]
    [TestCase(0, 5_001)]
    [TestCase(5_002, 5_002)]
    public void Instants_strictly_increase_whatever_the_clock_does(long nowMs, long instant) =>
        Assert.That(Seal.NextInstant(Seal.None with { SealedMs = 5_000 }, nowMs), Is.EqualTo(instant));

    [TestCase(5_000 - 60_000, ExpectedResult = false)]
    [TestCase(5_000 - 60_001, ExpectedResult = true)]
    [TestCase(5_000, ExpectedResult = false)]
    [TestCase(500_000, ExpectedResult = false)]
    public bool Instants_are_far_ahead_of_the_clock_after_a_minute(long nowMs) =>
        Seal.IsFarAhead(Seal.None with { SealedMs = 5_000 }, nowMs);

    [Test]
    public void Each_fact_table_of_the_schema_is_in_the_journal_with_all_its_columns()
    {
        foreach (var table in SqlSchema.Service.Value.Tables.Where(t => t.Columns.Any(c => c.Name == "batch") && t.Name != "seals"))
        {
            var columns = table.Columns.Select(c => c.Name).Where(c => c != "batch");
            Assert.That(Journal.Tables.Find(table.Name)?.Columns, Is.EqualTo(columns), table.Name);
            Assert.That(Journal.Tables[table.Name].Key, Is.EqualTo(string.Join(", ", table.PrimaryKey)), table.Name);
        }
    }
}

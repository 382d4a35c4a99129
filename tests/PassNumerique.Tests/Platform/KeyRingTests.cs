using System.Collections.Concurrent;
using System.Runtime.Versioning;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Platform;

/// <summary>The key file: made once, never overwritten, rotated whole, refused with a clear line.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class KeyRingTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string Secret = Line(Enumerable.Range(0, 32));
    private static readonly string Other = Line(Enumerable.Range(1, 32));

    private string folder = "";
    private string path = "";

    [SetUp]
    public void MakeFolder()
    {
        folder = Directory.CreateTempSubdirectory("pass-keys-").FullName;
        path = Path.Combine(folder, "code.keys");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    // Computed apart, with Python's hmac and hashlib.
    [TestCase(KeyLabel.Code, "27ed8b06199c972b481bef5d83924e2ebb77316c8b384b98be4ca33736e63d0d")]
    [TestCase(KeyLabel.Seal, "1f28daac514d841274e4541f0ac720aedc1a1801279e144ba82e6ad8c1c9592d")]
    [TestCase(KeyLabel.Fingerprint, "dd630a267d5152021908e838369b9771ba2c8dcba4e88eafd6dcbb052823e50e")]
    [TestCase(KeyLabel.ApiKey, "851ba0e5c3b20d18646370960aa2c563786ef9a23fa3253f4256b95667dfa66a")]
    [TestCase(KeyLabel.Person, "e4c8df407efb6d86a932d4c0aa465541e53fb5577954851766872cdae191ab08")]
    [TestCase(KeyLabel.Attempt, "c469a6d4d6ad8894f26fdb123d3b11861d503255520e6f325caf6c616a44fa78")]
    public void A_known_secret_gives_the_known_key_for_each_label(string label, string expected)
        => Assert.That(Hex(Loaded($"1 {Secret}"), 1, label), Is.EqualTo(expected));

    [Test]
    public void The_check_value_knows_a_secret_again_without_telling_it()
    {
        var ring = Loaded($"1 {Secret}\n3 {Other}");

        Assert.That(ring.CheckValue(1), Is.EqualTo("027a113596b03cf3"));
        Assert.That(ring.CheckValue(3), Has.Length.EqualTo(16).And.Not.EqualTo(ring.CheckValue(1)));
        Assert.That(Loaded($"7 {Secret}").CheckValue(7), Is.EqualTo(ring.CheckValue(1)));
    }

    [Test]
    public void Comments_blank_lines_any_order_and_Windows_line_ends_are_read()
    {
        var ring = Loaded($"\uFEFF# safe of the town hall\r\n\r\n  2\t{Other} \r\n1   {Secret}\r\n# end");

        Assert.That(ring.Versions, Is.EqualTo([1, 2]));
        Assert.That(ring.Current, Is.EqualTo(2));
        Assert.That(new[] { 0, 1, 2 }.All(ring.Holds), Is.True);
        Assert.That(new[] { -1, 3, 7, 8 }.Any(ring.Holds), Is.False);
    }

    [Test]
    public void Every_version_and_label_has_a_key_of_its_own()
    {
        var ring = Loaded($"1 {Secret}\n2 {Other}");
        string[] labels =
            [KeyLabel.Code, KeyLabel.Seal, KeyLabel.Fingerprint, KeyLabel.ApiKey, KeyLabel.Person, KeyLabel.Attempt];
        var keys = labels.SelectMany(label => new[] { Hex(ring, 1, label), Hex(ring, 2, label) });

        Assert.That(keys.Append(Hex(ring, 0, KeyLabel.Code)), Is.Unique.And.All.Length.EqualTo(64));
    }

    [Test]
    public void The_specimen_has_the_same_public_code_key_everywhere()
    {
        var code = VoucherCode.Compose(
            Loaded($"1 {Secret}").Derive(KeyRing.SpecimenVersion, KeyLabel.Code), 0, 1, new byte[16]);

        Assert.That(code, Is.EqualTo("000000194KADC7YMH2QQ"));
        Assert.That(Hex(Loaded($"5 {Other}"), 0, KeyLabel.Code),
            Is.EqualTo("5757e202f99c3866f686fff1de586f85f1aa3e2f19b518a940a607ca792dba34"));
    }

    [TestCase(0, KeyLabel.Seal)]
    [TestCase(0, KeyLabel.Fingerprint)]
    [TestCase(0, KeyLabel.ApiKey)]
    [TestCase(0, KeyLabel.Person)]
    [TestCase(2, KeyLabel.Code)]
    [TestCase(8, KeyLabel.Code)]
    [TestCase(-1, KeyLabel.Code)]
    [TestCase(1, "check")]
    [TestCase(1, "")]
    public void A_key_that_must_not_be_used_is_never_given(int version, string label)
    {
        var ring = Loaded($"1 {Secret}");

        Assert.That(() => Hex(ring, version, label), Throws.InstanceOf<ArgumentException>());
        if (version != 1)
            Assert.That(() => ring.CheckValue(version), Throws.InstanceOf<ArgumentException>());
    }

    [Test]
    public void A_new_file_holds_version_one_for_its_owner_alone()
    {
        var ring = KeyRing.Create(path);

        Assert.That(ring.Versions, Is.EqualTo([1]));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(OwnerOnly));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo([path]));
        Assert.That(KeyRing.Load(path).CheckValue(1), Is.EqualTo(ring.CheckValue(1)));
        Assert.That(KeyRing.Create(path + "2").CheckValue(1), Is.Not.EqualTo(ring.CheckValue(1)));
    }

    [Test]
    public void A_file_is_never_overwritten()
    {
        File.WriteAllText(path, "anything");

        Assert.That(ProblemOf(() => KeyRing.Create(path)), Does.Contain("existe déjà"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("anything"));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo([path]));
    }

    [Test]
    public void A_folder_that_is_missing_is_not_made_and_is_named()
    {
        path = Path.Combine(folder, "none", "code.keys");

        Assert.That(ProblemOf(() => KeyRing.Create(path)), Does.Contain("ne peut pas être écrit"));
    }

    [Test]
    public void Rotation_adds_a_version_and_keeps_the_old_ones()
    {
        var first = KeyRing.Create(path);
        File.AppendAllText(path, "# note of the operator, without line end");
        File.SetUnixFileMode(path, OwnerOnly | UnixFileMode.GroupRead);

        var second = KeyRing.Rotate(path);

        Assert.That(second.Versions, Is.EqualTo([1, 2]));
        Assert.That(second.Current, Is.EqualTo(2));
        Assert.That(Hex(second, 1, KeyLabel.Code), Is.EqualTo(Hex(first, 1, KeyLabel.Code)));
        Assert.That(second.CheckValue(1), Is.EqualTo(first.CheckValue(1)));
        Assert.That(second.CheckValue(2), Is.Not.EqualTo(first.CheckValue(1)));
        Assert.That(second.Export(), Does.StartWith(first.Export()).And.Contains("note of the operator"));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(OwnerOnly));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo([path]));
        Assert.That(first.Current, Is.EqualTo(1), "a loaded ring does not change");
    }

    [Test]
    public void Rotation_follows_the_highest_version_and_stops_after_the_last()
    {
        Loaded($"1 {Secret}\n6 {Other}");

        Assert.That(KeyRing.Rotate(path).Versions, Is.EqualTo([1, 6, 7]));
        var before = File.ReadAllText(path);
        Assert.That(ProblemOf(() => KeyRing.Rotate(path)), Does.Contain("dernière possible"));
        Assert.That(File.ReadAllText(path), Is.EqualTo(before));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo([path]));
    }

    [Test]
    public void Rotation_replaces_the_file_behind_a_link_and_keeps_the_link()
    {
        var target = Path.Combine(folder, "mounted.keys");
        KeyRing.Create(target);
        File.CreateSymbolicLink(path, target);

        Assert.That(KeyRing.Rotate(path).Current, Is.EqualTo(2));
        Assert.That(new FileInfo(path).LinkTarget, Is.EqualTo(target));
        Assert.That(KeyRing.Load(target).Current, Is.EqualTo(2));
    }

    [Test]
    public void A_second_rotation_waits_for_nobody_and_loses_no_key()
    {
        KeyRing.Create(path);
        File.WriteAllText(path + ".new", "another one is at work");

        Assert.That(ProblemOf(() => KeyRing.Rotate(path)), Does.Contain($"supprimez {path}.new"));
        Assert.That(File.ReadAllText(path + ".new"), Is.EqualTo("another one is at work"));
        Assert.That(KeyRing.Load(path).Current, Is.EqualTo(1));
    }

    [Test]
    public void Many_rotations_at_once_lose_no_key()
    {
        KeyRing.Create(path);
        var rings = new ConcurrentBag<KeyRing>();
        Parallel.For(0, 6, _ =>
        {
            for (var attempt = 0; attempt < 10_000; attempt++)
                try
                {
                    rings.Add(KeyRing.Rotate(path));
                    return;
                }
                catch (KeyFileException)
                {
                    Thread.Sleep(1);
                }
        });

        var last = KeyRing.Load(path);
        Assert.That(last.Versions, Is.EqualTo([1, 2, 3, 4, 5, 6, 7]));
        foreach (var ring in rings)
            foreach (var version in ring.Versions)
                Assert.That(ring.CheckValue(version), Is.EqualTo(last.CheckValue(version)));
    }

    [Test]
    public void A_wrong_file_is_not_rotated()
    {
        File.WriteAllText(path, "1 nonsense");

        Assert.That(ProblemOf(() => KeyRing.Rotate(path)), Does.Contain("ligne 1"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("1 nonsense"));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo([path]));
    }

    [Test]
    public void A_missing_file_is_named_and_not_made()
    {
        Assert.That(ProblemOf(() => KeyRing.Load(path)), Does.Contain("introuvable"));
        Assert.That(ProblemOf(() => KeyRing.Rotate(path)), Does.Contain("introuvable"));
        Assert.That(Directory.GetFiles(folder), Is.Empty);
    }

    [Test]
    public void A_file_that_cannot_be_read_is_named()
    {
        using var locked = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

        Assert.That(ProblemOf(() => KeyRing.Load(path)), Does.Contain("ne peut pas être lu"));
    }

    [Test]
    public void A_file_too_large_to_be_one_is_not_read()
    {
        File.WriteAllText(path, new string('#', 65_537));

        Assert.That(ProblemOf(() => KeyRing.Load(path)), Does.Contain("trop grand"));
    }

    [TestCase("", "vide")]
    [TestCase("# only a comment\n\n", "vide")]
    [TestCase("1", "ligne 1 : attendu")]
    [TestCase("# note\n1 {0} more", "ligne 2 : attendu")]
    [TestCase("one {0}", "ligne 1 : attendu")]
    [TestCase("99999999999 {0}", "ligne 1 : attendu")]
    [TestCase("1 {0}!", "ligne 1 : attendu")]
    [TestCase("0 {0}", "ligne 1 : une version va de 1 à 7")]
    [TestCase("8 {0}", "ligne 1 : une version va de 1 à 7")]
    [TestCase("-1 {0}", "ligne 1 : une version va de 1 à 7")]
    [TestCase("1 {0}\n2 {1}\n1 {1}", "ligne 3 : la version 1 y est déjà")]
    [TestCase("1 {0}\n2 {0}", "ligne 2 : ce secret est déjà celui d'une autre version")]
    [TestCase("1 AAAA", "ligne 1 : le secret a 3 octets au lieu de 32")]
    [TestCase("1 {0}\n2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj", "ligne 2 : le secret a 36 octets")]
    public void A_wrong_file_is_refused_with_the_line_and_without_the_secret(string text, string expected)
    {
        File.WriteAllText(path, text.Replace("{0}", Secret).Replace("{1}", Other));
        var problem = ProblemOf(() => KeyRing.Load(path));

        Assert.That(problem, Does.Contain(expected).And.Not.Contain(Secret).And.Not.Contain("AAECAwQF"));
    }

    [Test]
    public void The_export_restores_the_same_keys()
    {
        KeyRing.Create(path);
        var ring = KeyRing.Rotate(path);
        path = Path.Combine(folder, "restored.keys");

        var restored = Loaded(ring.Export());

        Assert.That(restored.Versions, Is.EqualTo(ring.Versions));
        foreach (var version in ring.Versions)
            Assert.That(restored.CheckValue(version), Is.EqualTo(ring.CheckValue(version)));
    }

    [Test]
    public void A_log_shows_nothing_of_a_ring()
        => Assert.That(Loaded($"1 {Secret}").ToString(), Is.EqualTo(typeof(KeyRing).FullName));

    private KeyRing Loaded(string text)
    {
        File.WriteAllText(path, text);
        return KeyRing.Load(path);
    }

    private string ProblemOf(Action action)
    {
        var message = Assert.Throws<KeyFileException>(action)!.Message;
        Assert.That(message, Does.StartWith($"Fichier de clés {path}").And.EndsWith("."));
        Assert.That(message, Does.Not.Contain('\n'));
        return message;
    }

    private static string Hex(KeyRing ring, int version, string label)
        => Convert.ToHexStringLower(ring.Derive(version, label));

    private static string Line(IEnumerable<int> bytes)
        => Convert.ToBase64String([.. bytes.Select(value => (byte)value)]);
}

using NUnit.Framework;
using PassNumerique.Access;

namespace PassNumerique.Tests.Access;

internal sealed class PasswordsTests
{
    private static readonly string Stored = Passwords.Hash("le mot de passe");

    [Test]
    public void A_password_is_recognised_and_another_is_not()
    {
        Assert.That(Passwords.Verify(Stored, "le mot de passe"));
        Assert.That(Passwords.Verify(Stored, "le mot de passé"), Is.False);
        Assert.That(Passwords.Verify(Stored, ""), Is.False);
    }

    [Test]
    public void Nothing_stored_recognises_nothing() =>
        Assert.That(Passwords.Verify(null, "le mot de passe"), Is.False);

    [Test]
    public void The_hash_says_how_it_was_made_and_has_a_salt_of_its_own()
    {
        var parts = Stored.Split('$');
        Assert.That(parts, Has.Length.EqualTo(4));
        Assert.That((parts[0], int.Parse(parts[1])), Is.EqualTo(("pbkdf2-sha256", 210_000)));
        Assert.That(Passwords.Hash("le mot de passe"), Is.Not.EqualTo(Stored));
        Assert.That(Stored, Has.Length.LessThanOrEqualTo(200));
    }

    /// <summary>RFC 7914, section 11: PBKDF2-HMAC-SHA-256 of "passwd" and "salt", one iteration.</summary>
    [Test]
    public void A_hash_made_elsewhere_by_the_standard_is_recognised()
    {
        var expected = Convert.FromHexString(
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
        var stored = $"pbkdf2-sha256$1$c2FsdA==${Convert.ToBase64String(expected)}";
        Assert.That(Passwords.Verify(stored, "passwd"));
        Assert.That(Passwords.Verify(stored, "passwe"), Is.False);
    }

    [TestCase("")]
    [TestCase("clair")]
    [TestCase("pbkdf2-sha1$1$c2FsdA==$VawE")]
    [TestCase("pbkdf2-sha256$-1$c2FsdA==$VawE")]
    public void A_hash_of_another_shape_recognises_nothing(string stored) =>
        Assert.That(Passwords.Verify(stored, "passwd"), Is.False);

    [Test]
    public void A_generated_password_is_long_legible_and_never_the_same()
    {
        var made = Enumerable.Range(0, 100).Select(_ => Passwords.Generate()).ToList();
        Assert.That(made, Is.Unique);
        Assert.That(made, Is.All.Matches("^[2-9a-hjkmnp-z]{5}(-[2-9a-hjkmnp-z]{5}){3}$"));
        Assert.That(made, Is.All.Matches<string>(Passwords.IsAcceptable));
    }

    [Test]
    public void A_chosen_password_that_is_too_short_is_not_even_hashed()
    {
        Assert.That(NewPassword.From("court").Hash, Is.Empty);
        var chosen = NewPassword.From("assez long pour servir");
        Assert.That(Passwords.Verify(chosen.Hash, "assez long pour servir"));
        Assert.That((chosen.IsGenerated, NewPassword.From(null).IsGenerated), Is.EqualTo((false, true)));
    }
}

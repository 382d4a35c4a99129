using System.Security.Cryptography;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

/// <summary>What each thread keeps of its keys changes no code.</summary>
internal sealed class HmacTests
{
    [Test]
    public void Codes_are_those_of_the_system_with_few_keys_and_with_more_than_are_kept([Values(1, 3, 40)] int count)
    {
        var keys = Enumerable.Range(0, count).Select(_ => RandomNumberGenerator.GetBytes(32)).ToArray();
        Parallel.For(0, 2_000, i =>
        {
            var message = RandomNumberGenerator.GetBytes(i % 300);
            var mac = new byte[32];
            Hmac.Fill(keys[i % count], message, mac);
            Assert.That(mac, Is.EqualTo(HMACSHA256.HashData(keys[i % count], message)));
        });
    }

    [Test]
    public void A_code_that_found_no_room_leaves_nothing_to_the_next_one()
    {
        var (key, mac) = (RandomNumberGenerator.GetBytes(32), new byte[32]);
        Assert.That(() => Hmac.Fill(key, "lost"u8, mac.AsSpan(1)), Throws.ArgumentException);
        Hmac.Fill(key, "code"u8, mac);
        Assert.That(mac, Is.EqualTo(HMACSHA256.HashData(key, "code"u8)));
    }

    [Test]
    public void A_key_that_begins_like_another_or_was_changed_since_is_another()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        foreach (var other in (byte[][])[key, key[..31], [.. key, 1], []])
        {
            var mac = new byte[32];
            Hmac.Fill(other, "code"u8, mac);
            Assert.That(mac, Is.EqualTo(HMACSHA256.HashData(other, "code"u8)));
        }

        key[0] ^= 1;
        var changed = new byte[32];
        Hmac.Fill(key, "code"u8, changed);
        Assert.That(changed, Is.EqualTo(HMACSHA256.HashData(key, "code"u8)));
    }
}

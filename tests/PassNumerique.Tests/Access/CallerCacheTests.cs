using NUnit.Framework;
using PassNumerique.Access;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Access;

internal sealed class CallerCacheTests
{
    private static readonly Caller Somebody = new("a", Role.Hub, "o", [], "Hub");

    [Test]
    public void A_caller_is_known_for_ten_seconds()
    {
        var cache = new CallerCache();
        cache.Keep("hash", Somebody, 1_000, cache.Generation);
        Assert.That(cache.Find("hash", 10_999), Is.SameAs(Somebody));
        Assert.That(cache.Find("hash", 11_000), Is.Null);
        Assert.That(cache.Find("other", 1_000), Is.Null);
    }

    [Test]
    public void Forgetting_forgets_everybody()
    {
        var cache = new CallerCache();
        cache.Keep("hash", Somebody, 1_000, cache.Generation);
        cache.Forget();
        Assert.That(cache.Find("hash", 1_000), Is.Null);
    }

    [Test]
    public void What_was_read_before_a_revocation_is_not_kept_after_it()
    {
        var cache = new CallerCache();
        var generation = cache.Generation;
        cache.Forget();
        cache.Keep("hash", Somebody, 1_000, generation);
        Assert.That(cache.Find("hash", 1_000), Is.Null);
    }
}

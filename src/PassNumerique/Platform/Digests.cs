using System.Security.Cryptography;
using System.Text;

namespace PassNumerique.Platform;

/// <summary>
/// Keyed digests, 64 lower-case hex digits. Digests that are compared for ever use the first key version, so
/// that a rotation changes none of them; seals use the version they name.
/// </summary>
internal static class Digests
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    /// <summary>Tells a repeated request from another one: its kind and its body.</summary>
    public static string Fingerprint(this KeyRing keys, string kind, ReadOnlySpan<byte> body)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(kind) + body.Length];
        body.CopyTo(bytes.AsSpan(Encoding.UTF8.GetBytes(kind, bytes)));
        return Hex(keys, keys.First(), KeyLabel.Fingerprint, bytes);
    }

    /// <summary>What the store keeps of an API key or a session token.</summary>
    public static string SecretHash(this KeyRing keys, string secret) => Hex(keys, keys.First(), KeyLabel.ApiKey, secret);

    /// <summary>A person's reference within one convention: the same reference elsewhere gives another digest.</summary>
    public static string PersonDigest(this KeyRing keys, string conventionId, string reference) =>
        Hex(keys, keys.First(), KeyLabel.Person, $"{conventionId}\n{reference.Trim().ToUpperInvariant()}");

    /// <summary>Who or what address tried to sign in: the store counts tries without knowing whose.</summary>
    public static string AttemptDigest(this KeyRing keys, string kind, string name) =>
        Hex(keys, keys.First(), KeyLabel.Attempt, $"{kind}\n{name}");

    /// <summary>The proof that the holder of the seal key made this chain.</summary>
    public static string Mac(this KeyRing keys, int version, string chain) => Hex(keys, version, KeyLabel.Seal, chain);

    /// <summary>
    /// A remembered answer, unreadable without the key file: some answers hold a secret that is shown once.
    /// AES-256-GCM under a key of its own; nonce, tag and text in base64.
    /// </summary>
    public static string Conceal(this KeyRing keys, string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var bytes = new byte[NonceBytes + TagBytes + plain.Length];
        RandomNumberGenerator.Fill(bytes.AsSpan(0, NonceBytes));
        using var cipher = new AesGcm(keys.Derive(keys.First(), KeyLabel.Answer), TagBytes);
        cipher.Encrypt(
            bytes.AsSpan(0, NonceBytes), plain, bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes));
        return Convert.ToBase64String(bytes);
    }

    /// <summary>What <see cref="Conceal"/> was given.</summary>
    public static string Reveal(this KeyRing keys, string concealed)
    {
        var bytes = Convert.FromBase64String(concealed);
        var plain = new byte[bytes.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(keys.Derive(keys.First(), KeyLabel.Answer), TagBytes);
        cipher.Decrypt(
            bytes.AsSpan(0, NonceBytes), bytes.AsSpan(NonceBytes + TagBytes), bytes.AsSpan(NonceBytes, TagBytes), plain);
        return Encoding.UTF8.GetString(plain);
    }

    /// <summary>43 characters of base64url: 256 random bits.</summary>
    public static string NewSecret() =>
        Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static int First(this KeyRing keys) => keys.Versions[0];

    private static string Hex(KeyRing keys, int version, string label, string text) =>
        Hex(keys, version, label, Encoding.UTF8.GetBytes(text));

    private static string Hex(KeyRing keys, int version, string label, ReadOnlySpan<byte> bytes)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Hmac.Fill(keys.Derive(version, label), bytes, mac);
        return Convert.ToHexStringLower(mac);
    }
}

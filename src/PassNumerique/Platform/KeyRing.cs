using System.Security.Cryptography;
using System.Text;

namespace PassNumerique.Platform;

/// <summary>What a derived key is for: one label each, so that no key ever serves two purposes.</summary>
internal static class KeyLabel
{
    public const string Code = "code";
    public const string Seal = "seal";
    public const string Fingerprint = "fingerprint";
    public const string ApiKey = "api-key";
    public const string Person = "person";
    public const string Answer = "answer";
    public const string Attempt = "attempt";
}

/// <summary>
/// The secrets that are never in the database. The key file has one line a version, 1 to 7 (three bits of a
/// code): <c>version base64-of-32-bytes</c>, with <c>#</c> comments. Every key is HKDF-SHA256 of one secret
/// under one label, without salt, as the secrets are uniformly random (RFC 5869, 3.1). Version 0 is
/// SPECIMEN: its secret is public, so it gives a code key and nothing else. Immutable: safe to share.
/// </summary>
internal sealed class KeyRing
{
    public const int SpecimenVersion = 0;
    public const int VersionMax = 7;
    public const int SecretBytes = 32;

    private const string Header =
        "# Pass numérique, clés des codes : à garder au coffre, jamais avec les données.\n";

    private static readonly byte[] SpecimenCodeKey =
        Expand("PASS NUMERIQUE SPECIMEN, NON VALABLE"u8, KeyLabel.Code);

    private static readonly string[] Labels =
    [
        KeyLabel.Code, KeyLabel.Seal, KeyLabel.Fingerprint, KeyLabel.ApiKey, KeyLabel.Person, KeyLabel.Answer,
        KeyLabel.Attempt,
    ];

    private readonly string text;
    private readonly byte[][]?[] keys = new byte[VersionMax + 1][][];
    private readonly string[] checkValues = new string[VersionMax + 1];

    private KeyRing(string text, IReadOnlyDictionary<int, byte[]> secrets)
    {
        this.text = text;
        Versions = [.. secrets.Keys.Order()];
        foreach (var (version, secret) in secrets)
        {
            keys[version] = [.. Labels.Select(label => Expand(secret, label))];
            var check = HMACSHA256.HashData(Expand(secret, "check"), "pass-numerique"u8);
            checkValues[version] = Convert.ToHexStringLower(check.AsSpan(0, 8));
        }
    }

    /// <summary>Versions of the file in rising order, at least one; SPECIMEN is not among them.</summary>
    public IReadOnlyList<int> Versions { get; }

    /// <summary>The highest version.</summary>
    public int Current => Versions[^1];

    /// <summary>Reads and checks the whole file.</summary>
    /// <exception cref="KeyFileException">The file is missing, unreadable or wrong.</exception>
    public static KeyRing Load(string path)
    {
        var text = KeyFile.Read(path);
        return new KeyRing(text, KeyFile.Parse(path, text));
    }

    /// <summary>Makes a file with version 1, mode 0600, on disk before return; never overwrites.</summary>
    /// <exception cref="KeyFileException">The file exists or cannot be written.</exception>
    public static KeyRing Create(string path)
    {
        KeyFile.Create(path, Header + NewLine(1));
        return Load(path);
    }

    /// <summary>
    /// Adds the next version to the file in one step: readers see the old file or the new one. A running
    /// service keeps the ring it loaded; codes of the new version wait until every replica has the file.
    /// </summary>
    /// <exception cref="KeyFileException">The file cannot be read or written, or all versions are used.
    /// </exception>
    public static KeyRing Rotate(string path)
    {
        KeyFile.Replace(path, text =>
        {
            var next = new KeyRing(text, KeyFile.Parse(path, text)).Current + 1;
            if (next > VersionMax)
                throw new KeyFileException(
                    $"Fichier de clés {path} : la version {VersionMax} est la dernière possible ; gardez-la, "
                    + "aucune autre ne peut être ajoutée.");
            return text + (text.EndsWith('\n') ? "" : "\n") + NewLine(next);
        });
        return Load(path);
    }

    /// <summary>Whether <see cref="Derive"/> knows the version; a code may name any of 0 to 7.</summary>
    public bool Holds(int version)
        => version == SpecimenVersion || (version is > 0 and <= VersionMax && keys[version] is not null);

    /// <summary>The 32-byte key of a version for one <see cref="KeyLabel"/>; computed at load.</summary>
    /// <exception cref="ArgumentException">An unknown version or label, or SPECIMEN for another label than
    /// code: whatever its public secret would seal or fingerprint, anybody could forge.</exception>
    public ReadOnlySpan<byte> Derive(int version, string label)
    {
        if (version == SpecimenVersion && label == KeyLabel.Code)
            return SpecimenCodeKey;

        var index = Array.IndexOf(Labels, label);
        if (index < 0)
            throw new ArgumentException($"No key has the label {label}.", nameof(label));
        return KeysOf(version)[index];
    }

    /// <summary>16 hex digits by which a store knows the right key again without knowing the key.</summary>
    /// <exception cref="ArgumentException">A version that is not in the file.</exception>
    public string CheckValue(int version)
    {
        KeysOf(version);
        return checkValues[version];
    }

    /// <summary>The file's text, secrets included, for the safe; for nothing else.</summary>
    public string Export() => text;

    private byte[][] KeysOf(int version)
        => version is > 0 and <= VersionMax && keys[version] is { } found
            ? found
            : throw new ArgumentException($"The key file has no version {version}.", nameof(version));

    private static byte[] Expand(ReadOnlySpan<byte> secret, string label)
    {
        var key = new byte[SecretBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, salt: [], info: Encoding.ASCII.GetBytes(label));
        return key;
    }

    private static string NewLine(int version)
        => $"{version} {Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBytes))}\n";
}

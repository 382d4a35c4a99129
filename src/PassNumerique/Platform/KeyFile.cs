using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace PassNumerique.Platform;

/// <summary>
/// The key file cannot be used. The message is one French line for the person who starts the service: it
/// names the file and what to do, and holds nothing of a secret.
/// </summary>
internal sealed class KeyFileException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The text of the key file on disk. Whatever is written is first a draft under one fixed name in the same
/// folder, made by one process at a time and flushed, and then takes the place of the file in one step: a
/// crash leaves the old file or the new one, and two rotations at once cannot lose a key.
/// </summary>
internal static class KeyFile
{
    private const int BytesMax = 64 * 1024;

    /// <summary>The file's text, unchecked.</summary>
    public static string Read(string path)
    {
        if (!File.Exists(path))
            throw Problem(path, "introuvable ; restaurez-le depuis le coffre, ou corrigez son chemin");

        return Attempt(path, "lu", () =>
        {
            using var file = File.OpenRead(path);
            if (file.Length > BytesMax)
                throw Problem(path, "trop grand pour un fichier de clés ; corrigez son chemin");
            using var reader = new StreamReader(file, Encoding.UTF8);
            return reader.ReadToEnd();
        });
    }

    /// <summary>The secrets by version. A wrong line is named by its number, never shown.</summary>
    public static IReadOnlyDictionary<int, byte[]> Parse(string path, string text)
    {
        var secrets = new Dictionary<int, byte[]>();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0].StartsWith('#'))
                continue;

            var (version, secret, fault) = ParseLine(words);
            if (fault is null && secrets.ContainsKey(version))
                fault = $"la version {version} y est déjà ; gardez la seule ligne conservée au coffre";
            if (fault is null && secrets.Values.Any(other => other.AsSpan().SequenceEqual(secret)))
                fault = "ce secret est déjà celui d'une autre version ; restaurez le fichier du coffre";
            if (fault is not null)
                throw new KeyFileException($"Fichier de clés {path}, ligne {number} : {fault}.");
            secrets.Add(version, secret);
        }

        if (secrets.Count == 0)
            throw Problem(path, "vide, aucune clé ; restaurez-le depuis le coffre");
        return secrets;
    }

    /// <summary>Makes the file, mode 0600; never overwrites.</summary>
    public static void Create(string path, string text)
    {
        if (File.Exists(path))
            throw Problem(path, "il existe déjà et n'est jamais écrasé ; utilisez-le, ou changez de chemin");

        WriteThroughDraft(path, () => text, overwrite: false);
    }

    /// <summary>Replaces the text by what <paramref name="change"/> makes of it.</summary>
    public static void Replace(string path, Func<string, string> change)
    {
        // A mounted secret is often a link: the file behind it is replaced, not the link.
        var target = Attempt(path, "lu", () =>
            File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null);
        WriteThroughDraft(target ?? path, () => change(Read(path)), overwrite: true);
    }

    private static (int Version, byte[] Secret, string? Fault) ParseLine(string[] words)
    {
        const string Expected = "attendu « version secret » : un chiffre de 1 à 7, une espace, 32 octets en "
            + "base64 ; restaurez le fichier du coffre";
        if (words.Length != 2 || !int.TryParse(
                words[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var version))
            return (0, [], Expected);
        if (version is < 1 or > KeyRing.VersionMax)
            return (0, [], $"une version va de 1 à {KeyRing.VersionMax} ; restaurez le fichier du coffre");

        var secret = new byte[words[1].Length];
        if (!Convert.TryFromBase64String(words[1], secret, out var length))
            return (0, [], Expected);
        return length == KeyRing.SecretBytes
            ? (version, secret[..length], null)
            : (0, [], $"le secret a {length} octets au lieu de {KeyRing.SecretBytes} ; "
                + "restaurez le fichier du coffre");
    }

    /// <summary>The draft is opened before the old text is read: its name is the lock between processes.
    /// </summary>
    private static void WriteThroughDraft(string path, Func<string> text, bool overwrite)
    {
        var draftPath = path + ".new";
        if (File.Exists(draftPath))
            throw Problem(path, "une écriture est en cours ou a été interrompue ; "
                + $"si aucune n'est en cours, supprimez {draftPath} et recommencez");

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var draft = Attempt(path, "écrit", () => new FileStream(draftPath, options));
        var published = false;
        try
        {
            using (draft)
            {
                var bytes = Encoding.UTF8.GetBytes(text());
                Attempt(path, "écrit", () => Write(draft, bytes));
            }

            published = Attempt(path, "écrit", () => Publish(draftPath, path, overwrite));
        }
        finally
        {
            // Left behind, it would hold a secret and block the next writer; published, the name is free
            // and may already be another writer's.
            if (!published)
                File.Delete(draftPath);
        }
    }

    private static bool Write(FileStream draft, byte[] bytes)
    {
        draft.Write(bytes);
        draft.Flush(flushToDisk: true);
        return true;
    }

    private static bool Publish(string draftPath, string path, bool overwrite)
    {
        File.Move(draftPath, path, overwrite);
        FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        return true;
    }

    /// <summary>A rename is on disk when its folder is. .NET opens no folder, so this asks Linux itself; a
    /// file system that cannot flush a folder is left to its own order of writing.</summary>
    public static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
            return;

        var descriptor = OpenFile(folder, 0);
        if (descriptor < 0)
            return;
        _ = FlushFile(descriptor);
        _ = CloseFile(descriptor);
    }

    private static T Attempt<T>(string path, string verb, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Problem(path, $"il ne peut pas être {verb} ; vérifiez les droits du compte du service "
                + "sur ce fichier et sur son dossier", e);
        }
    }

    private static KeyFileException Problem(string path, string problem, Exception? cause = null)
        => new($"Fichier de clés {path} : {problem}.", cause);

    [DllImport("libc", EntryPoint = "open")]
    private static extern int OpenFile([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    private static extern int FlushFile(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int CloseFile(int descriptor);
}

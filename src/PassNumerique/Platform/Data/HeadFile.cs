using System.Globalization;
using System.Text;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The latest seal, kept outside the store: one line, appended after a commit, unsynced, at most once a
/// second. A head behind the store is normal after a crash; a head ahead of it, or off its chain, says that
/// somebody put another store in its place. A line that can't be written now (its disk is full) must not take
/// the answer from whoever has just been committed: a later one says more.
/// </summary>
internal sealed class HeadFile(string? path, TimeProvider clock)
{
    private long _writtenMs;
    private long _batch;

    public void Write(Seal seal, bool now)
    {
        if (path is null || seal.Batch == 0 || seal.Batch == _batch) return;
        var at = clock.NowMs();

        // A clock that was set back would silence the head until it has caught up.
        if (!now && at - _writtenMs is >= 0 and < 1_000) return;
        try
        {
            Append(path, string.Create(CultureInfo.InvariantCulture,
                $"{seal.Batch} {seal.SealedMs} {seal.Chain} {seal.Mac}\n"));
            _batch = seal.Batch;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Told by the age of the last line, and by nothing else: the store itself is sound.
        }

        _writtenMs = at;
    }

    /// <summary>A line that was cut short is left behind as one of its own, never as the beginning of the next.</summary>
    private static void Append(string path, string line)
    {
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        file.Seek(-Math.Min(1, file.Length), SeekOrigin.End);
        var isCut = file.Length > 0 && file.ReadByte() != '\n';
        file.Write(Encoding.ASCII.GetBytes(isCut ? "\n" + line : line));
    }

    /// <summary>Batch and chain of the last whole line, or nothing.</summary>
    public static (long Batch, string Chain)? Last(string? path)
    {
        if (path is null || !File.Exists(path)) return null;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var length = Math.Min(file.Length, 1_024);
        file.Seek(-length, SeekOrigin.End);
        var bytes = new byte[length];
        file.ReadExactly(bytes);
        var lines = Encoding.ASCII.GetString(bytes).Split('\n');
        for (var i = lines.Length - 2; i >= 0; i--)
        {
            var parts = lines[i].Split(' ');
            if (parts.Length == 4 && parts[2].Length == 64
                && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var batch))
                return (batch, parts[2]);
        }

        return null;
    }
}

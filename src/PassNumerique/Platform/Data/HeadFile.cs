using System.Globalization;
using System.Text;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The latest seal, kept outside the store: one line, appended after a commit, unsynced, at most once a
/// second. A head behind the store is normal after a crash; a head ahead of it, or off its chain, says that
/// somebody put another store in its place.
/// </summary>
internal sealed class HeadFile(string? path, TimeProvider clock)
{
    private long _writtenMs;
    private long _batch;

    public void Write(Seal seal, bool now)
    {
        if (path is null || seal.Batch == 0 || seal.Batch == _batch) return;
        var at = clock.NowMs();
        if (!now && at - _writtenMs < 1_000) return;
        File.AppendAllText(path, string.Create(CultureInfo.InvariantCulture,
            $"{seal.Batch} {seal.SealedMs} {seal.Chain} {seal.Mac}\n"), Encoding.ASCII);
        (_writtenMs, _batch) = (at, seal.Batch);
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

using System.Runtime.InteropServices;

namespace PassNumerique.Benchmarks.Faults;

/// <summary>
/// What a power cut leaves of a store: everything that a sync covered, and of what none covered nothing, or any
/// part of it, sector by sector and in any order. The index of the log lives in memory and goes entirely; a log
/// whose folder was never synced has no name to be found by.
/// </summary>
internal static class LostWrites
{
    private const int SectorBytes = 512;

    /// <summary>What was undone: how many writes no sync covered, and how many sectors of them stayed.</summary>
    internal sealed record Loss(long Writes, long SectorsKept);

    private enum Kind
    {
        Written = 1,
        Resized = 2,
        Synced = 3,
    }

    /// <summary>By the numbers of <c>shim.c</c>.</summary>
    private enum Place
    {
        Store = 0,
        Log = 1,
        Folder = 3,
    }

    /// <summary>Before a call: what it was to write, and what was there. Of a sync: from where it covers nothing.</summary>
    private sealed record Note(Kind Kind, Place File, long At, long Offset, long OldSize, byte[] Old, byte[] New);

    [StructLayout(LayoutKind.Sequential)]
    private struct Head
    {
        public long Kind;
        public long File;
        public long Offset;
        public long OldLength;
        public long NewLength;
        public long OldSize;
    }

    /// <param name="store">The store of a service that is dead.</param>
    /// <param name="journal">What its shim noted.</param>
    /// <param name="hadLog">Whether its log was there before it started.</param>
    /// <param name="chance">Decides which sectors stay; without it, none does.</param>
    public static Loss TakeBack(StoreFolder store, string journal, bool hadLog, Random? chance)
    {
        var notes = Read(journal);
        var all = new Loss(0, 0);
        foreach (var place in (Place[])[Place.Store, Place.Log])
        {
            var loss = TakeBack(Path(store, place), [.. Unsynced(notes, place)], chance);
            all = new(all.Writes + loss.Writes, all.SectorsKept + loss.SectorsKept);
        }

        File.Delete(store.Store + "-shm");
        if (!hadLog && !notes.Any(n => n is { Kind: Kind.Synced, File: Place.Folder }))
            File.Delete(Path(store, Place.Log));
        return all;
    }

    private static string Path(StoreFolder store, Place place) => place == Place.Log ? store.Store + "-wal" : store.Store;

    private static IEnumerable<Note> Unsynced(List<Note> notes, Place place)
    {
        var covered = notes.Where(n => n.Kind == Kind.Synced && n.File == place).Select(n => n.Offset)
            .DefaultIfEmpty(0).Max();
        return notes.Where(n => n.Kind != Kind.Synced && n.File == place && n.At >= covered);
    }

    private static Loss TakeBack(string path, List<Note> notes, Random? chance)
    {
        if (notes.Count == 0) return new(0, 0);
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        foreach (var note in Enumerable.Reverse(notes))
        {
            file.SetLength(note.OldSize);
            Put(file, note.Offset, note.Old);
        }

        var kept = 0L;
        if (chance is not null)
            foreach (var note in notes) kept += KeepSome(file, note, chance);
        return new(notes.Count, kept);
    }

    private static long KeepSome(FileStream file, Note note, Random chance)
    {
        if (note.Kind == Kind.Resized)
        {
            if (chance.Next(2) == 0) file.SetLength(note.Offset);
            return 0;
        }

        var kept = 0L;
        for (var from = 0L; from < note.New.Length;)
        {
            var end = Math.Min(note.New.Length, from + SectorBytes - ((note.Offset + from) % SectorBytes));
            if (chance.Next(2) == 0)
            {
                Put(file, note.Offset + from, note.New.AsSpan((int)from, (int)(end - from)));
                kept++;
            }

            from = end;
        }

        return kept;
    }

    private static void Put(FileStream file, long offset, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0) return;
        file.Position = offset;
        file.Write(bytes);
    }

    /// <summary>A note that the kill cut short is of a write that was not begun.</summary>
    private static List<Note> Read(string journal)
    {
        var bytes = File.ReadAllBytes(journal).AsSpan();
        var notes = new List<Note>();
        var size = Marshal.SizeOf<Head>();
        for (var at = 0; at + size <= bytes.Length;)
        {
            var head = MemoryMarshal.Read<Head>(bytes[at..]);
            var (old, next) = (at + size, at + size + head.OldLength + head.NewLength);
            if (next > bytes.Length) break;
            notes.Add(new(
                (Kind)head.Kind, (Place)head.File, at, head.Offset, head.OldSize,
                bytes.Slice(old, (int)head.OldLength).ToArray(),
                bytes.Slice(old + (int)head.OldLength, (int)head.NewLength).ToArray()));
            at = (int)next;
        }

        return notes;
    }
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace PassNumerique.Platform.Data;

/// <summary>
/// How the writer and the checkpointer get to their files: as SQLite does by itself, with three differences. What a
/// commit adds to the log goes there in one write, where SQLite makes two for each page; and a store into which the
/// log is copied is synced a few pages at a time, so that the sync of a commit never waits behind thousands. A log
/// that could not be copied any more, as a store grows by it, counts as a full disk.
/// </summary>
/// <remarks>
/// A file is the system's own, with another table of methods and a tail of ours behind it.
/// https://www.sqlite.org/vfs.html; for frames of the log https://www.sqlite.org/fileformat2.html#the_write_ahead_log
/// </remarks>
internal static unsafe class StoreFiles
{
    /// <summary>For <c>Vfs=</c> of a connection string.</summary>
    public const string Name = "pass-numerique";

    private const int MainStore = 0x100; // SQLITE_OPEN_MAIN_DB
    private const int Log = 0x80000; // SQLITE_OPEN_WAL
    private const int SyncNormal = 2; // SQLITE_SYNC_NORMAL
    private const int FrameHeader = 24;
    private const int BufferBytes = 1_048_576; // A page has 64 KiB at most.

    /// <summary>The system's own takes 17 bits of a length, and calls what is longer a full disk.</summary>
    private const int BytesAWrite = 0x1_FFFF;

    /// <summary>Buffers that wait for their next use.</summary>
    private const int MaxSpare = 4;

    /// <summary>Pages that are copied into the store between two syncs.</summary>
    private const int PagesASync = 64;

    /// <summary>For what grows beside the log and the store: the index of the log, the head of the chain.</summary>
    private const long ReservedBytes = 262_144;

    private const int IoErrorOfSync = 1034; // SQLITE_IOERR_FSYNC

    private static readonly Lock OnlyOnce = new();
    private static readonly ConcurrentBag<nint> Spare = [];

    /// <summary>What a commit of this thread has put into the log so far; null while there is none.</summary>
    [ThreadStatic]
    private static List<Piece>? _pieces;

    [ThreadStatic]
    private static Unsynced? _unsynced;

    /// <summary>What this thread does each time it has synced pages of a store in the middle of a copy.</summary>
    [field: ThreadStatic]
    public static Action? AfterSync { private get; set; }

    private static int _tailAt;
    private static Vfs* _system;
    private static Methods* _logMethods;
    private static Methods* _storeMethods;

    /// <summary>Makes the name known to the engine of this process.</summary>
    public static void Register()
    {
        lock (OnlyOnce)
        {
            if (_system is not null) return;
            var system = (Vfs*)sqlite3_vfs_find(null);
            var own = Copy(system);
            own->Name = (byte*)Marshal.StringToCoTaskMemUTF8(Name);
            own->Next = null;
            own->FileBytes = (_tailAt = (system->FileBytes + 7) & ~7) + sizeof(Tail);
            own->Open = &Open;
            _system = system;
            var outcome = sqlite3_vfs_register(own, 0);
            if (outcome != raw.SQLITE_OK) throw new InvalidOperationException($"SQLite takes no VFS: {outcome}.");
        }
    }

    [UnmanagedCallersOnly]
    private static int Open(Vfs* own, byte* path, File* file, int flags, int* flagsOut)
    {
        var outcome = _system->Open(_system, path, file, flags, flagsOut);
        if (outcome != raw.SQLITE_OK || file->Methods is null) return outcome;
        *TailOf(file) = new Tail { System = file->Methods, Path = path };
        if ((flags & Log) != 0) file->Methods = Table(ref _logMethods, file->Methods, isLog: true);
        else if ((flags & MainStore) != 0) file->Methods = Table(ref _storeMethods, file->Methods, isLog: false);
        return outcome;
    }

    /// <summary>The system gives all files of one kind the same table, so one of ours for each kind is enough.</summary>
    private static Methods* Table(ref Methods* ours, Methods* system, bool isLog)
    {
        lock (OnlyOnce)
        {
            if (ours is not null) return ours;
            var table = Copy(system);
            if (isLog)
            {
                table->Close = &CloseLog;
                table->Read = &ReadLog;
                table->Write = &WriteLog;
                table->Truncate = &TruncateLog;
                table->Sync = &SyncLog;
                table->Size = &SizeOfLog;
            }
            else
            {
                table->Write = &WriteStore;
            }

            return ours = table;
        }
    }

    /// <summary>
    /// Frames come as a header and a page, and wait for the one that commits; its header tells the size of the store.
    /// </summary>
    [UnmanagedCallersOnly]
    private static int WriteLog(File* file, byte* bytes, int count, long at)
    {
        var tail = TailOf(file);
        if (tail->Count > 0 && (at != tail->At + tail->Count || tail->Count + count > BufferBytes))
        {
            var outcome = Flush(file);
            if (outcome != raw.SQLITE_OK) return outcome;
        }

        if (tail->Buffer is null) tail->Buffer = Spare.TryTake(out var spare) ? (byte*)spare : (byte*)NativeMemory.Alloc(BufferBytes);
        if (at == 0) (tail->Beginning, tail->MustSync) = (tail->Beginning + 1, true);
        if (tail->Count == 0) tail->At = at;
        NativeMemory.Copy(bytes, tail->Buffer + tail->Count, (nuint)count);
        tail->Count += count;
        if (count == FrameHeader)
        {
            tail->Commits = BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(bytes + 4, 4)) != 0;
            return raw.SQLITE_OK;
        }

        var commits = tail->Commits;
        tail->Commits = false;
        return commits ? Flush(file) : raw.SQLITE_OK;
    }

    /// <summary>
    /// What waits is forgotten where it can't be written: its transaction fails, and is written anew. What goes to the
    /// log before the commit does can't be written a second time, and is synced by the commit itself.
    /// </summary>
    private static int Flush(File* file)
    {
        var tail = TailOf(file);
        if (tail->Count == 0) return raw.SQLITE_OK;
        var (bytes, count) = ((nint)tail->Buffer, tail->Count);
        tail->Count = 0;
        if (!HasRoom(file, tail->At + count)) return raw.SQLITE_FULL;
        if (_pieces is { } pieces)
        {
            pieces.Add(new(bytes, count, tail->At));
            tail->Buffer = null;
        }
        else
        {
            tail->MustSync = true;
        }

        return WriteNow(file, (byte*)bytes, count, tail->At);
    }

    /// <summary>Whether the log can become so long, and be copied then: the store grows by all of it at most.</summary>
    private static bool HasRoom(File* file, long length)
    {
        long size;
        var tail = TailOf(file);
        if (tail->System->Size(file, &size) != raw.SQLITE_OK) return true;
        var more = Math.Max(0, length - size);
        return length + more + ReservedBytes <= BytesLeft(Marshal.PtrToStringUTF8((nint)tail->Path)!);
    }

    /// <summary>What the file system of a path has room for; more than there is where nobody knows.</summary>
    public static long BytesLeft(string path)
    {
        try
        {
            return new DriveInfo(path).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return long.MaxValue;
        }
    }

    private static int WriteNow(File* file, byte* bytes, int count, long at)
    {
        var outcome = raw.SQLITE_OK;
        for (var done = 0; done < count && outcome == raw.SQLITE_OK; done += BytesAWrite)
            outcome = TailOf(file)->System->Write(file, bytes + done, Math.Min(BytesAWrite, count - done), at + done);
        return outcome;
    }

    private static void Free(List<Piece> pieces)
    {
        foreach (var piece in pieces)
        {
            if (Spare.Count < MaxSpare) Spare.Add(piece.Bytes);
            else NativeMemory.Free((void*)piece.Bytes);
        }
    }

    [UnmanagedCallersOnly]
    private static int ReadLog(File* file, byte* bytes, int count, long at)
    {
        var outcome = Flush(file);
        return outcome != raw.SQLITE_OK ? outcome : TailOf(file)->System->Read(file, bytes, count, at);
    }

    /// <summary>
    /// Commits without waiting for the disk, which is left to <see cref="Sync"/>; null where the log needs no sync by
    /// then, or had one.
    /// </summary>
    public static Unsynced? Commit(PreparedConnection connection)
    {
        var pieces = _pieces = [];
        var isDone = false;
        try
        {
            connection.Run("COMMIT");
            isDone = true;
            return _unsynced;
        }
        finally
        {
            if (_unsynced is null) Free(pieces);
            else if (!isDone) Forget(_unsynced);
            (_pieces, _unsynced) = (null, null);
        }
    }

    /// <summary>
    /// Waits until the disk has what a commit wrote; false where it does not take it, or a sync of this log has failed
    /// since, which need not be told to this one.
    /// </summary>
    public static bool Sync(Unsynced unsynced)
    {
        var file = (File*)unsynced.File;
        if (SyncNow(file, unsynced.Flags) != raw.SQLITE_OK || TailOf(file)->IsSuspect) return false;
        Forget(unsynced);
        return true;
    }

    /// <summary>
    /// After a sync that failed: puts what was not synced to its places once more, in its order, and syncs it. Nobody
    /// else may write to the log meanwhile. A log that has begun anew since has first been copied and synced.
    /// </summary>
    public static bool TryWriteAgain(IReadOnlyList<Unsynced> all)
    {
        foreach (var unsynced in all)
        {
            var file = (File*)unsynced.File;
            if (unsynced.Beginning != TailOf(file)->Beginning) continue;
            foreach (var piece in unsynced.Pieces)
            {
                if (WriteNow(file, (byte*)piece.Bytes, piece.Count, piece.At) != raw.SQLITE_OK) return false;
            }
        }

        foreach (var unsynced in all)
        {
            var file = (File*)unsynced.File;
            if (SyncNow(file, unsynced.Flags) != raw.SQLITE_OK) return false;
            TailOf(file)->IsSuspect = false;
        }

        foreach (var unsynced in all) Forget(unsynced);
        return true;
    }

    private static void Forget(Unsynced unsynced)
    {
        Interlocked.Decrement(ref TailOf((File*)unsynced.File)->Unsynced);
        Free(unsynced.Pieces);
    }

    [UnmanagedCallersOnly]
    private static int SyncLog(File* file, int flags)
    {
        var outcome = Flush(file);
        if (outcome != raw.SQLITE_OK) return outcome;
        var tail = TailOf(file);
        if (_pieces is { } pieces && !tail->MustSync)
        {
            _unsynced = new((nint)file, flags, tail->Beginning, pieces);
            Interlocked.Increment(ref tail->Unsynced);
            return raw.SQLITE_OK;
        }

        // Behind a commit that the disk did not take nothing may count as kept, and it is not told twice of one failure.
        var isFirst = Volatile.Read(ref tail->Unsynced) == 0;
        if (tail->IsSuspect && !isFirst) return IoErrorOfSync;
        tail->MustSync = false;
        outcome = SyncNow(file, flags);
        if (isFirst) tail->IsSuspect = outcome != raw.SQLITE_OK;
        if (_pieces is not null)
        {
            Free(_pieces);
            _pieces.Clear();
        }

        return outcome;
    }

    private static int SyncNow(File* file, int flags)
    {
        var outcome = TailOf(file)->System->Sync(file, flags);
        if (outcome != raw.SQLITE_OK) TailOf(file)->IsSuspect = true;
        return outcome;
    }

    [UnmanagedCallersOnly]
    private static int TruncateLog(File* file, long size)
    {
        var outcome = Flush(file);
        return outcome != raw.SQLITE_OK ? outcome : TailOf(file)->System->Truncate(file, size);
    }

    [UnmanagedCallersOnly]
    private static int SizeOfLog(File* file, long* size)
    {
        var outcome = Flush(file);
        return outcome != raw.SQLITE_OK ? outcome : TailOf(file)->System->Size(file, size);
    }

    [UnmanagedCallersOnly]
    private static int CloseLog(File* file)
    {
        var tail = TailOf(file);
        Flush(file);
        NativeMemory.Free(tail->Buffer);
        return tail->System->Close(file);
    }

    [UnmanagedCallersOnly]
    private static int WriteStore(File* file, byte* bytes, int count, long at)
    {
        var tail = TailOf(file);
        var outcome = tail->System->Write(file, bytes, count, at);
        if (outcome != raw.SQLITE_OK || ++tail->Pages < PagesASync) return outcome;
        tail->Pages = 0;
        outcome = tail->System->Sync(file, SyncNormal);
        AfterSync?.Invoke();
        return outcome;
    }

    private static Tail* TailOf(File* file) => (Tail*)((byte*)file + _tailAt);

    private static T* Copy<T>(T* from) where T : unmanaged
    {
        var to = (T*)NativeMemory.Alloc((nuint)sizeof(T));
        *to = *from;
        return to;
    }

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern void* sqlite3_vfs_find(byte* name);

    [DllImport("e_sqlite3", ExactSpelling = true)]
    private static extern int sqlite3_vfs_register(void* vfs, int makeDefault);

    /// <summary><c>sqlite3_vfs</c>, version 3, and of it what is read or changed here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 168)]
    private struct Vfs
    {
        [FieldOffset(4)]
        public int FileBytes;

        [FieldOffset(16)]
        public Vfs* Next;

        [FieldOffset(24)]
        public byte* Name;

        [FieldOffset(40)]
        public delegate* unmanaged<Vfs*, byte*, File*, int, int*, int> Open;
    }

    /// <summary><c>sqlite3_file</c>: more of it follows, of the system's own, and then the <see cref="Tail"/>.</summary>
    private struct File
    {
        public Methods* Methods;
    }

    /// <summary><c>sqlite3_io_methods</c>, version 3, and of it what is called or changed here.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 152)]
    private struct Methods
    {
        [FieldOffset(8)]
        public delegate* unmanaged<File*, int> Close;

        [FieldOffset(16)]
        public delegate* unmanaged<File*, byte*, int, long, int> Read;

        [FieldOffset(24)]
        public delegate* unmanaged<File*, byte*, int, long, int> Write;

        [FieldOffset(32)]
        public delegate* unmanaged<File*, long, int> Truncate;

        [FieldOffset(40)]
        public delegate* unmanaged<File*, int, int> Sync;

        [FieldOffset(48)]
        public delegate* unmanaged<File*, long*, int> Size;
    }

    private struct Tail
    {
        public Methods* System;

        /// <summary>The engine keeps it until the file is closed.</summary>
        public byte* Path;

        /// <summary>Of the store: pages written since its last sync.</summary>
        public int Pages;

        /// <summary>Of the log: bytes that wait, from where on they belong, and whether the last header commits.</summary>
        public int Count;
        public long At;
        public bool Commits;
        public byte* Buffer;

        /// <summary>Of the log: how often it began anew, and whether the next sync can't be left for later.</summary>
        public int Beginning;
        public bool MustSync;

        /// <summary>Of the log: commits that wait for the disk.</summary>
        public int Unsynced;

        /// <summary>Of the log: whether a sync has failed, so that those after it prove nothing.</summary>
        public bool IsSuspect;
    }
}

/// <summary>What a commit wrote to the log, from which place on, and did not wait for.</summary>
internal sealed record Unsynced(nint File, int Flags, int Beginning, List<Piece> Pieces);

/// <summary>Bytes of the log, outside of the managed memory, and the place where they belong.</summary>
internal readonly record struct Piece(nint Bytes, int Count, long At);

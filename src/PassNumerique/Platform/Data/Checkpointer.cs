using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace PassNumerique.Platform.Data;

/// <summary>
/// Copies the write-ahead log into the store beside the writer, so that no command waits for it, and takes its time
/// where it may, as the disk has commits to take. The log begins anew only after a moment in which all of it is
/// copied, and under load that moment never comes by itself: once the passes have become short, the writer copies
/// what is left between two batches.
/// </summary>
internal sealed class Checkpointer
{
    /// <summary>
    /// So many pages of 4 KiB may stand in the log before it is copied: 64 MiB. A page that was written often is
    /// copied once; a log that was left behind by a crash is read again in an instant.
    /// </summary>
    private const long MaxPages = 16_384;

    /// <summary>What the writer copies himself: 256 KiB, and two syncs, a few milliseconds.</summary>
    private const long FewPages = 64;

    /// <summary>A pass copies what was written during the one before, so they soon are short.</summary>
    private const int MaxPasses = 10;

    /// <summary>After each sync of a slow pass: longer than a commit, which so has the disk for itself.</summary>
    private const int PauseMs = 2;

    /// <summary>Where the disk is small: a log that has a fourth of the room that is left is copied, without rests.</summary>
    private const long PartOfRoom = 4;

    private const long BytesOfPage = 4_096;

    private readonly string _folder;
    private readonly PreparedConnection _writer;
    private readonly Func<PreparedConnection> _open;
    private readonly AutoResetEvent _asked = new(false);
    private readonly Thread _thread;
    private PreparedConnection? _connection;
    private volatile State _state;
    private volatile bool _isShort;
    private volatile bool _isClosed;
    private long _pages;

    /// <param name="folder">Where the store lies.</param>
    /// <param name="writer">Whose log it is.</param>
    /// <param name="open">Makes a connection for the passes, at the first one.</param>
    public Checkpointer(string folder, PreparedConnection writer, Func<PreparedConnection> open)
    {
        (_folder, _writer, _open) = (folder, writer, open);

        // Not a task: it waits for the disk, and the threads of the pool have answers to give.
        _thread = new Thread(RunAll) { IsBackground = true, Name = "checkpoint" };
        _thread.Start();
    }

    private enum State
    {
        Idle,
        Copying,
        Nearly,
        Failed
    }

    /// <summary>Called by the writer after each commit.</summary>
    public void Committed()
    {
        Volatile.Write(ref _pages, _pages + _writer.PagesWritten());
        if (_pages >= FewPages && _pages >= StoreFiles.BytesLeft(_folder) / BytesOfPage / PartOfRoom) DiskIsFull();
        else if (_pages >= MaxPages) GoOn();
    }

    /// <summary>
    /// Called by the writer where the disk has no room for more log. One that begins anew needs none, and gives back
    /// what it had.
    /// </summary>
    public void DiskIsFull()
    {
        _isShort = true;
        GoOn();
    }

    private void GoOn()
    {
        if (_state == State.Copying) return;
        if (_state == State.Idle)
        {
            _state = State.Copying;
            _asked.Set();
            return;
        }

        // A pass that failed is tried again some pages later: nothing is lost by it, and the next commit tells.
        if (_state == State.Nearly) _writer.CopyLog(out _, giveBack: _isShort);
        _state = State.Idle;
        _isShort = false;
        Volatile.Write(ref _pages, 0);
    }

    /// <summary>Ends a pass under way, and makes no other.</summary>
    public void Close()
    {
        _isClosed = true;
        _asked.Set();
        _thread.Join();
        _asked.Dispose();
        _connection?.CloseForGood();
    }

    private void RunAll()
    {
        while (_asked.WaitOne() && !_isClosed) _state = CopyMost() ? State.Nearly : State.Failed;
    }

    private bool CopyMost()
    {
        var before = 0L;
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            if (_isClosed || !TryOpen()) return false;
            StoreFiles.AfterSync = pass == 0 ? Pause : null;
            if (!_connection.CopyLog(out var copied)) return false;
            if (copied - before <= FewPages) break;
            before = copied;
        }

        return true;
    }

    [MemberNotNullWhen(true, nameof(_connection))]
    private bool TryOpen()
    {
        try
        {
            _connection ??= _open();
            return true;
        }
        catch (SqliteException)
        {
            return false;
        }
    }

    /// <summary>None once the log grows faster than it is copied, or somebody waits for the end.</summary>
    private void Pause()
    {
        if (!_isClosed && !_isShort && Volatile.Read(ref _pages) < 2 * MaxPages) Thread.Sleep(PauseMs);
    }
}

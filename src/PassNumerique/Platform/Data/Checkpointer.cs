namespace PassNumerique.Platform.Data;

/// <summary>
/// Copies the write-ahead log into the store beside the writer, so that no command waits for it. The log begins
/// anew only after a moment in which all of it is copied, and under load that moment never comes by itself: once
/// the passes have become short, the writer copies what is left between two batches.
/// </summary>
/// <param name="open">Makes a connection for the passes, at the first one.</param>
internal sealed class Checkpointer(PreparedConnection writer, Func<PreparedConnection> open)
{
    /// <summary>
    /// So many pages of 4 KiB may stand in the log before it is copied: 32 MiB. A page that was written often is
    /// copied once; a log that was left behind by a crash is read again in an instant.
    /// </summary>
    private const long MaxPages = 8_192;

    /// <summary>What the writer copies himself: 1 MiB, milliseconds.</summary>
    private const long FewPages = 256;

    /// <summary>A pass copies what was written during the one before, so they soon are short.</summary>
    private const int MaxPasses = 10;

    private readonly Lock _lock = new();
    private PreparedConnection? _connection;
    private volatile State _state;
    private bool _isClosed;
    private long _pages;

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
        _pages += writer.PagesWritten();
        if (_pages < MaxPages || _state == State.Copying) return;
        if (_state == State.Idle)
        {
            // Not a task: it waits for the disk, and the threads of the pool have answers to give.
            _state = State.Copying;
            new Thread(Run) { IsBackground = true, Name = "checkpoint" }.Start();
            return;
        }

        // A pass that failed is tried again some pages later: nothing is lost by it, and the next commit tells.
        if (_state == State.Nearly) writer.CopyLog(out _);
        (_state, _pages) = (State.Idle, 0);
    }

    /// <summary>Ends a pass under way, and makes no other.</summary>
    public void Close()
    {
        _isClosed = true;
        lock (_lock) _connection?.CloseForGood();
    }

    private void Run()
    {
        lock (_lock) _state = CopyMost() ? State.Nearly : State.Failed;
    }

    private bool CopyMost()
    {
        var before = 0L;
        for (var pass = 0; pass < MaxPasses; pass++)
        {
            if (_isClosed) return false;
            _connection ??= open();
            if (!_connection.CopyLog(out var copied)) return false;
            if (copied - before <= FewPages) break;
            before = copied;
        }

        return true;
    }
}

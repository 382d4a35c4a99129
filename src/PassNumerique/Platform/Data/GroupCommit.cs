using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The one writer of an embedded store. Whoever finds it idle runs the batch himself; whatever waits
/// meanwhile is the next batch: each command undone alone where it fails, one seal, one fsync. While the disk takes one
/// batch the next one runs, and no more than that: every answer, refusals included, leaves once its own batch
/// and those before it are on the disk. Commands complete synchronously: no I/O but the database inside one.
/// </summary>
internal sealed class GroupCommit
{
    /// <summary>Some hundredths of a second of work: who comes later is told at once to come again.</summary>
    public const int MaxWaiting = 512;

    /// <summary>
    /// A batch takes half of what waits, and so many at least: of callers who come again as soon as they are answered
    /// all would else be in one batch, and nobody's work be there to do while the disk takes it.
    /// </summary>
    private const int FewInBatch = 16;

    private const int MaxBatch = 256;
    private const long MaxBatchMs = 20;

    private const int DiskFull = 13; // SQLITE_FULL

    /// <summary>Between two tries to bring a log to its disk that did not take it.</summary>
    private const int RepairEveryMs = 100;

    private readonly PreparedConnection _connection;
    private readonly FactTables _facts;
    private readonly TimeProvider _clock;
    private readonly KeyRing _keys;
    private readonly HeadFile _head;
    private readonly Checkpointer _checkpointer;

    private readonly ConcurrentQueue<Work> _waiting = new();
    private readonly Lock _handOver = new();
    private readonly AutoResetEvent _handedOver = new(false);
    private readonly Thread _syncer;
    private Seal _last;
    private Seal _next;
    private Batch? _syncing;
    private Batch? _behind;
    private Task _settled = Task.CompletedTask;
    private int _count;
    private int _busy;
    private volatile bool _isClosing;
    private volatile bool _closed;

    public GroupCommit(
        PreparedConnection connection, FactTables facts, TimeProvider clock, KeyRing keys, HeadFile head,
        Checkpointer checkpointer, Seal last)
    {
        (_connection, _facts, _clock, _keys, _head, _checkpointer) = (connection, facts, clock, keys, head, checkpointer);
        (_last, _next) = (last, last);
        _syncer = new Thread(SyncAll) { IsBackground = true, Name = "log" };
        _syncer.Start();
    }

    /// <summary>Of the last batch that is on the disk.</summary>
    public Seal Last => Volatile.Read(ref _last);

    public bool IsFull => Volatile.Read(ref _count) >= MaxWaiting;

    /// <summary>
    /// Done once all that a reader may have seen by now is on the disk; until then nobody may be told of it.
    /// </summary>
    public Task Settled => Volatile.Read(ref _settled);

    /// <inheritdoc cref="Database.CommandAsync"/>
    public Task<T> RunAsync<T>(Session session, Func<Task<T>> command, bool oneStatement) where T : struct, IOutcome<T> =>
        Enqueue(new CommandWork<T>(session, command, oneStatement));

    /// <summary>Closes an instant that is past: no later fact will be sealed at or before it.</summary>
    public Task<Seal> SealThroughAsync(long instantMs) => Enqueue(new SealWork(instantMs, this));

    /// <summary>Waits for the batches under way and takes no more.</summary>
    public void Close()
    {
        _isClosing = true;
        while (Interlocked.CompareExchange(ref _busy, 1, 0) != 0) Thread.Sleep(1);
        _closed = true;
        _handedOver.Set();
        _syncer.Join();
        _handedOver.Dispose();
        FailWaiting("The store is closing.");
        _head.Write(_last, now: true);
    }

    private Task<T> Enqueue<T>(Work<T> work)
    {
        if (_closed || Interlocked.Increment(ref _count) > MaxWaiting)
        {
            if (!_closed) Interlocked.Decrement(ref _count);
            throw new StoreUnavailableException("Too many commands wait for the writer.");
        }

        _waiting.Enqueue(work);
        Lead();
        // Who came in just before the end may be behind those that were told of it.
        if (_closed) FailWaiting("The store is closing.");
        return work.Task;
    }

    private void FailWaiting(string why)
    {
        while (_waiting.TryDequeue(out var work))
        {
            Interlocked.Decrement(ref _count);
            work.Fail(new StoreUnavailableException(why));
        }
    }

    private void Lead()
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0) return;
        var batch = new Batch();
        try
        {
            RunBatch(batch);
        }
        finally
        {
            HandOver(batch);
        }
    }

    private void RunBatch(Batch batch)
    {
        try
        {
            var nowMs = _clock.NowMs();
            if (Seal.IsFarAhead(_next, nowMs)) Thread.Sleep(1);
            _connection.Run("BEGIN IMMEDIATE");
            var write = new Write(_connection, null, Seal.NextInstant(_next, nowMs), _next.Batch + 1);
            TakeAll(batch, write);
            Commit(batch, write);
        }
        catch (SqliteException exception)
        {
            batch.Failure = new StoreUnavailableException("The batch was not committed.", exception);
            TryRollback();
            if (exception.SqliteErrorCode == DiskFull) _checkpointer.DiskIsFull();
        }
        catch (Exception exception)
        {
            batch.Failure = exception;
            TryRollback();
        }

        // A batch that failed before it took anything still answers somebody, or the queue would stand still.
        if (batch.Failure is not null && batch.Work.Count == 0 && _waiting.TryDequeue(out var first)) Took(batch, first);
        if (batch.Failure is null) _checkpointer.Committed();
    }

    private void TakeAll(Batch batch, Write write)
    {
        var until = Environment.TickCount64 + MaxBatchMs;
        var most = Math.Clamp(Volatile.Read(ref _count) / 2, FewInBatch, MaxBatch);
        while (batch.Work.Count < most && Environment.TickCount64 <= until && _waiting.TryDequeue(out var work))
        {
            Took(batch, work);
            if (work.IsOneStatement) RunOneStatement(work, write);
            else
            {
                _connection.Run("SAVEPOINT command");
                if (!work.Run(write)) _connection.Run("ROLLBACK TO command");
                _connection.Run("RELEASE command");
            }
        }
    }

    /// <summary>
    /// A statement that fails leaves nothing behind, so it needs no savepoint, for which the engine would keep each page
    /// as it was. A command that succeeds with its statement and fails after it is a mistake of ours.
    /// </summary>
    private static void RunOneStatement(Work work, Write write)
    {
        var before = write.ChangedRows;
        if (!work.Run(write) && write.ChangedRows != before)
            throw new StoreUnavailableException("A command failed after its one statement.", work.Thrown);
    }

    private void Took(Batch batch, Work work)
    {
        Interlocked.Decrement(ref _count);
        batch.Work.Add(work);
    }

    private void Commit(Batch batch, Write write)
    {
        var asked = batch.Work.Any(w => w.WantsSeal && w.Kept);
        if (!batch.Work.Any(w => w.Kept))
        {
            _connection.Run("ROLLBACK");
            return;
        }

        var next = _next;
        if (write.Touched.Count > 0 || asked)
        {
            next = Sealing.Close(_connection, write.Touched, _facts, _next, write.NowMs, _keys);
        }

        // From here on readers may see it, and must wait.
        Volatile.Write(ref _settled, batch.Settled.Task);
        batch.Unsynced = StoreFiles.Commit(_connection);
        batch.Seal = _next = next;
    }

    private void TryRollback()
    {
        try
        {
            _connection.Run("ROLLBACK");
        }
        catch (SqliteException)
        {
            // The engine has rolled back by itself: nothing is left to undo.
        }
    }

    /// <summary>Gives the batch to the disk, and the turn to the next one unless another batch is before it.</summary>
    private void HandOver(Batch batch)
    {
        lock (_handOver)
        {
            if (_syncing is not null)
            {
                _behind = batch;
                return;
            }

            _syncing = batch;
        }

        _handedOver.Set();
        NextTurn();
    }

    /// <summary>
    /// Only for who has the turn. It is given away before the look at the queue, for every thread in that order, or
    /// somebody who comes just then finds it taken and is seen by nobody.
    /// </summary>
    private void NextTurn()
    {
        if (_closed) return; // The turn stays with who closes.
        Interlocked.Exchange(ref _busy, 0);
        if (!_waiting.IsEmpty) ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.Lead(), this, preferLocal: false);
    }

    /// <summary>The thread that waits for the disk. It is not one of the pool: those have answers to give.</summary>
    private void SyncAll()
    {
        bool isLast;
        do
        {
            _handedOver.WaitOne();
            isLast = _closed; // Before the batches: those that were handed over before the end are among them.
            while (_syncing is { } batch)
            {
                if (batch.Unsynced is { } unsynced && !StoreFiles.Sync(unsynced)) Repair(batch);
                else Settle(batch);
                TakeNext();
            }
        }
        while (!isLast);
    }

    /// <summary>
    /// Who left a batch behind kept the turn, and it is passed on here. Where there is none the turn may be with
    /// somebody by now, and what he hands over is not to be taken for one.
    /// </summary>
    private void TakeNext()
    {
        Batch? next;
        lock (_handOver) (_syncing, _behind) = (next = _behind, null);
        if (next is not null) NextTurn();
    }

    private void Settle(Batch batch)
    {
        if (batch.Seal is { } seal)
        {
            Volatile.Write(ref _last, seal);
            _head.Write(seal, now: false);
        }

        batch.Settled.TrySetResult();
        foreach (var work in batch.Work) work.Complete(batch.Failure);
    }

    /// <summary>
    /// The disk did not take the log. What was not synced is written there once more, as a failed sync forgets what it
    /// was for, and only then may anybody hear of it. If that fails too, whoever waits is told that his command may be
    /// done, and nobody reads or writes until it has succeeded.
    /// </summary>
    private void Repair(Batch batch)
    {
        Batch[] batches = [batch, .. TakeTurn()];
        Unsynced[] unsynced = [.. batches.Select(b => b.Unsynced).OfType<Unsynced>()];
        if (StoreFiles.TryWriteAgain(unsynced)) Array.ForEach(batches, Settle);
        else
        {
            Array.ForEach(batches, Lose);
            if (IsWrittenAtLast(unsynced))
            {
                Volatile.Write(ref _last, _next);
                Volatile.Write(ref _settled, Task.CompletedTask);
            }
        }

        NextTurn();
    }

    /// <summary>Tries until it succeeds, and answers whoever comes meanwhile; false where the store is closed first.</summary>
    private bool IsWrittenAtLast(Unsynced[] unsynced)
    {
        while (!StoreFiles.TryWriteAgain(unsynced))
        {
            if (_isClosing) return false;
            FailWaiting("The log can't be brought to its disk.");
            Thread.Sleep(RepairEveryMs);
        }

        return true;
    }

    private static void Lose(Batch batch)
    {
        batch.Settled.TrySetException(new StoreUnavailableException("What was read is not on the disk."));
        foreach (var work in batch.Work)
            work.Complete(batch.Failure ?? new OutcomeUnknownException("The log was written, and its disk did not take it."));
    }

    /// <summary>
    /// Waits until nobody writes, and sees to it that nobody begins, as who closes has done already; a batch that is
    /// behind comes with it.
    /// </summary>
    private Batch[] TakeTurn()
    {
        while (true)
        {
            lock (_handOver)
            {
                if (_behind is { } behind)
                {
                    _behind = null;
                    return [behind];
                }
            }

            if (_closed || Interlocked.CompareExchange(ref _busy, 1, 0) == 0) return [];
            Thread.Sleep(1);
        }
    }

    private sealed class Batch
    {
        public List<Work> Work { get; } = [];

        public Exception? Failure { get; set; }

        public Seal? Seal { get; set; }

        public Unsynced? Unsynced { get; set; }

        public TaskCompletionSource Settled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private abstract class Work
    {
        /// <summary>Whether what the command wrote stays.</summary>
        public bool Kept { get; protected set; }

        /// <summary>What came of it in place of an answer.</summary>
        public Exception? Thrown { get; protected set; }

        public virtual bool WantsSeal => false;

        public virtual bool IsOneStatement => false;

        public abstract bool Run(Write write);

        public abstract void Complete(Exception? failure);

        public abstract void Fail(Exception exception);
    }

    private abstract class Work<T> : Work
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _answer.Task;

        protected T? Answer { get; set; }

        public override void Complete(Exception? failure)
        {
            if ((failure ?? Thrown) is { } exception) _answer.SetException(exception);
            else _answer.SetResult(Answer!);
        }

        public override void Fail(Exception exception) => _answer.SetException(exception);
    }

    private sealed class CommandWork<T>(Session session, Func<Task<T>> command, bool oneStatement)
        : Work<T> where T : struct, IOutcome<T>
    {
        public override bool IsOneStatement => oneStatement;

        public override bool Run(Write write)
        {
            session.Enter(write);
            try
            {
                var answer = command().GetAwaiter().GetResult();
                Answer = answer;
                Kept = !answer.IsRefused;
            }
            catch (SqliteException exception) when (exception.SqliteErrorCode is not (19 or 1))
            {
                throw; // Not a constraint and not a bad statement: the disk or the lock. It ends the batch.
            }
            catch (Exception exception)
            {
                Thrown = exception;
            }
            finally
            {
                session.Leave();
            }

            return Kept;
        }
    }

    private sealed class SealWork(long instantMs, GroupCommit writer) : Work<Seal>
    {
        public override bool WantsSeal => true;

        public override bool Run(Write write) => Kept = writer._next.SealedMs < instantMs && write.NowMs > instantMs;

        public override void Complete(Exception? failure)
        {
            Answer = writer.Last;
            base.Complete(failure);
        }
    }
}

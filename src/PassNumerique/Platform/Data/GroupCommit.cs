using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace PassNumerique.Platform.Data;

/// <summary>
/// The one writer of an embedded store. Whoever finds it idle runs the batch himself; whatever waits
/// meanwhile is the next batch: each command in its savepoint, one seal, one fsync. Every answer, refusals
/// included, leaves after the commit. Commands complete synchronously: no I/O but the database inside one.
/// </summary>
internal sealed class GroupCommit(
    PreparedConnection connection, FactTables facts, TimeProvider clock, KeyRing keys, HeadFile head,
    Checkpointer checkpointer, Seal last)
{
    /// <summary>Some hundredths of a second of work: who comes later is told at once to come again.</summary>
    public const int MaxWaiting = 512;

    private const int MaxBatch = 256;
    private const long MaxBatchMs = 20;

    private readonly ConcurrentQueue<Work> _waiting = new();
    private readonly List<Work> _batch = new(MaxBatch);
    private Seal _last = last;
    private int _count;
    private int _busy;
    private bool _closed;

    public Seal Last => Volatile.Read(ref _last);

    public bool IsFull => Volatile.Read(ref _count) >= MaxWaiting;

    public Task<T> RunAsync<T>(Session session, Func<Task<T>> command) where T : struct, IOutcome<T> =>
        Enqueue(new CommandWork<T>(session, command));

    /// <summary>Closes an instant that is past: no later fact will be sealed at or before it.</summary>
    public Task<Seal> SealThroughAsync(long instantMs) => Enqueue(new SealWork(instantMs, this));

    /// <summary>Waits for the batch under way and takes no more.</summary>
    public void Close()
    {
        while (Interlocked.CompareExchange(ref _busy, 1, 0) != 0) Thread.Sleep(1);
        _closed = true;
        while (_waiting.TryDequeue(out var work)) work.Fail(new StoreUnavailableException("The store is closing."));
        head.Write(_last, now: true);
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
        return work.Task;
    }

    private void Lead()
    {
        if (Interlocked.CompareExchange(ref _busy, 1, 0) != 0) return;
        try
        {
            RunBatch();
        }
        finally
        {
            Volatile.Write(ref _busy, 0);
        }

        if (!_waiting.IsEmpty) ThreadPool.UnsafeQueueUserWorkItem(static writer => writer.Lead(), this, preferLocal: false);
    }

    private void RunBatch()
    {
        _batch.Clear();
        Exception? failure = null;
        try
        {
            connection.Run("BEGIN IMMEDIATE");
            var write = new Write(connection, null, Seal.NextInstant(_last, clock.NowMs()), _last.Batch + 1);
            TakeAll(write);
            Commit(write);
        }
        catch (SqliteException exception)
        {
            failure = new StoreUnavailableException("The batch was not committed.", exception);
            TryRollback();
        }
        catch (Exception exception)
        {
            failure = exception;
            TryRollback();
        }

        // A batch that failed before it took anything still answers somebody, or the queue would stand still.
        if (failure is not null && _batch.Count == 0 && _waiting.TryDequeue(out var first)) Took(first);
        foreach (var work in _batch) work.Complete(failure);
        if (failure is not null) return;
        head.Write(_last, now: false);
        checkpointer.Committed();
    }

    private void TakeAll(Write write)
    {
        var until = Environment.TickCount64 + MaxBatchMs;
        while (_batch.Count < MaxBatch && Environment.TickCount64 <= until && _waiting.TryDequeue(out var work))
        {
            Took(work);
            connection.Run("SAVEPOINT command");
            if (!work.Run(write)) connection.Run("ROLLBACK TO command");
            connection.Run("RELEASE command");
        }
    }

    private void Took(Work work)
    {
        Interlocked.Decrement(ref _count);
        _batch.Add(work);
    }

    private void Commit(Write write)
    {
        var asked = _batch.Any(w => w.WantsSeal && w.Kept);
        if (!_batch.Any(w => w.Kept))
        {
            connection.Run("ROLLBACK");
            return;
        }

        var next = _last;
        if (write.Touched.Count > 0 || asked)
        {
            next = Sealing.Close(connection, write.Touched, facts, _last, write.NowMs, keys);
        }

        connection.Run("COMMIT");
        Volatile.Write(ref _last, next);
    }

    private void TryRollback()
    {
        try
        {
            connection.Run("ROLLBACK");
        }
        catch (SqliteException)
        {
            // The engine has rolled back by itself: nothing is left to undo.
        }
    }

    private abstract class Work
    {
        /// <summary>Whether what the command wrote stays.</summary>
        public bool Kept { get; protected set; }

        public virtual bool WantsSeal => false;

        public abstract bool Run(Write write);

        public abstract void Complete(Exception? failure);

        public abstract void Fail(Exception exception);
    }

    private abstract class Work<T> : Work
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _answer.Task;

        protected T? Answer { get; set; }

        protected Exception? Thrown { get; set; }

        public override void Complete(Exception? failure)
        {
            if ((failure ?? Thrown) is { } exception) _answer.SetException(exception);
            else _answer.SetResult(Answer!);
        }

        public override void Fail(Exception exception) => _answer.SetException(exception);
    }

    private sealed class CommandWork<T>(Session session, Func<Task<T>> command) : Work<T> where T : struct, IOutcome<T>
    {
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

        public override bool Run(Write write) => Kept = writer.Last.SealedMs < instantMs && write.NowMs > instantMs;

        public override void Complete(Exception? failure)
        {
            Answer = writer.Last;
            base.Complete(failure);
        }
    }
}

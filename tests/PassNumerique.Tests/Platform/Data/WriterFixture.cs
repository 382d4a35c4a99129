using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>A store of its own for each test, and commands for its writer.</summary>
internal abstract class WriterFixture
{
    protected const long Noon = 1_795_000_000_000;
    protected static readonly Refusal No = new("no", 409, "Non.", "Rien à faire.");

    protected TestFolder Folder { get; private set; } = null!;

    protected ManualClock Clock { get; private set; } = null!;

    protected SqliteDatabase Database { get; private set; } = null!;

    [SetUp]
    public async Task Open()
    {
        Folder = new TestFolder();
        Clock = new ManualClock(Noon);
        Database = Folder.Database(Clock);
        await Database.MigrateAsync();
    }

    [TearDown]
    public async Task Close()
    {
        await Database.DisposeAsync();
        Folder.Dispose();
    }

    /// <summary>A command that writes an organisation, then answers its batch or what it is told.</summary>
    protected Task<Result<string>> WriteAsync(string name, Func<Session, Result<string>>? then = null, string? id = null) =>
        RunAsync(Database, session => then?.Invoke(session) ?? $"batch {session.Batch}", name, id);

    protected static Task<Result<string>> RunAsync(
        SqliteDatabase database, Func<Session, Result<string>> then, string? name = null, string? id = null,
        bool oneStatement = false)
    {
        var session = new Session(database, TimeProvider.System);
        return database.CommandAsync(session, async () =>
        {
            if (name is not null)
            {
                await session.ExecuteAsync("""
                    INSERT INTO organisations (id, kind, name, actor_id, recorded_ms, batch)
                    VALUES (@Id, 'state', @Name, 'test', @NowMs, @Batch)
                    """, new { Id = id ?? Ids.New(), Name = name, session.NowMs, session.Batch });
            }

            return then(session);
        }, oneStatement);
    }

    protected async Task<IReadOnlyList<string>> NamesAsync()
    {
        var session = new Session(Database, Clock);
        return await session.ListAsync<string>("SELECT name FROM organisations ORDER BY recorded_ms, rowid", new { });
    }

    /// <summary>Holds the writer inside a command until it is told to go on.</summary>
    protected sealed class Blocked : IDisposable
    {
        private readonly ManualResetEventSlim _gate = new();
        private readonly Task _command;

        public Blocked(SqliteDatabase database)
        {
            using var entered = new ManualResetEventSlim();
            _command = Task.Run(() => RunAsync(database, _ =>
            {
                entered.Set();
                _gate.Wait();
                return No;
            }));
            entered.Wait();
        }

        public void Release() => _gate.Set();

        public void Dispose()
        {
            _gate.Set();
            ((IAsyncResult)_command).AsyncWaitHandle.WaitOne(); // It fails where its batch does.
            _gate.Dispose();
        }
    }
}

using System.Data.Common;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform;

/// <summary>
/// An embedded store as if it were on a server, behind a network that loses the answers to the next so many commits:
/// whoever hears nothing does his work again, as <see cref="SqlServerDatabase"/> does.
/// </summary>
internal sealed class LosingDatabase(SqliteDatabase store, TimeProvider clock, KeyRing keys)
    : Database(store.Facts, clock, keys)
{
    /// <summary>How many commits are still to be lost.</summary>
    public int Losing { get; set; }

    public override string Name => store.Name;

    public override bool LosesAnswers => true;

    protected override string Limit => "LIMIT @Take";

    public override ValueTask<DbConnection> OpenAsync(CancellationToken ct = default) => store.OpenAsync(ct);

    public override ValueTask<long> ExecuteAsync(Write write, Statement statement, object args, CancellationToken ct) =>
        store.ExecuteAsync(write, statement, args, ct);

    public override ValueTask<IReadOnlyList<T>> ListAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct) =>
        store.ListAsync<T>(connection, transaction, statement, args, ct);

    public override ValueTask<T?> FindAsync<T>(
        DbConnection connection, DbTransaction? transaction, Statement statement, object args, CancellationToken ct)
        where T : default => store.FindAsync<T>(connection, transaction, statement, args, ct);

    public override ValueTask<Seal> LastSealAsync(CancellationToken ct = default) => store.LastSealAsync(ct);

    public override Task<Seal> SealThroughAsync(long instantMs, CancellationToken ct = default) =>
        store.SealThroughAsync(instantMs, ct);

    public override Task MigrateAsync(CancellationToken ct = default) => store.MigrateAsync(ct);

    public override Task LoadAsync(IReadOnlyList<BulkRows> tables, CancellationToken ct = default) => store.LoadAsync(tables, ct);

    public override bool IsDuplicateKey(DbException e) => store.IsDuplicateKey(e);

    public override bool IsTransient(Exception e) => store.IsTransient(e);

    /// <summary>The store is its owner's.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected override async Task<T> TransactAsync<T>(Session session, Func<Task<T>> work, bool oneStatement)
    {
        var answer = await store.CommandAsync(session, work, oneStatement);
        while (!answer.IsRefused && Losing > 0)
        {
            Losing--;
            answer = await store.CommandAsync(session, work, oneStatement);
        }

        return answer;
    }
}

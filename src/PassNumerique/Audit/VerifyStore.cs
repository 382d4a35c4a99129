using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Dapper;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Audit;

/// <summary>
/// Does the store still say what was sealed? Facts are hashed again into leaves, roots, chain and MACs, and
/// compared with the seals and with the head kept elsewhere; then every figure that is written down twice is
/// counted again (<see cref="VerifyCounts"/>). It only reads, in pages that last well under a second, so that
/// it may run beside the service; what is sealed after it began is left to the next time.
/// </summary>
internal static class VerifyStore
{
    private const long SealsPerPage = 2_000;
    private const long LeavesPerPage = 20_000;
    private const int KeysShown = 3;

    /// <summary>What does not hold, and where: a table with a row's key, a batch, or both.</summary>
    internal sealed record Problem(string Place, string What)
    {
        public override string ToString() => $"{Place} : {What}";
    }

    /// <summary>What was read, and everything that does not hold, the worst first.</summary>
    internal sealed record Outcome(long Facts, long Batches, IReadOnlyList<Problem> Problems)
    {
        public bool Holds => Problems.Count == 0;
    }

    /// <summary>Verifies, and says the result in French.</summary>
    /// <param name="headPath">The head file to compare with; none is compared when absent.</param>
    public static async Task<Outcome> RunAsync(
        Database database, KeyRing keys, FactTables tables, string? headPath, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        // The head is written after the store: read first, it can't be ahead of an honest one.
        var head = HeadFile.Last(headPath);
        await using var connection = await database.OpenAsync();
        var walk = new Walk(database, connection, keys, tables);
        var problems = new List<Problem>();
        try
        {
            if (await walk.SealsAsync(head, headPath) is { } broken) problems.Add(broken);
            problems.AddRange(await walk.StraysAsync());
            problems.AddRange(await VerifyCounts.RunAsync(database));
        }
        catch (Exception exception) when (exception is InvalidCastException or FormatException or OverflowException
            or DataException or JsonException)
        {
            // No statement can have written it: the bytes under the engine changed.
            problems.Insert(0, new("magasin",
                "une valeur n'a pas la forme de sa colonne : le fichier est abîmé. Restaurez une sauvegarde, puis relancez « verify »."));
        }

        await database.Settled;
        await output.WriteLineAsync(
            $"{French.Count(walk.Facts)} fait{French.S(walk.Facts)} dans {French.Count(walk.Batches)} "
            + $"lot{French.S(walk.Batches)}, relus en {French.Seconds(clock.Elapsed)}.");
        foreach (var problem in problems) await output.WriteLineAsync($"NON CONFORME, {problem}");
        if (problems.Count == 0) await output.WriteLineAsync("Tout est conforme.");
        return new(walk.Facts, walk.Batches, problems);
    }

    /// <summary>One pass over the seals with the facts of each, a page of batches at a time.</summary>
    private sealed class Walk(Database database, DbConnection connection, KeyRing keys, FactTables tables)
    {
        private Seal _last = Seal.None;

        public long Facts { get; private set; }

        public long Batches => _last.Batch;

        /// <summary>The first seal that does not hold, or nothing.</summary>
        public async Task<Problem?> SealsAsync((long Batch, string Chain)? head, string? headPath)
        {
            var end = await Sealing.LastAsync(connection);
            while (_last.Batch < end.Batch)
            {
                var seals = await PageAsync(end.Batch);
                if (seals.Count == 0) return new($"lot {_last.Batch + 1}", "il manque, comme tous ceux qui le suivent.");
                var leaves = await LeavesAsync(seals[^1].Batch);
                foreach (var seal in seals)
                {
                    var found = leaves.GetValueOrDefault(seal.Batch, []);
                    if (await FaultAsync(seal, found) is { } fault) return fault;
                    if (head?.Batch == seal.Batch && head.Value.Chain != seal.Chain)
                    {
                        return new($"lot {seal.Batch}",
                            $"ce n'est pas le lot que le journal de tête « {headPath} » a vu.");
                    }

                    (_last, Facts) = (seal, Facts + found.Count);
                }
            }

            return head is { } known && known.Batch > end.Batch
                ? new($"lot {known.Batch}",
                    $"le journal de tête « {headPath} » le connaît, le magasin s'arrête au lot {end.Batch}.")
                : null;
        }

        /// <summary>Rows that no seal covers. On SQL Server the latest still wait for the sealer.</summary>
        public async Task<IReadOnlyList<Problem>> StraysAsync()
        {
            var problems = new List<Problem>();
            foreach (var table in tables.All)
            {
                var astray = await connection.ExecuteScalarAsync<long>(table.Astray);
                if (astray > 0)
                    problems.Add(new(table.Name, $"{astray} ligne(s) dans un lot qui n'a jamais été scellé."));
                var unsealed = database.SealsLater ? 0 : await connection.ExecuteScalarAsync<long>(table.Unsealed);
                if (unsealed > 0) problems.Add(new(table.Name, $"{unsealed} ligne(s) sans lot."));
            }

            return problems;
        }

        /// <summary>The next seals, as many as their facts fit a page; never none.</summary>
        private async Task<IReadOnlyList<Seal>> PageAsync(long through)
        {
            var seals = await Sealing.AfterAsync(database, connection, _last.Batch, through, SealsPerPage);
            long leaves = 0;
            return [.. seals.TakeWhile(
                (s, i) => (leaves += Math.Clamp(s.LeafCount, 0, LeavesPerPage)) <= LeavesPerPage || i == 0)];
        }

        private async Task<Dictionary<long, List<byte[]>>> LeavesAsync(long through)
        {
            var leaves = new Dictionary<long, List<byte[]>>();
            foreach (var table in tables.All)
            {
                await using var row = await connection.ExecuteReaderAsync(
                    table.Between, new { After = _last.Batch, Through = through });
                while (await row.ReadAsync())
                {
                    var batch = row.GetInt64(table.Columns.Count);
                    if (!leaves.TryGetValue(batch, out var list)) leaves[batch] = list = [];
                    list.Add(LeafOf(table, row));
                }
            }

            return leaves;
        }

        private static byte[] LeafOf(FactTable table, DbDataReader row)
        {
            try
            {
                return table.Leaf(row);
            }
            catch (InvalidOperationException exception)
            {
                throw new DataException($"A row of {table.Name} is none.", exception);
            }
        }

        private async Task<Problem?> FaultAsync(Seal seal, IReadOnlyList<byte[]> leaves)
        {
            var place = $"lot {seal.Batch}";
            if (seal.Batch != _last.Batch + 1)
            {
                return new($"lot {_last.Batch + 1}",
                    $"il manque ; après le lot {_last.Batch} vient le lot {seal.Batch}.");
            }

            if (seal.SealedMs <= _last.SealedMs)
                return new(place, "son instant n'est pas après celui du lot précédent.");
            if (seal.Chain != Seal.ChainOf(_last.Chain, seal.Batch, seal.SealedMs, seal.LeafCount, seal.Root))
                return new(place, "son sceau ne s'enchaîne pas au lot précédent : un sceau a été modifié.");
            if (!keys.Versions.Any(version => version == seal.KeyVersion))
                return new(place, $"la clé version {seal.KeyVersion} de son sceau manque dans le fichier de clés.");
            if (seal.Mac != keys.Mac((int)seal.KeyVersion, seal.Chain))
                return new(place, "son sceau n'a pas été fait avec la clé de ce magasin.");
            if (seal.LeafCount != leaves.Count)
            {
                return new($"{place}, {await RowsAsync(seal.Batch)}",
                    $"{leaves.Count} fait(s) au lieu de {seal.LeafCount} : un fait a été ajouté ou supprimé.");
            }

            return seal.Root == Convert.ToHexStringLower(Merkle.Root(leaves))
                ? null
                : new($"{place}, {await RowsAsync(seal.Batch)}", "un fait n'est plus celui qui a été scellé.");
        }

        /// <summary>The rows of a batch by their keys: <c>voucher_entries (serial 5, part 1)</c>.</summary>
        private async Task<string> RowsAsync(long batch)
        {
            var rows = new List<string>();
            foreach (var table in tables.All)
            {
                await using var row = await connection.ExecuteReaderAsync(table.OfBatch, new { Batch = batch });
                while (await row.ReadAsync()) rows.Add(Name(table, row));
            }

            return rows.Count switch
            {
                0 => "aucune ligne",
                <= KeysShown => string.Join(", ", rows),
                _ => $"{string.Join(", ", rows.Take(KeysShown))} et {rows.Count - KeysShown} autres",
            };
        }

        private static string Name(FactTable table, DbDataReader row)
        {
            var parts = table.Key.Split(',', StringSplitOptions.TrimEntries)
                .Select(column => $"{column} {row.GetValue(row.GetOrdinal(column))}");
            return $"{table.Name} ({string.Join(", ", parts)})";
        }
    }
}

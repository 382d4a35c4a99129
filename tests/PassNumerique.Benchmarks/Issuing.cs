using System.Globalization;
using PassNumerique.Benchmarks.Faults;

namespace PassNumerique.Benchmarks;

/// <summary>
/// Orders a million passes, has them approved and fetches their print file, and again from the start, beside
/// whatever else the service is asked meanwhile.
/// </summary>
internal sealed class Issuing(RunningService service, string convention, string point)
{
    private const long Booklets = 100_000;
    private const long VouchersPerBooklet = 10;

    /// <summary>The passes that were in print files; whole ones or not.</summary>
    public async Task<long> RunAsync(CancellationToken stop)
    {
        using var client = Stage.Client(service, SpentStore.OperatorKey);
        var printed = 0L;
        try
        {
            while (true)
            {
                var order = await Stage.MadeAsync(client, "orders", new
                {
                    conventionId = convention,
                    booklets = Booklets,
                    vouchersPerBooklet = VouchersPerBooklet,
                    validUntil = DateTime.UtcNow.AddYears(1).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                    distributionPoints = new[] { new { id = point, booklets = Booklets } },
                });
                var id = order.GetProperty("id").GetString();
                await Stage.MadeAsync(client, $"orders/{id}/approval", new { });
                await using var file = await client.GetStreamAsync($"orders/{id}/vouchers.csv", stop);
                var buffer = new byte[65_536];
                for (int read; (read = await file.ReadAsync(buffer, stop)) > 0;) printed += buffer.AsSpan(0, read).Count((byte)'\n');
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return printed;
        }
    }
}

using System.Globalization;
using PassNumerique.Platform;
using PassNumerique.Platform.Web;

namespace PassNumerique.Custody;

/// <summary>The partners to remind, with what to write to each.</summary>
public partial class RemindersPage
{
    internal sealed record View(IReadOnlyList<ListReminders.Item> Items, string? AuthorityId);

    internal static void Map(IEndpointRouteBuilder app) =>
        app.Page("/stock/rappels", StockPage.Allowed, ShowAsync);

    private static async Task ShowAsync(Request request)
    {
        var form = new Form().With("days",
            request.Text("days") ?? ListReminders.DefaultDays.ToString(CultureInfo.InvariantCulture));
        IReadOnlyList<ListReminders.Item> items = [];
        try
        {
            items = await ListReminders.FindAsync(request);
        }
        catch (InvalidRequestException invalid)
        {
            foreach (var (name, messages) in invalid.Errors)
                foreach (var message in messages) form.Mark(name, message);
        }

        await request.ShowAsync<RemindersPage, View>(
            new(items, request.Caller.Scope is null ? request.FilterId("authorityId") : null), form);
    }
}

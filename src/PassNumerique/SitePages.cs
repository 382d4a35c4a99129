using PassNumerique.Access;
using PassNumerique.Custody;
using PassNumerique.HandOut;
using PassNumerique.Orders;
using PassNumerique.Platform.Jobs;
using PassNumerique.Platform.Web;
using PassNumerique.Redemption;
using PassNumerique.Reports;
using PassNumerique.Vouchers;

namespace PassNumerique;

/// <summary>The site map: one line a page, in the order of the menu.</summary>
internal static class SitePages
{
    internal static void Map(IEndpointRouteBuilder app)
    {
        AssetFiles.Map(app);
        WelcomePage.Map(app);
        SignInPage.Map(app);
        OrdersPage.Map(app);
        JobsPage.Map(app);
        HandOutPage.Map(app);
        StockPage.Map(app);
        LostBookletPage.Map(app);
        BlocksPage.Map(app);
        PassPage.Map(app);
        ScannerPage.Map(app);
        ReportsPage.Map(app);
        AccessibilityPage.Map(app);
    }
}

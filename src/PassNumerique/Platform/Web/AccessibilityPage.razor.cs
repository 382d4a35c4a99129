namespace PassNumerique.Platform.Web;

/// <summary>What is accessible, what is not yet, and whom to tell.</summary>
public partial class AccessibilityPage
{
    internal static void Map(IEndpointRouteBuilder app) => app.Page(
        "/accessibilite", Role.Anonymous, request => request.ShowAsync<AccessibilityPage, Empty>(new Empty()));
}

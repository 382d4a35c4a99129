using PassNumerique.Platform;

namespace PassNumerique.Sites;

/// <summary>Sites and their labels, distribution points and their trainings, workshops.</summary>
internal static class SitesEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        CreateSite.Map(api.MapGroup("/sites"));
        ReadSites.Map(api.MapGroup("/sites"));
        LabelSite.Map(api.MapGroup("/sites"));
        ReadLabels.Map(api.MapGroup("/sites"));
        CreateDistributionPoint.Map(api.MapGroup("/distribution-points"));
        ReadDistributionPoints.Map(api.MapGroup("/distribution-points"));
        RecordTraining.Map(api.MapGroup("/trainings"));
        ReadTrainings.Map(api.MapGroup("/trainings"));
        RecordWorkshop.Map(api.MapGroup("/workshops"));
        ReadWorkshops.Map(api.MapGroup("/workshops"));
    }
}

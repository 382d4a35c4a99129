using PassNumerique.Platform;

namespace PassNumerique.HandOut;

/// <summary>Hand-outs, returns, assessments, erasure of persons.</summary>
internal static class HandOutEndpoints
{
    internal static void Map(IEndpointRouteBuilder api)
    {
        var handOuts = api.MapGroup("/hand-outs");
        RecordHandOut.Map(handOuts);
        RecordHandOutBatch.Map(handOuts);
        ReverseHandOut.Map(handOuts);
        CorrectHandOut.Map(handOuts);
        ListHandOuts.Map(handOuts);
        var returns = api.MapGroup("/returns");
        ReturnBooklet.Map(returns);
        ReturnBooklets.Map(returns);
        RecordAssessment.Map(api.MapGroup("/assessments"));
        ErasePerson.Map(api.MapGroup("/persons"));
        ShowStock.Map(api.MapGroup("/distribution-points"));
    }
}

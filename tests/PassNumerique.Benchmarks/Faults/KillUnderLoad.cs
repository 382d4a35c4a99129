namespace PassNumerique.Benchmarks.Faults;

/// <summary>kill -9 at any moment: what was answered is there, nothing twice, the next start is quick.</summary>
internal static class KillUnderLoad
{
    public static async Task<Finding> RunAsync(Workbench bench, Dose dose)
    {
        var deaths = new Deaths(bench, dose)
        {
            DieAsync = async (trial, _, chance) =>
            {
                await Task.Delay(chance.Next(20, 250));
                trial.Service.Kill();
            },
        };
        await deaths.RunAsync();
        return new(deaths.Counts, deaths.Faults, deaths.Planted);
    }
}

using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Nobody begins before the turn is given to him, however the threads of the machine are dealt out.</summary>
internal sealed class WriterTurnsTests : WriterFixture
{
    private const int Callers = 48;
    private const int EachCalls = 400;

    [Test]
    public async Task Of_many_callers_none_meets_another_in_the_writer()
    {
        var inside = 0;
        var met = 0;
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < EachCalls; i++)
            {
                await WriteAsync($"{caller}-{i}", session =>
                {
                    if (Interlocked.Increment(ref inside) > 1) Interlocked.Increment(ref met);
                    Thread.SpinWait(20);
                    Interlocked.Decrement(ref inside);
                    return "done";
                });
            }
        })));
        Assert.That(met, Is.Zero);
        Assert.That(await NamesAsync(), Has.Count.EqualTo(Callers * EachCalls));
    }
}

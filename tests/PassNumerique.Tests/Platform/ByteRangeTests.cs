using System.IO.Pipelines;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

internal sealed class ByteRangeTests
{
    [TestCase("bytes=0-", 0, 100)]
    [TestCase("bytes=10-19", 10, 20)]
    [TestCase("bytes=10-1000", 10, 100)]
    [TestCase("bytes=-30", 70, 100)]
    [TestCase("bytes=-1000", 0, 100)]
    [TestCase("BYTES= 99-99", 99, 100)]
    public void A_range_is_from_a_byte_to_before_another(string header, long from, long end) =>
        Assert.That(ByteRange.Of(header, 100), Is.EqualTo(new ByteRange(from, end)));

    [TestCase("bytes=100-")]
    [TestCase("bytes=-0")]
    [TestCase("bytes=99999999999999999999999999-")]
    public void Behind_the_last_byte_there_is_nothing(string header) =>
        Assert.That(ByteRange.Of(header, 100)!.Value.IsUnsatisfiable, Is.True);

    [TestCase("")]
    [TestCase("items=0-1")]
    [TestCase("bytes=0-1,5-6")]
    [TestCase("bytes=5-4")]
    [TestCase("bytes=-")]
    [TestCase("bytes=a-b")]
    [TestCase("bytes=0x1-")]
    [TestCase("bytes=-1-5")]
    public void What_is_no_single_range_is_as_if_it_were_not_there(string header) =>
        Assert.That(ByteRange.Of(header, 100), Is.Null);

    [Test]
    public async Task Whatever_the_pieces_the_range_comes_through_and_its_last_byte_last()
    {
        var file = Enumerable.Range(0, 10_000).Select(i => (byte)(i % 251)).ToArray();
        foreach (var (from, end) in new[] { (0, 10_000), (1, 10_000), (4_999, 10_000), (9_999, 10_000), (0, 1), (17, 4_242) })
        {
            foreach (var piece in new[] { 1, 7, 4_096, 10_000 })
            {
                using var stream = new MemoryStream();
                var inner = PipeWriter.Create(stream);
                var writer = new RangeWriter(inner, from, end, file.Length);
                for (var at = 0; at < file.Length; at += piece) await writer.WriteAsync(file.AsMemory(at, Math.Min(piece, file.Length - at)));
                var before = stream.Length;
                await writer.ReleaseAsync(default);
                await inner.CompleteAsync();
                Assert.That(stream.ToArray(), Is.EqualTo(file[from..end]), $"{from} to {end} by {piece}");
                Assert.That(before, end == file.Length ? Is.EqualTo(end - from - 1) : Is.EqualTo(end - from));
            }
        }
    }
}

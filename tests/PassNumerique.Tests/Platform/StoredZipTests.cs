using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

internal sealed class StoredZipTests
{
    [TestCase(1)]
    [TestCase(70_000, Description = "more than the short form can count")]
    public async Task Another_reader_finds_every_file(int files)
    {
        using var stream = new MemoryStream();
        await WriteAsync(stream, files);
        stream.Position = 0;
        using var zip = new ZipArchive(stream);
        Assert.That(zip.Entries, Has.Count.EqualTo(files));
        foreach (var i in new[] { 0, files / 2, files - 1 })
        {
            var entry = zip.Entries[i];
            using var reader = new StreamReader(entry.Open());
            Assert.That((entry.FullName, await reader.ReadToEndAsync()), Is.EqualTo(($"dossier/{i}.txt", $"n° {i}")));
            Assert.That(entry.LastWriteTime.Year, Is.EqualTo(1980));
        }
    }

    [Test]
    public void The_check_is_that_of_the_format() =>
        Assert.That(StoredZip.Crc32("123456789"u8), Is.EqualTo(0xCBF43926));

    [Test]
    public void A_file_without_its_line_is_a_mistake_of_ours()
    {
        var zip = new StoredZip(PipeWriter.Create(new MemoryStream()), 1);
        Assert.Throws<InvalidOperationException>(() => zip.List("a"u8));
        zip.Add("a"u8, "b"u8);
        Assert.Throws<InvalidOperationException>(zip.End);
    }

    private static async Task WriteAsync(Stream stream, int files)
    {
        var writer = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
        var zip = new StoredZip(writer, files);
        for (var i = 0; i < files; i++) zip.Add(Name(i), Encoding.UTF8.GetBytes($"n° {i}"));
        for (var i = 0; i < files; i++) zip.List(Name(i));
        zip.End();
        await writer.CompleteAsync();
    }

    private static byte[] Name(int i) => Encoding.UTF8.GetBytes($"dossier/{i}.txt");
}

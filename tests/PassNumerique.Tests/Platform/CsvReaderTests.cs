using System.Text;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

/// <summary>Files as people and spreadsheets write them, and what cannot be one.</summary>
internal sealed class CsvReaderTests
{
    [TestCase("a;b\nc;d", "1:a|b 2:c|d")]
    [TestCase("a;b\r\nc;\r\n", "1:a|b 2:c|")]
    [TestCase("\"a;1\";\"b\"\"2\"\n\"c\nc\";d\ne;f\n", "1:a;1|b\"2 2:c\nc|d 4:e|f")]
    [TestCase("a\rb", "1:a 2:b")]
    [TestCase(";\n\n", "1:| 2:")]
    [TestCase("", "")]
    public void Fields_are_those_of_RFC_4180_and_know_their_line(string text, string expected)
    {
        var (reader, fields, seen) = (new CsvReader(text, ';'), new List<string>(), new List<string>());
        while (reader.Read(fields)) seen.Add($"{reader.Line}:{string.Join('|', fields)}");
        Assert.That(string.Join(' ', seen), Is.EqualTo(expected));
    }

    [Test]
    public void Text_behind_a_quote_is_told_and_a_quote_left_open_is_refused_with_its_line()
    {
        var (reader, fields) = (new CsvReader("\"a\"b;c\n\"d\n", ';'), new List<string>());
        Assert.That((reader.Read(fields), reader.HasStrayText), Is.EqualTo((true, true)));
        var thrown = Assert.Throws<InvalidRequestException>(() => reader.Read(fields))!;
        Assert.That(thrown.Errors["file"][0], Does.StartWith("Ligne 2 :"));
    }

    [Test]
    public void Every_letter_of_Windows_1252_is_read_as_what_it_is()
    {
        Assert.That(FileText.Read([0x80, 0x8C, 0x92, 0x9F, 0xE9, 0xFF]), Is.EqualTo("€Œ’Ÿéÿ"));
        Assert.That(FileText.Read(Encoding.UTF8.GetBytes("€Œ’éÿŸ")), Is.EqualTo("€Œ’éÿŸ"));
        Assert.That(FileText.Read([0xEF, 0xBB, 0xBF, (byte)'a']), Is.EqualTo("a"));
    }

    [TestCase(new byte[] { (byte)'a', 0xE9, (byte)'\n', 0xC3, 0xA9 }, "Ligne 2 : cette ligne est en UTF-8, les précédentes en Windows-1252")]
    [TestCase(new byte[] { 0xC3, 0xA9, (byte)'\n', (byte)'b', (byte)'\n', 0xE9 }, "Ligne 3 : cette ligne est en Windows-1252, les précédentes en UTF-8")]
    [TestCase(new byte[] { 0xC3, 0xA9, 0xE9 }, "Ligne 1 : elle ne se lit sans ambiguïté")]
    [TestCase(new byte[] { (byte)'a', (byte)'\n', 0x81 }, "Ligne 2 : elle ne se lit sans ambiguïté")]
    [TestCase(new byte[] { 0xEF, 0xBB, 0xBF, (byte)'a', 0xE9 }, "Ligne 1 : cette ligne est en Windows-1252, les précédentes en UTF-8")]
    [TestCase(new byte[] { (byte)'a', 0 }, "CSV en UTF-8")]
    public void What_is_of_two_encodings_or_none_is_refused_with_the_line(byte[] bytes, string said)
    {
        var thrown = Assert.Throws<InvalidRequestException>(() => FileText.Read(bytes))!;
        Assert.That(thrown.Errors["file"][0], Does.Contain(said));
    }
}

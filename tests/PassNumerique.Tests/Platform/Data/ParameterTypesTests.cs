using System.Data;
using Dapper;
using Microsoft.Data.SqlClient;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// On SQL Server a parameter of a wider type than its column turns a seek into a scan, and a narrower one loses
/// letters. So each parameter of each statement is held against each column it meets.
/// </summary>
internal sealed class ParameterTypesTests
{
    private static IEnumerable<TestCaseData> Statements =>
        SqlStatements.All.Select(s => new TestCaseData(s).SetArgDisplayNames(s.Name));

    [TestCaseSource(nameof(Statements))]
    public void A_parameter_has_the_type_of_the_column_it_meets(SqlStatement statement) =>
        Assert.That(Mismatches(SqlSchema.Service.Value, statement), Is.Empty);

    [Test]
    public void Parameters_do_meet_columns()
    {
        var meetings = SqlStatements.All.SelectMany(s => PortableSql.Meetings(SqlSchema.Service.Value, s)).ToList();
        Assert.That(meetings.Count(m => m.IsCompared && m.Column.Type is "char" or "varchar"), Is.GreaterThan(100));
        Assert.That(meetings.Count(m => !m.IsCompared && m.Column.Type == "nvarchar"), Is.GreaterThan(10));
    }

    [TestCase("SELECT id FROM orders WHERE id = @Whatever", "@Whatever goes out as nvarchar, and meets char(36) id")]
    [TestCase("SELECT next_value FROM counters WHERE name = @Name", "@Name goes out as nvarchar, and meets varchar(80) name")]
    [TestCase("UPDATE sites SET name = @Id WHERE id = @SiteId", "@Id goes out as varchar(36), and meets nvarchar(200) name")]
    [TestCase("SELECT id FROM orders WHERE id IN (@OrderId, @Other)", "@Other goes out as nvarchar, and meets char(36) id")]
    [TestCase("SELECT id FROM conventions WHERE reference BETWEEN @Id AND @Id", "@Id goes out as varchar(36), and meets varchar(80) reference")]
    public void A_parameter_of_another_type_is_found(string text, string found) =>
        Assert.That(Mismatches(SqlSchema.Service.Value, new("Planted.Text", text)), Has.Member(found));

    [Test]
    public void Codes_and_ids_go_out_without_Unicode_and_free_text_with_it()
    {
        var args = new { OperationId = "6f9619ff-8b86-4011-b42d-00cf4fc964ff", Name = "Élan", Serial = 7L, Salt = new byte[16] };
        var sent = Sent("SELECT @OperationId, @Name, @Serial, @Salt", args);
        Assert.That(sent.Select(p => (p.ParameterName, p.SqlDbType, p.Size)), Is.EqualTo(new[]
        {
            ("@OperationId", SqlDbType.VarChar, 36), ("@Name", SqlDbType.NVarChar, 4_000), ("@Serial", SqlDbType.BigInt, 0),
            ("@Salt", SqlDbType.VarBinary, 16),
        }));
    }

    [Test]
    public void A_text_too_long_for_its_column_is_not_cut_and_no_letter_is_exchanged_for_a_similar_one()
    {
        var sent = Sent("SELECT @Login, @Reference", new { Login = new string('a', 300), Reference = "ｃonv" });
        Assert.That(sent.Select(p => (p.SqlDbType, p.Size)), Is.EqualTo(new[]
        {
            (SqlDbType.VarChar, 300), (SqlDbType.NVarChar, 4_000),
        }));
    }

    [Test]
    public void What_the_statement_does_not_name_is_not_sent_and_nothing_is_NULL()
    {
        var sent = Sent("SELECT @SiteId", new { SiteId = (string?)null, Minutes = 60L });
        Assert.That(sent.Select(p => (p.ParameterName, p.SqlDbType, p.Value)), Is.EqualTo(new[]
        {
            ("@SiteId", SqlDbType.VarChar, (object)DBNull.Value),
        }));
    }

    private static List<SqlParameter> Sent(string text, object args)
    {
        using var command = new SqlCommand(text);
        ((SqlMapper.IDynamicParameters)new SqlServerArguments(args, text)).AddParameters(command, null!);
        return [.. command.Parameters.Cast<SqlParameter>()];
    }

    private static IEnumerable<string> Mismatches(SqlSchema schema, SqlStatement statement) =>
        from meeting in PortableSql.Meetings(schema, statement)
        where meeting.Column.Type is "char" or "varchar" or "nvarchar"
        let sent = SqlServerTypes.Of(meeting.Parameter)
        where !Fits(sent, meeting.Column)
        select $"@{meeting.Parameter} goes out as {(sent is { } length ? $"varchar({length})" : "nvarchar")}, "
            + $"and meets {meeting.Column.Type}({meeting.Column.Length}) {meeting.Column.Name}";

    private static bool Fits(int? sent, SqlColumn column) => column.Type == "nvarchar"
        ? sent is null
        : sent >= column.Length;
}

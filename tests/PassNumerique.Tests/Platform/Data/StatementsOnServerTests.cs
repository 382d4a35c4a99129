using Microsoft.Data.SqlClient;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// Each statement is run once on the server, with parameters of the types it gets in service, and undone: what a
/// tree can't tell, a server says.
/// </summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class StatementsOnServerTests(string engine)
{
    /// <summary>Rows that break a constraint were understood all the same.</summary>
    private static readonly int[] Constraints = [515, 547, 2601, 2627];

    private readonly TestFolder _folder = new();
    private SqlConnection _connection = null!;

    private static IEnumerable<TestCaseData> Statements =>
        SqlStatements.All.Select(s => new TestCaseData(s).SetArgDisplayNames(s.Name));

    [OneTimeSetUp]
    public async Task Start()
    {
        await (await TestService.StartAsync(engine, folder: _folder.Data, bootstrap: false)).DisposeAsync();
        _connection = new SqlConnection(TestServer.For(_folder.Data));
        await _connection.OpenAsync();
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        await _connection.DisposeAsync();
        await TestServer.DropAsync(_folder.Data);
        _folder.Dispose();
    }

    [TestCaseSource(nameof(Statements))]
    public async Task Is_understood_by_the_server(SqlStatement statement)
    {
        await using var transaction = (SqlTransaction)await _connection.BeginTransactionAsync();
        await using var command = new SqlCommand(statement.OnSqlServer, _connection, transaction);
        var meetings = PortableSql.Meetings(SqlSchema.Service.Value, statement);
        foreach (var name in statement.Parameters.Select(p => p[1..]))
            command.Parameters.Add(SqlServerTypes.Make(name, Value(name, meetings)));
        try
        {
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                var row = new object[reader.FieldCount];
                Assert.That(reader.GetValues(row), Is.EqualTo(row.Length));
                Assert.That(row.Select(v => v.GetType()), Is.All.AnyOf(typeof(long), typeof(string), typeof(byte[]), typeof(DBNull)));
            }
        }
        catch (SqlException exception) when (Constraints.Contains(exception.Number))
        {
            // The texts of one length and the numbers of one value that are given here are no real row.
        }

        await transaction.RollbackAsync();
    }

    /// <summary>A cursor may be a number; what meets a number is one.</summary>
    private static object Value(string name, IReadOnlyList<ParameterMeeting> meetings) =>
        meetings.Where(m => m.Parameter == name).Select(m => m.Column.Type)
            .Concat(name == "After" ? ["bigint"] : []).FirstOrDefault() switch
        {
            "bigint" => 1L,
            "binary" => new byte[16],
            "char" or "varchar" or "nvarchar" => "x",
            _ => SqlServerTypes.Of(name) is null ? 1L : "x",
        };
}

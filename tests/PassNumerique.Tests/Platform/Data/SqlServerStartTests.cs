using Microsoft.Data.SqlClient;
using NUnit.Framework;
using PassNumerique.Audit;
using PassNumerique.Platform;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>Without a server: whatever is wrong with the settings stops the start with one line, exit code 2.</summary>
internal sealed class SqlServerSettingsTests
{
    [TestCase("Serveur=localhost;Database=p", "n'est pas une chaîne de connexion SQL Server")]
    [TestCase("Server=127.0.0.1,1;Database=p;Encrypt=peut-être", "n'est pas une chaîne de connexion SQL Server")]
    [TestCase("Server=127.0.0.1,1;Database=p;User ID=u;Password=motdepasse;Connect Timeout=2", "ne répond pas")]
    [TestCase(" ", "demande ConnectionStrings__PassNumerique")]
    public async Task A_wrong_connection_string_is_told_in_one_line(string connectionString, string told)
    {
        using var folder = new TestFolder();
        KeyRing.Create(folder.Keys);
        var (code, output) = await ServiceProcess.RunOnAsync(folder.Data, connectionString);
        Assert.That(code, Is.EqualTo(2), output);
        Assert.That(output.Trim(), Does.Contain(told).And.Not.Contain("\n").And.Not.Contain("motdepasse"));
    }

    [Test]
    public async Task A_missing_key_file_is_made_by_hand_and_never_twice()
    {
        using var folder = new TestFolder();
        const string server = "Server=127.0.0.1,1;Database=p;Connect Timeout=2";
        var without = await ServiceProcess.RunOnAsync(folder.Data, server);
        Assert.That((without.Code, File.Exists(folder.Keys)), Is.EqualTo((2, false)), without.Output);
        Assert.That(without.Output, Does.Contain("keys create"));

        var made = await ServiceProcess.RunOnAsync(folder.Data, server, "keys", "create");
        Assert.That(made.Code, Is.Zero, made.Output);
        var text = await File.ReadAllTextAsync(folder.Keys);
        var again = await ServiceProcess.RunOnAsync(folder.Data, server, "keys", "create");
        Assert.That((again.Code, await File.ReadAllTextAsync(folder.Keys)), Is.EqualTo((2, text)), again.Output);
        Assert.That(KeyRing.Load(folder.Keys).Versions, Is.EqualTo(new[] { 1 }));
    }

    /// <summary>A connection that breaks under a command is told by SqlClient in more than one way.</summary>
    [Test]
    public void What_the_client_says_of_a_connection_that_is_gone_passes_and_our_own_mistakes_do_not()
    {
        using var connection = new SqlConnection("Server=127.0.0.1,1;Database=p;User ID=u;Password=motdepasse");
        var gone = Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction())!;
        var mistake = Assert.Throws<InvalidOperationException>(() => throw new InvalidOperationException("Wrote twice."))!;
        Assert.That((SqlServerErrors.IsBroken(gone), SqlServerErrors.IsBroken(mistake)), Is.EqualTo((true, false)));
    }

    [TestCase(2627, false, false)]
    [TestCase(1205, true, false)]
    [TestCase(1222, true, false)]
    [TestCase(-2, true, true)]
    [TestCase(40613, true, false)]
    [TestCase(40197, true, false)]
    [TestCase(49918, true, false)]
    [TestCase(547, false, false)]
    public void An_error_number_says_whether_to_try_again(int number, bool transient, bool lost)
    {
        var error = Error(number, severity: 14);
        Assert.That((SqlServerErrors.IsTransient(error), SqlServerErrors.IsLost(error)), Is.EqualTo((transient, lost)));
        Assert.That(SqlServerErrors.IsDuplicateKey(error), Is.EqualTo(number == 2627));
    }

    [Test]
    public void A_connection_that_ended_is_a_lost_answer() =>
        Assert.That(SqlServerErrors.IsLost(Error(10054, severity: 20)), Is.True);

    [TestCase(18456, "refuse le compte « u »")]
    [TestCase(4060, "n'existe pas")]
    [TestCase(262, "n'a pas les droits")]
    [TestCase(229, "n'a pas les droits")]
    [TestCase(53, "ne répond pas", 20)]
    public void Each_start_that_can_not_go_on_says_what_to_do(int number, string told, int severity = 14) =>
        Assert.That(SqlServerErrors.Explain(Error(number, severity), "s", "b", "u"), Does.Contain(told).And.Not.Contain("\n"));

    /// <summary>SqlClient makes its errors itself; nobody else can.</summary>
    private static SqlException Error(int number, int severity)
    {
        const System.Reflection.BindingFlags hidden =
            System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Static;
        var constructor = typeof(SqlError).GetConstructors(hidden)
            .First(c => c.GetParameters() is { Length: 8 } p && p[^1].ParameterType == typeof(Exception));
        var error = constructor.Invoke([number, (byte)0, (byte)severity, "s", "message\nautre ligne", "", 0, null]);
        var errors = (SqlErrorCollection)Activator.CreateInstance(typeof(SqlErrorCollection), nonPublic: true)!;
        typeof(SqlErrorCollection).GetMethod("Add", hidden)!.Invoke(errors, [error]);
        return (SqlException)typeof(SqlException).GetMethods(hidden)
            .First(m => m.Name == "CreateException" && m.GetParameters().Length == 2).Invoke(null, [errors, "16.0"])!;
    }
}

/// <summary>With a server: what a database must be, and copies that start at the same moment.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Server))]
internal sealed class SqlServerStartTests(string engine)
{
    private TestFolder _folder = null!;

    [SetUp]
    public async Task Make()
    {
        _folder = new TestFolder();
        KeyRing.Create(_folder.Keys);
        await TestServer.CreateAsync(_folder.Data);
    }

    [TearDown]
    public async Task Drop()
    {
        await TestServer.DropAsync(_folder.Data);
        _folder.Dispose();
    }

    private string Connection => TestServer.For(_folder.Data);

    [Test]
    public async Task Several_copies_that_start_at_once_migrate_once()
    {
        var starts = Enumerable.Range(0, 4).Select(_ => Task.Run(
            () => TestService.StartAsync(engine, folder: _folder.Data, bootstrap: false))).ToList();
        var services = await Task.WhenAll(starts);
        var names = await services[0].QueryAsync<string>("SELECT name FROM migrations");
        foreach (var service in services) await service.DisposeAsync();
        Assert.That(names, Is.EquivalentTo(Migrations.Names(engine).Select(n => n[(engine.Length + 1)..])));
    }

    [Test]
    public async Task A_wrong_password_and_a_missing_database_are_told_in_one_line()
    {
        var wrong = new SqlConnectionStringBuilder(Connection) { Password = "mauvais" };
        Assert.That(await StartAsync(wrong.ConnectionString), Does.Contain("refuse le compte").And.Not.Contain("mauvais"));
        var missing = new SqlConnectionStringBuilder(Connection) { InitialCatalog = "pn_nulle_part" };
        Assert.That(await StartAsync(missing.ConnectionString), Does.Contain("n'existe pas"));
        var none = new SqlConnectionStringBuilder(Connection) { InitialCatalog = "" };
        Assert.That(await StartAsync(none.ConnectionString), Does.Contain("ne nomme pas de base"));
    }

    [Test]
    public async Task A_login_without_rights_is_told_in_one_line()
    {
        var login = "pn_sans_droits_" + Guid.NewGuid().ToString("N")[..8];
        const string password = "Sans-Droits-2026";
        await ExecuteAsync($"CREATE LOGIN {login} WITH PASSWORD = '{password}'");
        try
        {
            await ExecuteAsync($"CREATE USER {login} FOR LOGIN {login}");
            var weak = new SqlConnectionStringBuilder(Connection) { UserID = login, Password = password };
            Assert.That(await StartAsync(weak.ConnectionString), Does.Contain($"« {login} »").And.Contain("droits"));
            await ExecuteAsync($"DROP USER {login}");
        }
        finally
        {
            await ExecuteAsync($"DROP LOGIN {login}");
        }
    }

    [Test]
    public async Task A_database_of_a_newer_version_is_refused()
    {
        await (await TestService.StartAsync(engine, folder: _folder.Data, bootstrap: false)).DisposeAsync();
        await ExecuteAsync("INSERT INTO migrations (name) VALUES ('9999_demain.sql')");
        Assert.That(await StartAsync(Connection), Does.Contain("version plus récente").And.Contain("9999_demain.sql"));
    }

    [Test]
    public async Task Another_key_file_is_refused()
    {
        await (await TestService.StartAsync(engine, folder: _folder.Data, bootstrap: false)).DisposeAsync();
        File.Delete(_folder.Keys);
        KeyRing.Create(_folder.Keys);
        Assert.That(await StartAsync(Connection), Does.Contain("n'est pas celle de ce magasin"));
    }

    [Test]
    public async Task A_collation_that_ignores_case_is_refused()
    {
        using var other = new TestFolder();
        KeyRing.Create(other.Keys);
        var name = new SqlConnectionStringBuilder(TestServer.For(other.Data)).InitialCatalog;
        await ExecuteAsync($"CREATE DATABASE [{name}] COLLATE Latin1_General_CI_AS");
        try
        {
            var told = await StartAsync(TestServer.For(other.Data));
            Assert.That(told, Does.Contain("ne distingue pas les majuscules").And.Contain("Latin1_General_100_BIN2"));
        }
        finally
        {
            await TestServer.DropAsync(other.Data);
        }
    }

    [Test]
    public async Task Delayed_durability_is_refused_and_reads_that_wait_are_warned_of()
    {
        var name = new SqlConnectionStringBuilder(Connection).InitialCatalog;
        try
        {
            await ExecuteAsync($"ALTER DATABASE [{name}] SET READ_COMMITTED_SNAPSHOT OFF WITH ROLLBACK IMMEDIATE");
            await ExecuteAsync($"ALTER DATABASE [{name}] SET DELAYED_DURABILITY = FORCED");
        }
        catch (SqlException exception)
        {
            Assert.Ignore($"this server knows no such option: {exception.Message}");
        }

        Assert.That(await StartAsync(Connection), Does.Contain("DELAYED_DURABILITY = DISABLED"));
        await ExecuteAsync($"ALTER DATABASE [{name}] SET DELAYED_DURABILITY = DISABLED");
        await using var database = new SqlServerDatabase(
            Connection, null, Journal.Tables, TimeProvider.System, KeyRing.Load(_folder.Keys));
        await database.MigrateAsync();
        Assert.That(database.Warnings, Has.One.Contains("READ_COMMITTED_SNAPSHOT ON"));
    }

    /// <summary>The one line of a start that fails.</summary>
    private async Task<string> StartAsync(string connectionString)
    {
        var (code, output) = await ServiceProcess.RunOnAsync(_folder.Data, connectionString);
        Assert.That(code, Is.EqualTo(2), output);
        Assert.That(output.Trim(), Does.Not.Contain("\n"));
        return output;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqlConnection(Connection);
        await connection.OpenAsync();
        await using var command = new SqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

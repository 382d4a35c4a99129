using System.Data;
using System.Data.SqlTypes;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Microsoft.Data.SqlClient;
using NUnit.Framework;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>
/// SqlClient names four types of the assembly Microsoft.SqlServer.Server wherever it looks at a parameter.
/// Without that assembly the service compiles, starts, and breaks at its first parameterised command; so
/// those paths are compiled here, without a server.
/// </summary>
internal sealed class SqlClientShimTests
{
    private const string Server = "Microsoft.SqlServer.Server";

    private const BindingFlags Everything = BindingFlags.Instance | BindingFlags.Static
        | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly string[] Four =
        ["Format", "IBinarySerialize", "InvalidUdtException", "SqlUserDefinedTypeAttribute"];

    private static readonly string[] Paths =
    [
        "SqlParameter", "SqlParameterCollection", "SqlCommand", "SqlBulkCopy", "SqlBulkCopyColumnMapping",
        "SqlConnection", "SqlDataReader", "SqlTransaction", "TdsParser", "MetaType",
    ];

    [TestCaseSource(nameof(Paths))]
    public void Every_method_that_meets_a_parameter_compiles(string type)
    {
        var (prepared, failures) = Prepare(typeof(SqlParameter).Assembly, type);

        Assert.That(prepared, Is.Positive);
        Assert.That(failures, Is.Empty);
    }

    [Test]
    public void SqlClient_asks_for_the_assembly_and_breaks_without_it()
    {
        var with = new Watched(present: true);
        var without = new Watched(present: false);

        Assert.That(Paths.SelectMany(p => Prepare(with.SqlClient, p).Failures), Is.Empty);
        Assert.That(with.Asked, Is.EqualTo(new Version(1, 0, 0, 0)));
        Assert.That(Paths.SelectMany(p => Prepare(without.SqlClient, p).Failures), Has.Some.Contains(Server));
        with.Unload();
        without.Unload();
    }

    [Test]
    public void The_assembly_that_is_named_is_the_one_that_is_loaded()
    {
        var named = typeof(SqlParameter).Assembly.GetReferencedAssemblies().Single(a => a.Name == Server);
        var types = AssemblyLoadContext.Default.LoadFromAssemblyName(named).GetExportedTypes();

        Assert.That(named.Version, Is.EqualTo(new Version(1, 0, 0, 0)));
        Assert.That(types[0].Assembly.GetName().Version, Is.EqualTo(named.Version));
        Assert.That(types.Select(t => t.FullName), Is.EquivalentTo(Four.Select(t => $"{Server}.{t}")));
    }

    [Test]
    public void Parameters_of_every_type_in_use_are_inferred_and_validated()
    {
        using var command = new SqlCommand("SELECT @Id");
        command.Parameters.AddRange(
        [
            new("@Number", 42L),
            new("@Text", "été"),
            new("@Bytes", new byte[] { 1, 2, 3 }),
            new("@Code", SqlDbType.VarChar, 24) { Value = "A-1" },
            new("@Id", SqlDbType.Char, 36) { Value = Guid.Empty.ToString() },
            new("@Hash", SqlDbType.Binary, 32) { Value = new byte[32] },
            new("@Missing", SqlDbType.BigInt) { Value = DBNull.Value },
            new("@Absent", SqlDbType.NVarChar, 200) { Value = null },
        ]);

        Assert.That(command.Parameters.Cast<SqlParameter>().Select(p => p.SqlDbType), Is.EqualTo(new[]
        {
            SqlDbType.BigInt, SqlDbType.NVarChar, SqlDbType.VarBinary, SqlDbType.VarChar,
            SqlDbType.Char, SqlDbType.Binary, SqlDbType.BigInt, SqlDbType.NVarChar,
        }));
        Assert.That(command.Parameters["@Number"].SqlValue, Is.EqualTo(new SqlInt64(42)));
        Assert.That(command.Parameters["@Missing"].SqlValue, Is.EqualTo(SqlInt64.Null));
        foreach (SqlParameter parameter in command.Parameters)
            Assert.That(() => Validate(parameter), Throws.Nothing);
    }

    [Test]
    public void A_bulk_copy_maps_its_columns_and_goes_as_far_as_the_connection()
    {
        using var connection = new SqlConnection("Server=localhost;Encrypt=false");
        using var copy = new SqlBulkCopy(connection) { DestinationTableName = "voucher_entries" };
        using var rows = new DataTable();
        rows.Columns.Add("serial", typeof(long));
        rows.Columns.Add("operation_id", typeof(string));
        rows.Columns.Add("body_hash", typeof(byte[]));
        rows.Rows.Add(1L, Guid.Empty.ToString(), new byte[32]);
        foreach (DataColumn column in rows.Columns)
            copy.ColumnMappings.Add(column.ColumnName, column.ColumnName);

        Assert.That(copy.ColumnMappings, Has.Count.EqualTo(3));
        Assert.That(() => copy.WriteToServer(rows),
            Throws.InvalidOperationException.With.Message.Contains("open"));
    }

    private static (long Prepared, List<string> Failures) Prepare(Assembly client, string name)
    {
        var prepared = 0L;
        var failures = new List<string>();
        foreach (var method in client.GetType($"Microsoft.Data.SqlClient.{name}", throwOnError: true)!
            .GetMethods(Everything).Where(m => m is { IsAbstract: false, ContainsGenericParameters: false }))
        {
            try
            {
                RuntimeHelpers.PrepareMethod(method.MethodHandle);
                prepared++;
            }
            catch (Exception e) when (e is IOException or TypeLoadException or MissingMemberException)
            {
                failures.Add($"{name}.{method.Name}: {e.Message}");
            }
        }

        return (prepared, failures);
    }

    /// <summary>What SqlClient does with a parameter before it sends it.</summary>
    private static void Validate(SqlParameter parameter) => typeof(SqlParameter)
        .GetMethod("Validate", Everything, [typeof(int), typeof(bool)])!
        .Invoke(parameter, [0, false]);

    /// <summary>A second copy of SqlClient, which may find the assembly it asks for, or not.</summary>
    private sealed class Watched(bool present) : AssemblyLoadContext(isCollectible: true)
    {
        public Version? Asked { get; private set; }

        public Assembly SqlClient => LoadFromAssemblyPath(typeof(SqlParameter).Assembly.Location);

        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (assemblyName.Name != Server) return null;
            Asked = assemblyName.Version;
            return present ? null : throw new FileNotFoundException($"{Server} is kept away.");
        }
    }
}

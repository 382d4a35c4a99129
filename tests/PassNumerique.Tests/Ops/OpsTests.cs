using System.Text.RegularExpressions;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using NUnit.Framework;
using PassNumerique.Platform;
using PassNumerique.Tests.Platform.Data;

namespace PassNumerique.Tests.Ops;

/// <summary>What operations rely on, as far as files can tell: no engine, cluster or server is asked.</summary>
internal sealed partial class OpsTests
{
    private const string Port = "8080";
    private static readonly string Root = FindRoot();
    private static readonly string Folder = Path.Combine(Root, "ops");
    private static readonly string Kubernetes = Path.Combine(Folder, "kubernetes");

    private static IEnumerable<string> Files(string pattern) => Directory
        .EnumerateFiles(Folder, pattern, SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Scripts => Files("*.sql");

    private static IEnumerable<string> Documents => Files("*.md");

    [TestCaseSource(nameof(Scripts))]
    public void A_script_is_TSQL(string file) => AssertParses(file, Read(file));

    /// <summary>Blocks marked <c>tsql</c> hold options of availability groups that this parser doesn't know.</summary>
    [TestCaseSource(nameof(Documents))]
    public void Every_TSQL_block_of_a_runbook_is_TSQL(string file)
    {
        var text = Read(file);
        var blocks = SqlBlock().Matches(text);
        Assert.That(blocks, Has.Count.EqualTo(text.Split("```sql").Length - 1), $"{file}: a block is not closed");
        Assert.Multiple(() =>
        {
            foreach (Match block in blocks) AssertParses($"{file}, at {block.Index}", block.Groups[1].Value);
        });
    }

    [Test]
    public void The_views_name_tables_and_columns_that_the_migrations_make()
    {
        var walk = new ViewWalk();
        SqlTokens.Parse(Read("sql/views.sql"), out _).Accept(walk);
        Assert.That(walk.Views, Is.GreaterThan(10));
        Assert.That(walk.Unknown, Is.Empty);
    }

    [TestCase("password_hash"), TestCase("secret_hash"), TestCase("salt"), TestCase("person_links"), TestCase("answer")]
    public void The_views_show_no_secret_and_nobody(string word) =>
        Assert.That(SqlTokens.Lex(Read("sql/views.sql")).Select(t => t.Text), Does.Not.Contain(word));

    [Test]
    public void The_database_is_made_as_the_start_asks_for_it() => Assert.Multiple(() =>
    {
        var text = Read("sql/create-database.sql");
        foreach (var part in (string[])
            ["COLLATE Latin1_General_100_BIN2", "SET READ_COMMITTED_SNAPSHOT ON", "SET ALLOW_SNAPSHOT_ISOLATION ON",
             "SET DELAYED_DURABILITY = DISABLED", "SET RECOVERY FULL"])
            Assert.That(text, Does.Contain(part));
        Assert.That(text, Does.Not.Contain("db_owner").And.Not.Contain("sysadmin"));
    });

    [Test]
    public void Every_setting_is_one_that_the_service_knows()
    {
        var known = Settings.Names.Select(n => "PassNumerique__" + n).ToHashSet();
        var files = Files("*.yaml").Concat(Documents).Append("Dockerfile").ToList();
        Assert.That(files, Has.Count.GreaterThan(10));
        var unknown = from file in files
                      from Match setting in Setting().Matches(Read(file))
                      where !known.Contains(setting.Value)
                      select $"{file}: {setting.Value}";
        Assert.That(unknown, Is.Empty);
    }

    [Test]
    public void The_image_is_built_in_stages_and_runs_without_root()
    {
        var lines = Read("Dockerfile").Split('\n').Where(l => l.Length > 0 && l[0] is not ('#' or ' ')).ToList();
        var bases = lines.Where(l => l.StartsWith("FROM ", StringComparison.Ordinal)).ToList();
        Assert.That(bases, Has.Count.EqualTo(2));
        foreach (var line in bases) AssertPinned(line.Split(' ')[1]);
        // Time zones, and the language data that SqlClient asks for, are in no smaller one.
        Assert.That(bases[1], Does.Contain("chiseled-extra"));
        Assert.That(lines.Last(l => l.StartsWith("USER ", StringComparison.Ordinal)), Is.EqualTo("USER $APP_UID"));
        Assert.That(lines, Does.Contain($"EXPOSE {Port}"));
        Assert.That(Read("Dockerfile"), Does.Contain("--locked-mode").And.Contain($"ASPNETCORE_URLS=http://+:{Port}"));
        Assert.That(lines.IndexOf(lines.First(l => l.StartsWith("RUN dotnet restore", StringComparison.Ordinal))),
            Is.LessThan(lines.IndexOf("COPY src/ src/")));
    }

    [Test]
    public void What_the_Dockerfile_copies_is_there_and_not_ignored()
    {
        var ignore = Read("Dockerfile.dockerignore").Split('\n');
        foreach (Match copy in Copy().Matches(Read("Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal)))
            foreach (var source in copy.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1])
            {
                Assert.That(Path.Exists(Path.Combine(Root, source)), source);
                Assert.That(ignore, Does.Contain("!" + source.Split('/')[0]));
            }
    }

    [Test]
    public void Compose_runs_the_service_without_rights_and_without_sa()
    {
        var compose = Yaml.Documents(Path.Combine(Folder, "compose.yaml"))[0];
        foreach (var (name, service) in compose["services"].Members)
        {
            AssertPinned(service["image"].Text!);
            foreach (var (setting, value) in service["environment"].Members)
                if (Secret().IsMatch(setting) || setting.StartsWith("ConnectionStrings__", StringComparison.Ordinal))
                    AssertNoPassword($"{name}: {setting}", value.Text!);
            if (service["image"].Text!.Contains("mssql", StringComparison.Ordinal)) continue;
            Assert.That(service["read_only"].Text, Is.EqualTo("true"), name);
            Assert.That(service["cap_drop"].Texts, Is.EqualTo(new[] { "ALL" }), name);
            Assert.That(service["security_opt"].Texts, Does.Contain("no-new-privileges:true"), name);
            Assert.That(service["environment/ConnectionStrings__PassNumerique"].Text, Does.Not.Match("User Id=sa\\b"), name);
            Assert.That(service["environment/PassNumerique__Store"].Text, Is.EqualTo("sqlserver"), name);
        }

        var keys = compose["services/service/volumes"].Texts.Single(v => v.StartsWith("keys:", StringComparison.Ordinal));
        Assert.That(keys, Does.EndWith(":ro"));
        Assert.That(compose["services/service/ports"].Texts, Has.All.StartsWith("127.0.0.1:").And.All.EndsWith(Port));
    }

    [Test]
    public void The_deployment_is_three_replicas_that_a_drain_leaves_two_of()
    {
        var deployment = Manifest("Deployment");
        var labels = deployment["spec/template/metadata/labels"].Members.ToDictionary(m => m.Key, m => m.Value.Text);
        Assert.That(deployment["spec/replicas"].Text, Is.EqualTo("3"));
        Assert.That(deployment["spec/strategy/rollingUpdate/maxUnavailable"].Text, Is.EqualTo("0"));
        Assert.That(deployment["spec/template/spec/topologySpreadConstraints"].Items.Count(), Is.EqualTo(2));
        var budget = Manifest("PodDisruptionBudget");
        Assert.That(budget["spec/minAvailable"].Text, Is.EqualTo("2"));
        foreach (var selector in (Yaml[])
            [deployment["spec/selector/matchLabels"], budget["spec/selector/matchLabels"], Manifest("Service")["spec/selector"]])
            foreach (var (label, value) in selector.Members) Assert.That(labels[label], Is.EqualTo(value.Text));
    }

    [TestCase("startupProbe", "/health/live"), TestCase("livenessProbe", "/health/live"), TestCase("readinessProbe", "/health/ready")]
    public void The_probes_ask_the_health_paths(string probe, string path)
    {
        var container = Manifest("Deployment")["spec/template/spec/containers"].Items.Single();
        Assert.That(container[probe + "/httpGet/path"].Text, Is.EqualTo(path));
        Assert.That(container["ports"].Items.Single()["containerPort"].Text, Is.EqualTo(Port));
        Assert.That(File.ReadAllText(Path.Combine(Root, "src", "PassNumerique", "Platform", "Health.cs")), Does.Contain($"\"{path}\""));
    }

    [Test]
    public void Every_pod_runs_without_rights_on_a_root_that_it_cannot_write()
    {
        var pods = Manifests().SelectMany(m => m.Having("containers")).ToList();
        Assert.That(pods, Has.Count.EqualTo(4));
        foreach (var pod in pods)
        {
            Assert.That(pod["securityContext/runAsNonRoot"].Text, Is.EqualTo("true"));
            Assert.That(pod["securityContext/seccompProfile/type"].Text, Is.EqualTo("RuntimeDefault"));
            Assert.That(pod["automountServiceAccountToken"].Text, Is.EqualTo("false"));
            var container = pod["containers"].Items.Single();
            AssertPinned(container["image"].Text!);
            Assert.That(container["securityContext/readOnlyRootFilesystem"].Text, Is.EqualTo("true"));
            Assert.That(container["securityContext/allowPrivilegeEscalation"].Text, Is.EqualTo("false"));
            Assert.That(container["securityContext/capabilities/drop"].Texts, Is.EqualTo(new[] { "ALL" }));
            Assert.That(container["resources/limits/memory"].Text, Is.Not.Null);
        }
    }

    [Test]
    public void Keys_and_connections_come_from_secrets()
    {
        foreach (var pod in Manifests().SelectMany(m => m.Having("containers")))
        {
            var container = pod["containers"].Items.Single();
            if (container["env"].IsMissing) continue;
            var values = container["env"].Items.ToDictionary(e => e["name"].Text!, e => e);
            Assert.That(values["ConnectionStrings__PassNumerique"]["valueFrom/secretKeyRef/name"].Text, Is.EqualTo("pass-numerique-database"));
            Assert.That(values.Where(v => Secret().IsMatch(v.Key) && !v.Value["value"].IsMissing), Is.Empty);
            var (file, data) = (values["PassNumerique__CodeKeyFile"]["value"].Text!, values["PassNumerique__Data"]["value"].Text!);
            var mount = container["volumeMounts"].Items.Single(m => m["mountPath"].Text == Path.GetDirectoryName(file));
            Assert.That(mount["readOnly"].Text, Is.EqualTo("true"));
            Assert.That(Path.GetRelativePath(data, file), Does.StartWith(".."));
            Assert.That(Path.GetRelativePath(data, values["PassNumerique__HeadFile"]["value"].Text!), Does.StartWith(".."));
            var volume = pod["volumes"].Items.Single(v => v["name"].Text == mount["name"].Text);
            Assert.That(volume["secret/secretName"].Text, Is.EqualTo("pass-numerique-keys"));
        }

        Assert.That(Manifests().Select(m => m["kind"].Text), Has.None.EqualTo("Secret"));
    }

    [Test]
    public void Every_manifest_is_applied_or_says_how()
    {
        var kustomization = Yaml.Documents(Path.Combine(Kubernetes, "kustomization.yaml"))[0];
        var resources = kustomization["resources"].Texts.ToList();
        var tag = kustomization["images"].Items.Single()["newTag"].Text;
        foreach (var file in Directory.EnumerateFiles(Kubernetes, "*.yaml").Select(f => Path.GetFileName(f)!))
        {
            if (file == "kustomization.yaml" || resources.Remove(file)) continue;
            Assert.That(Read($"kubernetes/{file}"), Does.Contain($"kubectl create -f ops/kubernetes/{file}"));
        }

        Assert.That(resources, Is.Empty);
        foreach (var image in Manifests().SelectMany(m => m.Having("image")).Select(c => c["image"].Text!))
            if (image.Contains("pass-numerique", StringComparison.Ordinal)) Assert.That(image, Does.EndWith(":" + tag));
    }

    [TestCaseSource(nameof(Documents))]
    public void Links_lead_somewhere(string file)
    {
        foreach (Match link in Link().Matches(Read(file)))
        {
            var target = Path.Combine(Folder, Path.GetDirectoryName(file)!, link.Groups[1].Value);
            Assert.That(Path.Exists(target), $"{file}: {link.Groups[1].Value}");
        }
    }

    [Test]
    public void The_readme_links_to_every_runbook()
    {
        var text = Read("README.md");
        foreach (var runbook in Documents.Where(d => d != "README.md")) Assert.That(text, Does.Contain($"]({runbook})"));
    }

    [Test]
    public void No_line_is_too_wide()
    {
        var files = Files("*.sql").Concat(Files("*.yaml")).Concat(Documents).Append("Dockerfile");
        Assert.That(files.SelectMany(f => Read(f).Split('\n').Where(l => l.Length > 130).Select(l => $"{f}: {l}")), Is.Empty);
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Folder, file));

    private static IEnumerable<Yaml> Manifests() => Directory.EnumerateFiles(Kubernetes, "*.yaml").SelectMany(Yaml.Documents);

    private static Yaml Manifest(string kind) => Manifests().Single(m => m["kind"].Text == kind);

    private static void AssertParses(string name, string text)
    {
        SqlTokens.Parse(text, out var errors);
        Assert.That(errors.Select(e => $"{name}, line {e.Line}: {e.Message}"), Is.Empty);
    }

    private static void AssertPinned(string image) =>
        Assert.That(image, Does.Match(@":[\w.-]*\d[\w.-]*(@sha256:\w+)?$").And.Not.Contain("latest"));

    /// <summary>Whatever stands where a password goes is taken from outside.</summary>
    private static void AssertNoPassword(string where, string value)
    {
        var password = value.Contains('=', StringComparison.Ordinal)
            ? PasswordOf().Match(value) is { Success: true } found ? found.Groups[1].Value : null
            : value;
        if (password is not null) Assert.That(password, Does.StartWith("${").And.Contain(":?"), where);
    }

    private static string FindRoot()
    {
        var folder = TestContext.CurrentContext.TestDirectory;
        while (!File.Exists(Path.Combine(folder, "PassNumerique.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();

    [GeneratedRegex(@"PassNumerique__\w+")]
    private static partial Regex Setting();

    [GeneratedRegex("password|secret|token", RegexOptions.IgnoreCase)]
    private static partial Regex Secret();

    [GeneratedRegex(@"Password=(\$\{[^}]*\}|[^;]*)")]
    private static partial Regex PasswordOf();

    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"\]\((?!https?:|#)([^)#]+)")]
    private static partial Regex Link();

    /// <summary>Every column of a view is written <c>alias.column</c>; the alias is a table of the migrations.</summary>
    private sealed class ViewWalk : TSqlFragmentVisitor
    {
        public int Views { get; private set; }

        public List<string> Unknown { get; } = [];

        public override void Visit(CreateOrAlterViewStatement node)
        {
            Views++;
            var tables = new TableWalk();
            node.Accept(tables);
            var columns = new ColumnWalk();
            node.Accept(columns);
            foreach (var (alias, name) in tables.Names)
                if (SqlSchema.Service.Value.Find(name) is null) Unknown.Add($"{name} {alias}");
            foreach (var column in columns.Names)
            {
                var known = column.Length == 2 && tables.Names.TryGetValue(column[0], out var name)
                    && SqlSchema.Service.Value.Find(name)?.Columns.Exists(c => c.Name == column[1]) == true;
                if (!known) Unknown.Add(string.Join('.', column));
            }
        }
    }

    private sealed class TableWalk : TSqlFragmentVisitor
    {
        public Dictionary<string, string> Names { get; } = new(StringComparer.Ordinal);

        public override void Visit(NamedTableReference node) =>
            Names.Add(node.Alias.Value, node.SchemaObject.BaseIdentifier.Value);
    }

    private sealed class ColumnWalk : TSqlFragmentVisitor
    {
        public List<string[]> Names { get; } = [];

        public override void Visit(ColumnReferenceExpression node)
        {
            // DATEADD's first word is parsed as a column.
            if (node.MultiPartIdentifier is { } name && !(name.Count == 1 && name[0].Value is "day" or "millisecond"))
                Names.Add([.. name.Identifiers.Select(i => i.Value)]);
        }
    }
}

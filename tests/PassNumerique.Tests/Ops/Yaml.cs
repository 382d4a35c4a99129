using YamlDotNet.RepresentationModel;

namespace PassNumerique.Tests.Ops;

/// <summary>A node of a YAML file, walked by a path of keys; anchors and merges are already followed.</summary>
internal sealed class Yaml(YamlNode? node)
{
    public static IReadOnlyList<Yaml> Documents(string path)
    {
        using var reader = File.OpenText(path);
        var stream = new YamlStream();
        stream.Load(reader);
        return [.. stream.Documents.Select(d => new Yaml(d.RootNode))];
    }

    public bool IsMissing => node is null;

    public string? Text => (node as YamlScalarNode)?.Value;

    public IEnumerable<Yaml> Items => node is YamlSequenceNode list ? list.Select(item => new Yaml(item)) : [];

    public IEnumerable<string> Texts => Items.Select(item => item.Text!);

    /// <summary>Keys and values, with those merged in by <c>&lt;&lt;</c> behind the node's own.</summary>
    public IReadOnlyDictionary<string, Yaml> Members
    {
        get
        {
            var members = new Dictionary<string, Yaml>(StringComparer.Ordinal);
            if (node is not YamlMappingNode map) return members;
            foreach (var (key, value) in map)
                if (((YamlScalarNode)key).Value is not "<<") members[((YamlScalarNode)key).Value!] = new(value);
            if (map.Children.TryGetValue(new YamlScalarNode("<<"), out var merged))
                foreach (var (key, value) in new Yaml(merged).Members) members.TryAdd(key, value);
            return members;
        }
    }

    public Yaml this[string path] => path.Split('/').Aggregate(this,
        (at, key) => at.Members.TryGetValue(key, out var found) ? found : new Yaml(null));

    /// <summary>This node and all nodes under it that have a member of this name.</summary>
    public IEnumerable<Yaml> Having(string member)
    {
        if (Members.ContainsKey(member)) yield return this;
        foreach (var inner in Members.Values.Concat(Items).SelectMany(child => child.Having(member))) yield return inner;
    }
}

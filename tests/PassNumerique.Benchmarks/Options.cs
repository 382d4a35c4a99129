using System.Globalization;

namespace PassNumerique.Benchmarks;

/// <summary>The command line cannot be understood.</summary>
internal sealed class OptionException(string message) : Exception(message);

/// <summary>The options of a run, written <c>--name value</c>. A name that the run does not know is refused.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public Options(string[] args, params string[] known)
    {
        for (var i = 0; i < args.Length; i += 2)
        {
            if (!known.Contains(args[i], StringComparer.Ordinal))
                throw new OptionException($"unknown option {args[i]}; known: {string.Join(", ", known)}");
            if (i + 1 == args.Length) throw new OptionException($"{args[i]} has no value");
            _values[args[i]] = args[i + 1];
        }
    }

    public string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);

    public int Number(string name, int otherwise, int max)
    {
        if (!_values.TryGetValue(name, out var text)) return otherwise;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value >= 1 && value <= max
            ? value
            : throw new OptionException($"{name} takes a number from 1 to {max}");
    }
}

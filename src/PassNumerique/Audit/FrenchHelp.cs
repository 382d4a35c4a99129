using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace PassNumerique.Audit;

/// <summary>The help of each verb in French: the library's own is English.</summary>
internal sealed class FrenchHelp : SynchronousCommandLineAction
{
    private const string Program = "PassNumerique";

    public override bool Terminating => true;

    public static void Install(RootCommand root)
    {
        foreach (var option in root.Options)
        {
            if (option is HelpOption help) (help.Action, help.Description) = (new FrenchHelp(), "Montre cette aide.");
            else if (option is VersionOption) option.Description = "Montre la version.";
        }
    }

    public override int Invoke(ParseResult parseResult)
    {
        Write(parseResult.CommandResult.Command, parseResult.InvocationConfiguration.Output);
        return 0;
    }

    public static Task WriteAsync(Command command, TextWriter output)
    {
        Write(command, output);
        return output.FlushAsync();
    }

    /// <summary>What is wrong with a command line, in one sentence.</summary>
    public static string Mistake(ParseResult line)
    {
        if (line.UnmatchedTokens.Count > 0)
        {
            return line.CommandResult.Command is RootCommand
                ? $"Verbe inconnu : « {line.UnmatchedTokens[0]} »."
                : $"« {line.UnmatchedTokens[0]} » n'est pas prévu ici.";
        }

        return line.Errors[0].SymbolResult switch
        {
            ArgumentResult argument => $"« {argument.Argument.Name} » manque ou n'est pas valable.",
            OptionResult option => $"« {option.Option.Name} » manque ou n'est pas valable.",
            CommandResult command when Missing(line) is { } name =>
                $"« {name} » manque pour « {command.Command.Name} ».",
            _ => "Il manque un verbe.",
        };
    }

    private static string? Missing(ParseResult line) => line.CommandResult.Command.Options
        .FirstOrDefault(o => o.Required && line.GetResult(o) is null or { Implicit: true })?.Name;

    private static void Write(Command command, TextWriter output)
    {
        output.WriteLine(command.Description);
        output.WriteLine();
        output.WriteLine($"Usage : {Usage(command)}");
        WriteList(output, "Verbes", command.Subcommands.Select(c => (c.Name, c.Description)));
        WriteList(output, "Arguments", command.Arguments.Select(a => (a.Name, a.Description)));
        WriteList(output, "Options", Options(command).Select(o => (Shown(o), o.Description)));
    }

    private static string Usage(Command command)
    {
        var words = new List<string>();
        for (var at = command; at is not null; at = at.Parents.OfType<Command>().FirstOrDefault())
            words.Insert(0, at is RootCommand ? Program : at.Name);
        if (command.Subcommands.Count > 0) words.Add(command is RootCommand ? "[verbe]" : "verbe");
        words.AddRange(command.Arguments.Select(a => a.Name));
        words.AddRange(command.Options.Where(o => o is not (HelpOption or VersionOption))
            .Select(o => o.Required ? Shown(o) : $"[{Shown(o)}]"));
        return string.Join(' ', words);
    }

    /// <summary>The verb's own options, then <c>--help</c>, which the root has for all.</summary>
    private static IEnumerable<Option> Options(Command command)
    {
        var root = command;
        while (root.Parents.OfType<Command>().FirstOrDefault() is { } parent) root = parent;
        return command.Options.Concat(root.Options.OfType<HelpOption>()).Distinct();
    }

    private static string Shown(Option option) => option is HelpOption or VersionOption || option.HelpName is null
        ? option.Name
        : $"{option.Name} {option.HelpName}";

    private static void WriteList(
        TextWriter output, string title, IEnumerable<(string Name, string? Description)> entries)
    {
        var all = entries.ToList();
        if (all.Count == 0) return;
        var width = all.Max(e => e.Name.Length);
        output.WriteLine();
        output.WriteLine($"{title} :");
        foreach (var (name, description) in all) output.WriteLine($"  {name.PadRight(width)}  {description}");
    }
}

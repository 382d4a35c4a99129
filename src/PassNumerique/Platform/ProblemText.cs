using System.Text;

namespace PassNumerique.Platform;

/// <summary>
/// A problem as it is written but for the reference of its request, for which it has a blank of the same length.
/// </summary>
internal sealed class ProblemText(byte[] json)
{
    /// <summary>The 32 hex digits of a trace.</summary>
    public static readonly string Blank = new('_', 32);

    private readonly int _at = json.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Blank));

    /// <summary>Null where the reference is no trace, and so has another length.</summary>
    public ReadOnlyMemory<byte>? With(string traceId)
    {
        if (traceId.Length != Blank.Length) return null;
        var written = json.ToArray();
        Encoding.ASCII.GetBytes(traceId, written.AsSpan(_at));
        return written;
    }
}

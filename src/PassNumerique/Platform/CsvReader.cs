using System.Text;

namespace PassNumerique.Platform;

/// <summary>
/// Records of a CSV text, as RFC 4180 has them and spreadsheets write them: quotes around a field that holds the
/// separator, a line end or a quote, which is doubled. Lines end in LF or CRLF.
/// </summary>
internal sealed class CsvReader(string text, char separator)
{
    private readonly StringBuilder _quoted = new();
    private int _at;
    private long _next = 1;

    /// <summary>The line on which the last record begins, the first is 1.</summary>
    public long Line { get; private set; }

    /// <summary>Whether something stood behind the closing quote of one of its fields.</summary>
    public bool HasStrayText { get; private set; }

    /// <summary>The next record; false at the end.</summary>
    /// <exception cref="InvalidRequestException">A quote that is opened is never closed.</exception>
    public bool Read(List<string> fields)
    {
        fields.Clear();
        (Line, HasStrayText) = (_next, false);
        if (_at >= text.Length) return false;
        while (true)
        {
            fields.Add(_at < text.Length && text[_at] == '"' ? Quoted() : Plain());
            if (_at >= text.Length) return true;
            var end = text[_at++];
            if (end == separator) continue;
            if (end == '\r' && _at < text.Length && text[_at] == '\n') _at++;
            _next++;
            return true;
        }
    }

    private string Plain()
    {
        var from = _at;
        while (_at < text.Length && !Ends(text[_at])) _at++;
        return text[from.._at];
    }

    private string Quoted()
    {
        _quoted.Clear();
        _at++;
        while (true)
        {
            if (_at >= text.Length)
                throw new InvalidRequestException(
                    FileText.Member, $"Ligne {Line} : un guillemet ouvert n'est jamais fermé.");
            var symbol = text[_at++];
            if (symbol == '"' && (_at >= text.Length || text[_at] != '"')) break;
            if (symbol == '"') _at++;
            if (symbol == '\n') _next++;
            _quoted.Append(symbol);
        }

        HasStrayText |= Plain().Length > 0;
        return _quoted.ToString();
    }

    private bool Ends(char symbol) => symbol == separator || symbol is '\n' or '\r';
}

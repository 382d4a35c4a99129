using System.Text;
using NUnit.Framework;
using PassNumerique.Platform;

namespace PassNumerique.Tests.Platform;

/// <summary>What was written once is said with each request's own reference.</summary>
internal sealed class ProblemTextTests
{
    private static readonly string Trace = new('a', 32);
    private static readonly Refusal Refusal = new("spent", 409, "Déjà utilisé.", "Demandez-en un autre : l'essai est vain.");

    [Test]
    public void A_reference_takes_the_place_of_the_blank_and_nothing_else_changes()
    {
        var text = new ProblemText(Encoding.UTF8.GetBytes($"é{ProblemText.Blank}è"));
        Assert.That(Encoding.UTF8.GetString(text.With(Trace)!.Value.Span), Is.EqualTo($"é{Trace}è"));
        Assert.That(Encoding.UTF8.GetString(text.With(new('b', 32))!.Value.Span), Is.EqualTo($"é{new string('b', 32)}è"));
    }

    [Test]
    public void A_reference_of_another_kind_is_not_put_into_it() =>
        Assert.That(Problems.SaidOften(Refusal).Written!.With("0HNABC:00000001"), Is.Null);

    [Test]
    public void A_refusal_that_is_changed_is_written_anew()
    {
        var often = Problems.SaidOften(Refusal);
        Assert.That(often.Written, Is.Not.Null);
        Assert.That(often.With("serial", 5L).Written, Is.Null);
        Assert.That(often.Because("Autrement.").Written, Is.Null);
    }
}

using System.Buffers;
using System.IO.Pipelines;

namespace PassNumerique.Platform;

/// <summary>
/// Lets through the bytes of a range out of all that is written, and counts them all: what was sent before is made
/// again and dropped, so that no file has to lie on a disk to be gone on with. The very last byte of the file is
/// kept back until <see cref="ReleaseAsync"/>: nobody has all of it before that is on record.
/// </summary>
/// <param name="inner">Where the range goes.</param>
/// <param name="from">Its first byte.</param>
/// <param name="end">The byte after its last.</param>
/// <param name="total">How long the file is; null where nobody knows before it is written.</param>
internal sealed class RangeWriter(PipeWriter inner, long from, long end, long? total) : PipeWriter
{
    private byte[] _scrap = [];
    private Memory<byte> _given;
    private bool _isInner;
    private byte? _kept;

    /// <summary>How many bytes of the file were written so far, whether they went on or not.</summary>
    public long Written { get; private set; }

    /// <summary>Whether whoever reads went away before the end.</summary>
    public bool IsCut { get; private set; }

    private bool IsAtEnd => Written >= end;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        _isInner = Written >= from && end == (total ?? long.MaxValue);
        if (_isInner) return _given = inner.GetMemory(sizeHint);
        if (_scrap.Length < Math.Max(sizeHint, 4_096)) _scrap = new byte[Math.Max(sizeHint, 4_096)];
        return _given = _scrap;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (bytes == 0) return;
        var isLast = total is { } length && Written + bytes == length && end == length;
        if (isLast) _kept = _given.Span[bytes - 1];
        var passing = isLast ? bytes - 1 : bytes;
        if (_isInner) inner.Advance(passing);
        else Copy(passing);
        Written += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (IsAtEnd && end != total) return EndAsync(cancellationToken);
        return Written <= from ? default : PassAsync(cancellationToken);
    }

    /// <summary>Sends the byte that was kept back.</summary>
    public async Task ReleaseAsync(CancellationToken ct)
    {
        if (_kept is { } last) inner.Write([last]);
        _kept = null;
        await inner.FlushAsync(ct);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        // The answer is completed by the server, once it is over.
    }

    private async ValueTask<FlushResult> PassAsync(CancellationToken ct)
    {
        var flushed = await inner.FlushAsync(ct);
        IsCut |= flushed.IsCompleted;
        return flushed;
    }

    /// <summary>Whoever writes need not go on: nothing more is wanted.</summary>
    private async ValueTask<FlushResult> EndAsync(CancellationToken ct)
    {
        await inner.FlushAsync(ct);
        return new FlushResult(isCanceled: false, isCompleted: true);
    }

    private void Copy(int bytes)
    {
        var (first, last) = (Math.Max(from, Written), Math.Min(end, Written + bytes));
        if (last > first) inner.Write(_given.Span[(int)(first - Written)..(int)(last - Written)]);
    }
}

using System.Security.Cryptography;
using System.Text;
using NUnit.Framework;
using PassNumerique.Vouchers;

namespace PassNumerique.Tests.Vouchers;

/// <summary>The code on the paper: made, read back, and refused at the slightest slip.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class VoucherCodeTests
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    // Computed apart, from the sum of weights times symbols with Python's hmac and hashlib.
    private const string Known = "43NQK8N4WZ6TQKA1R9CJ";
    private const string KnownLast = "ZZZZZZZ8QDXRF8F6020B";

    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private static readonly byte[] Salt = [.. Enumerable.Range(0x10, 16).Select(i => (byte)i)];

    private static readonly int[] AllValues = [.. Enumerable.Range(0, 32)];
    private static readonly int[] AllPositions = [.. Enumerable.Range(0, VoucherCode.Length)];

    [Test]
    public void A_known_key_salt_and_serial_give_the_known_code()
    {
        Assert.That(VoucherCode.Compose(Key, 1, 123_456_789, Salt), Is.EqualTo(Known));
        Assert.That(VoucherCode.Compose(Key, 7, uint.MaxValue, Salt), Is.EqualTo(KnownLast));
        Assert.That(Read(Known).Tag, Is.EqualTo(176_738_616_769_306_924));
    }

    [Test]
    public void A_code_is_read_back_as_it_was_made()
    {
        foreach (var (version, serial, key, salt) in RandomVouchers(2_000))
        {
            var text = VoucherCode.Compose(key, version, serial, salt);
            var code = Read(text);

            Assert.That(text, Has.Length.EqualTo(20).And.All.Matches<char>(c => Alphabet.Contains(c)));
            Assert.That((code.Version, code.Serial, code.Text), Is.EqualTo((version, serial, text)));
            Assert.That(code.Matches(key, salt), Is.True);
            Assert.That(code.ReadByKeyboard, Is.EqualTo(Keyboard.Plain));
            Assert.That(code, Is.EqualTo(VoucherCode.Sign(key, version, serial, salt)));
        }
    }

    [TestCase(0, 0L)]
    [TestCase(0, (long)uint.MaxValue)]
    [TestCase(7, 0L)]
    [TestCase(7, (long)uint.MaxValue)]
    public void The_first_and_last_version_and_serial_fit(int version, long serial)
    {
        var code = Read(VoucherCode.Compose(Key, version, serial, Salt));

        Assert.That((code.Version, code.Serial), Is.EqualTo((version, serial)));
        Assert.That(code.Matches(Key, Salt), Is.True);
    }

    [Test]
    public void Bulk_printing_writes_the_same_code_as_text_and_as_ASCII()
    {
        var characters = new char[VoucherCode.Length];
        var ascii = new byte[VoucherCode.Length];
        VoucherCode.Compose(Key, 1, 123_456_789, Salt, characters);
        VoucherCode.Compose(Key, 1, 123_456_789, Salt, ascii);

        Assert.That(new string(characters), Is.EqualTo(Known));
        Assert.That(Encoding.ASCII.GetString(ascii), Is.EqualTo(Known));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(7)]
    [TestCase(8)]
    [TestCase(9)]
    [TestCase(300)]
    public void A_range_is_written_as_its_codes_one_by_one(int count)
    {
        foreach (var (version, random, key, salt) in RandomVouchers(20))
            foreach (var first in (long[])[0, Math.Min(random, VoucherCode.SerialMax - 300), VoucherCode.SerialMax + 1 - count])
            {
                if (first > VoucherCode.SerialMax) continue;
                var codes = new byte[count * VoucherCode.Length];
                VoucherCode.ComposeRange(key, version, first, salt, codes);
                var expected = Enumerable.Range(0, count).Select(i => VoucherCode.Compose(key, version, first + i, salt));
                Assert.That(Encoding.ASCII.GetString(codes), Is.EqualTo(string.Concat(expected)));
            }
    }

    [Test]
    public void The_tags_of_many_serials_are_those_of_the_system()
    {
        foreach (var (_, serial, key, salt) in RandomVouchers(100))
        {
            var (first, tags, oneByOne) = (Math.Min(serial, VoucherCode.SerialMax - 19), new long[19], new long[19]);
            CodeTags.Fill(key, salt, first, tags);
            VoucherCode.FillOneByOne(key, first, salt, oneByOne);
            Assert.That(oneByOne, Is.EqualTo(tags));
            for (var i = 0; i < tags.Length; i++)
            {
                byte[] message = [.. salt, .. BitConverter.GetBytes((uint)(first + i)).Reverse()];
                var expected = Convert.ToHexString(HMACSHA256.HashData(key, message))[..15];
                Assert.That(tags[i].ToString("X15", null), Is.EqualTo(expected));
            }
        }
    }

    [Test]
    public void A_range_that_cannot_be_in_codes_is_never_written()
    {
        Assert.That(Writing(1, 0, 19), Throws.ArgumentException.With.Message.Contains("20 symbols"));
        Assert.That(Writing(8, 0, 20), Throws.InstanceOf<ArgumentException>());
        Assert.That(Writing(1, -1, 20), Throws.InstanceOf<ArgumentException>());
        Assert.That(Writing(1, VoucherCode.SerialMax, 40), Throws.InstanceOf<ArgumentException>());

        static Action Writing(int version, long first, int bytes)
            => () => VoucherCode.ComposeRange(Key, version, first, Salt, new byte[bytes]);
    }

    [Test]
    public void What_cannot_be_in_a_code_is_never_signed()
    {
        Assert.That(Signing(Key, -1, 0, Salt), Throws.InstanceOf<ArgumentException>());
        Assert.That(Signing(Key, 8, 0, Salt), Throws.InstanceOf<ArgumentException>());
        Assert.That(Signing(Key, 1, -1, Salt), Throws.InstanceOf<ArgumentException>());
        Assert.That(Signing(Key, 1, 1L << 32, Salt), Throws.InstanceOf<ArgumentException>());
        Assert.That(Signing(Key[..31], 1, 0, Salt), Throws.ArgumentException.With.Message.Contains("32 bytes"));
        Assert.That(Signing(Key, 1, 0, Salt[..15]), Throws.ArgumentException.With.Message.Contains("16 bytes"));

        static Action Signing(byte[] key, int version, long serial, byte[] salt)
            => () => VoucherCode.Compose(key, version, serial, salt);
    }

    [Test]
    public void A_wrong_symbol_is_caught()
    {
        foreach (var text in RandomTexts(50))
            foreach (var position in AllPositions)
                foreach (var symbol in Alphabet.Where(symbol => symbol != text[position]))
                {
                    var wrong = text.ToCharArray();
                    wrong[position] = symbol;
                    if (MistakeIn(new string(wrong)) != CodeMistake.Check)
                        Assert.Fail($"{symbol} at {position} passes.");
                }
    }

    [Test]
    public void A_swap_of_any_two_symbols_is_caught()
    {
        foreach (var text in RandomTexts(200))
            foreach (var (i, j) in Pairs().Where(pair => text[pair.I] != text[pair.J]))
            {
                var wrong = text.ToCharArray();
                (wrong[i], wrong[j]) = (wrong[j], wrong[i]);
                if (MistakeIn(new string(wrong)) != CodeMistake.Check)
                    Assert.Fail($"The swap of {i} and {j} passes.");
            }
    }

    [Test]
    public void The_sum_of_the_check_is_linear_so_that_what_holds_for_one_error_holds_in_every_code()
    {
        foreach (var position in AllPositions)
            foreach (var a in AllValues)
                foreach (var b in AllValues)
                    if ((Sum((position, a)) ^ Sum((position, b))) != Sum((position, a ^ b)))
                        Assert.Fail($"Not linear at {position} in {a} and {b}.");

        foreach (var text in RandomTexts(200))
        {
            var symbols = text.Select((symbol, position) => (position, Alphabet.IndexOf(symbol))).ToArray();
            var apart = symbols.Aggregate(0, (sum, symbol) => sum ^ Sum(symbol));
            Assert.That(apart, Is.EqualTo(Sum(symbols)));
        }
    }

    [Test]
    public void Every_difference_at_every_position_moves_the_sum()
    {
        foreach (var position in AllPositions)
        {
            var sums = AllValues.Skip(1).Select(difference => Sum((position, difference))).ToArray();
            Assert.That(sums, Is.Unique.And.All.GreaterThan(0));
        }
    }

    [Test]
    public void Every_swap_and_every_twin_error_at_every_two_positions_moves_the_sum()
    {
        foreach (var (i, j) in Pairs())
            foreach (var a in AllValues)
                foreach (var b in AllValues.Where(b => b != a))
                {
                    if (Sum((i, a), (j, b)) == Sum((i, b), (j, a)))
                        Assert.Fail($"The swap of {a} at {i} and {b} at {j} passes.");
                    if (Sum((i, a), (j, a)) == Sum((i, b), (j, b)))
                        Assert.Fail($"{a} read as {b} at both {i} and {j} passes.");
                }
    }

    [Test]
    public void In_whole_codes_every_swap_and_every_wrong_symbol_of_two_is_caught_at_every_two_positions()
    {
        var ground = Known.Select(symbol => (byte)Alphabet.IndexOf(symbol)).ToArray();
        foreach (var (i, j) in Pairs())
            foreach (var a in AllValues)
                foreach (var b in AllValues.Where(b => b != a))
                {
                    var text = Mend(ground, (i, a), (j, b));
                    if (MistakeIn(text) != CodeMistake.None) Assert.Fail($"{text} is no code.");
                    var (swapped, first, second) = (text.ToCharArray(), text.ToCharArray(), text.ToCharArray());
                    (swapped[i], swapped[j]) = (swapped[j], swapped[i]);
                    first[i] = Alphabet[b];
                    second[j] = Alphabet[a];
                    foreach (var wrong in (char[][])[swapped, first, second])
                        if (MistakeIn(new string(wrong)) != CodeMistake.Check) Assert.Fail($"{text} passes as {new string(wrong)}.");
                }
    }

    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9CJ")]
    [TestCase("43nqk8n4wz6tqka1r9cj")]
    [TestCase("  43nq k8n4 wz6t qka1 r9cj\r\n")]
    [TestCase("43NQ\u00A0K8N4\u202FWZ6T\u2009QKA1\tR9CJ")]
    [TestCase("43NQ\u2010K8N4\u2011WZ6T\u2013QKA1\u2014R9CJ")]
    [TestCase("43NQ.K8N4/WZ6T\\QKA1_R9CJ")]
    [TestCase("43NQ\u2015K8N4\u200FWZ6T\u2010QKA1\u200BR9CJ")]
    [TestCase("\uFEFF43NQ\u00B7K8N4\u2022WZ6T\u2212QKA1\u200BR9CJ")]
    [TestCase("4 3 N Q - K 8 N 4 - W Z 6 T - Q K A 1 - R 9 C J")]
    [TestCase("43NQK8N4WZ6TQKAiR9CJ")]
    [TestCase("43NQK8N4WZ6TQKAIR9CJ")]
    [TestCase("43NQK8N4WZ6TQKAlR9CJ")]
    [TestCase("43NQK8N4WZ6TQKALR9CJ")]
    public void A_code_is_read_however_people_write_it(string typed)
    {
        Assert.That(Read(typed).Text, Is.EqualTo(Known));
        Assert.That(Read(typed).ReadByKeyboard, Is.EqualTo(Keyboard.Plain));
    }

    [TestCase("ZZZZZZZ8QDXRF8F6O2OB")]
    [TestCase("zzzzzzz8qdxrf8f6o2ob")]
    public void The_letter_O_is_read_as_zero(string typed)
        => Assert.That(Read(typed).Text, Is.EqualTo(KnownLast));

    [TestCase(null, nameof(CodeMistake.Empty))]
    [TestCase("", nameof(CodeMistake.Empty))]
    [TestCase(" - \u202F-", nameof(CodeMistake.Empty))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9C", nameof(CodeMistake.Length))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9CJ-0", nameof(CodeMistake.Length))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9CU", nameof(CodeMistake.Alphabet))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9C*", nameof(CodeMistake.Alphabet))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9CＪ", nameof(CodeMistake.Alphabet))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9C😀", nameof(CodeMistake.Alphabet))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9C\u0080", nameof(CodeMistake.Alphabet))]
    [TestCase("43NQ-K8N4-WZ6T-QKA1-R9CK", nameof(CodeMistake.Check))]
    public void A_mistake_is_named(string? typed, string expected)
        => Assert.That(MistakeIn(typed).ToString(), Is.EqualTo(expected));

    [Test]
    public void An_endless_input_is_refused_unread()
    {
        var blanks = new string(' ', VoucherCode.TypedLimit - VoucherCode.Length);

        Assert.That(MistakeIn(Known + blanks), Is.EqualTo(CodeMistake.None));
        Assert.That(MistakeIn(Known + blanks + " "), Is.EqualTo(CodeMistake.Length));
        Assert.That(MistakeIn(new string('é', 1_000_000)), Is.EqualTo(CodeMistake.Length));
    }

    [Test]
    public void A_QWERTY_reader_on_an_AZERTY_computer_is_undone()
    {
        const string Typed = "'\"NAK_N'ZW-TAKQ&RçCJ";

        Assert.That(Read(Typed).Text, Is.EqualTo(Known));
        Assert.That(Read(Typed).ReadByKeyboard, Is.EqualTo(Keyboard.Azerty));
        Assert.That(Read(Typed + "\r\n"), Is.EqualTo(Read(Known)));
        Assert.That(Read(Typed.ToLowerInvariant()), Is.EqualTo(Read(Known)));
        Assert.That(Read(Typed.ToUpperInvariant()), Is.EqualTo(Read(Known)), "Caps Lock");
        Assert.That(Read("'\"NAK!N'ZW§TAKQ&RçCJ"), Is.EqualTo(Read(Known)), "Mac, Belgium");
    }

    [Test]
    public void Every_code_with_a_telling_digit_survives_the_wrong_keyboard()
    {
        foreach (var text in RandomTexts(2_000).Where(text => text.IndexOfAny([.. "123457890"]) >= 0))
        {
            Assert.That(Read(OnAzerty(text)).Text, Is.EqualTo(text));
            Assert.That(Read(OnAzerty(text).Replace('?', ',')).Text, Is.EqualTo(text));
        }
    }

    [Test]
    public void The_wrong_keyboard_excuses_no_wrong_symbol()
    {
        foreach (var position in AllPositions)
            foreach (var symbol in Alphabet.Where(symbol => symbol != Known[position]))
            {
                var wrong = Known.ToCharArray();
                wrong[position] = symbol;
                Assert.That(MistakeIn(OnAzerty(new string(wrong))), Is.Not.EqualTo(CodeMistake.None));
            }
    }

    [Test]
    public void Letters_alone_are_no_sign_of_the_wrong_keyboard()
    {
        var swapped = Known.Replace('Q', '*').Replace('A', 'Q').Replace('*', 'A');

        Assert.That(MistakeIn(swapped), Is.EqualTo(CodeMistake.Check));
    }

    [Test]
    public void A_key_that_no_reader_hits_spoils_the_reading_of_the_wrong_keyboard()
    {
        foreach (var stranger in "1mMoOiIlLuU*;é€\u0080")
            Assert.That(MistakeIn($"'\"NAK_N'ZW-TAKQ&RçC{stranger}"), Is.EqualTo(CodeMistake.Alphabet));

        Assert.That(MistakeIn(OnAzerty(Known).Replace('\'', '4')), Is.EqualTo(CodeMistake.Alphabet), "digits have no key");
        Assert.That(Read(OnAzerty(KnownLast)).Text, Is.EqualTo(KnownLast));
        Assert.That(MistakeIn(OnAzerty(KnownLast).Replace('à', 'O')), Is.EqualTo(CodeMistake.Alphabet), "a reader has no O");
    }

    [Test]
    public void A_reader_types_all_symbols_and_no_more()
    {
        var typed = OnAzerty(Known);
        Assert.That(MistakeIn(typed + "&"), Is.EqualTo(CodeMistake.Alphabet));
        Assert.That(MistakeIn(typed[..^1]), Is.EqualTo(CodeMistake.Alphabet));
        Assert.That(Read(typed.PadRight(VoucherCode.TypedLimit)).Text, Is.EqualTo(Known));
        Assert.That(MistakeIn(typed.PadRight(VoucherCode.TypedLimit + 1)), Is.EqualTo(CodeMistake.Length));
    }

    [Test]
    public void Two_codes_are_one_where_version_serial_and_tag_are()
    {
        var code = VoucherCode.Sign(Key, 1, 7, Salt);
        Assert.That(VoucherCode.Sign(Key, 1, 7, Salt), Is.EqualTo(code));
        Assert.That(VoucherCode.Sign(Key, 2, 7, Salt), Is.Not.EqualTo(code), "of the same tag");
        Assert.That(VoucherCode.Sign(Key, 1, 8, Salt), Is.Not.EqualTo(code));
        Assert.That(VoucherCode.Sign(Key, 1, 7, Key[..16]), Is.Not.EqualTo(code));
    }

    [Test]
    public void A_code_of_another_key_salt_or_serial_does_not_match()
    {
        var code = Read(Known);
        var other = Read(VoucherCode.Compose(Key, 1, 123_456_790, Salt));

        Assert.That(code.Matches(Key, Salt), Is.True);
        Assert.That(code.Matches(RandomNumberGenerator.GetBytes(32), Salt), Is.False);
        Assert.That(code.Matches(Key, RandomNumberGenerator.GetBytes(16)), Is.False);
        Assert.That(other.Tag, Is.Not.EqualTo(code.Tag));
    }

    [Test]
    public void Every_bit_of_key_salt_and_serial_changes_the_tag()
    {
        var code = Read(Known);
        for (var bit = 0; bit < 256; bit++)
            Assert.That(code.Matches(Flip(Key, bit), Salt), Is.False, $"key bit {bit}");
        for (var bit = 0; bit < 128; bit++)
            Assert.That(code.Matches(Key, Flip(Salt, bit)), Is.False, $"salt bit {bit}");
        for (var bit = 0; bit < 32; bit++)
            Assert.That(VoucherCode.Sign(Key, 1, code.Serial ^ (1L << bit), Salt).Tag,
                Is.Not.EqualTo(code.Tag), $"serial bit {bit}");
    }

    [Test]
    public void Every_bit_of_the_tag_is_compared()
    {
        for (var bit = 0; bit < 60; bit++)
        {
            var symbols = Known.Select(symbol => (byte)Alphabet.IndexOf(symbol)).ToArray();
            symbols[18 - bit / 5] ^= (byte)(1 << (bit % 5));
            symbols[^1] = 0;
            symbols[^1] = (byte)VoucherCode.Syndrome(symbols);

            var forged = Read(string.Concat(symbols.Select(symbol => Alphabet[symbol])));
            Assert.That(forged.Serial, Is.EqualTo(123_456_789));
            Assert.That(forged.Matches(Key, Salt), Is.False, $"tag bit {bit}");
        }
    }

    [Test]
    public void Version_zero_alone_is_a_specimen()
    {
        for (var version = 0; version <= VoucherCode.VersionMax; version++)
            Assert.That(VoucherCode.Sign(Key, version, 1, Salt).IsSpecimen, Is.EqualTo(version == 0));
    }

    [Test]
    public void The_grouped_text_has_five_groups_of_four()
        => Assert.That(Read(Known).Grouped, Is.EqualTo("43NQ-K8N4-WZ6T-QKA1-R9CJ"));

    [Test]
    public void A_log_shows_the_serial_and_nothing_of_the_code()
    {
        Assert.That(Read(Known).ToString(), Is.EqualTo("serial 123456789"));
        Assert.That($"{Read(Known)}", Is.EqualTo("serial 123456789"));
    }

    [Test]
    public void Reading_and_matching_allocate_nothing()
    {
        Assert.That(Read(Known).Matches(Key, Salt), Is.True);

        var before = GC.GetAllocatedBytesForCurrentThread();
        var matched = 0;
        for (var i = 0; i < 1_000; i++)
            if (VoucherCode.TryRead(Known, out var code, out _) && code.Matches(Key, Salt))
                matched++;
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(matched, Is.EqualTo(1_000));
        Assert.That(allocated, Is.LessThan(1_000), "less than a byte a code");
    }

    private static VoucherCode Read(string typed)
    {
        Assert.That(VoucherCode.TryRead(typed, out var code, out var mistake), Is.True, $"{mistake}");
        Assert.That(mistake, Is.EqualTo(CodeMistake.None));
        return code;
    }

    private static CodeMistake MistakeIn(string? typed)
    {
        var read = VoucherCode.TryRead(typed, out var code, out var mistake);
        if (read != (mistake == CodeMistake.None) || (!read && code != default))
            Assert.Fail($"The answer {read} does not go with the mistake {mistake}.");
        return mistake;
    }

    private static int Sum(params (int Position, int Value)[] symbols)
    {
        var all = new byte[VoucherCode.Length];
        foreach (var (position, value) in symbols)
            all[position] = (byte)value;
        return VoucherCode.Syndrome(all);
    }

    /// <summary>A code with these two symbols, made good again at a position that is neither of the two.</summary>
    private static string Mend(byte[] ground, (int Position, int Value) one, (int Position, int Value) other)
    {
        var symbols = ground.ToArray();
        symbols[one.Position] = (byte)one.Value;
        symbols[other.Position] = (byte)other.Value;
        var free = AllPositions.First(position => position != one.Position && position != other.Position);
        symbols[free] = (byte)AllValues.Single(value => IsSound((byte)value));
        return string.Concat(symbols.Select(symbol => Alphabet[symbol]));

        bool IsSound(byte value)
        {
            symbols[free] = value;
            return VoucherCode.Syndrome(symbols) == 0;
        }
    }

    private static IEnumerable<(int I, int J)> Pairs()
        => AllPositions.SelectMany(i => AllPositions.Skip(i + 1).Select(j => (i, j)));

    private static IEnumerable<string> RandomTexts(int count)
        => RandomVouchers(count).Select(v => VoucherCode.Compose(v.Key, v.Version, v.Serial, v.Salt));

    private static IEnumerable<(int Version, long Serial, byte[] Key, byte[] Salt)> RandomVouchers(int count)
    {
        var random = new Random(20_200_226);
        for (var i = 0; i < count; i++)
        {
            var (key, salt) = (new byte[32], new byte[16]);
            random.NextBytes(key);
            random.NextBytes(salt);
            yield return (random.Next(8), random.NextInt64(1L << 32), key, salt);
        }
    }

    private static string OnAzerty(string text)
    {
        const string Qwerty = "1234567890QAWZM";
        const string Azerty = "&é\"'(-è_çàAQZW?";
        return string.Concat(text.Select(c => Qwerty.IndexOf(c) is >= 0 and var key ? Azerty[key] : c));
    }

    private static byte[] Flip(byte[] bytes, int bit)
    {
        var flipped = bytes.ToArray();
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }
}

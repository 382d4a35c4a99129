using System.Security.Cryptography;
using NUnit.Framework;
using PassNumerique.Platform.Data;

namespace PassNumerique.Tests.Platform.Data;

/// <summary>The trees of RFC 9162, against the published vectors of certificate transparency.</summary>
internal sealed class MerkleTests
{
    private static readonly string[] Inputs =
    [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ];

    [TestCase(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [TestCase(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [TestCase(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [TestCase(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [TestCase(4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")]
    [TestCase(5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4")]
    [TestCase(6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")]
    [TestCase(7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c")]
    [TestCase(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public void The_root_is_the_published_one(int count, string root) =>
        Assert.That(Hex(Merkle.Root([.. Inputs.Take(count).Select(i => Leaf(Convert.FromHexString(i)))])), Is.EqualTo(root));

    /// <summary>Another way to the same tree: complete subtrees are joined as leaves arrive, the rest at the end.</summary>
    [Test]
    public void Trees_of_every_size_agree_with_a_tree_that_grows()
    {
        var leaves = new List<byte[]>();
        for (var size = 1; size <= 300; size++)
        {
            leaves.Add(Leaf(BitConverter.GetBytes(size)));
            Assert.That(Hex(Merkle.Root(leaves)), Is.EqualTo(Hex(Grown(leaves))), $"{size} leaves");
        }
    }

    [Test]
    public void Order_and_number_of_leaves_change_the_root()
    {
        byte[][] leaves = [Leaf([1]), Leaf([2]), Leaf([3])];
        string[] roots =
        [
            Hex(Merkle.Root(leaves)), Hex(Merkle.Root([leaves[1], leaves[0], leaves[2]])), Hex(Merkle.Root(leaves[..2])),
            Hex(Merkle.Root([.. leaves, leaves[2]])),
        ];
        Assert.That(roots, Is.Unique);
    }

    private static byte[] Grown(IReadOnlyList<byte[]> leaves)
    {
        var stack = new Stack<byte[]>();
        for (var i = 0; i < leaves.Count; i++)
        {
            stack.Push(leaves[i]);
            for (var n = i + 1; n % 2 == 0; n /= 2) Join(stack);
        }

        while (stack.Count > 1) Join(stack);
        return stack.Pop();
    }

    private static void Join(Stack<byte[]> stack)
    {
        var right = stack.Pop();
        stack.Push(SHA256.HashData([1, .. stack.Pop(), .. right]));
    }

    private static byte[] Leaf(byte[] input) => SHA256.HashData([0, .. input]);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}

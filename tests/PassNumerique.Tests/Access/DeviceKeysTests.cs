using NUnit.Framework;
using PassNumerique.Tests.Redemption;

namespace PassNumerique.Tests.Access;

/// <summary>The people of a site give its devices their keys and take them back; a device does neither.</summary>
[TestFixtureSource(typeof(Engines), nameof(Engines.Both))]
internal sealed class DeviceKeysTests(string engine)
{
    private TestService _service = null!;
    private Scene _scene = null!;
    private string _structure = "";
    private string _site = "";
    private string _other = "";

    [OneTimeSetUp]
    public async Task Start()
    {
        _service = await TestService.StartAsync(engine);
        _scene = new Scene(_service);
        _structure = await _scene.OrganisationAsync("structure");
        _site = await _scene.SiteAsync(_structure);
        _other = await _scene.SiteAsync(_structure, "Autre espace");
    }

    [OneTimeTearDown]
    public async Task Stop() => await _service.DisposeAsync();

    [Test]
    public async Task A_person_of_the_site_makes_a_key_for_a_device_and_revokes_it()
    {
        using var person = await PersonAsync(_site);
        var key = await person.PostAsync("api-keys", Key(_site, "tablette de l'accueil"));
        Assert.That((key.Status, key["label"].GetString()), Is.EqualTo((201, "tablette de l'accueil")), key.ToString());
        using var device = _service.Client(key["apiKey"].GetString());
        Assert.That((await device.ReadAsync("redemptions/guarantee")).Status, Is.EqualTo(200));
        var list = await person.ReadAsync("api-keys");
        Assert.That(list["items"].EnumerateArray().Select(k => k.GetProperty("id").GetString()), Does.Contain(key.Id));
        Assert.That((await person.RemoveAsync($"api-keys/{key.Id}")).Status, Is.EqualTo(200));
        Assert.That((await device.ReadAsync("redemptions/guarantee")).Problem, Is.EqualTo("sign-in-needed"));
    }

    [Test]
    public async Task A_person_gives_keys_of_their_own_sites_and_of_no_other_role()
    {
        using var person = await PersonAsync(_site);
        var elsewhere = await person.PostAsync("api-keys", Key(_other, "tablette"));
        var role = await person.PostAsync("api-keys", new { organisationId = _structure, role = "operator", label = "x" });
        var organisation = await person.PostAsync("api-keys", new
        {
            organisationId = await _scene.OrganisationAsync("structure"),
            role = "site",
            label = "x",
            placeId = _site,
        });
        Assert.That((elsewhere.Problem, role.Problem, organisation.Problem),
            Is.EqualTo(("place-unknown", "role-not-of-organisation", "organisation-unknown")));
        Assert.That((await person.PostAsync("api-keys", Key(_site, ""))).Status, Is.EqualTo(400));
    }

    [Test]
    public async Task A_device_makes_no_keys_sees_itself_and_gives_back_only_itself()
    {
        var (device, id) = await DeviceAsync();
        var (_, other) = await DeviceAsync();
        Assert.That((await device.PostAsync("api-keys", Key(_site, "copie"))).Problem, Is.EqualTo("person-needed"));
        var list = await device.ReadAsync("api-keys");
        Assert.That(list["items"].EnumerateArray().Select(k => k.GetProperty("id").GetString()), Is.EqualTo(new[] { id }));
        Assert.That((await device.ReadAsync($"api-keys/{other}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await device.RemoveAsync($"api-keys/{other}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await device.RemoveAsync($"api-keys/{id}")).Status, Is.EqualTo(200));
        Assert.That((await device.ReadAsync("api-keys")).Problem, Is.EqualTo("sign-in-needed"));
    }

    [Test]
    public async Task A_person_neither_sees_nor_revokes_the_keys_of_another_site()
    {
        var (_, id) = await DeviceAsync();
        using var person = await PersonAsync(_other);
        Assert.That((await person.ReadAsync($"api-keys/{id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await person.RemoveAsync($"api-keys/{id}")).Problem, Is.EqualTo("not-found"));
        Assert.That((await person.ReadAsync("api-keys"))["items"].GetArrayLength(), Is.Zero);
    }

    [Test]
    public async Task A_site_has_so_many_devices_a_month_revoked_ones_included()
    {
        var site = await _scene.SiteAsync(_structure, "Grand espace");
        using var person = await PersonAsync(site);
        for (var i = 0; i < 20; i++)
        {
            var key = await person.PostAsync("api-keys", Key(site, $"tablette {i}"));
            Assert.That(key.Status, Is.EqualTo(201), key.ToString());
            if (i == 0) await person.RemoveAsync($"api-keys/{key.Id}");
        }

        var tooMany = await person.PostAsync("api-keys", Key(site, "tablette 20"));
        Assert.That((tooMany.Problem, tooMany["maxDevices"].GetInt64()), Is.EqualTo(("too-many-devices", 20L)));
        Assert.That((await _scene.Operator.PostAsync("api-keys", Key(site, "tablette 20"))).Status, Is.EqualTo(201));
    }

    private object Key(string siteId, string label) =>
        new { organisationId = _structure, role = "site", label, placeId = siteId };

    private async Task<(HttpClient Client, string Id)> DeviceAsync()
    {
        var key = await _scene.Operator.PostAsync("api-keys", Key(_site, "borne"));
        return (_service.Client(key["apiKey"].GetString()), key.Id);
    }

    private async Task<HttpClient> PersonAsync(string siteId) =>
        await SignedIn.Async(_service, await People.AddAsync(_service, _structure, "site", siteId));
}

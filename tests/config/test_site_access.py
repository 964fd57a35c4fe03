"""The sites file: what it gives, and the sentence for everything that is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from pytest_django import Settings

from config import site_access
from config.customers.directory import from_sites_file
from config.site_access import EventGate, SitesFileError, UnknownSite

WriteSites = Callable[[str], Path]

SEED = """
ibexa:
    system:
        <site_access_name_1>:
            personalization:
                site_name: '<site_name_1>' # For example 'ENU store'
                host_uri: '%env(PERSONALIZATION_HOST_URI)%'
                authentication:
                    customer_id: '%env(int:PERSONALIZATION_CUSTOMER_ID)%'
                    license_key: '%env(PERSONALIZATION_LICENSE_KEY)%'
                included_item_types: [product, article]
                output_type_attributes:
                    123: # content type ID
                        title: 'title'
                        image: 'image_legend'
                        description: 'sub_title'
                    456:
                        title: 'short_title'
        <site_access_name_2>:
            personalization:
                host_uri: '%env(FRA_HOST_URI)%'
                authentication:
                    customer_id: '%env(int:FRA_CUSTOMER_ID)%'
                    license_key: '%env(FRA_LICENSE_KEY)%'
                repository:
                    content:
                        use_remote_id: true
"""
SEED_ENVIRONMENT = {
    "PERSONALIZATION_CUSTOMER_ID": "12345",
    "PERSONALIZATION_LICENSE_KEY": "67890-1234-5678-90123-4567",
    "PERSONALIZATION_HOST_URI": "https://server.example/",
    "FRA_CUSTOMER_ID": "54321",
    "FRA_LICENSE_KEY": "09876-5432-1098-7654-3210",
    "FRA_HOST_URI": "https://fra.example",
}


def entry(body: str) -> str:
    """A file with one site; ``body`` are further lines of its entry."""
    lines = "".join(f"      {line}\n" for line in body.splitlines())
    head = "personalization:\n  system:\n    shop:\n"
    return f"{head}      authentication: {{customer_id: 7, license_key: 1-2}}\n{lines}"


def credentials(keys: str) -> str:
    return f"personalization: {{system: {{s: {{authentication: {{{keys}}}}}}}}}"


@pytest.fixture
def sites(tmp_path: Path, settings: Settings) -> WriteSites:
    path = tmp_path / "sites.yaml"
    settings.LODESTAR_SITES_FILE = path

    def write(text: str) -> Path:
        path.write_text(text)
        site_access.reload()
        return path

    return write


def test_it_reads_the_demo_file_with_two_sites() -> None:
    english, french = site_access.configured_sites()
    assert (english.name, english.customer_id, english.languages) == ("site_en", 10101, ("eng-GB",))
    assert french.license_key == "5555-4444-3333-2222-1111"
    assert english.included_item_types == ("place", "article", "product")
    assert set(english.output_type_attributes) == {38, 39, 40}


def test_it_takes_the_seed_file_pasted_as_it_is(sites: WriteSites, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SEED_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    sites(SEED)
    first, second = site_access.configured_sites()
    assert (first.name, first.site_name) == ("<site_access_name_1>", "<site_name_1>")
    assert (first.customer_id, first.host_uri) == (12345, "https://server.example")
    assert first.output_type_attributes[123]["image"] == "image_legend"
    assert first.output_type_attributes[456] == {"title": "short_title"}
    assert first.serves("eng-GB")
    assert first.serves("fre-FR")
    assert second.use_remote_id


def test_it_lets_absent_addresses_follow_the_served_port(sites: WriteSites, settings: Settings) -> None:
    settings.WAGTAILADMIN_BASE_URL = "http://localhost:9107"
    settings.EVENT_PORT = 9108
    sites(entry(""))
    shop = site_access.site_named("shop")
    assert shop.host_uri == shop.recommendation_endpoint == "http://localhost:9107"
    assert shop.event_endpoint == "http://localhost:9108"


def test_it_lets_the_notifier_follow_the_admin_endpoint(sites: WriteSites) -> None:
    sites(entry("api: {admin: {endpoint: 'https://engine.example/'}}"))
    assert site_access.site_named("shop").notifier_endpoint == "https://engine.example"


def test_it_merges_default_group_and_site(sites: WriteSites) -> None:
    sites(
        """
ibexa:
  siteaccess:
    list: [one, two, admin]
    groups: {shops: [one, two]}
  system:
    default:
      languages: [eng-GB]
      personalization:
        included_content_types: [article]
        random_content_types: [article]
        api: {admin: {endpoint: https://a.example}, recommendation: {endpoint: https://r.example}}
    shops:
      personalization:
        authentication: {license_key: 1-2}
        included_item_types: [product]
    one:
      languages: [fre-FR]
      personalization: {authentication: {customer_id: 1}}
    two:
      design: night
      personalization: {authentication: {customer_id: 2}, api: {admin: {endpoint: https://b.example}}}
"""
    )
    one, two = site_access.configured_sites()
    assert (one.languages, two.languages) == (("fre-FR",), ("eng-GB",))
    assert one.included_item_types == two.included_item_types == ("product",)
    assert one.random_item_types == ("article",)
    assert (one.admin_endpoint, two.admin_endpoint) == ("https://a.example", "https://b.example")
    assert two.recommendation_endpoint == "https://r.example"


@pytest.mark.parametrize("root", ["personalization", "ibexa_personalization", "ezrecommendation"])
def test_it_knows_the_roots_of_every_version(root: str, sites: WriteSites) -> None:
    sites(f"{root}: {{system: {{s: {{authentication: {{customer_id: 3, license_key: k}}}}}}}}")
    assert site_access.site_named("s").customer_id == 3


def test_it_reads_several_roots_of_one_file(sites: WriteSites) -> None:
    sites(
        entry("cdp: {account_identifier: acc}")
        + "ibexa:\n  system:\n    shop: {languages: [eng-GB]}\nibexa_cdp: {host: https://cdp.example}\n"
    )
    shop = site_access.site_named("shop")
    assert shop.languages == ("eng-GB",)
    assert shop.cdp == {"account_identifier": "acc"}
    assert site_access.current_file().cdp == {"ibexa_cdp": {"host": "https://cdp.example"}}


def test_it_leaves_out_sites_without_credentials_and_says_so(sites: WriteSites) -> None:
    sites("personalization: {system: {s: {authentication: {customer_id: 3, license_key: ''}}}}")
    assert site_access.configured_sites() == ()
    with pytest.raises(UnknownSite, match="has no credentials"):
        site_access.site_named("s")


def test_it_finds_the_sites_of_a_customer_in_file_order(sites: WriteSites) -> None:
    same = "authentication: {customer_id: 3, license_key: k}"
    sites(f"personalization: {{system: {{default: {{{same}}}, foo: {{}}, bar: {{}}}}}}")
    assert [site.name for site in site_access.sites_of_customer(3)] == ["foo", "bar"]
    with pytest.raises(UnknownSite, match="customer id '4'. Known are: 3"):
        site_access.sites_of_customer("4")


def test_it_suggests_the_site_that_was_meant(sites: WriteSites) -> None:
    sites(entry(""))
    with pytest.raises(UnknownSite, match="Did you mean 'shop'"):
        site_access.site_named("shpo")


def test_it_hides_keys_in_its_representation() -> None:
    assert "1111-2222" not in repr(site_access.configured_sites())


def test_it_reads_a_changed_file_again_and_survives_a_broken_one(
    sites: WriteSites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.site_access.lookup.STAT_SECONDS", 0.0)
    path = sites(entry("site_name: Before"))
    path.write_text(entry("site_name: Afterwards"))
    assert site_access.site_named("shop").site_name == "Afterwards"
    path.write_text("personalization: [")
    assert site_access.site_named("shop").site_name == "Afterwards"
    path.unlink()
    assert site_access.site_named("shop").site_name == "Afterwards"


BAD_FILES = {
    "not: [valid": "line 1, column",
    "- a\n- b": "must hold a mapping",
    "personalisation: {}": (
        "line 1: 'personalisation' is not a root key of the sites file. Did you mean 'personalization'"
    ),
    entry(
        "host_uri: https://a.example\nhost_uri: https://b.example"
    ): "line 6: the key 'host_uri' stands here a second",
    entry(
        "inclded_item_types: [a]"
    ): "line 5: inclded_item_types of site 'shop' is not a known key. Did you mean 'included_item_types'",
    entry(
        "api: {admin: {endpont: x}}"
    ): "api.admin.endpont of site 'shop' is not a known key. Did you mean 'endpoint'",
    entry("host_uri: shop.example"): "host_uri of site 'shop' must be an address such as",
    entry("host_uri: 'ftp://shop.example'"): "must be an address",
    entry("host_uri: 'https://u:p@shop.example'"): "must be an address",
    entry("languages: [en]"): "languages.0 of site 'shop' must be a language code such as eng-GB; got 'en'",
    entry("languages: no"): "languages of site 'shop' must be",
    entry("included_item_types: [no no]"): "included_item_types.0",
    entry("api: {recommendation: {consume_timeout: 12:30}}"): "got '12:30'",
    entry("export: {authentication: {method: digest}}"): "Supported strategies: basic, user, none",
    entry("export: {authentication: {method: user}}"): "asks for the export method 'user'",
    entry("field: {relations: {a.image: image.image}}"): "must follow the pattern content_type.field",
    entry("included_item_types: [a]\nincluded_content_types: [a]"): "is the old name of",
    entry("output_type_attributes: {place: {title: name}}"): "line 5: output_type_attributes.place",
    entry("output_type_attributes: {38: {image: name}}"): "output_type_attributes.38.title",
    entry(
        "host_uri: '%env(NO_SUCH_VARIABLE)%'"
    ): "line 5: key host_uri of site 'shop': the environment variable NO_SUCH_VARIABLE is not set",
    entry("author_id: '%env(int:WORDY)%'"): "WORDY must be a whole number, but is 'many'",
    entry("author_id: '%env(json:WORDY)%'"): "known conversions are int",
    entry("site_name: '%env(WOR-DY)%'"): "does not name an environment variable",
    credentials("customer_id: 010, license_key: k"): "got '010'",
    credentials("customer_id: -1, license_key: k"): "customer_id of site 's' must be",
    credentials("customer_id: 1, license_key: [secretly]"): "got a secret",
    "personalization: {system: [a]}": "personalization.system must hold keys and values",
    "a: &a [*a]": "a",
}


@pytest.mark.parametrize("text", BAD_FILES, ids=range(len(BAD_FILES)))
def test_it_says_in_one_sentence_what_is_wrong(
    text: str, sites: WriteSites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORDY", "many")
    with pytest.raises(SitesFileError, match=re.escape(BAD_FILES[text])) as caught:
        sites(text)
    message = str(caught.value)
    assert "sites.yaml" in message
    assert message.endswith((".", "?"))
    assert "secretly" not in message


def test_it_names_a_missing_file(settings: Settings, tmp_path: Path) -> None:
    settings.LODESTAR_SITES_FILE = tmp_path / "nowhere.yaml"
    with pytest.raises(SitesFileError, match="LODESTAR_SITES_FILE"):
        site_access.configured_sites()


@pytest.mark.django_db
def test_it_serves_a_wagtail_site_in_a_language(sites: WriteSites) -> None:
    shared = "authentication: {customer_id: 3, license_key: k}"
    sites(
        f"personalization: {{system: {{default: {{{shared}}}, all: {{}}, fr: {{languages: [fre-FR]}},"
        " other: {root: other.example}}}"
    )
    model = apps.get_model("wagtailcore", "Site")
    default = model.objects.get(is_default_site=True)
    other = model.objects.create(hostname="other.example", root_page=default.root_page)

    unknown = model.objects.create(hostname="unknown.example", root_page=default.root_page)

    def name(site: Any, language: str) -> str | None:
        found = site_access.for_request_language(site, language)
        return found.name if found else None

    assert name(default, "fre-FR") == "fr"
    assert name(default, "eng-GB") == "all"
    assert name(other, "eng-GB") == "other"
    assert name(unknown, "eng-GB") is None


@pytest.mark.django_db
@pytest.mark.parametrize("root", ["shop.example:8080", "{pk}"])
def test_it_tells_two_sites_of_one_host_apart(root: str, sites: WriteSites) -> None:
    model = apps.get_model("wagtailcore", "Site")
    home = model.objects.get(is_default_site=True).root_page
    first = model.objects.create(hostname="shop.example", port=80, root_page=home)
    second = model.objects.create(hostname="shop.example", port=8080, root_page=home)
    shared = "authentication: {customer_id: 3, license_key: k}"
    sites(
        f"personalization: {{system: {{default: {{{shared}}}, exact: {{root: '{root.format(pk=second.pk)}'}},"
        " host: {root: shop.example}}}"
    )
    for site, entry in ((first, "host"), (second, "exact")):
        found = site_access.for_request_language(site, "eng-GB")
        assert found
        assert found.name == entry
        assert site_access.wagtail_site_id(found) == site.pk


def test_it_honours_a_visitors_wish_unless_told_otherwise(sites: WriteSites) -> None:
    sites(
        "personalization:\n  system:\n"
        "    one: { authentication: { customer_id: 501, license_key: a } }\n"
        "    two:\n"
        "      authentication: { customer_id: 502, license_key: b }\n"
        "      tracking: { do_not_track: false }\n"
        "    three:\n"
        "      authentication: { customer_id: 502, license_key: c }\n"
        "      tracking: { do_not_track: false, global_privacy_control: false }\n"
    )
    kept = {site.name: site.opt_out_headers for site in site_access.configured_sites()}
    assert kept == {"one": ("dnt", "sec-gpc"), "two": ("sec-gpc",), "three": ()}
    accounts = {one.customer_id: one.opt_out_headers for one in from_sites_file()}
    assert accounts == {"501": ("dnt", "sec-gpc"), "502": ("sec-gpc",)}


def test_it_asks_for_consent_where_one_site_of_a_customer_does(sites: WriteSites) -> None:
    sites(
        "personalization:\n  system:\n"
        "    one: { authentication: { customer_id: 501, license_key: a } }\n"
        "    two:\n"
        "      authentication: { customer_id: 502, license_key: b }\n"
        "      tracking: { consent_required: true }\n"
        "    three: { authentication: { customer_id: 502, license_key: c } }\n"
    )
    required = {site.name: site.consent_required for site in site_access.configured_sites()}
    assert required == {"one": False, "two": True, "three": False}
    accounts = {one.customer_id: one.consent_required for one in from_sites_file()}
    assert accounts == {"501": False, "502": True}


@pytest.mark.parametrize("value", ["yes please", "1", "null"])
def test_it_names_a_consent_that_is_neither_true_nor_false(sites: WriteSites, value: str) -> None:
    with pytest.raises(SitesFileError, match=r"tracking\.consent_required of site 'one' must be"):
        sites(
            "personalization: {system: {one: {authentication: {customer_id: 1, license_key: a},"
            f" tracking: {{consent_required: {value}}}}}}}}}"
        )


def test_it_reads_the_gate_of_a_customer_from_all_its_sites(sites: WriteSites) -> None:
    sites(
        """
        personalization:
          system:
            one:
              authentication: { customer_id: 501, license_key: a }
              tracking:
                events_per_second: 100
                allowed_origins: ['https://A.example:443/', 'https://münchen.example']
                store_robots: true
            two:
              authentication: { customer_id: 501, license_key: b }
              tracking:
                events_per_second: 0
                require_license_key: true
                allowed_origins: [http://b.example]
        """
    )
    [found] = from_sites_file()
    assert found.gate == EventGate(
        events_per_second=100,
        needs_license_key=True,
        origins=("http://b.example", "https://a.example", "https://xn--mnchen-3ya.example"),
        stores_robots=False,
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("events_per_second: -1", "events_per_second"),
        ("events_per_second: many", "events_per_second"),
        ("allowed_origins: [www.a.example]", "must be an address such as"),
        ("allowed_origins: ['https://a.example/path']", "must be the origin of pages such as"),
        ("require_license_key: 1", "require_license_key"),
        ("allow_origins: []", "Did you mean 'allowed_origins'?"),
    ],
)
def test_it_names_a_gate_that_cannot_be(rule: str, said: str, sites: WriteSites) -> None:
    text = "{ customer_id: 501, license_key: a }"
    with pytest.raises(SitesFileError, match=re.escape(said)):
        sites(
            f"personalization: {{ system: {{ one: {{ authentication: {text}, tracking: {{ {rule} }} }} }} }}"
        )

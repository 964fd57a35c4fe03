"""Cases of reference `client-protocol.md` 9.1: credentials, configuration, lookup of sites.

What that reference calls a SiteAccess is an entry of the sites file.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.core.management import call_command

from config import site_access
from config.site_access import SitesFileError, UnknownSite
from personalization.client import credentials
from personalization.client.export.selection import select
from tests.personalization.client.conftest import Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
SitesFile = Callable[[str], None]


def file_of(**entries: str) -> str:
    """A sites file with these entries, each the text of a YAML mapping."""
    lines = "".join(f"    {name}: {{{{{text}}}}}\n" for name, text in entries.items())
    return f"personalization:\n  system:\n{lines}"


def login(customer: int, key: str = "12345-12345-12345-12345") -> str:
    return f'authentication: {{{{ customer_id: {customer}, license_key: "{key}" }}}}'


def test_it_returns_the_configured_credentials(sites_file: SitesFile) -> None:
    """Case 9-01."""
    sites_file(file_of(shop=login(12345)))
    [target] = credentials.targets()
    assert (target.customer_id, target.license_key) == (12345, "12345-12345-12345-12345")


@pytest.mark.parametrize("empty", ['customer_id: 12345, license_key: ""', "customer_id: 0, license_key: k"])
def test_one_of_two_credentials_is_none(empty: str, sites_file: SitesFile) -> None:
    """Case 9-03."""
    sites_file(file_of(shop=f"authentication: {{{{ {empty} }}}}"))
    assert site_access.configured_sites() == ()
    with pytest.raises(UnknownSite, match="has no credentials"):
        site_access.site_named("shop")


def test_the_method_user_without_login_gives_no_export_credentials(sites_file: SitesFile) -> None:
    """Case 9-05: said when the file is read, and not when an editor saves."""
    export = "export: {{ authentication: {{ method: user }} }}"
    with pytest.raises(SitesFileError, match="'user' but gives no login or no password"):
        sites_file(file_of(shop=f"{login(12345)}, {export}"))


def test_it_takes_relations_of_two_words_with_a_dot(sites_file: SitesFile) -> None:
    """Case 9-07."""
    sites_file(file_of(shop=f"{login(1)}, field: {{{{ relations: {{{{ article.image: image.image }}}} }}}}"))
    assert site_access.site_named("shop").field_relations == {"article.image": "image.image"}


def test_it_refuses_a_relation_whose_first_word_has_one_letter(sites_file: SitesFile) -> None:
    """Case 9-09."""
    with pytest.raises(SitesFileError, match=r"must follow the pattern content_type\.field"):
        sites_file(file_of(shop=f"{login(1)}, field: {{{{ relations: {{{{ a.image: image.image }}}} }}}}"))


def test_it_finds_every_entry_of_a_customer_in_the_order_of_the_file(sites_file: SitesFile) -> None:
    """Case 9-11; one without a match is an error that names the known ones."""
    sites_file(file_of(zoo=login(3), foo=login(3), other=login(4), bar=login(3)))
    assert [site.name for site in site_access.sites_of_customer(3)] == ["zoo", "foo", "bar"]
    assert [site.name for site in site_access.sites_of_customer("4")] == ["other"]
    with pytest.raises(UnknownSite, match=r"customer id '5'. Known are: 3, 4"):
        site_access.sites_of_customer(5)


def test_it_finds_the_entry_that_serves_the_page_and_the_one_that_is_named(sites_file: SitesFile) -> None:
    """Case 9-13."""
    sites_file(file_of(foo=f"{login(3)}, languages: [fre-FR]", bar=f"{login(3)}, languages: [eng-GB]"))
    served = apps.get_model("wagtailcore", "Site").objects.get(is_default_site=True)
    current = site_access.for_request_language(served, "fre-FR")
    assert current is not None
    assert current.name == "foo"
    assert site_access.site_named("foo") == current
    assert [target.sites for target in credentials.targets(site="foo", customer_id="3", license_key="k")] == [
        (current,)
    ]


def test_entries_of_one_root_export_it_once(
    sites_file: SitesFile, make_items: Callable[..., None], site_id: int, engine: Engine
) -> None:
    """Case 9-15."""
    site = apps.get_model("wagtailcore", "Site")
    other = site.objects.create(hostname="other.example", root_page=site.objects.get().root_page)
    types = "included_item_types: [place]"
    make_items(2)
    make_items(3, start=10, site=other.pk)
    for roots, sites, items in (((site_id, other.pk), 2, 5), ((site_id, site_id), 1, 2)):
        entries = {
            name: f"{login(3)}, {types}, root: {root}"
            for name, root in zip(("abc", "cde"), roots, strict=True)
        }
        sites_file(file_of(**entries))
        [target] = credentials.targets()
        selection = select(target.sites, types=(), languages=())
        assert selection.items == items
        assert {len(group.site_ids) for group in selection.groups} == {sites}


def test_the_command_prints_what_is_in_force(
    sites_file: SitesFile, capsys: pytest.CaptureFixture[str]
) -> None:
    sites_file(file_of(shop=login(12345)))
    call_command("config_show", "--site", "shop")
    shown = capsys.readouterr().out
    assert "12345" in shown
    assert "12345-12345" not in shown

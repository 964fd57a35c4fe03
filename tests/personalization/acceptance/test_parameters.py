"""Cases of reference `client-protocol.md` 9.2: lists and the parameters of an export."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from personalization.client import asked
from personalization.client.export.selection import comma_list
from personalization.client.models import ExportRun
from personalization.management.commands.run_export import Command
from tests.personalization.client.conftest import Engine

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("sites_file", "export_root"),
]
TRIPLE = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")


def export(*options: str) -> str:
    out = StringIO()
    call_command("run_export", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_it_reads_lists_of_ids() -> None:
    """Case 9-17."""
    assert asked.ids_of("123") == [123]
    assert asked.ids_of("12,34,56") == [12, 34, 56]


def test_it_reads_lists_of_strings() -> None:
    """Case 9-19."""
    assert comma_list("ab,bc") == ["ab", "bc"]
    assert comma_list("123") == ["123"]


def test_it_keeps_its_own_options_apart_from_those_of_every_command() -> None:
    """Case 9-21."""
    parser = Command().create_parser("manage.py", "run_export")
    given = parser.parse_args(["--customer-id=1234", "--item-type-identifier-list=product", "--verbosity=2"])
    assert (given.customer_id, given.item_type_identifier_list) == ("1234", "product")
    assert (given.host, given.license_key, given.siteaccess) == ("", "", "")


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--customer-id=12345", "Required parameters: license-key, siteaccess are missing"),
        ("--siteaccess=site_en", "Required parameters: customer-id, license-key are missing"),
    ],
)
def test_it_names_what_is_missing_of_the_triple(option: str, sentence: str) -> None:
    """Cases 9-23 and 9-25."""
    with pytest.raises(CommandError, match=sentence):
        export(option)


def test_it_derives_host_and_web_hook(make_items: Callable[..., None], engine: Engine) -> None:
    """Case 9-27."""
    make_items(1)
    export(*TRIPLE)
    [call] = engine.received
    assert call.path == "/api/501/items"
    assert call.json["events"][0]["uri"][0].startswith("https://site.example/api/ibexa/v2/")
    run = ExportRun.objects.get()
    assert (run.customer_id, run.options["host"], run.options["web_hook"]) == (
        "501",
        "https://site.example",
        "",
    )


def test_it_drops_types_that_are_not_included_with_one_warning(
    make_items: Callable[..., None], engine: Engine
) -> None:
    """Case 9-29."""
    make_items(1)
    make_items(1, kind="article", start=9)
    said = export(*TRIPLE, "--item-type-identifier-list=product")
    assert (
        said.count("Item types: product are not configured as included item types and have been removed") == 1
    )
    assert "Nothing to export" in said
    assert not engine.received
    assert "not configured" not in export(*TRIPLE, "--item-type-identifier-list=place,article")
    # In the configured order, as the files are.
    export(*TRIPLE, "--item-type-identifier-list=article,place")
    assert [event["contentTypeId"] for event in engine.received[-1].json["events"]] == [38, 39]

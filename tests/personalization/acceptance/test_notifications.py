"""Cases of reference `client-protocol.md` 9.5: what an engine is told, and when it is told nothing.

Cases 9-65 to 9-71 and 9-75 are in tests/personalization/weaknesses/test_incremental.py.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from config.jobs import outbox
from config.jobs.models import Outbox
from content.signals import ItemRef, item_changed
from tests.personalization.client.conftest import SITES, Engine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file", "export_root")]


def test_a_full_export_is_one_post_with_an_event_for_each_type_and_language(
    make_items: Callable[..., None], engine: Engine, sites_file: Callable[[str], None]
) -> None:
    """Case 9-59."""
    sites_file(SITES.replace("languages: [eng-GB]", "languages: [eng-GB, fre-FR, ger-DE]"))
    for place, language in enumerate(("eng-GB", "fre-FR", "ger-DE")):
        make_items(5, language=language, start=1 + 100 * place)
        make_items(6, kind="article", language=language, start=51 + 100 * place)
    triple = ("--siteaccess=site_en", "--customer-id=501", "--license-key=1111-aaaa")
    call_command("run_export", *triple, "--page-size=2", "--quiet", stdout=StringIO())
    [call] = engine.received
    events = call.json["events"]
    assert [(event["contentTypeId"], event["lang"]) for event in events] == [
        (kind, language) for kind in (38, 39) for language in ("eng-GB", "fre-FR", "ger-DE")
    ]
    for event in events:
        assert (event["action"], event["format"]) == ("FULL", "EZ")
        assert [type(uri) for uri in event["uri"]] == [str, str, str]


def refs(site_id: int, *languages: str) -> list[ItemRef]:
    return [
        ItemRef(
            site_id=site_id,
            item_type="place",
            item_type_id=38,
            content_id=72,
            remote_id="r",
            language=language,
        )
        for language in languages
    ]


def test_a_published_item_is_one_post_with_an_event_for_each_language(
    engine: Engine, sites_file: Callable[[str], None], site_id: int
) -> None:
    """Case 9-61."""
    sites_file(
        SITES.replace("languages: [eng-GB]", "languages: [eng-GB, fre-FR]").partition("    site_fr")[0]
    )
    item_changed.send(sender=None, refs=refs(site_id, "eng-GB", "fre-FR"))
    outbox.deliver_due()
    [call] = engine.received
    assert (call.method, call.path, call.json["transaction"]) == ("POST", "/api/501/items", None)
    assert [(e["action"], e["itemId"], e["contentTypeId"], e["lang"]) for e in call.json["events"]] == [
        ("UPDATE", 72, 38, "eng-GB"),
        ("UPDATE", 72, 38, "fre-FR"),
    ]
    for event in call.json["events"]:
        assert event["uri"].endswith(f"/content/id/72?lang={event['lang']}")


def test_without_credentials_nothing_is_sent_and_nothing_is_said(
    sites_file: Callable[[str], None], site_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Case 9-63."""
    lines = [line for line in SITES.splitlines(keepends=True) if "authentication:" not in line]
    sites_file("".join(lines))
    caplog.clear()
    item_changed.send(sender=None, refs=refs(site_id, "eng-GB"))
    assert not Outbox.objects.exists()
    assert not caplog.records


def test_a_call_without_credentials_says_what_is_missing(sites_file: Callable[[str], None]) -> None:
    """Case 9-73: with what to do next in the place of the reference's bare sentence."""
    lines = [line for line in SITES.splitlines(keepends=True) if "authentication:" not in line]
    sites_file("".join(lines))
    with pytest.raises(
        CommandError, match="No site of the sites file has credentials; give it a customer id"
    ):
        call_command("run_export", stdout=StringIO())

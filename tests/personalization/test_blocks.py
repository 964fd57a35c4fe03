"""Recommendations as blocks of a stream field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.test import RequestFactory

from content.blocks import BODY_BLOCKS
from content.items.streams import block_as_html
from personalization.blocks import RECOMMENDING, PersonalizedListBlock
from personalization.server.defaults import SCENARIOS
from tests.personalization.client.conftest import Engine, engine, make_items, site_id, sites_file
from tests.personalization.weaknesses.test_rendering import answer_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]
__all__ = ["engine", "make_items", "site_id", "sites_file"]  # fixtures


@pytest.fixture
def page(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.user, request.LANGUAGE_CODE = AnonymousUser(), "en"
    return request


def value(block: Any, **given: Any) -> Any:
    return block.clean(block.to_python(block.get_prep_value(block.get_default()) | given))


@pytest.mark.parametrize("name", list(RECOMMENDING))
def test_every_block_shows_what_its_scenario_recommends(name: str, page: HttpRequest, engine: Engine) -> None:
    engine.body = answer_of(engine, 7)
    block = BODY_BLOCKS[name]
    html = block.render(value(block, title="For you", limit=2), {"request": page})
    assert "Place 7" in html
    assert "For you" in html
    scenario = engine.received[0].path.partition("?")[0].split("/")[-1].removesuffix(".json")
    assert scenario in SCENARIOS
    assert "numrecs=2" in engine.received[0].path


@pytest.mark.parametrize("name", list(RECOMMENDING))
def test_every_block_is_silent_where_it_cannot_be_shown(name: str, page: HttpRequest, engine: Engine) -> None:
    block = BODY_BLOCKS[name]
    engine.status = 500
    assert block.render(value(block), {"request": page}) == ""
    engine.received.clear()
    assert block.render(value(block), {}) == ""
    assert block.render(value(block)) == ""
    assert block_as_html(block, value(block, title="For you")) == "", "no content of the item"
    assert not engine.received


def test_a_list_follows_its_page_its_folder_and_a_type(
    page: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(1)
    block = PersonalizedListBlock()
    block.render(
        value(block, scenario="detail", item_type="article", category=True), {"request": page, "page": 1}
    )
    query = engine.received[0].path.partition("?")[2]
    assert "contextitems=1" in query
    assert "outputtypeid=39" in query
    assert "usecontextcategorypath=true" in query


def test_a_block_may_be_loaded_by_the_browser(page: HttpRequest, engine: Engine) -> None:
    block = BODY_BLOCKS["most_popular"]
    html = block.render(value(block, in_browser=True), {"request": page})
    assert "data-recommendations-src=" in html
    assert not engine.received


@pytest.mark.parametrize("scenario", ["", "a b", "../x", "<b>", "x" * 65])
def test_it_refuses_what_cannot_be_a_scenario(scenario: str) -> None:
    block = PersonalizedListBlock()
    with pytest.raises(ValidationError):
        value(block, scenario=scenario)
    assert value(block, scenario="of-an_engine9")["scenario"] == "of-an_engine9"


@pytest.mark.parametrize("limit", [0, 51, -1])
def test_it_refuses_limits_that_no_engine_takes(limit: int) -> None:
    with pytest.raises(ValidationError):
        value(BODY_BLOCKS["bestsellers"], limit=limit)


def test_an_unknown_template_is_the_usual_one(page: HttpRequest, engine: Engine) -> None:
    engine.body = answer_of(engine, 7)
    block = PersonalizedListBlock()
    html = block.render(value(block, template="no/such.html"), {"request": page})
    assert 'class="recommendations"' in html


def test_its_form_offers_the_usual_scenarios_and_the_item_types() -> None:
    block = PersonalizedListBlock()
    field = block.child_blocks["scenario"].field
    html = field.widget.render("s", "front", {"id": "s"})
    assert 'list="s-suggestions"' in html
    assert '<option value="recently_viewed">Recently viewed</option>' in html
    choices = block.child_blocks["item_type"].field.choices
    assert ("place", "Place") in list(choices)


def test_a_block_that_fails_leaves_the_page_whole(
    page: HttpRequest, caplog: pytest.LogCaptureFixture, sites_file: Any, settings: Any, tmp_path: Any
) -> None:
    from config import site_access

    settings.LODESTAR_SITES_FILE = tmp_path / "none.yaml"
    (tmp_path / "none.yaml").write_text("personalization: [")
    site_access.lookup._snapshot = site_access.lookup.Snapshot()
    block = BODY_BLOCKS["bestsellers"]
    assert block.render(value(block), {"request": page}) == ""
    assert "could not be rendered" in caplog.text

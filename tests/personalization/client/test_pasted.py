"""Templates of the reference's platform, pasted as they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import HttpRequest
from django.template import engines

from .conftest import Engine
from .test_recommendations import answer_of, request_

__all__ = ["request_"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sites_file")]

JINJA = """{% if content is defined %}
    {{ ibexa_recommendation_track_user(content) }}
{% endif %}
{{ encore_entry_script_tags('ibexa-personalization-client-js', null, 'ibexa') }}
{% if ibexa_recommendation_enabled() and ez_recommendation_enabled() %}
{{ render(controller('ibexa_personalization::showRecommendationsAction', {
        'contextItems': content,
        'scenario': 'front',
        'outputTypeId': 'place',
        'limit': 3,
        'template': '@IbexaPersonalization::recommendations.html.twig',
        'attributes': ['title', 'intro', 'image', 'uri']
      })) }}
{% include '@IbexaPersonalization/event_tracking.html.twig' %}
{% endif %}"""
POSITIONAL = "{{ show_recommendations_action(content, 'front', 38, 3) }}"
DJANGO = """{% load personalization %}{% ez_recommendation_track_user content %}
{% encore_entry_script_tags 'ibexa-personalization-client-js' None 'ibexa' %}
{% ez_recommendation_enabled as on %}
{% if on %}{% show_recommendations_action content 'front' 38 3 %}{% endif %}
{% include '@IbexaPersonalization/event_tracking.html.twig' %}"""


@pytest.mark.parametrize(("name", "source"), [("jinja2", JINJA), ("jinja2", POSITIONAL), ("django", DJANGO)])
def test_it_renders_what_was_pasted(
    name: str, source: str, request_: HttpRequest, engine: Engine, make_items: Callable[..., None]
) -> None:
    make_items(3)
    engine.status, engine.body = 200, answer_of(engine, 2)
    template: Any = engines[name].from_string(source)

    html = template.render({"content": 1}, request_)

    assert "Place 2" in html
    assert "data-recommendation-ping-api=" in html
    asked = parse_qs(urlsplit(engine.received[-1].path).query)
    assert (asked["contextitems"], asked["outputtypeid"], asked["numrecs"]) == (["1"], ["38"], ["3"])
    if source is not POSITIONAL:
        assert '["_trackEvent","38","click","1"' in html
        assert html.count("lodestar/tracker.js") == 2


def test_it_names_an_unknown_controller_and_type_in_the_log(
    request_: HttpRequest, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.status, engine.body = 200, answer_of(engine, 2)
    source = "{{ render(controller('other::x')) }}{{ show_recommendations_action(1, 'front', 'nope') }}"
    template: Any = engines["jinja2"].from_string(source)
    assert "Place 2" in template.render({}, request_)
    assert "There is no controller 'other::x'" in caplog.text
    assert "outputTypeId names no item type: 'nope'" in caplog.text

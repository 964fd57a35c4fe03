"""The event intake on the web port.

Included after the engine's addresses, which share the prefix `/api/`. Old solution ids may be the start of an
editor's page (`/news/...`), so behind them only known event codes are taken.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from tracking import views
from tracking.events import SPELLINGS

CODES = "|".join(SPELLINGS)

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^api/[^/]+/events\Z", views.event, name="events"),
    re_path(r"^api/[^/]+/[^/]+/[\s\S]*\Z", views.event, name="event"),
    re_path(rf"^(?:ebl|ebh|newsl|newsh|news)/[^/]+/(?:{CODES})/[\s\S]*\Z", views.event, name="event-old"),
]

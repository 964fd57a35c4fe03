"""What one would write first: a Django view that saves one row, without middleware, under gunicorn."""

from __future__ import annotations

import os
import time

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = "tests.benchmarks.plain_view"
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - after the set-up

from tracking.models import Event  # noqa: E402 - after the set-up


def save(
    request: HttpRequest, customer: str, code: str, user: str, item_type: str, item: str
) -> HttpResponse:
    now = time.time_ns() // 1000
    Event.objects.create(
        customer_id=customer,
        event=code,
        user=user,
        item_type=int(item_type),
        item_id=item,
        ts=now,
        received=now,
        category_path=request.GET.get("categorypath", ""),
        event_id=request.GET.get("eventid"),
    )
    return HttpResponse(status=204)


urlpatterns = [
    re_path(r"^api/(\w+)/(\w+)/([^/]+)/(\d+)/(\d+)$", save),
    re_path(r"^healthz$", lambda _request: HttpResponse("ok")),
]
application = get_wsgi_application()

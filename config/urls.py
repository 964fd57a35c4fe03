"""Addresses. Every part, Wagtail too, has its own urls.py, named here by string."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from config.media import media

urlpatterns = [
    path("admin/", include("wagtail.admin.urls")),
    path("documents/", include("wagtail.documents.urls")),
    path("api/", include("config.openapi.urls")),
    path("", include("cdp.urls")),
    path("", include("personalization.urls")),
    path("", include("tracking.urls")),
    path(f"{settings.MEDIA_URL.strip('/')}/<path:path>", media),
    *i18n_patterns(
        *(path("", include(module)) for module in settings.OWN_URLS),
        path("", include("content.urls")),
        path("", include("wagtail.urls")),
        prefix_default_language=False,
    ),
]
handler500 = "config.errors.server_error"

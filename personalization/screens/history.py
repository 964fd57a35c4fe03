"""Lists of what the machinery did, with a page of details for each row."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern
from django.utils.functional import cached_property
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.viewsets.model import ModelViewSet

# Nobody edits or deletes a row by hand; what may be done to one has a page of its own.
LEFT_OUT = ("edit", "delete", "usage")


class HistoryViewSet(ModelViewSet):  # type: ignore[misc] # Wagtail publishes no types
    """A list of runs, the newest first."""

    add_to_admin_menu = False
    inspect_view_enabled = True
    copy_view_enabled = False
    index_template_name = "personalization/runs/index.html"
    search_backend_name = None
    list_per_page = 50
    exclude_form_fields: tuple[str, ...] = ()
    ordering = ("-id",)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return given | {f"{name}_url_name": None for name in LEFT_OUT}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [one for one in super().get_urlpatterns() if one.name not in LEFT_OUT]

    @cached_property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        """Reports of the back office lead to the details, as there is nothing to edit."""
        finder: type[ModelAdminURLFinder] = type(
            "HistoryURLFinder", (ModelAdminURLFinder,), {"edit_url_name": self.get_url_name("inspect")}
        )
        return finder

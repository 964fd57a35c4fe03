"""Lists of what the machinery did, with a page of details for each row."""

from __future__ import annotations

from wagtail.admin.viewsets.model import ModelViewSet


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

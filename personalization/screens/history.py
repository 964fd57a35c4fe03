"""Lists of what the machinery did, with a page of details for each row."""

from __future__ import annotations

from wagtail.admin.views.generic import IndexView

from personalization.screens.guarded import Narrowed
from personalization.screens.lists import ListScreens


class HistoryIndex(Narrowed, IndexView):  # type: ignore[misc] # Wagtail publishes no types
    """The runs of the customers that somebody may see."""


class HistoryViewSet(ListScreens):
    """A list of runs, the newest first. What may be done to one has a page of its own."""

    left_out = ("edit", "delete", "usage")
    index_view_class: type[IndexView] = HistoryIndex
    add_to_admin_menu = False
    inspect_view_enabled = True
    exclude_form_fields: tuple[str, ...] = ()
    ordering = ("-id",)

    def one_url_name(self) -> str:
        return str(self.get_url_name("inspect"))

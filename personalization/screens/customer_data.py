"""The menu *Customer data*. The parts above put their screens before those of segments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail.admin.viewsets.base import ViewSet, ViewSetGroup

from personalization.screens.segments import GroupScreens, SegmentScreens

_more: list[ViewSet] = []


def register(*screens: ViewSet) -> None:
    """For the hooks of the parts above, while they are loaded."""
    _more.extend(screens)


class CustomerDataGroup(ViewSetGroup):  # type: ignore[misc] # Wagtail publishes no types
    menu_label = _("Customer data")
    menu_icon = "group"
    menu_order = 210

    def __init__(self) -> None:
        self.items = (*_more, SegmentScreens(), GroupScreens())
        super().__init__()

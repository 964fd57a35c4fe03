"""Lists of rows that are changed by the rules of their part, never by Wagtail's own forms."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.urls import URLPattern
from django.utils.functional import cached_property
from wagtail.admin.admin_url_finder import ModelAdminURLFinder
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permissions import policy_registry

from personalization.screens.guarded import Guarded
from personalization.screens.permissions import Only


class ListScreens(Guarded, ModelViewSet):  # type: ignore[misc] # Wagtail publishes no types
    """``left_out``: Wagtail's views that there are none of."""

    left_out: tuple[str, ...] = ()
    copy_view_enabled = False
    search_backend_name = None
    list_per_page = 50

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return given | {f"{name}_url_name": None for name in self.left_out}

    def get_urlpatterns(self) -> list[URLPattern]:
        return [one for one in super().get_urlpatterns() if one.name not in self.left_out]

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        """Those that make a difference."""
        policy = policy_registry.get_by_type(self.model)
        rows: QuerySet[Permission] = (
            policy.offered() if isinstance(policy, Only) else super().get_permissions_to_register()
        )
        return rows

    def one_url_name(self) -> str | None:
        """The page of one row, to which reports of the back office lead."""
        return None

    @cached_property
    def url_finder_class(self) -> type[ModelAdminURLFinder]:
        finder: type[ModelAdminURLFinder] = type(
            "OneURLFinder", (ModelAdminURLFinder,), {"edit_url_name": self.one_url_name()}
        )
        return finder


class Lists(ListScreens):
    """A list alone: each row has pages of its own, which change it by the rules. ``one``: their address."""

    left_out = ("add", "edit", "delete", "history", "history_results", "usage")
    one = ""
    add_to_reference_index = False
    inspect_view_enabled = False

    def one_url_name(self) -> str | None:
        return self.one or None

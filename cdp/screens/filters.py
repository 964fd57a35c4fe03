"""What lists of rows of accounts share: filters that offer what somebody may see, and nothing else."""

from __future__ import annotations

from typing import Any

import django_filters
from django.utils.translation import gettext_lazy as _
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.views.generic import IndexView

from cdp.screens import access


class AccountFilter(WagtailFilterSet):  # type: ignore[misc] # Wagtail publishes no types
    """Of lists whose ``list_filter`` names the account."""

    account = django_filters.ModelChoiceFilter(queryset=access.filtered, label=_("Account"))


class AccountIndex(IndexView):  # type: ignore[misc]
    """Rows are made on pages of their own, by whoever may change them; Wagtail's way is "add"."""

    base_filterset_class = AccountFilter

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {"add_url": self.add_url}

"""Bearer tokens in the back office: their list, the form that makes one and shows it once, and revoking.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from wagtail.admin import messages
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import CreateView, InspectView
from wagtail.log_actions import log
from wagtail.permissions import register_permission_policy

from personalization.client import tokens
from personalization.client.models import AccessToken
from personalization.screens.history import HistoryIndex, HistoryViewSet
from personalization.screens.permissions import PerSite
from personalization.screens.token_forms import TokenForm

# "change" is to revoke.
register_permission_policy(AccessToken, PerSite(AccessToken, "add", "change", "view"))


def state_of(row: AccessToken) -> str:
    if row.revoked:
        return gettext("Revoked")
    return gettext("Expired") if row.expires_at <= timezone.now() else gettext("Valid")


def end_of(row: AccessToken) -> str:
    """Written out: a column of dates would call every moment to come "just now"."""
    return date_format(localtime(row.expires_at), "DATETIME_FORMAT")


def opens(row: AccessToken) -> str:
    return gettext("Files of full exports") if row.identifier == AccessToken.EXPORT else gettext("Items")


class TokenIndex(HistoryIndex):
    add_item_label = _("Create token")

    def get_list_more_buttons(self, instance: AccessToken) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)
        if not instance.revoked and self.user_has_permission_for_instance("change", instance):
            url = reverse("personalization_tokens:revoke", args=(instance.pk,))
            buttons.append(MenuItem(_("Revoke"), url=url, icon_name="cross", priority=30))
        return buttons


class TokenCreate(CreateView):  # type: ignore[misc]
    page_title = _("Create token")
    page_subtitle = _("Create token")
    submit_button_label = _("Create token")
    error_message = _("The token could not be created due to errors.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    @sensitive_variables("token")
    def form_valid(self, form: TokenForm) -> HttpResponse:
        """Answered in place of a redirect, because a redirect would have to store the token somewhere."""
        token = form.make()
        row = AccessToken.objects.get(digest=tokens.digest(token))
        log(row, "wagtail.create", user=self.request.user)
        title = gettext("Token of customer %(customer)s") % {"customer": row.customer_id}
        context = {
            "row": row,
            "token": token,
            "page_title": title,
            "header_title": title,
            "header_icon": self.header_icon,
            "breadcrumbs_items": self.get_breadcrumbs_items(),
            "index_url_name": self.index_url_name,
        }
        return TemplateResponse(self.request, "personalization/tokens/created.html", context)


class TokenRevoke(InspectView):  # type: ignore[misc]
    """Asks before it revokes."""

    template_name = "personalization/tokens/revoke.html"
    page_title = _("Revoke token")
    any_permission_required = ("change",)

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        if tokens.revoke(AccessToken.objects.filter(pk=self.object.pk)):
            log(self.object, "wagtail.edit", user=request.user)
        messages.success(request, _("The token opens nothing any more."))
        return redirect(self.index_url_name)


class TokenScreens(HistoryViewSet):
    model = AccessToken
    name = "personalization_tokens"
    url_prefix = "personalization/tokens"
    menu_label = _("Tokens")
    icon = "key"
    index_view_class = TokenIndex
    add_view_class = TokenCreate
    list_display = (
        "customer_id",
        Column("identifier", label=_("Opens"), accessor=opens),
        Column("state", label=_("Status"), accessor=state_of),
        DateColumn("created_at", label=_("Created")),
        Column("expires_at", label=_("Expires"), accessor=end_of),
        DateColumn("used_at", label=_("First used")),
    )
    list_filter = ("customer_id", "identifier", "revoked")
    search_fields = ("customer_id",)
    inspect_view_fields_exclude = ("digest", "type")

    @cached_property
    def revoke_view(self) -> Any:
        given = self.get_inspect_view_kwargs()
        return self.construct_view(TokenRevoke, **given | {"template_name": TokenRevoke.template_name})

    def get_form_class(self, *, for_update: bool = False) -> type[TokenForm]:  # noqa: ARG002
        return TokenForm

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("revoke/<int:pk>/", self.revoke_view, name="revoke")]

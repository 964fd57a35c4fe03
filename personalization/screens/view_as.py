"""Which segments to look at a page with."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets.button import Button
from wagtail.log_actions import log

from personalization.segments import choices, preview
from tracking.screens.pages import AdminPage

LOOKED = "personalization.view_as"  # in Wagtail's log


class SegmentsToSee(forms.Form):
    as_segment = forms.MultipleChoiceField(
        choices=choices.by_group, required=False, widget=forms.CheckboxSelectMultiple, label=_("Segments")
    )


class ViewAs(AdminPage):
    """Takes the address of a page of ours (``path``), and goes there with the chosen segments."""

    permission_required = preview.PERMISSION
    page_title = _("View as segments")
    header_icon = "group"
    template_name = "personalization/view_as.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and self.has_permission():
            return self.gone_to(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def gone_to(self, request: HttpRequest) -> HttpResponse:
        form = SegmentsToSee(request.POST)
        chosen = form.cleaned_data["as_segment"] if form.is_valid() else []
        log(request.user, LOOKED, user=request.user)
        # An empty one is a visitor without segments, which is another look than one's own.
        return redirect(f"{self.path}?{urlencode({preview.PARAMETER: chosen or ['']}, doseq=True)}")

    @property
    def path(self) -> str:
        path = str(self.request.GET.get("path", "/")).partition("?")[0]
        is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
        return path if is_ours else "/"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"form": SegmentsToSee(), "path": self.path}


class ViewAsButton(Button):  # type: ignore[misc]
    """In the menu of a page in the back office."""

    def __init__(self, page: Any) -> None:
        self.page = page
        query = urlencode({"path": page.relative_url(page.get_site()) or "/"})
        super().__init__(
            label=_("View as segments"),
            url=f"{reverse('view_as_segments')}?{query}",
            icon_name="group",
            priority=70,
        )

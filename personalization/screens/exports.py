"""Full exports: their list, the form that starts one, and the page that stops one.

The form calls what ``run_export`` calls. Wagtail publishes no types, so each subclass of its classes says
`type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin import messages
from wagtail.admin.ui.menus import MenuItem
from wagtail.admin.ui.tables import Column, DateColumn
from wagtail.admin.views.generic import CreateView, InspectView
from wagtail.log_actions import log
from wagtail.permissions import register_permission_policy

from config.jobs import queue
from config.jobs.models import Job
from personalization.client import credentials
from personalization.client.credentials import Target
from personalization.client.errors import AlreadyRunning, WrongUse
from personalization.client.export import announce
from personalization.client.export.run import ACTIVE, Order, cancel, start
from personalization.client.models import ExportRun
from personalization.screens import access
from personalization.screens.history import HistoryIndex, HistoryViewSet
from personalization.screens.permissions import PerSite

# Only the machinery writes these rows; "add" is to start an export, and to stop one.
ADD = "connector.add_exportrun"
register_permission_policy(ExportRun, PerSite(ExportRun, "add", "view"))


class ExportForm(forms.ModelForm):  # type: ignore[type-arg]
    """For whom to export; the choices are the customers of the sites file."""

    customer = forms.ChoiceField(
        label=_("Customer"),
        help_text=_("All items of all its sites go to its engine, which replaces its own."),
    )

    class Meta:
        model = ExportRun
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = set(access.customer_ids(user, ADD))
        targets = enumerate(all_targets())
        self.targets = {str(number): one for number, one in targets if str(one.customer_id) in known}
        field = self.fields["customer"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type
        field.choices = [(number, named(target)) for number, target in self.targets.items()]

    def order(self) -> Order:
        target = self.targets[self.cleaned_data["customer"]]
        return Order(target=target, page_size=settings.EXPORT_PAGE_SIZE)


def all_targets() -> list[Target]:
    try:
        return credentials.targets()
    except WrongUse:  # no site has credentials; the form then says that there is nothing to choose
        return []


def named(target: Target) -> str:
    return f"{target.customer_id} ({', '.join(site.site_name for site in target.sites)})"


class ExportNow(CreateView):  # type: ignore[misc]
    """Exports at once what is small, and leaves the rest to a worker."""

    page_title = _("Export now")
    page_subtitle = _("Export now")
    submit_button_label = _("Export now")
    error_message = _("The export could not be started due to errors.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def is_valid(self, form: ExportForm) -> bool:
        """Whether the export could begin too: what holds it up is told beside the field."""
        if form.is_valid():
            order = form.order()
            try:
                self.items = order.selection().items
                self.waits = self.items >= order.target.main.async_threshold
                self.run = start(order, for_worker=self.waits)
            except (AlreadyRunning, WrongUse) as error:
                form.add_error("customer", str(error))
        return bool(super().is_valid(form))

    def form_valid(self, _form: ExportForm) -> HttpResponse:
        log(self.run, "wagtail.create", user=self.request.user)
        if self.waits:
            say_queued(self.request, self.run, items=self.items)
        else:
            queue.run_now(Job.objects.get(pk=self.run.job_id or 0))
            say_ended(self.request, self.run)
        return redirect(self.index_url_name)


def say_queued(request: HttpRequest, run: ExportRun, *, items: int) -> None:
    text = ngettext(
        "The export of %(items)d item for customer %(customer)s is left to a worker, as job %(job)s.",
        "The export of %(items)d items for customer %(customer)s is left to a worker, as job %(job)s.",
        items,
    )
    messages.success(request, text % {"items": items, "customer": run.customer_id, "job": run.job_id})


def say_ended(request: HttpRequest, run: ExportRun) -> None:
    run.refresh_from_db()
    if run.phase != ExportRun.Phase.DONE:
        messages.error(request, run.error or gettext("The export has not ended yet."))
    elif not run.items:
        messages.warning(request, _("There is no visible item to export. The engine was not called."))
    else:
        text = ngettext("Exported %(items)d item;", "Exported %(items)d items;", run.items)
        answered = gettext("the engine answered %(status)s and fetches them now.") % {
            "status": run.engine_status
        }
        messages.success(request, f"{text % {'items': run.items}} {answered}")


class ExportCancel(InspectView):  # type: ignore[misc]
    """Asks before it stops an export."""

    template_name = "personalization/runs/cancel.html"
    page_title = _("Stop export")
    any_permission_required = ("add",)

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        if cancel(self.object, reason=gettext("The export was stopped by a person.")):
            log(self.object, "wagtail.delete", user=request.user)
            messages.success(request, _("The export is being stopped."))
        else:
            messages.warning(request, _("The export had ended already."))
        return redirect(self.index_url_name)


class ExportIndex(HistoryIndex):
    add_item_label = _("Export now")

    def get_list_more_buttons(self, instance: ExportRun) -> list[Any]:
        buttons: list[Any] = super().get_list_more_buttons(instance)
        if instance.phase in ACTIVE and self.user_has_permission_for_instance("add", instance):
            url = reverse("personalization_exports:cancel", args=(instance.pk,))
            buttons.append(MenuItem(_("Stop"), url=url, icon_name="cross", priority=30))
        return buttons


def progress_of(run: ExportRun) -> str:
    """How far an active run is; each customer has one at most."""
    if run.phase not in ACTIVE:
        return str(run.items)
    job = Job.objects.filter(pk=run.job_id or 0).first()
    if job is None or not job.total:
        return gettext("waits for a worker")
    return gettext("%(done)d of %(total)d") % {"done": job.progress, "total": job.total}


def phase_of(run: ExportRun) -> str:
    """The phase; a run that only waits for its engine has not failed yet."""
    if run.phase == ExportRun.Phase.FAILED and announce.is_announced_again(run):
        return gettext("Waits for the engine")
    return str(run.get_phase_display())


class ExportHistory(HistoryViewSet):
    model = ExportRun
    name = "personalization_exports"
    url_prefix = "personalization/exports"
    menu_label = _("Export")
    icon = "upload"
    index_view_class = ExportIndex
    add_view_class = ExportNow
    list_display = (
        "site_name",
        "customer_id",
        Column("items", label=_("Items"), accessor=progress_of),
        Column("phase", label=_("Phase"), accessor=phase_of),
        "engine_status",
        "error",
        DateColumn("finished_at", label=_("Finished")),
    )
    list_filter = ("customer_id", "phase")
    search_fields = ("site_name", "customer_id", "folder")
    # The hash of the run's password is nobody's business, nor is a sealed key.
    inspect_view_fields_exclude = ("password_hash", "login", "options")

    @cached_property
    def cancel_view(self) -> Any:
        given = self.get_inspect_view_kwargs()
        return self.construct_view(ExportCancel, **given | {"template_name": ExportCancel.template_name})

    def get_form_class(self, *, for_update: bool = False) -> type[ExportForm]:  # noqa: ARG002
        return ExportForm

    def get_urlpatterns(self) -> list[URLPattern]:
        return [*super().get_urlpatterns(), path("cancel/<int:pk>/", self.cancel_view, name="cancel")]

"""Customers of the embedded engine: a list, and a form that shows the license key of a new one once.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables
from wagtail.admin import messages
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn, TitleColumn
from wagtail.admin.views.generic import CreateView, EditView, IndexView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.log_actions import log
from wagtail.permissions import register_permission_policy

from config.customers.directory import CustomerAccount, change_gate, create_customer
from config.customers.models import Customer
from personalization.screens import access
from personalization.screens.customer_forms import CustomerForm, GateForm
from personalization.screens.guarded import Guarded
from personalization.screens.permissions import PerSite
from personalization.server.models import StoredItem

# A new customer belongs to no site, so it takes the permission for all of them.
POLICY = PerSite(Customer, "add", "change", "view", all_sites=("add",))
register_permission_policy(Customer, POLICY)


def yes_or_no(row: Customer) -> str:
    # Wagtail's column of booleans draws a red cross, as if numbers were a fault.
    return gettext("Yes") if row.alphanumeric_items else gettext("No")


class CustomerIndex(IndexView):  # type: ignore[misc]
    add_item_label = _("Create customer")

    @cached_property
    def columns(self) -> list[Column]:
        # The link is for those who may change something.
        title = TitleColumn(
            "customer_id", label=_("Customer id"), sort_key="customer_id", get_url=self.get_edit_url
        )
        return [title, *super().columns]

    def get_base_queryset(self) -> QuerySet[Customer]:
        per_customer = StoredItem.objects.filter(customer_id=OuterRef("customer_id")).order_by()
        counted = per_customer.values("customer_id").annotate(count=Count("pk")).values("count")
        rows: QuerySet[Customer] = POLICY.visible(Customer.objects.all(), self.request.user)
        found: QuerySet[Customer] = rows.annotate(items=Coalesce(Subquery(counted), 0))
        return found

    def get_edit_url(self, instance: Customer) -> str | None:
        may = POLICY.user_has_permission_for_instance(self.request.user, "change", instance)
        url: str | None = super().get_edit_url(instance) if may else None
        return url

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        return context | {"declared": declared(self.request.user)}


def declared(user: Any) -> list[CustomerAccount]:
    """The customers that only the sites file knows, of those that somebody may see."""
    own = set(Customer.objects.values_list("customer_id", flat=True))
    known = access.customers(user, *POLICY.names(POLICY.actions))
    return [account for account in known if account.customer_id not in own]


class CustomerCreate(CreateView):  # type: ignore[misc]
    page_title = _("Create customer")
    page_subtitle = _("Create customer")
    submit_button_label = _("Create customer")
    error_message = _("The customer could not be created due to errors.")

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        *before, _own = super().get_breadcrumbs_items()
        return [*before, {"url": "", "label": self.page_title}]

    @sensitive_variables("license_key")
    def form_valid(self, form: CustomerForm) -> HttpResponse:
        if not form.is_first_time():
            messages.warning(
                self.request,
                _("This form was sent before. Its customer exists; the license key cannot be shown again."),
            )
            return redirect(self.index_url_name)
        given = form.cleaned_data
        row, license_key = create_customer(
            name=given["name"],
            kind=given["kind"],
            alphanumeric_items=given["alphanumeric_items"],
            rules=form.rules(),
        )
        log(row, "wagtail.create", user=self.request.user)
        return self.created(row, license_key)

    @sensitive_variables("license_key")
    def created(self, row: Customer, license_key: str) -> HttpResponse:
        """Answered in place of a redirect, because a redirect would have to store the key somewhere."""
        title = _("Customer %(customer_id)s was created") % {"customer_id": row.customer_id}
        context = {
            "customer": row,
            "license_key": license_key,
            "page_title": title,
            "header_title": title,
            "header_icon": self.header_icon,
            "breadcrumbs_items": self.get_breadcrumbs_items(),
            "index_url_name": self.index_url_name,
        }
        return TemplateResponse(self.request, "personalization/customers/created.html", context)


class CustomerEdit(EditView):  # type: ignore[misc]
    """Changes what may be changed of a customer: who may send its events, and how many."""

    page_title = _("Events of customer")
    success_message = _("The rules for events of %(object)s were changed; collectors follow within seconds.")
    error_message = _("The rules could not be changed due to errors.")

    def save_instance(self) -> Customer:
        row: Customer = self.get_object()  # as it is stored, without what a form may have written into it
        change_gate(row, self.form.rules())
        log(row, "wagtail.edit", user=self.request.user)
        return row


class CustomerScreens(Guarded, ModelViewSet):  # type: ignore[misc]
    model = Customer
    name = "personalization_customers"
    url_prefix = "personalization/customers"
    menu_label = _("Customers")
    icon = "group"
    add_to_admin_menu = False
    add_to_reference_index = False
    copy_view_enabled = False
    index_view_class = CustomerIndex
    add_view_class = CustomerCreate
    edit_view_class = CustomerEdit
    index_template_name = "personalization/customers/index.html"
    index_results_template_name = "personalization/customers/index_results.html"
    search_backend_name = None
    search_fields = ("customer_id", "name")
    list_filter = ("kind", "alphanumeric_items")
    list_per_page = 50
    ordering = ("-created_at",)
    list_display = (
        Column("name", label=_("Name"), sort_key="name"),
        Column("kind", label=_("Type"), accessor="get_kind_display", sort_key="kind"),
        Column("alphanumeric_items", label=_("Alphanumeric items"), accessor=yes_or_no),
        DateColumn("created_at", label=_("Created"), sort_key="created_at"),
        NumberColumn("items", label=_("Items"), sort_key="items"),
    )

    def get_form_class(self, *, for_update: bool = False) -> type[GateForm]:
        return GateForm if for_update else CustomerForm

    def get_permissions_to_register(self) -> QuerySet[Permission]:
        return POLICY.offered()

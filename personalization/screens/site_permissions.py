"""The part of the form of a group that gives permissions for single sites (:mod:`config.customers.reach`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from wagtail.models import GroupSitePermission, Site

from config.customers import reach


def offered() -> QuerySet[Permission]:
    """The permissions that can be held for single sites."""
    known = Q(pk__in=[])
    for app_label, codename in (one.split(".", 1) for one in reach.offered()):
        known |= Q(content_type__app_label=app_label, codename=codename)
    rows = Permission.objects.filter(known).select_related("content_type")
    return rows.order_by("content_type__app_label", "content_type__model", "codename")


class SitePermissionsPanel(forms.Form):
    """A column of boxes for each site, a line for each permission. Those of other applications stay."""

    template_name = "lodestar/site_permissions.html"
    prefix = "lodestar_sites"

    def __init__(self, data: Any = None, files: Any = None, *, instance: Group | None = None) -> None:
        super().__init__(data, files)
        self.instance = instance
        self.sites = list(Site.objects.order_by("pk"))
        self.permissions = list(offered())
        held = {(row.site_id, row.permission_id) for row in self.held()}
        choices = [(str(one.pk), one.name) for one in self.permissions]
        for site in self.sites:
            self.fields[f"site-{site.pk}"] = forms.MultipleChoiceField(
                choices=choices,
                required=False,
                label=str(site),
                initial=[str(one.pk) for one in self.permissions if (site.pk, one.pk) in held],
            )

    def held(self) -> QuerySet[GroupSitePermission]:
        rows: QuerySet[GroupSitePermission] = GroupSitePermission.objects.none()
        if self.instance is not None and self.instance.pk:
            rows = GroupSitePermission.objects.filter(
                group=self.instance, permission__in=[one.pk for one in self.permissions]
            )
        return rows

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the table shows: each permission with a box for each site."""
        chosen = {site.pk: set(self[f"site-{site.pk}"].value() or ()) for site in self.sites}
        for one in self.permissions:
            boxes = [
                {
                    "site": site,
                    "name": self.add_prefix(f"site-{site.pk}"),
                    "value": one.pk,
                    "checked": str(one.pk) in chosen[site.pk],
                }
                for site in self.sites
            ]
            yield {"permission": one, "boxes": boxes}

    def as_admin_panel(self) -> str:
        context = {"form": self, "heading": _("Personalization and customer data of single sites")}
        return render_to_string(self.template_name, context)

    def save(self) -> None:
        wanted = {(site.pk, int(key)) for site in self.sites for key in self.cleaned_data[f"site-{site.pk}"]}
        held = {(row.site_id, row.permission_id): row.pk for row in self.held()}
        gone = [key for pair, key in held.items() if pair not in wanted]
        GroupSitePermission.objects.filter(pk__in=gone).delete()
        GroupSitePermission.objects.bulk_create(
            GroupSitePermission(group=self.instance, site_id=site, permission_id=permission)
            for site, permission in sorted(wanted - held.keys())
        )

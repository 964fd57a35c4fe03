"""Segment groups and segments in the back office. What a platform fills nobody changes here.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from copy import copy
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from wagtail.admin.auth import permission_denied
from wagtail.admin.ui.tables import Column, DateColumn, NumberColumn
from wagtail.admin.views.generic import DeleteView, EditView, IndexView
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.permissions import register_permission_policy

from personalization.screens import audit
from personalization.screens.guarded import Guarded
from personalization.screens.permissions import Only
from personalization.segments import changes, locks
from personalization.segments.changes import SegmentFault
from personalization.segments.models import Segment, SegmentGroup


class SegmentsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Shared by both forms: what cannot be is said at the form, and everything else is done by `changes`."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        groups = {self.group_before(), found.get("group")} - {None}
        if any(locks.is_locked(group.identifier) for group in groups if group):
            raise ValidationError(
                gettext(
                    "The customer data platform fills this group. To change it by hand, remove the activation"
                    " that names it first."
                )
            )
        return found

    def group_before(self) -> SegmentGroup | None:
        raise NotImplementedError

    def save(self, commit: bool = True) -> Any:  # noqa: ARG002, FBT001, FBT002 - Django's signature
        try:
            self.instance = self.stored()
            return self.instance
        except SegmentFault as fault:  # somebody else took the identifier a moment ago
            raise ValidationError(str(fault)) from fault

    def stored(self) -> Any:
        raise NotImplementedError


class GroupForm(SegmentsForm):
    class Meta:
        model = SegmentGroup
        fields: ClassVar = ["name", "identifier"]

    def group_before(self) -> SegmentGroup | None:
        return SegmentGroup.objects.filter(pk=self.instance.pk).first() if self.instance.pk else None

    def stored(self) -> SegmentGroup:
        given = {"identifier": self.cleaned_data["identifier"], "name": self.cleaned_data["name"]}
        known = self.group_before()
        return changes.create_group(**given) if known is None else changes.change_group(known, **given)


class SegmentForm(SegmentsForm):
    class Meta:
        model = Segment
        fields: ClassVar = ["name", "identifier", "group"]

    def group_before(self) -> SegmentGroup | None:
        known = self.before()
        return known.group if known else None

    def before(self) -> Segment | None:
        found = Segment.objects.select_related("group")
        return found.filter(pk=self.instance.pk).first() if self.instance.pk else None

    def stored(self) -> Segment:
        given = self.cleaned_data
        if (known := self.before()) is None:
            return changes.create_segment(given["group"], identifier=given["identifier"], name=given["name"])
        return changes.change_segment(
            known, identifier=given["identifier"], name=given["name"], group=given["group"]
        )


class GroupIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> QuerySet[SegmentGroup]:
        return SegmentGroup.objects.annotate(count=Count("segments"))


class SegmentIndex(IndexView):  # type: ignore[misc]
    def get_base_queryset(self) -> QuerySet[Segment]:
        return Segment.objects.select_related("group").annotate(members=Count("memberships"))


class Filled(EditView):  # type: ignore[misc]
    """Says why nothing can be changed instead of letting somebody find out."""

    @cached_property
    def can_delete(self) -> bool:
        return not is_filled(self.object) and bool(super().can_delete)

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if is_filled(self.object):
            for field in form.fields.values():
                field.disabled = True
                field.help_text = gettext("Filled by the customer data platform; it cannot be changed here.")
        return form


class Removal(DeleteView):  # type: ignore[misc]
    def delete_action(self) -> None:
        gone = copy(self.object)
        if isinstance(self.object, Segment):
            changes.remove_segment(self.object)
        else:
            changes.remove_group(self.object)
        audit.record(gone, audit.DELETE, user=self.request.user)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if is_filled(self.get_object()):
            return permission_denied(request)
        return super().dispatch(request, *args, **kwargs)


def is_filled(row: SegmentGroup | Segment) -> bool:
    group = row.group if isinstance(row, Segment) else row
    return locks.is_locked(group.identifier)


def kept_by(row: SegmentGroup) -> str:
    return gettext("Customer data platform") if is_filled(row) else gettext("People")


def size(row: Segment) -> int | str:
    return "" if row.size is None else row.size


def tags(row: Segment) -> str:
    return ", ".join(str(tag) for tag in row.tags)


for _model in (Segment, SegmentGroup):
    register_permission_policy(_model, Only(_model, "add", "change", "delete", "view"))


class Screens(Guarded, ModelViewSet):  # type: ignore[misc]
    icon = "group"
    copy_view_enabled = False
    inspect_view_enabled = False
    edit_view_class = Filled
    delete_view_class = Removal
    list_per_page = 50
    add_to_reference_index = False
    own_form: type[SegmentsForm]

    def get_form_class(self, for_update: bool = False) -> type[SegmentsForm]:  # noqa: ARG002, FBT001, FBT002
        return self.own_form


class GroupScreens(Screens):
    model = SegmentGroup
    name = "segment_groups"
    url_prefix = "customer-data/segment-groups"
    menu_label = _("Segment groups")
    icon = "folder-inverse"
    index_view_class = GroupIndex
    own_form = GroupForm

    list_display = (
        "name",
        "identifier",
        NumberColumn("count", label=_("Segments"), sort_key="count"),
        Column("kept_by", label=_("Changed by"), accessor=kept_by),
    )
    search_fields = ("name", "identifier")


class SegmentScreens(Screens):
    model = Segment
    name = "segments"
    url_prefix = "customer-data/segments"
    menu_label = _("Segments")
    index_view_class = SegmentIndex
    own_form = SegmentForm

    list_display = (
        "name",
        "identifier",
        Column("group", label=_("Group"), sort_key="group__name"),
        NumberColumn("size", label=_("Size"), accessor=size, sort_key="size"),
        NumberColumn("members", label=_("Users here"), sort_key="members"),
        Column("tags", label=_("Tags"), accessor=tags),
        DateColumn("counted_at", label=_("Last updated"), sort_key="counted_at"),
    )
    list_filter = ("group",)
    search_fields = ("name", "identifier", "description")


def offered() -> QuerySet[Permission]:
    """The permissions to tick in the form of a group."""
    return Permission.objects.filter(
        content_type__app_label="segments", content_type__model__in=["segment", "segmentgroup"]
    )

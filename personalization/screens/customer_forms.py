"""The forms of a customer: making one, and who may send its events."""

from __future__ import annotations

import uuid
from hashlib import sha256
from typing import Any

from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from config.customers.gates import COLUMNS, MOST_ORIGINS, BadOrigin, GateRules, origins_of
from config.customers.models import Customer
from config.site_access.schema import MOST_EVENTS_PER_SECOND

# How long a form that was sent is remembered; a browser offers to send it again after a reload.
REMEMBERED_SECONDS = 7 * 24 * 3600


class GateForm(forms.ModelForm):  # type: ignore[type-arg]
    """Who may send the events of a customer, and how many."""

    events_per_second = forms.IntegerField(
        label=_("Events per second"),
        help_text=_(
            "What is over it is answered with 429 and sent again later. Empty is the usual 50000, 0 no limit."
        ),
        min_value=0,
        max_value=MOST_EVENTS_PER_SECOND,
        required=False,
    )

    class Meta:
        model = Customer
        fields: tuple[str, ...] = COLUMNS
        labels = {
            "needs_license_key": _("Events need the license key"),
            "allowed_origins": _("Allowed origins"),
            "needs_consent": _("Visitors must consent"),
        }
        help_texts = {
            "needs_license_key": _(
                "For events that come from servers. Pages must not know the key, so their events are refused."
            ),
            "allowed_origins": _(
                "One a line, such as https://www.example.org. Pages of other origins are refused. Empty "
                "allows every page; servers are not held up."
            ),
            "needs_consent": _(
                "Events without consent are counted and linked to nobody. The site has to ask its visitors."
            ),
        }
        widgets: dict[str, Any] = {"allowed_origins": forms.Textarea(attrs={"rows": 3})}

    def clean_allowed_origins(self) -> str:
        try:
            found = origins_of(self.cleaned_data["allowed_origins"].split())
        except BadOrigin as reason:
            raise forms.ValidationError(
                _("%(word)s is not the origin of pages, such as https://www.example.org, without a path."),
                params={"word": reason.word},
            ) from None
        if len(found) > MOST_ORIGINS:
            raise forms.ValidationError(
                _("At most %(count)d origins can be named."), params={"count": MOST_ORIGINS}
            )
        return "\n".join(found)

    def rules(self) -> GateRules:
        """What a valid form asks for."""
        return GateRules(
            events_per_second=self.cleaned_data["events_per_second"],
            needs_license_key=self.cleaned_data["needs_license_key"],
            origins=tuple(self.cleaned_data["allowed_origins"].split()),
            needs_consent=self.cleaned_data["needs_consent"],
        )


class CustomerForm(GateForm):
    """``once`` names this form, so that sending it again makes no second customer."""

    once = forms.CharField(widget=forms.HiddenInput, initial=uuid.uuid4, max_length=64, required=False)

    class Meta(GateForm.Meta):
        fields = ("name", "kind", "alphanumeric_items", *GateForm.Meta.fields)
        labels = GateForm.Meta.labels | {
            "name": _("Name"),
            "kind": _("Type"),
            "alphanumeric_items": _("Alphanumeric items"),
        }
        help_texts = GateForm.Meta.help_texts | {
            "name": _("For people; shown in lists and reports."),
            "kind": _("A publisher has readers, a commerce has buyers."),
            "alphanumeric_items": _(
                "Item ids are words such as remote ids, not numbers. This cannot be changed later."
            ),
        }
        widgets = GateForm.Meta.widgets | {"kind": forms.RadioSelect}

    def is_first_time(self) -> bool:
        """Whether this form was not sent before; asking counts as sending."""
        once = self.cleaned_data["once"]
        key = f"customer-form-{sha256(once.encode()).hexdigest()}"
        return not once or bool(cache.add(key, "sent", REMEMBERED_SECONDS))

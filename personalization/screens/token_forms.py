"""The form that makes a bearer token by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from personalization.client import tokens
from personalization.client.models import AccessToken
from personalization.screens import access

ADD = "connector.add_accesstoken"


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]
    customer = forms.ChoiceField(label=_("Customer"), help_text=_("The token opens the items of its sites."))
    scope = forms.ChoiceField(
        label=_("Opens"),
        choices=[(AccessToken.UPDATE, _("Items")), (AccessToken.EXPORT, _("Files of full exports"))],
        widget=forms.RadioSelect,
        initial=AccessToken.UPDATE,
    )
    days = forms.IntegerField(
        label=_("Days"),
        help_text=_("How long the token is valid."),
        min_value=1,
        max_value=tokens.MOST_DAYS,
        initial=1,
    )

    class Meta:
        model = AccessToken
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["customer"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - narrows the type
        known = access.customers(user, ADD)
        field.choices = [(one.customer_id, f"{one.customer_id} ({one.name})") for one in known]

    def make(self) -> str:
        """The token that a valid form asks for, in clear."""
        given = self.cleaned_data
        return tokens.mint(
            given["customer"], identifier=given["scope"], lifetime=timedelta(days=given["days"])
        )

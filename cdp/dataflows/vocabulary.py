"""The attributes of people that schemas declare, for whoever builds audiences of them."""

from __future__ import annotations

from django.db.models import F

from cdp.dataflows.models import Schema, SchemaField
from cdp.profiles import vocabulary
from cdp.profiles.models import Account


def declared(account: Account) -> dict[str, str]:
    """Name -> type, of all schemas about people."""
    fields = SchemaField.objects.filter(schema__account=account, schema__kind=Schema.Kind.PERSONAL)
    fields = fields.exclude(name=F("schema__identifier"))  # it is a name, not an attribute
    return dict(fields.order_by("pk").values_list("name", "type"))


vocabulary.register(declared)

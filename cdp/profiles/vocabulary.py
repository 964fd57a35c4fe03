"""What can be asked of people: attributes with their types, and the names of what they did."""

from __future__ import annotations

from collections.abc import Callable

from cdp.profiles import values
from cdp.profiles.models import Account, Contribution, Source

Provider = Callable[[Account], dict[str, str]]
_providers: list[Provider] = []
SAMPLE = 200
# Reference `cdp.md` 6.1, and what is tracked beside it (cdp.profiles.feed).
EVENTS = (
    "pageview",
    "visit",
    "basket",
    "buy",
    "itemclick",
    "contentvisit",
    "favorite",
    "search",
    "searchclick",
    "searchresult",
    "buy in store",
    "return in store",
    "rate",
    "owns",
    "blacklist",
    "deletefrombasket",
    "deletefromwishlist",
    "triggeropened",
    "clicktriggered",
)


def register(provider: Provider) -> Provider:
    """For the parts above: attributes that are known before anything is said of anybody."""
    _providers.append(provider)
    return provider


def attributes(account: Account) -> dict[str, str]:
    """Attribute -> "string", "integer", "decimal", "boolean", "date", "datetime" or "array", by name.

    What a provider declares counts; of others the type is that of the values sources have given.
    """
    found: dict[str, str] = {}
    for source in Source.objects.filter(account=account):
        for name, kind in (source.types or sampled(source)).items():
            found[name] = values.wider(found.get(name), kind)
    for provider in _providers:
        found |= provider(account)
    return dict(sorted(found.items()))


def sampled(source: Source) -> dict[str, str]:
    """The types in a few rows of a source that never noted them."""
    types: dict[str, str] = {}
    rows = Contribution.objects.filter(source=source, generation=source.generation).order_by("-identity_id")
    for data in rows.values_list("data", flat=True)[:SAMPLE]:
        for name, (value, _at) in data.items():
            types[name] = values.wider(types.get(name), values.type_of(value))
    return types

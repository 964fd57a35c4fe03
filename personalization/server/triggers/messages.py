"""What is written to one person: the document of reference `engine-protocol.md` 7.10."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from personalization.contracts import event_path, segment
from personalization.server import plans, rates
from personalization.server.api.document import attributes as values_of
from personalization.server.api.document import event_base_of
from personalization.server.catalogues import catalogues
from personalization.server.history import History
from personalization.server.items import ids
from personalization.server.items.revisions import Key
from personalization.server.items.shown import Shown, chosen
from personalization.server.recommend import NothingToGoOn, Request, recommend
from personalization.server.triggers.models import Trigger
from personalization.server.triggers.occasions import Occasion

# Looked through for what the person did not buy or take out of the basket already.
LOOKED_AT = 50
HAD = ("buy", "owns", "deletefrombasket", "deletefromwishlist")


def cheaper(trigger: Trigger, raw_user: str, occasion: Occasion) -> tuple[Key, ...]:
    """Those of the wished items that cost less now than when they were wished for."""
    catalogue = catalogues.of(trigger.customer_id)
    history = History(trigger.customer_id, raw_user)
    wished: dict[Key, tuple[float, str]] = {}
    for one in history.past("wishlist"):
        key = history.key_of(one)
        if key is not None and one.price is not None:
            wished.setdefault(key, (float(one.price), one.currency))
    found = []
    for key in occasion.items:
        price, before = catalogue.price_of(key), wished.get(key)
        # What cannot be compared is NaN, which is less than nothing.
        if price and before and price.amount * rates.worth(price.currency, into=before[1]) < before[0]:
            found.append(key)
    return tuple(found)


def occasion_id(trigger: Trigger, occasion: Occasion, about: Sequence[Key]) -> str:
    """What a message is about; a price that falls again is another occasion."""
    if trigger.kind != Trigger.Kind.PRICE_DROP:
        return str(occasion.ts)
    catalogue = catalogues.of(trigger.customer_id)
    told = sorted(f"{key[0]}/{key[1]}={catalogue.price_of(key)}" for key in about)
    return sha256(";".join(told).encode()).hexdigest()


def written(trigger: Trigger, raw_user: str, about: Sequence[Key], *, alphanumeric: bool) -> dict[str, Any]:
    """The document; without any recommendation it is not worth sending."""
    recommended: dict[Key, Shown | None] = of_scenario(trigger, raw_user, about)
    if trigger.kind == Trigger.Kind.PRICE_DROP:
        rows = chosen(trigger.customer_id, about)
        recommended = {**{key: rows[key] for key in about if key in rows}, **recommended}
    name = quote(trigger.name, safe="")
    base = event_base_of(trigger.customer_id)
    opened = f"{base}/api/{segment(trigger.customer_id)}/triggeropened/{segment(raw_user)}?triggername={name}"
    return {
        "customerID": ids.number_or_text(trigger.customer_id),
        "userExternalId": raw_user,
        "triggerType": str(trigger.kind),
        "triggerName": trigger.name,
        "triggerOpenedLink": opened,
        "recommendations": [
            {
                "itemId": key[1] if alphanumeric else ids.number_or_text(key[1]),
                "itemType": key[0],
                "clickRecommended": (
                    f"{base}{event_path(trigger.customer_id, 'clicktriggered', raw_user, *key)}"
                    f"?triggername={name}&scenario={quote(trigger.scenario, safe='')}"
                ),
                "attributes": plain(trigger, row),
            }
            for key, row in list(recommended.items())[: trigger.items]
        ],
    }


def of_scenario(trigger: Trigger, raw_user: str, about: Sequence[Key]) -> dict[Key, Shown | None]:
    """What the scenario recommends to this person, without what was bought or taken out."""
    plan = plans.plan_of(trigger.customer_id, trigger.scenario)
    request = Request(
        customer_id=trigger.customer_id,
        user=raw_user,
        scenario=trigger.scenario,
        count=LOOKED_AT,
        context_ids=tuple(item for kind, item in about if plan.input_type in (None, kind)),
        output_types=tuple(trigger.output_types),
        all_types=not trigger.output_types,
    )
    try:
        answer = recommend(request, plan)
    except NothingToGoOn:
        return {}
    had = History(trigger.customer_id, raw_user).had(HAD, of=HAD)
    return {one.key: one.row for one in answer.items if one.key not in had}


def plain(trigger: Trigger, row: Shown | None) -> dict[str, str | list[str]]:
    """Attributes as text, or as a list where an item has several values."""
    told = values_of(row, trigger.attributes)
    return {
        one["key"]: one["values"][0] if len(one["values"]) == 1 else list(one["values"])
        for one in told
        if one["values"]
    }

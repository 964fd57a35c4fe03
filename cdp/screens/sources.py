"""Where something about a person comes from, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.utils.translation import gettext

from cdp.dataflows.models import Dataflow
from cdp.profiles.identifiers import TRACKED
from cdp.profiles.models import Account

DATAFLOW = re.compile(r"^dataflow:([0-9]+)(:|$)")


def labels(account: Account, names: Iterable[str]) -> dict[str, str]:
    """Name of a source -> what people call it; one query for all dataflows."""
    wanted = set(names)
    found = {name: match for name in wanted if (match := DATAFLOW.match(name))}
    keys = {int(match[1]) for match in found.values()}
    flows = dict(Dataflow.objects.filter(account=account, pk__in=keys).values_list("pk", "name"))
    gone = gettext("a dataflow that is gone")
    called = {name: flows.get(int(match[1]), gone) for name, match in found.items()}
    return {name: called.get(name) or own(name) for name in wanted}


def own(name: str) -> str:
    if name.startswith(TRACKED):
        return gettext("tracking of %(customer)s") % {"customer": name.removeprefix(TRACKED)}
    words = {
        "manual": gettext("by hand"),
        "merge": gettext("a merge"),
        "tracking": gettext("tracking"),
        "identify": gettext("identify calls"),
        "rotation": gettext("a change of keys"),
    }
    return words.get(name, name)

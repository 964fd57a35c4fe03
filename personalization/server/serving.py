"""From a model to candidates: one function for each way in which kinds of models serve."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from personalization.server import candidates, editorial, rhythm
from personalization.server.allowed import Allowed
from personalization.server.artefacts import Artefact
from personalization.server.candidates import Candidate, Seed
from personalization.server.catalogue import Catalogue, Mask
from personalization.server.divisions import Divisions, segment_part, slot_part
from personalization.server.history import History
from personalization.server.learning import visits
from personalization.server.learning.base import DAY_SECONDS, Serves
from personalization.server.plans import PlannedModel, list_of


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What one placed model is asked for. ``data``: of the placed model. ``attributes``: the request's, by
    name its values, and ``ranges`` its numbers from, to."""

    customer_id: str
    model: PlannedModel
    artefact: Artefact | None
    catalogue: Catalogue
    allowed: Allowed
    seeds: Sequence[Seed] = ()
    history: History
    data: str = "default"
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    segments: tuple[int, ...] = ()
    use_slot: bool = False
    now: float


Way = Callable[[Ask, Artefact], Iterator[Candidate]]


def candidates_of(ask: Ask, serves: Serves) -> Iterator[Candidate]:
    """Candidates of the model, best first; nothing from one that was never built."""
    if serves in WITHOUT_ARTEFACT:
        return WITHOUT_ARTEFACT[serves](ask)
    if ask.artefact is None:
        return iter(())
    return candidates.merged([WITH_ARTEFACT[serves](ask, one) for one in versions(ask, ask.artefact)])


def versions(ask: Ask, whole: Artefact) -> list[Artefact]:
    """The whole model, or the parts of the segment groups that are asked for."""
    if ask.data != "segments" or not ask.segments:
        return [whole]
    groups = ask.model.divisions.groups_for(set(ask.segments))
    parts = [part for group in groups if (part := whole.parts.get(segment_part(group)))]
    return parts or [whole]


def with_slot(ask: Ask, artefact: Artefact, way: Way) -> Iterator[Candidate]:
    """What is usual at this time of the day first, then everything (5.10)."""
    slot = ask.model.divisions.slot_at(minute_of_day(ask.now)) if ask.use_slot else None
    part = artefact.parts.get(slot_part(slot)) if slot else None
    if part is None:
        yield from way(ask, artefact)
        return
    seen = set()
    for one in chain(way(ask, part), way(ask, artefact)):
        if one.key not in seen:
            seen.add(one.key)
            yield one


def minute_of_day(now: float) -> int:
    local = datetime.fromtimestamp(now, ZoneInfo(settings.TIME_ZONE))
    return local.hour * 60 + local.minute


def within(ask: Ask, artefact: Artefact) -> Mask | None:
    """The rows of the submodels that the request selects; None for the main model (5.8).

    Values of one attribute add up, different attributes must all hold. A value that is in no group selects
    nothing, so the main model answers; a group without items empties the list.
    """
    if ask.data != "submodels":
        return None
    groups = (artefact.whole or artefact).groups
    asked = [groups_asked(ask, artefact, attribute) for attribute in names_asked(ask)]
    # A submodel that is younger than the build is not there yet; one without items is there and empty.
    chosen = [known for names in asked if (known := [name for name in names if name in groups])]
    if not chosen:
        return None
    found = np.ones(len(artefact.keys), np.bool_)
    for names in chosen:
        one = np.zeros(len(artefact.keys), np.bool_)
        for name in names:
            one[np.asarray(groups[name])] = True
        found &= one
    return found


def names_asked(ask: Ask) -> list[str]:
    return list(dict.fromkeys([*ask.attributes, *ask.ranges]))


def groups_asked(ask: Ask, artefact: Artefact, attribute: str) -> list[str]:
    """The submodels of one attribute that the request selects."""
    divisions: Divisions = ask.model.divisions
    values = ask.attributes.get(attribute, ())
    for numeric in divisions.numeric:
        if numeric.attribute == attribute:
            if attribute in ask.ranges:
                return numeric.meeting(*ask.ranges[attribute])
            return [name for value in values for name in numeric.holding(number_of(value))]
    for nominal in divisions.nominal:
        if nominal.attribute == attribute:
            return nominal.names_of(values)
    known = (artefact.whole or artefact).groups
    return [name for value in values if (name := f"{attribute}={value}") in known]


def number_of(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return float("nan")  # in no interval


def ranking(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    rows = within(ask, artefact)

    def way(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
        return candidates.ranked(artefact, ask.catalogue, ask.allowed, within=rows)

    return with_slot(ask, artefact, way)


def neighbours(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    rows = within(ask, artefact)

    def way(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
        return candidates.neighbours(artefact, ask.catalogue, ask.allowed, ask.seeds, within=rows)

    return with_slot(ask, artefact, way)


def weights(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    return candidates.neighbours(artefact, ask.catalogue, ask.allowed, ask.seeds, scaled=False)


def visit(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    """What follows in visits like this one; its own items come again where the filters let them."""
    if "index" not in artefact.made:
        artefact.made["index"] = visits.index_of(artefact.extra)
    rows = np.array([artefact.rows.get(seed.key, -1) for seed in reversed(ask.seeds)], np.int32)
    items, scores = visits.next_items(artefact.made["index"], rows, visits.settings_of(ask.model.parameters))
    order = items[np.lexsort((items, -scores))]
    newest = tuple(ask.seeds[:3])
    found = candidates.in_order(order, artefact, ask.catalogue, ask.allowed)
    return (Candidate(key=one.key, seeds=newest) for one in found)


def bundle(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    """The whole bundle of the first context item that is part of one, or nothing (5.4)."""
    for seed in ask.seeds:
        row = artefact.rows.get(seed.key)
        members = [] if row is None else [int(one) for one in artefact.neighbours[row] if one >= 0]
        keys = [artefact.keys[one] for one in members]
        if keys and len(passed := candidates.passing(ask.catalogue, ask.allowed, keys)) == len(keys):
            return (Candidate(key=key, seeds=() if key == seed.key else (seed,)) for key in passed)
    return iter(())


def stereotype(ask: Ask, artefact: Artefact) -> Iterator[Candidate]:
    """What people with the user's attribute values like, each value's list scaled to its best."""
    if "traits" not in artefact.made:
        artefact.made["traits"] = {name: row for row, name in enumerate(artefact.sources)}
    rows = [row for one in ask.history.traits() if (row := artefact.made["traits"].get(one)) is not None]
    if not rows or not artefact.neighbours.size:
        return iter(())
    near, scores = np.asarray(artefact.neighbours[rows]), np.asarray(artefact.scores[rows])
    scaled = scores / np.maximum(scores[:, :1], np.float32(1e-12))
    order = candidates.summed(near, scaled, count=len(artefact.keys))
    return candidates.in_order(order, artefact, ask.catalogue, ask.allowed)


def newest(ask: Ask) -> Iterator[Candidate]:
    oldest = ask.now - ask.model.parameters["item_age_days"] * DAY_SECONDS
    return candidates.newest(ask.catalogue, ask.allowed, oldest=oldest)


def history(ask: Ask) -> Iterator[Candidate]:
    return candidates.repeated(ask.catalogue, ask.allowed, ask.seeds)


def due(ask: Ask) -> Iterator[Candidate]:
    past = ask.history.past("buy")
    return listed(ask, rhythm.due(past, ask.model.parameters, now=ask.now))


def edited(ask: Ask) -> Iterator[Candidate]:
    entries = editorial.read(ask.customer_id, list_of(ask.model))
    return listed(ask, [(kind, item) for kind, item, _relevance in entries])


def segment_newest(ask: Ask) -> Iterator[Candidate]:
    [segment] = ask.segments
    since = time.time() - min(ask.model.parameters["window_days"], rhythm.SEGMENT_DAYS) * DAY_SECONDS
    return listed(ask, rhythm.newest_of_segment(ask.customer_id, segment, ask.model.signal, since=since))


def segment_due(ask: Ask) -> Iterator[Candidate]:
    [segment] = ask.segments
    return listed(ask, rhythm.due_of_segment(ask.customer_id, segment, ask.model.parameters, now=ask.now))


def nothing(ask: Ask) -> Iterator[Candidate]:  # noqa: ARG001
    return iter(())


def listed(ask: Ask, keys: Sequence[tuple[int, str]]) -> Iterator[Candidate]:
    passed = candidates.passing(ask.catalogue, ask.allowed, list(keys))
    return (Candidate(key=key) for key in passed)


WITH_ARTEFACT: dict[Serves, Way] = {
    Serves.RANKING: ranking,
    Serves.NEIGHBOURS: neighbours,
    Serves.WEIGHTS: weights,
    Serves.VISIT: visit,
    Serves.BUNDLE: bundle,
    Serves.STEREOTYPE: stereotype,
}
WITHOUT_ARTEFACT: dict[Serves, Callable[[Ask], Iterator[Candidate]]] = {
    Serves.NEWEST: newest,
    Serves.HISTORY: history,
    Serves.DUE: due,
    Serves.LIST: edited,
    Serves.SEGMENT_NEWEST: segment_newest,
    Serves.SEGMENT_DUE: segment_due,
    Serves.NOTHING: nothing,
}

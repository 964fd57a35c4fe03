"""A recommendation: walk the strategy's levels, filter while scoring, answer with what is stored now.

Source: engine-protocol.md 3.2, 3.4, 3.6 and 6. The public entry is :func:`recommend`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice, zip_longest

from personalization.server import asked_attributes, editorial, serving
from personalization.server.allowed import Allowed
from personalization.server.artefacts import shelf
from personalization.server.candidates import Candidate, Seed
from personalization.server.catalogues import catalogues
from personalization.server.history import EVENTS_READ, History
from personalization.server.items.revisions import Key
from personalization.server.items.shown import Shown, chosen
from personalization.server.learning import registry
from personalization.server.learning.base import FROM_CONTEXT, Serves
from personalization.server.plans import Plan, PlannedModel, list_of
from personalization.server.preferences import Preferences
from personalization.server.restrictions import Restrictions
from personalization.server.scenarios.strategy import Context, Level, PlacedModel

# Read a few more rows than asked for, so that one removed item does not cost a second query.
SPARE = 2
# What a preference can choose from.
OVERFETCH = 4
OF_ONE_SEGMENT = {Serves.SEGMENT_NEWEST, Serves.SEGMENT_DUE}
OF_THE_USER = {Serves.DUE, Serves.STEREOTYPE}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, already validated by the HTTP layer.

    ``attributes``, ``ranges``: submodels to choose, by attribute its values or its numbers from, to.
    """

    customer_id: str
    user: str  # raw, as in the address
    scenario: str
    count: int
    context_ids: tuple[str, ...] = ()
    context_codes: tuple[str, ...] = ()  # CLICKED, OWNS, ...
    output_types: tuple[int, ...] = ()
    all_types: bool = False
    category_paths: tuple[str, ...] = ()
    use_context_category: bool = False
    language: str = ""
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    segments: tuple[int, ...] = ()
    user_attributes: tuple[str, ...] = ()
    use_slot: bool = False
    pseudonym: str = ""  # of the user, in place of the raw id


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """One item of the answer: its stored row where there is a catalogue, and why it is here."""

    key: Key
    model: PlannedModel
    seeds: tuple[Seed, ...]
    row: Shown | None


@dataclass(kw_only=True)
class Explained:
    """What became of one placed model: ``tally`` counts by filter the candidates that it took out."""

    level: int
    model: str
    found: int = 0
    lacked: str = ""  # input that it had not
    tally: Counter[str] = field(default_factory=Counter)


@dataclass(kw_only=True)
class Answer:
    """Items in order, the context that was used, and what caching needs to know."""

    items: list[Recommended] = field(default_factory=list)
    context: list[Seed] = field(default_factory=list)
    personal: bool = False
    changed_at: datetime = datetime.min.replace(tzinfo=UTC)
    explained: list[Explained] = field(default_factory=list)


class NothingToGoOn(Exception):
    """Every model of every level lacks its required input: status 409."""


def recommend(request: Request, plan: Plan, *, explain: bool = False) -> Answer:
    """Answer ``request`` by the scenario ``plan``; with ``explain`` count what each filter took out.

    Raises :class:`NothingToGoOn` when the scenario only holds models that need a context and there is none.
    """
    return Walk(request, plan, explain=explain).run()


class Walk:
    """One request's way down the levels."""

    def __init__(self, request: Request, plan: Plan, *, explain: bool) -> None:
        self.request = request
        self.plan = plan
        self.explain = explain
        self.catalogue = catalogues.of(request.customer_id)
        self.history = History(request.customer_id, request.user, pseudonym=request.pseudonym)
        self.restrictions = Restrictions(plan, request.customer_id, self.catalogue, self.history)
        self.asked = self.restrictions.asked = self.asked_seeds()
        self.answer = Answer(context=list(self.asked), changed_at=plan.updated_at)
        self.had_input = False
        self.now = time.time()
        self.expect_clicks()
        self.preferences = Preferences(plan, request, self.history)

    def run(self) -> Answer:
        for number, level in enumerate(self.plan.strategy.levels):
            self.fill(level, number)
            if len(self.answer.items) >= self.request.count:
                break
        if not self.had_input:
            raise NothingToGoOn
        self.answer.changed_at = max(self.answer.changed_at, self.restrictions.changed_at)
        self.answer.personal |= self.restrictions.personal or self.preferences.personal
        return self.answer

    def expect_clicks(self) -> None:
        """Have the clicks read together with what takes items away, where the first level needs them."""
        first = self.plan.strategy.levels[0].models
        if any(one.context is Context.CLICKED for one in first):
            self.history.expect("click", most=EVENTS_READ)

    def asked_seeds(self) -> list[Seed]:
        """The request's context: item ids, and history codes turned into items."""
        seeds = [Seed(key=self.resolved(one), source="REQUEST") for one in self.request.context_ids]
        for code in self.request.context_codes:
            seeds += self.history.seeds(code)
        return seeds

    def resolved(self, item_id: str) -> Key:
        """Which item an id of the request means: of the scenario's input type, else of the type it has."""
        if self.plan.input_type is not None:
            return self.plan.input_type, item_id
        fallback = self.plan.output_types[0] if self.plan.output_types else 1
        return self.catalogue.find(item_id) or (fallback, item_id)

    def fill(self, level: Level, number: int) -> None:
        """Add the level's items: an equal share of each model, read from the store before they count."""
        streams = [self.stream(placed, level, number) for placed in level.models]
        mixed = unique(chain.from_iterable(zip_longest(*streams)), {one.key for one in self.answer.items})
        while (missing := self.request.count - len(self.answer.items)) > 0:
            size = missing * OVERFETCH if self.preferences else missing
            batch = list(islice(mixed, size + SPARE))
            if not batch:
                return
            self.answer.items += self.preferences.ordered(self.stored(batch))[:missing]

    def stored(self, batch: list[tuple[Candidate, PlannedModel]]) -> list[Recommended]:
        """Those of a batch that are valid as the store has them now."""
        rows = self.rows(batch)
        return [
            Recommended(key=one.key, model=model, seeds=one.seeds, row=row)
            for one, model in batch
            if ((row := rows.get(one.key)) and row.is_valid(self.now)) or not self.catalogue.has_content
        ]

    def rows(self, batch: list[tuple[Candidate, PlannedModel]]) -> dict[Key, Shown]:
        if not self.catalogue.has_content:
            return {}
        keys = [candidate.key for candidate, _ in batch]
        return chosen(self.request.customer_id, keys, language=self.request.language)

    def stream(
        self, placed: PlacedModel, level: Level, number: int
    ) -> Iterator[tuple[Candidate, PlannedModel]]:
        """Candidates of one placed model; empty when it has no input or was never built."""
        told = Explained(level=number, model=placed.model)
        self.answer.explained.append(told)
        model = self.plan.models.get(placed.model)
        if model is None:
            told.lacked = "the model does not exist"
            return iter(())
        ask = self.ask(placed, model, level, told)
        if ask is None:
            return iter(())
        self.had_input = True
        found = serving.candidates_of(ask, registry.kind(model.kind).serves)
        return self.counted(((candidate, model) for candidate in found), told)

    def ask(
        self, placed: PlacedModel, model: PlannedModel, level: Level, told: Explained
    ) -> serving.Ask | None:
        """What the model is asked for; None where it lacks its input."""
        serves = registry.kind(model.kind).serves
        seeds = self.seeds(placed.context, serves) if serves in FROM_CONTEXT else []
        told.lacked = self.lacking(serves, seeds)
        if told.lacked:
            return None
        allowed = self.allowed(level, serves, seeds, told)
        if allowed is None:
            return None
        artefact = shelf.current(self.request.customer_id, model.identifier) if trained(model) else None
        if artefact is not None:
            self.answer.changed_at = max(self.answer.changed_at, artefact.built_at)
        elif trained(model):
            told.lacked = "the model was never built"
        if placed.data == "submodels" and model.divisions.dynamic:
            asked_attributes.note(model.pk, self.request.attributes)
        if serves is Serves.LIST:
            written = editorial.changed_at(self.request.customer_id, list_of(model))
            self.answer.changed_at = max(self.answer.changed_at, written)
        self.answer.personal |= serves in OF_THE_USER
        return serving.Ask(
            customer_id=self.request.customer_id,
            model=model,
            artefact=artefact,
            catalogue=self.catalogue,
            allowed=allowed,
            seeds=seeds,
            history=self.history,
            data=placed.data,
            attributes=self.request.attributes,
            ranges=self.request.ranges,
            segments=self.request.segments,
            use_slot=self.request.use_slot,
            now=self.now,
        )

    def lacking(self, serves: Serves, seeds: list[Seed]) -> str:
        """What input a way of serving has not got, "" where it has all."""
        if serves in FROM_CONTEXT and not seeds:
            return "no context items"
        if serves in OF_ONE_SEGMENT and len(self.request.segments) != 1:
            return "exactly one segment"
        if serves is Serves.STEREOTYPE and not self.history.traits():
            return "no attributes of the user"
        if serves is Serves.DUE and not self.history.past("buy"):
            return "no purchases of the user"
        return ""

    def allowed(self, level: Level, serves: Serves, seeds: list[Seed], told: Explained) -> Allowed | None:
        """The hard filters for a placed model, None when its category filter has nothing to refer to."""
        below = self.categories(level)
        if below is None:
            told.lacked = "no category"
            return None
        # What the user has seen is what a history recommends, without the item that is open. A bundle holds
        # the item that it is about, and visits and purchases repeat themselves.
        context = [] if serves is Serves.BUNDLE else self.asked
        if serves in (Serves.NEIGHBOURS, Serves.WEIGHTS, Serves.RANKING, Serves.NEWEST, Serves.STEREOTYPE):
            context = [*self.asked, *seeds, *self.answer.context]
        return self.restrictions.allowed(
            types=self.types(),
            below=tuple(below),
            context=context,
            now=self.now,
            tally=told.tally if self.explain else None,
        )

    def counted(
        self, found: Iterator[tuple[Candidate, PlannedModel]], told: Explained
    ) -> Iterator[tuple[Candidate, PlannedModel]]:
        for one in found:
            told.found += 1
            yield one

    def seeds(self, context: Context, serves: Serves) -> list[Seed]:
        """The context items of one placed model."""
        if context is Context.NONE:
            return []
        if context is Context.ITEM or (context is Context.AUTOMATIC and self.asked):
            return self.asked
        code = "CLICKED" if context is Context.AUTOMATIC else context.value.upper()
        visit = serves is Serves.VISIT and code == "CLICKED"
        found = self.history.visit() if visit else self.history.seeds(code)
        self.answer.personal = True
        known = {seed.key for seed in self.answer.context}
        self.answer.context += [seed for seed in dict.fromkeys(found) if seed.key not in known]
        return found

    def types(self) -> tuple[int, ...]:
        """Output types: the one asked for, all of the scenario, or its first (engine-protocol.md 3.2)."""
        if self.request.output_types:
            return self.request.output_types
        if self.request.all_types:
            return self.plan.output_types
        return self.plan.output_types[:1]

    def categories(self, level: Level) -> list[str] | None:
        """Paths below which items pass; [] is the whole site, None that there is no reference."""
        rule = level.category
        if rule.reference == "context" or self.request.use_context_category:
            references = self.restrictions.context_paths()
            if rule.mode != "whole" and not references:
                return None
        else:
            references = list(self.request.category_paths)
        prefixes = [rule.prefix(path) for path in references]
        return [] if "" in prefixes else list(dict.fromkeys(prefixes))


def trained(model: PlannedModel) -> bool:
    return registry.kind(model.kind).trained


def unique(
    found: Iterator[tuple[Candidate, PlannedModel] | None], taken: set[Key]
) -> Iterator[tuple[Candidate, PlannedModel]]:
    """Each item once, the first wins; ``None`` fills the places of models that ran dry."""
    for one in found:
        if one is not None and one[0].key not in taken:
            taken.add(one[0].key)
            yield one

"""A recommendation: walk the strategy's levels, filter while scoring, answer with what is stored now.

Source: engine-protocol.md 3.2, 3.4, 3.6 and 6. The public entry is :func:`recommend`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice, zip_longest

from personalization.server import candidates
from personalization.server.artefacts import shelf
from personalization.server.candidates import Allowed, Candidate, Seed
from personalization.server.catalogue import Catalogue
from personalization.server.catalogues import catalogues
from personalization.server.history import History
from personalization.server.items.revisions import Key
from personalization.server.items.shown import Shown, chosen
from personalization.server.learning import registry
from personalization.server.plans import Plan, PlannedModel
from personalization.server.scenarios.strategy import Context, Level, PlacedModel

DAY_SECONDS = 86_400
HISTORY = "history"  # the kind of model that recommends its context itself
# Read a few more rows than asked for, so that one removed item does not cost a second query.
SPARE = 5


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, already validated by the HTTP layer."""

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


@dataclass(frozen=True, kw_only=True)
class Recommended:
    """One item of the answer: its stored row where there is a catalogue, and why it is here."""

    key: Key
    model: PlannedModel
    seeds: tuple[Seed, ...]
    row: Shown | None


@dataclass(kw_only=True)
class Answer:
    """Items in order, the context that was used, and what caching needs to know."""

    items: list[Recommended] = field(default_factory=list)
    context: list[Seed] = field(default_factory=list)
    personal: bool = False
    changed_at: datetime = datetime.min.replace(tzinfo=UTC)


class NothingToGoOn(Exception):
    """Every model of every level lacks its required input: status 409."""


def recommend(request: Request, plan: Plan) -> Answer:
    """Answer ``request`` by the scenario ``plan``.

    Raises :class:`NothingToGoOn` when the scenario only holds models that need a context and there is none.
    """
    return Walk(request, plan).run()


class Walk:
    """One request's way down the levels."""

    def __init__(self, request: Request, plan: Plan) -> None:
        self.request = request
        self.plan = plan
        self.catalogue = catalogues.of(request.customer_id)
        self.history = History(request.customer_id, request.user)
        self.asked = self.asked_seeds()
        self.answer = Answer(context=list(self.asked), changed_at=plan.updated_at)
        self.had_input = False
        self.now = time.time()

    def run(self) -> Answer:
        for level in self.plan.strategy.levels:
            self.fill(level)
            if len(self.answer.items) >= self.request.count:
                break
        if not self.had_input:
            raise NothingToGoOn
        return self.answer

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

    def fill(self, level: Level) -> None:
        """Add the level's items: an equal share of each model, read from the store before they count."""
        missing = self.request.count - len(self.answer.items)
        streams = [self.stream(placed, level) for placed in level.models]
        mixed = unique(chain.from_iterable(zip_longest(*streams)), {one.key for one in self.answer.items})
        while missing > 0:
            batch = list(islice(mixed, missing + SPARE))
            if not batch:
                return
            rows = self.rows(batch)
            for candidate, model in batch:
                row = rows.get(candidate.key)
                if missing > 0 and (bool(row and row.is_valid(self.now)) or not self.catalogue.has_content):
                    self.answer.items.append(
                        Recommended(key=candidate.key, model=model, seeds=candidate.seeds, row=row)
                    )
                    missing -= 1

    def rows(self, batch: list[tuple[Candidate, PlannedModel]]) -> dict[Key, Shown]:
        if not self.catalogue.has_content:
            return {}
        keys = [candidate.key for candidate, _ in batch]
        return chosen(self.request.customer_id, keys, language=self.request.language)

    def stream(self, placed: PlacedModel, level: Level) -> Iterator[tuple[Candidate, PlannedModel]]:
        """Candidates of one placed model; empty when it has no input or was never built."""
        model = self.plan.models.get(placed.model)
        if model is None:
            return iter(())
        kind = registry.kind(model.kind)
        seeds = self.seeds(placed.context) if kind.needs_context else []
        if kind.needs_context and not seeds:
            return iter(())
        # What the user has seen is what a history recommends, without the item that is open.
        context = self.asked if kind.name == HISTORY else [*self.asked, *seeds, *self.answer.context]
        allowed = self.allowed(level, context)
        if allowed is None:
            return iter(())
        self.had_input = True
        return ((candidate, model) for candidate in self.candidates(model, allowed, seeds))

    def candidates(self, model: PlannedModel, allowed: Allowed, seeds: list[Seed]) -> Iterator[Candidate]:
        kind = registry.kind(model.kind)
        if kind.name == HISTORY:
            return candidates.repeated(self.catalogue, allowed, seeds)
        if not kind.trained:
            oldest = self.now - model.parameters["item_age_days"] * DAY_SECONDS
            return candidates.newest(self.catalogue, allowed, oldest=oldest)
        artefact = shelf.current(self.request.customer_id, model.identifier)
        if artefact is None:
            return iter(())
        self.answer.changed_at = max(self.answer.changed_at, artefact.built_at)
        if kind.needs_context:
            return candidates.neighbours(artefact, self.catalogue, allowed, seeds)
        return candidates.ranked(artefact, self.catalogue, allowed)

    def seeds(self, context: Context) -> list[Seed]:
        """The context items of one placed model."""
        if context is Context.NONE:
            return []
        if context is Context.ITEM or (context is Context.AUTOMATIC and self.asked):
            return self.asked
        code = "CLICKED" if context is Context.AUTOMATIC else context.value.upper()
        found = self.history.seeds(code)
        self.answer.personal = True
        known = {seed.key for seed in self.answer.context}
        self.answer.context += [seed for seed in found if seed.key not in known]
        return found

    def allowed(self, level: Level, context: list[Seed]) -> Allowed | None:
        """The hard filters for a level, None when its category filter has nothing to refer to."""
        below = self.categories(level)
        if below is None:
            return None
        excluded: set[Key] = set()
        if self.plan.filters.exclude_context_items:
            excluded |= {seed.key for seed in context}
        if self.plan.filters.exclude_purchased:
            excluded |= {seed.key for seed in self.history.seeds("OWNS")}
        return Allowed(types=self.types(), below=tuple(below), excluded=frozenset(excluded), now=self.now)

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
            references = context_paths(self.catalogue, self.asked)
            if rule.mode != "whole" and not references:
                return None
        else:
            references = list(self.request.category_paths)
        prefixes = [rule.prefix(path) for path in references]
        return [] if "" in prefixes else list(dict.fromkeys(prefixes))


def context_paths(catalogue: Catalogue, seeds: list[Seed]) -> list[str]:
    """The categories of the context items, as the item store knows them."""
    return list(dict.fromkeys(path for seed in seeds for path in catalogue.categories_of(seed.key)))


def unique(
    found: Iterator[tuple[Candidate, PlannedModel] | None], taken: set[Key]
) -> Iterator[tuple[Candidate, PlannedModel]]:
    """Each item once, the first wins; ``None`` fills the places of models that ran dry."""
    for one in found:
        if one is not None and one[0].key not in taken:
            taken.add(one[0].key)
            yield one

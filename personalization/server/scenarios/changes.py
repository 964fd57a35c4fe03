"""Every change that people make to a scenario (engine-protocol.md 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext
from pydantic import ValidationError

from config.customers import directory
from personalization.contracts import MAX_ITEM_TYPE
from personalization.server import defaults, plans
from personalization.server.learning import registry
from personalization.server.learning.base import FROM_CONTEXT, Serves
from personalization.server.models import Model, Scenario, ScenarioTest
from personalization.server.scenarios.filters import Filters
from personalization.server.scenarios.strategy import Context, Strategy
from personalization.server.wrong import Problem, Wrong, sentence

# It stands in addresses; engine-protocol.md 6.1 names these, and "?", "#", "%" would end or change one.
FORBIDDEN = frozenset(" .:;/\\'\"?#%<>&")
MOST_TYPES = 50


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a form says of a scenario. ``strategy`` and ``filters``: documents, not checked yet."""

    name: str
    description: str = ""
    input_type: int | None = None  # None: any type
    output_types: Sequence[int] = ()  # none: every type
    strategy: Mapping[str, Any]
    filters: Mapping[str, Any]


def create(customer_id: str, identifier: str, given: Given) -> Scenario:
    """A new scenario. Raises :class:`Wrong`, also for an identifier that is in use."""
    problems = identifier_problems(identifier)
    columns = checked(customer_id, given, problems)
    if problems:
        raise Wrong(problems)
    try:
        with transaction.atomic():
            row = Scenario.objects.create(customer_id=customer_id, identifier=identifier, **columns)
    except IntegrityError:
        said = gettext("There is a scenario %(name)s already; choose another identifier.") % {
            "name": identifier
        }
        raise Wrong([Problem("identifier", said)]) from None
    plans.forget()
    return row


def save(row: Scenario, given: Given, *, version: str) -> Scenario:
    """Store a changed scenario. ``version``: of the one that was shown, as :func:`version_of` said.

    Raises :class:`Wrong`, also where somebody else saved it meanwhile.
    """
    problems: list[Problem] = []
    columns = checked(row.customer_id, given, problems)
    if problems:
        raise Wrong(problems)
    with transaction.atomic():
        stored = Scenario.objects.select_for_update().filter(pk=row.pk).first()
        if stored is None or version_of(stored) != version:
            said = gettext(
                "Somebody else changed this scenario meanwhile. Copy what you need, then load the page again."
            )
            raise Wrong([Problem("", said)])
        for name, value in columns.items():
            setattr(stored, name, value)
        stored.save()
    plans.forget()
    return stored


def version_of(row: Scenario) -> str:
    return row.updated_at.isoformat()


def delete(row: Scenario) -> None:
    """Remove a scenario; a default one is not given again. Raises :class:`Wrong` while a test runs on it."""
    running = ScenarioTest.objects.filter(customer_id=row.customer_id, ends_at__gt=timezone.now())
    if running.of_scenario(row.identifier).exists():
        said = gettext("The scenario is part of an A/B test that has not ended; end the test first.")
        raise Wrong([Problem("", said)])
    Scenario.objects.filter(pk=row.pk).delete()
    plans.forget()


def default_of(row: Scenario) -> Scenario | None:
    """The scenario of the set that every customer starts with which this one was, not stored."""
    account = directory.find(row.customer_id)
    commerce = account is not None and account.kind == defaults.COMMERCE
    made = defaults.default_scenarios(row.customer_id, commerce=commerce)
    return next((one for one in made if one.identifier == row.identifier), None)


def reset(row: Scenario) -> Scenario:
    """Make a default scenario what it was at first. Raises :class:`Wrong` for one that is none."""
    first = default_of(row)
    if first is None:
        raise Wrong([Problem("", gettext("Only scenarios of the default set can be reset."))])
    given = Given(
        name=first.name,
        description=first.description,
        input_type=first.input_type,
        output_types=first.output_types,
        strategy=first.strategy,
        filters=first.filters,
    )
    return save(row, given, version=version_of(row))


def identifier_problems(identifier: str) -> list[Problem]:
    if not identifier:
        return [Problem("identifier", gettext("Enter an identifier; it stands in addresses."))]
    if len(identifier) > 64 or not identifier.isprintable() or set(identifier) & FORBIDDEN:
        said = gettext(
            "An identifier has up to 64 characters, no spaces and none of"
            " . : ; / \\ ' \" ? # %% < > &; got %(name)s."
        )
        return [Problem("identifier", said % {"name": identifier[:64]})]
    return []


def checked(customer_id: str, given: Given, problems: list[Problem]) -> dict[str, Any]:
    """The columns to store; what is wrong is added to ``problems``."""
    name = given.name.strip()
    if not name or len(name) > 128:
        problems.append(Problem("name", gettext("Enter a name of up to 128 characters.")))
    types = list(dict.fromkeys(given.output_types))
    if (
        any(not 0 < one <= MAX_ITEM_TYPE for one in [*types, given.input_type or 1])
        or len(types) > MOST_TYPES
    ):
        problems.append(Problem("output_types", gettext("An item type is a whole number from 1 on.")))
    return {
        "name": name,
        "description": given.description.strip(),
        "input_type": given.input_type,
        "output_types": types,
        "strategy": checked_strategy(customer_id, given.strategy, problems),
        "filters": checked_filters(given.filters, problems),
    }


def checked_filters(document: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    try:
        return Filters.model_validate(document).model_dump(mode="json")
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            problems.append(Problem(str(fault["loc"][0]) if fault["loc"] else "filters", sentence(fault)))
        return {}


def checked_strategy(
    customer_id: str, document: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    try:
        strategy = Strategy.model_validate(document)
    except ValidationError as error:
        if not document.get("levels"):
            said = [gettext("Place at least one model on a level.")]
        else:
            said = [sentence(fault) for fault in error.errors(include_url=False)]
        problems += [Problem("strategy", one) for one in dict.fromkeys(said)]
        return {}
    known = {row.identifier: row for row in Model.objects.filter(customer_id=customer_id)}
    problems += [Problem("strategy", one) for one in placement_problems(strategy, known)]
    return strategy.model_dump(mode="json")


def placement_problems(strategy: Strategy, known: Mapping[str, Model]) -> Iterator[str]:
    """What cannot be of the models on the levels (6.2)."""
    for number, level in enumerate(strategy.levels):
        names = [placed.model for placed in level.models]
        for name in sorted({one for one in names if names.count(one) > 1}):
            yield gettext("The model %(name)s stands on one level twice.") % {"name": name}
        for placed in level.models:
            row = known.get(placed.model)
            if row is None:
                yield gettext("There is no model %(name)s any more; remove it.") % {"name": placed.model}
                continue
            kind = registry.kind(row.kind)
            told = {"name": row.name, "level": number}
            if kind.serves is Serves.NOTHING:
                yield (
                    gettext("%(name)s recommends nothing; a blacklist is in force in every scenario.") % told
                )
            if kind.serves in FROM_CONTEXT and placed.context is Context.NONE:
                yield gettext("%(name)s starts from items; choose where its context comes from.") % told
            if placed.data != "default" and not kind.divides:
                yield (
                    gettext("%(name)s has neither submodels nor segments; choose Default as its data.") % told
                )

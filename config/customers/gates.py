"""Who may send the events of a customer of the database, and how many: set here, by command and back office.

Customers of the sites file say the same below `tracking`. A customer of both keeps the stricter of each: the
smaller budget, and the origins that both allow. What is set in the sites file alone is what it says there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from config.customers.models import Customer
from config.site_access import EventGate
from config.site_access.schema import MOST_EVENTS_PER_SECOND, web_origin

MOST_ORIGINS = 100
# Of two places with no origin in common; origins are compared in lower case, so none is this.
NO_ORIGIN = ("NONE",)
# Of a customer's row, that a form shows and that a change writes.
COLUMNS = ("events_per_second", "needs_license_key", "allowed_origins", "needs_consent")


class BadGate(ValueError):
    """A rule that cannot be; the message is a sentence."""


class BadOrigin(BadGate):
    """A word that is no origin of pages."""

    def __init__(self, word: str) -> None:
        self.word = word[:80]
        super().__init__(
            f"{self.word!r} must be the origin of pages such as https://www.example.org, without a path."
        )


@dataclass(frozen=True, kw_only=True)
class GateRules:
    """What is set for a customer. ``events_per_second``: 0 is no limit, None the default.

    ``needs_consent``: events without consent are stored and linked to nobody.
    """

    events_per_second: int | None = None
    needs_license_key: bool = False
    origins: tuple[str, ...] = ()
    needs_consent: bool = False

    def __post_init__(self) -> None:
        budget = self.events_per_second
        if budget is not None and not 0 <= budget <= MOST_EVENTS_PER_SECOND:
            raise BadGate(f"Events per second must be 0 to {MOST_EVENTS_PER_SECOND}; got {budget}.")
        if len(self.origins) > MOST_ORIGINS:
            raise BadGate(f"At most {MOST_ORIGINS} origins can be named; got {len(self.origins)}.")


UNSET = GateRules()


def origins_of(words: Iterable[str]) -> tuple[str, ...]:
    """Origins as browsers send them, sorted. Raises :class:`BadOrigin` for a word that is none."""
    found = set()
    for word in filter(None, words):
        try:
            found.add(web_origin(word))
        except ValueError:
            raise BadOrigin(word) from None
    return tuple(sorted(found))


def rules_of(row: Customer) -> GateRules:
    return GateRules(
        events_per_second=row.events_per_second,
        needs_license_key=row.needs_license_key,
        origins=tuple(row.allowed_origins.split()),
        needs_consent=row.needs_consent,
    )


def gate_of(row: Customer, declared: EventGate | None) -> EventGate:
    """The gate of a customer; ``declared``: that of the sites file, where it names the customer too."""
    base = declared or EventGate()
    rules = rules_of(row)
    budgets = [base.events_per_second]
    if rules.events_per_second is not None:
        budgets = [*(budgets if declared else ()), rules.events_per_second]
    return replace(
        base,
        events_per_second=min(filter(None, budgets), default=0),
        needs_license_key=base.needs_license_key or rules.needs_license_key,
        origins=origins_of_both(base.origins, rules.origins),
    )


def origins_of_both(declared: tuple[str, ...], own: tuple[str, ...]) -> tuple[str, ...]:
    """Origins that both places allow; a place that names none allows all."""
    if not declared or not own:
        return declared or own
    return tuple(sorted({*declared} & {*own})) or NO_ORIGIN


def fill(row: Customer, rules: GateRules) -> None:
    """Write the rules into the columns of a row, without saving it."""
    row.events_per_second = rules.events_per_second
    row.needs_license_key = rules.needs_license_key
    row.allowed_origins = "\n".join(rules.origins)
    row.needs_consent = rules.needs_consent

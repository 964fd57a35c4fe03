"""An evaluator written from the reference alone (`cdp.md` 3.2, 3.3): plain Python over rows, one profile at a
time, on the document itself. It knows nothing of the code that it is held against."""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cdp.profiles.models import UNITS, Consent, Interaction, Profile

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
OPPOSITE = {
    "ne": "eq",
    "not_in": "in",
    "not_contains": "contains",
    "has_none": "has_any",
    "is_empty": "is_not_empty",
}
FIXED = {"hour": 3600, "day": 86400, "week": 604800}
NUMBER = re.compile(r"-?[0-9]{1,14}(\.[0-9]{1,4})?")
COLUMNS = {
    *("product_id", "product_name", "category", "brand", "order_id", "session", "item_type", "source"),
    *("currency", "quantity", "price", "subtotal", "percentage", "rating"),
}
Document = Mapping[str, Any]


class Naive:
    """``audiences``: identifier -> (document, purpose)."""

    def __init__(
        self, *, as_of: datetime, zone: ZoneInfo, audiences: Mapping[str, tuple[Document, str]] | None = None
    ) -> None:
        self.as_of, self.zone, self.audiences = as_of, zone, audiences or {}
        self.rows: dict[int, list[Interaction]] = defaultdict(list)
        for row in Interaction.objects.order_by("ts", "pk"):
            self.rows[row.profile_id].append(row)
        self.consents: dict[int, list[Consent]] = defaultdict(list)
        for consent in Consent.objects.order_by("given_at", "pk"):
            self.consents[consent.profile_id].append(consent)

    def members(self, document: Document, profiles: Iterable[Profile], purpose: str = "") -> set[int]:
        return {one.pk for one in profiles if self.fits(document, one, purpose)}

    def fits(self, document: Document, profile: Profile, purpose: str) -> bool:
        return self.holds(document, profile) and (not purpose or self.agrees(profile, purpose))

    def agrees(self, profile: Profile, purpose: str) -> bool:
        said = [c for c in self.consents[profile.pk] if c.purpose == purpose and c.given_at <= self.as_of]
        return bool(said) and (
            said[-1].status == "granted" and (said[-1].expires_at is None or said[-1].expires_at > self.as_of)
        )

    def holds(self, node: Document, profile: Profile) -> bool:
        kind = node["type"]
        if kind == "group":
            each = [self.holds(one, profile) for one in node["children"]]
            return (all(each) if node["op"] == "and" else any(each)) != node.get("not", False)
        if kind == "audience":
            inner, purpose = self.audiences[node["audience"]]
            return self.fits(inner, profile, purpose) == node.get("is", True)
        if kind == "have":
            return self.has(node, profile)
        return self.did(node, profile) == (kind == "did")

    # --- events ---------------------------------------------------------------------------------

    def events(self, node: Document, profile: Profile) -> list[Interaction]:
        return [
            row
            for row in self.rows[profile.pk]
            if row.event == node["event"]
            and self.in_window(moment_of(row), node.get("window") or {"kind": "ever"})
            and all(self.check(one, value_of(row, one["property"])) for one in node.get("where") or ())
        ]

    def in_window(self, t: datetime, window: Document) -> bool:
        if t > self.as_of:
            return False
        match window["kind"]:
            case "ever":
                return True
            case "in_last":
                return self.ago(window["n"], window["unit"]) <= t
            case "not_in_last":
                return t < self.ago(window["n"], window["unit"])
            case "before":
                return t < self.dt(window["at"])
            case "after":
                return t >= self.dt(window["at"])
        end = self.dt(window["to"], days=1)
        return self.dt(window["from"]) <= t < end

    def ago(self, n: int, unit: str) -> datetime:
        return self.later(-n, unit)

    def later(self, n: int, unit: str) -> datetime:
        if unit in FIXED:
            return self.as_of + timedelta(seconds=n * FIXED[unit])
        here = self.as_of.astimezone(self.zone)
        months = here.year * 12 + here.month - 1 + n * (12 if unit == "year" else 1)
        year, month = months // 12, months % 12 + 1
        return here.replace(
            year=year, month=month, day=min(here.day, calendar.monthrange(year, month)[1])
        ).astimezone(UTC)

    def dt(self, text: str, *, days: int = 0) -> datetime:
        """``days`` more for a plain date."""
        if len(text) == 10:
            day = date.fromisoformat(text) + timedelta(days=days)
            return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=self.zone)).astimezone(UTC)

    def did(self, node: Document, profile: Profile) -> bool:
        rows, by = self.events(node, profile), node.get("count_by")
        if by is None:
            n = len(rows)
        else:
            n = len({getattr(row, by) for row in rows if str(getattr(row, by)).strip()})
        count = {"op": "gte", "value": 1} | (node.get("count") or {})
        return n > 0 and order(count["op"], Decimal(n), Decimal(count["value"]), count.get("value2"))

    # --- values ---------------------------------------------------------------------------------

    def has(self, node: Document, profile: Profile) -> bool:
        attribute = node["attribute"]
        if isinstance(attribute, str):
            return self.check(node, profile.attributes.get(attribute))
        if attribute["calc"] == "top":
            positive = {**node, "op": OPPOSITE.get(node["op"], node["op"])}
            any_of = any(self.check(positive, one) for one in self.top(attribute, profile))
            return any_of != (node["op"] in OPPOSITE)
        return self.check(node, self.calculated(attribute, profile))

    def calculated(self, calc: Document, profile: Profile) -> Any:
        rows, name, what = self.events(calc, profile), calc.get("property"), calc["calc"]
        if what == "days_since_last":
            return Decimal((self.as_of - moment_of(rows[-1])) // timedelta(days=1)) if rows else None
        if name is None:
            if what == "count":
                return Decimal(len(rows))
            return moment_of(rows[0 if what == "first" else -1]) if rows else None
        values = [one for one in (value_of(row, name) for row in rows) if not is_missing(one)]
        if what == "count":
            return Decimal(len(values))
        if what == "distinct":
            return Decimal(len({key(one) for one in values}))
        if what in ("first", "last"):
            return values[0 if what == "first" else -1] if values else None
        numbers = [one for one in map(numeric, values) if one is not None]
        if what == "sum":
            return sum(numbers, Decimal(0))
        if not numbers:
            return None
        if what == "avg":
            return Average(sum(numbers, Decimal(0)), len(numbers))
        return min(numbers) if what == "min" else max(numbers)

    def top(self, calc: Document, profile: Profile) -> list[str]:
        groups: dict[str, list[Interaction]] = defaultdict(list)
        for row in self.events(calc, profile):
            if value := dimension(row, calc):
                groups[value].append(row)
        ranks = []
        for value, rows in groups.items():
            if len(rows) < calc.get("min_events", 1):
                continue
            metric = Decimal(len(rows))
            if calc.get("metric", "count") == "sum":
                numbers = [numeric(value_of(row, calc["property"])) for row in rows]
                metric = sum((one for one in numbers if one is not None), Decimal(0))
            ranks.append((-metric, -rows[-1].ts, value.encode(), value))
        return [one[-1] for one in sorted(ranks)[: calc.get("rank", 1)]]

    # --- checks ---------------------------------------------------------------------------------

    def check(self, node: Document, value: Any) -> bool:
        op = node["op"]
        if op in OPPOSITE:
            return not self.positive({**node, "op": OPPOSITE[op]}, value)
        return self.positive(node, value)

    def positive(self, node: Document, value: Any) -> bool:
        op, wanted, case = node["op"], node.get("value"), node.get("case", False)
        if is_missing(value):
            return False
        if op == "is_not_empty":
            return True
        if op in ("is_true", "is_false"):
            return value is (op == "is_true")
        if op == "eq":
            return same(value, wanted, case=case)
        if op == "in":
            return any(same(value, one, case=case) for one in wanted)
        if op in ("has_any", "has_all"):
            if not isinstance(value, list):
                return False
            there = {spelled(one, case=case) for one in value if isinstance(one, str)}
            return (any if op == "has_any" else all)(spelled(one, case=case) in there for one in wanted)
        if op in ("contains", "starts_with", "ends_with", "regex"):
            return isinstance(value, str) and text_holds(op, value, wanted, case=case)
        return self.ordered(node, value)

    def ordered(self, node: Document, value: Any) -> bool:
        op, wanted = node["op"], node.get("value")
        if op == "anniversary_in_next":
            return self.anniversary(value, wanted)
        if op in ("in_last", "in_next", "before", "after") or not is_number(wanted):
            t = self.moment(value)
            return t is not None and self.in_time(node, t)
        number = value if isinstance(value, Average) else numeric(value)
        return number is not None and order(op, number, Decimal(str(wanted)), node.get("value2"))

    def in_time(self, node: Document, t: datetime) -> bool:
        op, wanted = node["op"], node["value"]
        match op:
            case "in_last":
                return self.ago(wanted, node.get("value2") or "day") <= t <= self.as_of
            case "in_next":
                return self.as_of <= t <= self.later(wanted, node.get("value2") or "day")
            case "before" | "lt":
                return t < self.dt(wanted)
            case "after" | "gte":
                return t >= self.dt(wanted)
            case "lte":
                return t < self.after(wanted)
            case "gt":
                return t >= self.after(wanted)
        assert op == "between"
        return self.dt(wanted) <= t < self.after(node["value2"])

    def after(self, text: str) -> datetime:
        """What comes after a moment: after the whole day of a plain date."""
        return self.dt(text, days=1) + timedelta(microseconds=0 if len(text) == 10 else 1)

    def moment(self, value: Any) -> datetime | None:
        if isinstance(value, datetime):
            return value
        try:
            if not isinstance(value, str) or not (len(value) == 10 or value.endswith("Z")):
                return None
            return self.dt(value)
        except ValueError:
            return None

    def anniversary(self, value: Any, days: int) -> bool:
        moment = self.moment(value)
        if moment is None:
            return False
        born = moment.astimezone(self.zone).date()
        today = self.as_of.astimezone(self.zone).date()
        return any(
            in_year(born, year) - today in [timedelta(days=n) for n in range(days + 1)]
            for year in (today.year, today.year + 1)
        )


class Average:
    """Compared by multiplication."""

    def __init__(self, total: Decimal, n: int) -> None:
        self.total, self.n = total, n

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Decimal) and self.total == other * self.n

    def __lt__(self, other: Decimal) -> bool:
        return self.total < other * self.n

    def __gt__(self, other: Decimal) -> bool:
        return self.total > other * self.n

    __hash__ = None  # type: ignore[assignment]


def moment_of(row: Interaction) -> datetime:
    return EPOCH + timedelta(microseconds=row.ts)


def value_of(row: Interaction, name: str) -> Any:
    if name == "product":
        name = "product_id"
    if name == "category_path":
        return [one for one in row.category_path.split("/") if one]
    if name not in COLUMNS:
        return row.props.get(name)
    value = getattr(row, name)
    if name in ("price", "subtotal"):
        return None if value is None else Decimal(value) / UNITS
    return Decimal(value) if isinstance(value, int) else value


def dimension(row: Interaction, calc: Document) -> str:
    name, level = calc["dimension"], calc.get("level", "leaf")
    if name != "category":
        return str(row.brand if name == "brand" else row.product_id).strip() and (
            row.brand if name == "brand" else row.product_id
        )
    if level == "leaf":
        return row.category
    ids = [one for one in row.category_path.split("/") if one]
    return ids[level] if level < len(ids) else ""


def is_missing(value: Any) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def is_number(value: Any) -> bool:
    if isinstance(value, str):
        return bool(NUMBER.fullmatch(value))
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def numeric(value: Any) -> Decimal | None:
    if isinstance(value, Average) or not is_number(value):
        return None
    return Decimal(str(value)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def same(value: Any, wanted: Any, *, case: bool) -> bool:
    if isinstance(value, Average):
        return value == Decimal(str(wanted))
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(value, str) and isinstance(wanted, str):
        return spelled(value, case=case) == spelled(wanted, case=case)
    if isinstance(value, list | dict) or not is_number(value) or not is_number(wanted):
        return False
    return numeric(value) == Decimal(str(wanted))


def key(value: Any) -> tuple[str, Any]:
    if isinstance(value, str):
        return "text", value
    return ("truth", value) if isinstance(value, bool) else ("number", numeric(value))


def spelled(text: str, *, case: bool) -> str:
    return text if case else text.lower().replace("ς", "σ")


def text_holds(op: str, value: str, wanted: str, *, case: bool) -> bool:
    if op == "regex":
        wanted = wanted.replace("$", r"\Z").replace(r"\d", "[0-9]")
        return bool(re.search(wanted, value, 0 if case else re.I))
    value, wanted = spelled(value, case=case), spelled(wanted, case=case)
    if op == "contains":
        return wanted in value
    return value.startswith(wanted) if op == "starts_with" else value.endswith(wanted)


def order(op: str, value: Any, first: Decimal, last: Any) -> bool:
    match op:
        case "eq":
            return bool(value == first)
        case "gt":
            return bool(value > first)
        case "gte":
            return not value < first
        case "lt":
            return bool(value < first)
        case "lte":
            return not value > first
    return not value < first and not value > Decimal(str(last))


def in_year(born: date, year: int) -> date:
    if (born.month, born.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return born.replace(year=year)

"""Bringing a file of historical events in: its events and then the items they name, each exactly once.

An event's id says where its row stands and is a keyed digest of what the row says. So the same file again
changes nothing, a file that has grown brings what is new in it, and an import that was stopped is finished by
starting it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from personalization.history.catalogue import Catalogue, SeenItem
from personalization.history.event_ids import EventIds
from personalization.history.mapping import Mapping, needs
from personalization.history.options import Options
from personalization.history.rejects import Rejects
from personalization.history.rows import HistoricRow, RejectedRow, RowReader, parsers
from personalization.history.source import Source
from personalization.history.times import BadTime, reader
from tracking import replay
from tracking.events import RULES

PROGRESS_ROWS = 5_000
MOST_REASONS = 50
PARAMETERS = {code: {p.column for p in rule.parameters} for code, rule in RULES.items()}
NEEDED = {code: [name for name in needs(code) if name != "item"] for code in RULES}


@dataclass(kw_only=True)
class Summary:
    """What became of the rows."""

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    items: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    rejects: str = ""  # the file with the rejected rows
    examples: list[dict[str, str]] = field(default_factory=list)  # the items seen most often
    grew: bool = False  # the file became longer meanwhile


class Import:
    """One run over one file. ``summary`` says how far it is."""

    def __init__(self, source: Source, *, mapping: Mapping, options: Options) -> None:
        """Raises :class:`~personalization.history.options.BadOption`."""
        options.fit(mapping)
        self.source = source
        self.mapping = mapping
        self.options = options
        self.summary = Summary()
        self.at: tuple[int, int, Sequence[object]] = (0, 0, ())  # row, line and values read last

    def run(
        self, *, rejects: Path | None = None, on_progress: Callable[[int], None] | None = None
    ) -> Summary:
        """Read the file once, store its events and items, and say what became of each row."""
        catalogue = Catalogue(self.options)
        with Rejects(rejects, mapping=self.mapping) as rejected:
            events = self.events(catalogue=catalogue, rejected=rejected, on_progress=on_progress)
            self.store(events, rejected)
        if not self.options.dry_run:
            catalogue.store()
        return self.finished(catalogue, rejected)

    def store(self, events: Iterator[replay.HistoricEvent], rejected: Rejects) -> None:
        """What the rules of tracking refuse is a rejected row too: it is the row that was read last."""

        def committed(outcome: replay.StoreResult) -> None:
            self.summary.stored, self.summary.duplicates = outcome.stored, outcome.duplicates

        def refused(_number: int, _event: replay.HistoricEvent, reason: str) -> None:
            number, line, values = self.at
            rejected.add(number, line, reason, values)

        customer_id, alphanumeric = self.options.customer_id, self.options.alphanumeric
        if self.options.dry_run:
            self.summary.stored = replay.check(
                customer_id, events, alphanumeric=alphanumeric, on_reject=refused
            )
        else:
            replay.store(
                customer_id, events, alphanumeric=alphanumeric, on_commit=committed, on_reject=refused
            )

    def finished(self, catalogue: Catalogue, rejected: Rejects) -> Summary:
        summary = self.summary
        summary.reasons = dict(rejected.reasons.most_common(MOST_REASONS))
        summary.rejected = rejected.reasons.total()
        summary.rejects = str(rejected.written or "")
        summary.items = len(catalogue.items)
        summary.examples = [
            {"item": item.item_id, "title": item.title or item.name} for item in catalogue.most_seen(3)
        ]
        summary.grew = self.source.grew()
        return summary

    def events(
        self, *, catalogue: Catalogue, rejected: Rejects, on_progress: Callable[[int], None] | None
    ) -> Iterator[replay.HistoricEvent]:
        """Yield the events of the rows that are ones; note why the others are not."""
        options = self.options
        moment = reader(zone=options.time_zone, now=time.time_ns() // 1000, form=options.time_format)
        reading = parsers(moment=moment, event_names=options.event_names, comma=options.decimal == ",")
        read = RowReader(list(self.mapping.columns), parsers=reading).read
        name = EventIds(self.options.customer_id).event_id
        rows = self.source.rows(list(self.mapping.columns.values()))
        for number, (line, values, broken) in enumerate(rows, start=1):
            if number % PROGRESS_ROWS == 0 and on_progress:
                on_progress(number)
            self.summary.rows = number
            self.at = number, line, values
            try:
                if broken:
                    raise RejectedRow(broken)
                row = read(values)
                code = self.code(row)
                items = [catalogue.item(one) for one in row.items(code)]
            except (RejectedRow, BadTime) as reason:
                rejected.add(number, line, str(reason), values)
                continue
            named = ",".join(item.item_id for item in items)
            event_id = row.eventid or name(row=number, event=code, user=row.user, item=named, ts=row.ts)
            yield from self.rows_of(row, code=code, event_id=event_id, items=items)

    def rows_of(
        self, row: HistoricRow, *, code: str, event_id: str, items: list[SeenItem]
    ) -> Iterator[replay.HistoricEvent]:
        """One event for each item of a bundle; one in all for an event that is about no item."""
        if not items:
            yield self.event(row, code=code, event_id=event_id)
        for seq, item in enumerate(items):
            item.learn(row if len(items) == 1 else row._replace(title=""))
            yield self.event(row, code=code, event_id=event_id)._replace(
                item_type=self.options.item_type, item_id=item.item_id, seq=seq
            )

    def code(self, row: HistoricRow) -> str:
        code = row.event or self.options.event
        for name in NEEDED[code]:
            if getattr(row, name) in (None, ""):
                raise RejectedRow(f"no {name}, which {code} needs")
        if row.price is not None and not (row.currency or self.options.currency):
            raise RejectedRow("no currency of the price")
        return code

    def event(self, row: HistoricRow, *, code: str, event_id: str) -> replay.HistoricEvent:
        """The event with the parameters that its code takes, about no item yet."""
        takes = PARAMETERS[code]
        price = row.price if "fullprice" in takes else None
        login = code == "login"
        return replay.HistoricEvent(
            event=code,
            user=row.target if login else row.user,
            source=row.user if login else "",
            ts=row.ts,
            quantity=row.quantity if "quantity" in takes else None,
            price=price,
            currency=(row.currency or self.options.currency) if price is not None else "",
            percentage=row.percentage if "percentage" in takes else None,
            rating=row.rating if "rating" in takes else None,
            category_path=row.category,
            scenario=row.scenario,
            model_id=row.modelid,
            request_uuid=row.requestuuid,
            trigger_name=row.triggername,
            order_id=row.orderid,
            lang=row.lang,
            segments=row.segments,
            event_id=event_id,
        )

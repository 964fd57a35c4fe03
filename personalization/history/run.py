"""Bringing a file of historical events in: its events and then the items they name, each exactly once.

Running the same file again changes nothing: an event's id is made of the file's digest and its row, and the
item numbers are minted from the names. So an import that was killed is finished by starting it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

from personalization.contracts import new_transaction
from personalization.history.mapping import Mapping
from personalization.history.minting import Mint
from personalization.history.rejects import Rejects
from personalization.history.rows import HistoricRow, RejectedRow, RowReader
from personalization.history.source import Source
from personalization.server.items import store
from personalization.server.items.mapping import Columns
from tracking import replay

MAX_ITEM_ID = 2_147_483_647


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the file is about, as far as its columns do not say."""

    customer_id: str
    event: str = "buy"
    item_type: int = 40
    type_identifier: str = "product"
    currency: str = ""
    language: str = ""
    mint_ids: bool = False
    dry_run: bool = False
    alphanumeric: bool = False


@dataclass(kw_only=True)
class Summary:
    """What became of the rows."""

    rows: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    items: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Catalogue:
    """The items the rows speak of: name and price, the most recent price winning."""

    mint: Mint | None
    alphanumeric: bool = False
    ids: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    prices: dict[str, tuple[int, Decimal, str]] = field(default_factory=dict)

    def item_id(self, row: HistoricRow) -> str:
        """The id of the row's item. Raises :class:`RejectedRow` when it can have none."""
        item_id = self.ids.get(row.item) or self.first_seen(row)
        # Nothing costs nothing: a price of 0 is a gift or a correction, not the item's price.
        if row.price:
            latest = self.prices.get(item_id)
            if latest is None or row.ts >= latest[0]:
                self.prices[item_id] = (row.ts, row.price, row.currency)
        return item_id

    def first_seen(self, row: HistoricRow) -> str:
        numeric = row.item.isascii() and row.item.isdigit() and 1 <= int(row.item[:11]) <= MAX_ITEM_ID
        if not (numeric or self.mint or self.alphanumeric):
            raise RejectedRow("the item is not a number from 1 to 2147483647 (use --mint-ids for names)")
        item_id = str(self.mint.number(row.item)) if self.mint else row.item
        self.ids[row.item] = item_id
        self.titles.setdefault(item_id, row.title or row.item)
        return item_id


def import_file(
    path: Path,
    *,
    mapping: Mapping,
    options: Options,
    rejects: Path | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Summary:
    """Read the file once, store its items and events, and say what became of each row."""
    source = Source(path)
    summary = Summary()
    catalogue = Catalogue(
        mint=Mint(known_items(options)) if options.mint_ids else None, alphanumeric=options.alphanumeric
    )
    with Rejects(rejects) as rejected:
        events = historic_events(
            source,
            mapping=mapping,
            options=options,
            catalogue=catalogue,
            rejected=rejected,
            summary=summary,
            on_progress=on_progress,
        )
        if options.dry_run:
            summary.stored = sum(1 for _ in events)
        else:
            outcome = replay.store(options.customer_id, events, alphanumeric=options.alphanumeric)
            summary.stored, summary.duplicates = outcome.stored, outcome.duplicates
    summary.reasons = dict(rejected.reasons)
    summary.rejected = sum(rejected.reasons.values())
    summary.items = len(catalogue.titles)
    if not options.dry_run:
        store_items(catalogue, options=options)
    return summary


def historic_events(
    source: Source,
    *,
    mapping: Mapping,
    options: Options,
    catalogue: Catalogue,
    rejected: Rejects,
    summary: Summary,
    on_progress: Callable[[int], None] | None,
) -> Iterator[replay.HistoricEvent]:
    """Yield the events of the rows that are ones; note why the others are not."""
    digest = file_digest(source.path)
    reader = RowReader(list(mapping.columns))
    for number, values in enumerate(source.rows(list(mapping.columns.values())), start=1):
        summary.rows = number
        if on_progress and number % 5_000 == 0:
            on_progress(number)
        try:
            row = reader.read(values)
            item_id = catalogue.item_id(row)
        except RejectedRow as reason:
            rejected.add(number, str(reason))
        else:
            yield event_of(row, item_id=item_id, options=options, event_id=f"{digest}-{number}")


def event_of(row: HistoricRow, *, item_id: str, options: Options, event_id: str) -> replay.HistoricEvent:
    return replay.HistoricEvent(
        event=row.event or options.event,
        user=row.user,
        ts=row.ts,
        item_type=options.item_type,
        item_id=item_id,
        quantity=row.quantity if (row.event or options.event) == "buy" else None,
        price=None if row.price is None else f"{row.price:f}",
        currency=(row.currency or options.currency) if row.price is not None else "",
        percentage=row.percentage,
        rating=row.rating,
        category_path=row.category,
        event_id=event_id,
    )


def known_items(options: Options) -> dict[int, str]:
    """Numbers that the customer's items already have, with their names."""
    rows = store.StoredItem.objects.filter(
        customer_id=options.customer_id, item_type=options.item_type, language=options.language
    )
    names = {}
    for item_id, attributes in rows.values_list("item_id", "attributes"):
        if item_id.isdigit():
            names[int(item_id)] = next((value for key, _, value in attributes if key == "name"), "")
    return names


def store_items(catalogue: Catalogue, *, options: Options) -> None:
    columns = [columns_of(item_id, catalogue=catalogue, options=options) for item_id in catalogue.titles]
    store.upsert(options.customer_id, columns, language=options.language, moment=new_transaction())


def columns_of(item_id: str, *, catalogue: Catalogue, options: Options) -> Columns:
    title = catalogue.titles[item_id]
    _, price, currency = catalogue.prices.get(item_id, (None, None, ""))
    return Columns(
        item_type=options.item_type,
        item_id=item_id,
        type_identifier=options.type_identifier,
        uri="",
        image="",
        price=price,
        currency=(currency or options.currency) if price is not None else "",
        valid_from=None,
        valid_to=None,
        category_paths=[],
        attributes=[["name", "TEXT", title], ["title", "TEXT", title]],
    )


def file_digest(path: Path) -> str:
    """Names the file's content in event ids, 16 hexadecimal digits."""
    digest = blake2b(digest_size=8)
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

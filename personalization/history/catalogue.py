"""The items that the rows of a file speak of: name, most recent price and categories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from heapq import nlargest
from itertools import islice

from personalization.contracts import new_transaction
from personalization.history.minting import Mint
from personalization.history.options import Options
from personalization.history.rows import FREE, HistoricRow, RejectedRow
from personalization.server.items import store
from personalization.server.items.mapping import Columns
from personalization.server.models import StoredItem
from tracking import fields
from tracking.fields import BadEvent

MOST_PATHS = 20
BATCH = 500
OURS = {"name", "title"}  # all that an import knows of an item


@dataclass(slots=True)
class SeenItem:
    """What a file says of one item."""

    item_id: str
    name: str
    title: str = ""
    price: str = ""  # of the most recent row that has one
    currency: str = ""
    priced_at: int = 0
    count: int = 0
    paths: list[str] = field(default_factory=list)

    def learn(self, row: HistoricRow) -> None:
        self.count += 1
        # A price of 0 is a gift or a correction, not the item's price.
        if row.price and row.price != FREE and row.ts >= self.priced_at:
            self.price, self.currency, self.priced_at = row.price, row.currency, row.ts
        if row.category and row.category not in self.paths and len(self.paths) < MOST_PATHS:
            self.paths.append(row.category)
        if row.title and not self.title:
            self.title = row.title


class Catalogue:
    """The items of one import."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.mint = Mint(known_items(options)) if options.mint_ids else None
        self.by_name: dict[str, SeenItem] = {}
        self.items: dict[str, SeenItem] = {}

    def item(self, name: str) -> SeenItem:
        """The item of that name or number. Raises :class:`RejectedRow` when it can have no id."""
        return self.by_name.get(name) or self.first_seen(name)

    def first_seen(self, name: str) -> SeenItem:
        item_id = self.id_of(name)
        found = self.items.setdefault(item_id, SeenItem(item_id, name))
        self.by_name[name] = found
        return found

    def id_of(self, name: str) -> str:
        if self.mint:
            return str(self.mint.number(name))
        try:
            return fields.item_id(name, alphanumeric=self.options.alphanumeric)
        except BadEvent as fault:
            if self.options.alphanumeric:
                raise RejectedRow("the item is not 1 to 255 printable characters") from fault
            raise RejectedRow(
                "the item is not a number from 1 to 2147483647 (use --mint-ids for names)"
            ) from fault

    def most_seen(self, count: int) -> list[SeenItem]:
        return nlargest(count, self.items.values(), key=lambda item: item.count)

    def store(self) -> None:
        """Add to what is known of the items; those that a catalogue has described stay as they are."""
        moment = new_transaction()
        for batch in batches(self.items.values()):
            rows = list(self.merged(batch))
            store.upsert(self.options.customer_id, rows, language=self.options.language, moment=moment)

    def merged(self, batch: list[SeenItem]) -> Iterator[Columns]:
        wanted = {"customer_id": self.options.customer_id, "item_type": self.options.item_type}
        known = StoredItem.objects.filter(**wanted, item_id__in=[item.item_id for item in batch])
        described = {row.item_id for row in known if not is_ours(row)}
        before = {row.item_id: row for row in known if row.language == self.options.language}
        for item in batch:
            if item.item_id not in described:
                row = before.get(item.item_id)
                columns = columns_of(item, before=row, options=self.options)
                if row is None or vars(columns) != {name: getattr(row, name) for name in vars(columns)}:
                    yield columns


def is_ours(row: StoredItem) -> bool:
    """Whether the item is known from imported rows alone."""
    return not (row.uri or row.image) and {key for key, _, _ in row.attributes} <= OURS


def columns_of(item: SeenItem, *, before: StoredItem | None, options: Options) -> Columns:
    title = item.title or name_of(before) or item.name
    price, currency = (before.price, before.currency) if before else (None, "")
    if item.price:
        price, currency = Decimal(item.price), item.currency or options.currency
    paths = dict.fromkeys([*(before.category_paths if before else ()), *item.paths])
    return Columns(
        item_type=options.item_type,
        item_id=item.item_id,
        type_identifier=options.type_identifier,
        price=price,
        currency=currency,
        category_paths=list(paths)[:MOST_PATHS],
        attributes=[["name", "TEXT", title], ["title", "TEXT", title]],
    )


def name_of(row: StoredItem | None) -> str:
    return next((value for key, _, value in row.attributes if key == "name"), "") if row else ""


def known_items(options: Options) -> dict[int, str]:
    """Numbers that the customer's items already have, with their names."""
    rows = StoredItem.objects.filter(
        customer_id=options.customer_id, item_type=options.item_type, language=options.language
    )
    return {int(row.item_id): name_of(row) for row in rows.iterator() if row.item_id.isdigit()}


def batches(items: Iterable[SeenItem]) -> Iterator[list[SeenItem]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch

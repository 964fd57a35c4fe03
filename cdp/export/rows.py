"""The rows of an order as JSON, one after the other, with the position behind each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.conf import settings

from cdp.export import items, users
from cdp.export.chunks import MOST_BYTES, Written
from cdp.export.hooks import Row
from cdp.export.order import Order
from cdp.export.values import RowError, plain
from config.languages import to_protocol_language
from content.items import queries
from content.items.complete import count_complete, stream_complete
from content.items.types import item_types

MOST_TOLD = 20  # problems with rows that are shown one by one


@dataclass(kw_only=True)
class Source:
    """Iterating yields the rows from ``position`` on.

    A row that cannot be built is skipped and told; in a strict run it ends the run with its
    :class:`~cdp.export.values.RowError`.
    """

    order: Order
    position: str = ""
    problem: Callable[[str], None]
    skipped: int = 0
    told: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Written]:
        key, _, sent = self.position.rpartition(":")
        objects = self.users(key) if self.order.kind == "user" else self.items(key)
        for number, build in objects:
            yield from self.written(number, build, sent=int(sent) if str(number) == key else 0)

    def written(self, number: Any, build: Callable[[], Iterable[Row]], *, sent: int) -> Iterator[Written]:
        """The rows of one object behind those of it that were sent."""
        try:
            bodies = [self.body(row) for row in build()]
        except RowError as error:
            if self.order.strict:
                raise RowError(error.code, f"Row {number}: {error}") from error
            self.skip(f"Row {number} is skipped: {error}.")
            return
        for place, body in enumerate(bodies[sent:], start=sent + 1):
            yield Written(f"{number}:{place}", body)

    def body(self, row: Row) -> bytes:
        try:
            body = orjson.dumps({str(key): plain(value) for key, value in row.items()})
        except TypeError as error:  # nested too deep, or a text that is no Unicode
            raise RowError("not_json", str(error)) from error
        if len(body) > MOST_BYTES - 2:
            raise RowError("too_large", f"it has {len(body)} bytes, of which a receiver takes {MOST_BYTES}")
        return body

    def users(self, key: str) -> Iterator[tuple[Any, Callable[[], Iterable[Row]]]]:
        found = users.queryset_of(self.order.item_type, self.order.site)
        for user in users.rows_of(found, first=key or None):
            if not (self.order.without_anonymous and users.is_anonymous(user)):
                yield user.pk, lambda user=user: [users.row_of(user)]  # type: ignore[misc]

    def items(self, key: str) -> Iterator[tuple[Any, Callable[[], Iterable[Row]]]]:
        site_id, languages = place_of(self.order)
        reader = items.Reader(
            kind=item_types()[self.order.item_type],
            site=self.order.site,
            main_language=languages[0] if languages else "",
            strict=self.order.strict,
            left_out=self.left_out,
        )
        build = reader.products if self.order.kind == "product" else reader.content
        stream = stream_complete(
            site_id, self.order.item_type, languages, first=int(key or 0), since=self.order.since
        )
        for item in stream:
            yield item.content_id, lambda item=item: build(item)  # type: ignore[misc]

    def skip(self, sentence: str) -> None:
        self.skipped += 1
        self.told += 1
        if self.told <= MOST_TOLD:
            self.problem(sentence)
        elif self.told == MOST_TOLD + 1:
            self.problem("Further rows that are skipped are counted only.")

    def take_skipped(self) -> int:
        """How many rows were skipped since the last call."""
        found, self.skipped = self.skipped, 0
        return found


def place_of(order: Order) -> tuple[int, list[str]]:
    """The Wagtail site, and the languages of its rows, the main one first.

    Raises :class:`~content.items.queries.UnknownRoot`.
    """
    site_id = queries.site_for(order.site.root)
    return site_id, list(order.site.languages) or main_first(queries.languages(site_id))


def main_first(languages: list[str]) -> list[str]:
    main = to_protocol_language(settings.LANGUAGE_CODE)
    return sorted(languages, key=lambda one: (one != main, one))


def count(order: Order) -> int:
    """About how many rows there are, for the progress."""
    if order.kind == "user":
        found = users.queryset_of(order.item_type, order.site).count()
    else:
        site_id, languages = place_of(order)
        found = count_complete(site_id, order.item_type, languages, since=order.since)
    return found if order.limit is None else min(found, order.limit)

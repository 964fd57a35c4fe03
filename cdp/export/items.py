"""Rows of content and of products: flat, of single values, from the read model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from cdp.export.hooks import Field, Row, field_processors
from cdp.export.values import RowError, plain
from config.site_access import SiteAccess
from content.items.complete import Complete, category_names, field_kinds
from content.items.payload import SYSTEM_KEYS
from content.items.types import ItemType, item_types

PREFIX = "field"
PRICE, VARIANTS = "price", "variants"


def product_types() -> dict[str, ItemType]:
    """The item types whose items have a price."""
    return {name: kind for name, kind in item_types().items() if PRICE in field_kinds(kind)}


@dataclass(kw_only=True)
class Reader:
    """Builds the rows of one type's items; ``left_out`` counts values that could not go out, by reason."""

    kind: ItemType
    site: SiteAccess
    main_language: str
    strict: bool = False
    left_out: dict[str, int] = field(default_factory=dict)
    _kinds: dict[str, str] = field(init=False)
    _names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kinds = field_kinds(self.kind)

    def content(self, item: Complete) -> list[Row]:
        values = orjson.loads(item.payload)
        return [self.about(item, values) | self.fields(item, values)]

    def products(self, item: Complete) -> list[Row]:
        """The product, and each of its variants as a row of its own behind it."""
        values = orjson.loads(item.payload)
        variants = values.pop(VARIANTS, None) or ()
        about, fields = self.about(item, values), self.fields(item, values)
        rows = [about | self.shop(values, values) | fields]
        for one in variants:
            named = {"name": str(one.get("name") or about["name"])}
            rows.append(about | named | self.shop(values, one) | self.fields(item, one, inherit=fields))
        return rows

    def about(self, item: Complete, values: Mapping[str, Any]) -> Row:
        """What every item has (keys of our own: the reference documents none)."""
        main = self.main_language if self.main_language in item.languages else item.languages[0]
        return {
            "content_id": item.content_id,
            "content_type_identifier": self.kind.identifier,
            "main_language_code": main,
            "language_code": item.language,
            "name": str(values.get("name") or values.get("title") or ""),
            "published_at": item.published_at.isoformat(),
            "modified_at": item.updated_at.isoformat(),
            "author": str(values.get("author") or ""),
            "location_path": item.category_paths[0] if item.category_paths else "",
            "category_path": self.categories(item.category_paths),
            "url": f"{self.site.host_uri}{item.uri}" if item.uri.startswith("/") else item.uri,
        }

    def shop(self, product: Mapping[str, Any], one: Mapping[str, Any]) -> Row:
        """What a product has, or one of its variants, which names the product."""
        is_variant = one is not product
        currency = str(product.get("currency") or "").lower()
        return {
            "product_code": str(one.get("sku") or ""),
            "product_type": self.kind.identifier,
            "is_variant": is_variant,
            "base_product_code": str(product.get("sku") or "") if is_variant else "",
            # What the read model holds can be seen and, unless it says otherwise, bought.
            "availability": bool(one.get("availability", True)),
            "stock": one.get("stock"),
            f"price_{currency}" if currency else PRICE: one.get(PRICE),
        }

    def categories(self, paths: Sequence[str]) -> str:
        """``Id#Name;Id#Name`` of the first location, from the top (reference 6.1); the item is none."""
        steps = [int(one) for one in paths[0].strip("/").split("/")[:-1] if one.isdigit()] if paths else []
        if missing := set(steps) - self._names.keys():
            self._names |= dict.fromkeys(missing, "") | category_names(missing)
        return ";".join(f"{one}#{self._names[one]}" for one in steps if self._names[one])

    def fields(self, item: Complete, values: Mapping[str, Any], inherit: Row | None = None) -> Row:
        """The row's fields under their keys. Raises :class:`RowError` in a strict run."""
        row: Row = dict(inherit or {})
        own: set[str] = set()
        for name, value in values.items():
            if name in SYSTEM_KEYS:
                continue
            one = Field(
                identifier=name,
                type=self._kinds.get(name, "other"),
                value=value,
                content_id=item.content_id,
                item_type=self.kind.identifier,
                language=item.language,
            )
            for key, scalar in self.of_field(one):
                if key in own:
                    self.fault("key_collision", f"two fields have the key {key!r}")
                else:
                    own.add(key)
                    row[key] = scalar
        return row

    def of_field(self, one: Field) -> Iterator[tuple[str, Any]]:
        processor = field_processors.of(one)
        try:
            found = processor(one) if processor else {}
        except Exception as error:  # noqa: BLE001 - a project's own code may fail in any way
            self.fault("processor", f"the field {one.identifier!r}: {type(error).__name__}: {error}")
            return
        for tail, value in found.items():
            key = f"{PREFIX}_{one.identifier}_{tail}"
            try:
                scalar = plain(value, nested=False)
            except RowError as error:
                self.fault(error.code, f"{key!r}: {error}")
            else:
                yield key, scalar

    def fault(self, code: str, sentence: str) -> None:
        if self.strict:
            raise RowError(code, sentence)
        self.left_out[code] = self.left_out.get(code, 0) + 1

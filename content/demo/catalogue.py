"""The demo's content as plain data: what `texts/*.yaml` says, with everything that can be derived.

Knows nothing of Django, so that the simulation of visitors and the drawing of pictures can read it too.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEXTS = Path(__file__).parent / "texts"
LANGUAGES = ("en", "fr")
DAYS = 360
# The data files of each kind, named one by one: a stray file in the folder is not published.
FILES = {
    "place": ("places-europe", "places-asia", "places-americas", "places-africa", "places-oceania"),
    "article": ("features-food", "features-trails", "features-cities", "features-culture", "features-sea"),
    "product": (
        *("products-luggage", "products-camping", "products-maps-books"),
        *("products-clothing", "products-cameras"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Text:
    """What an entry says in one language; ``body`` has one paragraph, `## ` heading or `> ` quote a line."""

    title: str
    intro: str = ""
    caption: str = ""
    body: tuple[str, ...] = ()
    slug: str = ""
    subtitle: str = ""
    tagline: str = ""


@dataclass(frozen=True, kw_only=True)
class Variant:
    sku: str
    price: Decimal
    colour: str = ""
    size: str = ""


@dataclass(frozen=True, kw_only=True)
class Folder:
    key: str
    parent: str
    picture_of: str
    texts: dict[str, Text]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One place, article or product."""

    key: str
    kind: str  # place, article, product
    folder: str
    picture: str
    tags: tuple[str, ...]
    texts: dict[str, Text]
    age_in_days: float
    author: str = ""
    position: dict[str, str] = field(default_factory=dict)
    coordinates: tuple[float, float] | None = None
    rating: int = 0
    illustration: str = ""  # key of the entry whose picture appears in the body
    price: Decimal = Decimal(0)
    brand: str = ""
    colour: str = ""
    variants: tuple[Variant, ...] = ()

    @property
    def sku(self) -> str:
        return f"LS-{zlib.crc32(self.key.encode()) % 90000 + 10000}"


@cache
def load(name: str) -> Any:
    return yaml.load((TEXTS / name).read_bytes(), Loader=yaml.CSafeLoader)  # noqa: S506 - the safe loader in C


def texts_of(source: dict[str, Any]) -> dict[str, Text]:
    return {
        language: Text(**{**source[language], "body": tuple(source[language].get("body", "").splitlines())})
        for language in LANGUAGES
    }


@cache
def home() -> Folder:
    data = load("folders.yaml")["home"]
    return Folder(key="home", parent="", picture_of=data["picture_of"], texts=texts_of(data))


@cache
def folders() -> tuple[Folder, ...]:
    """Return the category tree, parents before children."""
    data = load("folders.yaml")
    return tuple(Folder(**row, texts=texts_of(data["texts"][row["key"]])) for row in data["folders"])


@cache
def entries() -> tuple[Entry, ...]:
    """Return every place, article and product, in the order of the files."""
    raw = [row for kind, names in FILES.items() for name in names for row in rows_of(kind, name)]
    # Dates look random but stay the same from build to build, and no type is all old or all new.
    order = sorted(range(len(raw)), key=lambda place: zlib.crc32(raw[place][1]["key"].encode()))
    ages = {place: (rank + 0.3) * DAYS / len(raw) for rank, place in enumerate(order)}
    return tuple(entry(kind, row, age=ages[place]) for place, (kind, row) in enumerate(raw))


def rows_of(kind: str, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    data = load(f"{name}.yaml")
    for row in data["items"]:
        yield kind, {**row, "folder": data["folder"]}


def entry(kind: str, row: dict[str, Any], *, age: float) -> Entry:
    tags = tuple(row["tags"].split())
    author = author_of(row["key"], tags, wanted=row.get("author", "")) if kind != "product" else {}
    latitude, longitude = map(float, row["at"].split()) if "at" in row else (0.0, 0.0)
    return Entry(
        key=row["key"],
        kind=kind,
        folder=row["folder"],
        picture=row["picture"],
        tags=tags,
        texts=texts_of(row),
        age_in_days=age,
        author=author.get("name", ""),
        position={language: author[language] for language in LANGUAGES} if author else {},
        coordinates=(latitude, longitude) if "at" in row else None,
        rating=row.get("rating", 0),
        illustration=row.get("illustration", ""),
        price=Decimal(str(row.get("price", 0))),
        brand=row.get("brand", ""),
        colour=row["picture"].split()[1] if kind == "product" else "",
        variants=tuple(variants(row)) if kind == "product" else (),
    )


def author_of(key: str, tags: tuple[str, ...], *, wanted: str) -> dict[str, str]:
    """Return who signs: the wanted person, or the one who knows most about the tags."""
    people: list[dict[str, str]] = load("vocabulary.yaml")["authors"]

    def knowledge(person: dict[str, str]) -> tuple[bool, int, int]:
        known = len(set(person["tags"].split()) & set(tags))
        return person["name"] == wanted, known, zlib.crc32(f"{key}{person['name']}".encode())

    return max(people, key=knowledge)


def variants(row: dict[str, Any]) -> Iterator[Variant]:
    """Yield colours times sizes; ``sizes`` maps a size to its surcharge."""
    colours = row.get("colours", "").split() or [""]
    sizes: dict[str, float] = row.get("sizes") or {"": 0}
    if colours == [""] and "" in sizes:
        return
    for colour in colours:
        for size, surcharge in sizes.items():
            yield Variant(
                sku="-".join(
                    part.upper().replace(" ", "") for part in (row["key"][5:], colour, str(size)) if part
                ),
                price=Decimal(str(row["price"])) + Decimal(str(surcharge)),
                colour=colour,
                size=str(size),
            )


def tag_name(tag: str, language: str) -> str:
    """Return the tag as visitors of a language read it."""
    words = load("vocabulary.yaml")
    if language == "fr":
        return str(words["tags"][tag])
    return str(words["names"].get(tag, tag.replace("-", " ")))


def colour_name(colour: str, language: str) -> str:
    return str(load("vocabulary.yaml")["colours"][colour][LANGUAGES.index(language)]) if colour else ""

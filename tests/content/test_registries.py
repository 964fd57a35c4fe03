"""What every normaliser of a value and every writer of a block must do."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import orjson
import pytest
from wagtail import blocks

from content.blocks import QuoteBlock
from content.items import streams, values
from content.models import PlacePage, ProductPage
from tests.content.conftest import Magazine

SAMPLE = "A & <b>"
PLAIN: dict[str, Any] = {
    "NoneType": None,
    "BooleanField": True,
    "bool": False,
    "IntegerField": 3,
    "int": 0,
    "FloatField": 1.5,
    "DecimalField": Decimal("1.50"),
    "float": 0.0,
    "Decimal": Decimal(2),
    "CharField": "",
    "TextField": SAMPLE,
    "UUIDField": uuid.uuid4(),
    "str": SAMPLE,
    "UUID": uuid.uuid4(),
    "URLField": "https://a.example",
    "DateField": datetime.date(2026, 1, 2),
    "date": datetime.date(2026, 1, 2),
    "DateTimeField": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "datetime": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "TimeField": datetime.time(1),
    "time": datetime.time(1),
    "FileField": None,
    "JSONField": {"a": 1},
    "dict": {"a": [1]},
    "RichTextField": "<p>A</p>",
    "list": [1, "a", None],
    "tuple": (1,),
    "set": {1},
}
NEEDS_ROWS = {
    "StreamField", "StreamValue", "TaggableManager", "AbstractImage", "AbstractDocument", "Page", "Model",
    "ManyToManyField", "ForeignObjectRel", "QuerySet",
}  # fmt: skip


def known(kind: type) -> Any:
    return values._NORMALISERS[kind]


def test_every_normaliser_is_tried_here() -> None:
    names = {kind.__name__ for kind in values._NORMALISERS}
    assert names == PLAIN.keys() | NEEDS_ROWS


@pytest.mark.parametrize("kind", [kind for kind in values._NORMALISERS if kind.__name__ in PLAIN])
def test_a_normaliser_gives_json_and_the_same_each_time(kind: type) -> None:
    sample = PLAIN[kind.__name__]
    first = known(kind)(sample)
    assert orjson.loads(orjson.dumps(first)) == first
    assert known(kind)(sample) == first


def test_normalisers_of_rows_give_json_for_none_one_and_many(magazine: Magazine, picture: Any) -> None:
    place = magazine.place(image=picture)
    product = magazine.shop.add_child(instance=ProductPage(title="Lamp", price=Decimal(1)))
    place.tags.add("sea")
    for page in (place, product, magazine.home, PlacePage(title="unsaved")):
        for field in page._meta.get_fields():
            if field.name in ("tags", "variants", "image", "body", "metas") and hasattr(page, field.name):
                orjson.dumps(values.value_of(page, field.name))
    assert values.normalise(type(place).objects.none()) == []
    assert values.normalise(magazine.en) == "English", "any other row is what it is called"


BLOCKS: dict[type[blocks.Block], Any] = {
    blocks.CharBlock: SAMPLE,
    blocks.TextBlock: SAMPLE,
    blocks.EmailBlock: "a@b.example",
    blocks.IntegerBlock: 1,
    blocks.FloatBlock: 1.5,
    blocks.DecimalBlock: Decimal("1.5"),
    blocks.DateBlock: datetime.date(2026, 1, 2),
    blocks.TimeBlock: datetime.time(1),
    blocks.DateTimeBlock: datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    blocks.RichTextBlock: "<p>A</p>",
    blocks.BlockQuoteBlock: SAMPLE,
    blocks.URLBlock: 'https://a.example/?"><b>',
    blocks.BooleanBlock: True,
    blocks.StaticBlock: None,
    blocks.RawHTMLBlock: "<i>raw</i>",
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, _attributes: Any) -> None:
        self.found.append(tag)


@pytest.mark.parametrize("kind", list(BLOCKS))
def test_a_writer_of_a_block_escapes_what_it_is_given(kind: type[blocks.Block]) -> None:
    block = kind()
    block.set_name("part")
    written = Tags()
    written.feed(streams.block_as_html(block, BLOCKS[kind]))
    assert set(written.found) <= {"p", "blockquote", "a", "i"}
    assert streams.block_as_html(block, None) == streams.block_as_html(block, "") == ""


def test_a_quotation_and_a_choice_are_what_they_are() -> None:
    quote = QuoteBlock()
    assert streams.block_as_html(quote, {"text": SAMPLE}) == "<blockquote>A &amp; &lt;b&gt;</blockquote>"
    assert streams.block_as_html(blocks.ChoiceBlock(choices=[("a", "A")]), "a") == ""

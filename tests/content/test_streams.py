"""Stream fields as HTML and as text, whatever blocks they have."""

from __future__ import annotations

import datetime

import pytest
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.documents.models import Document
from wagtail.images.blocks import ImageChooserBlock
from wagtail.images.models import Image

from content.items.pictures import rendition_of
from content.items.streams import block_html, html_of, text_of
from content.items.values import value_of
from content.models import ArticlePage
from tests.content.conftest import Magazine, committed, stored


class MapBlock(blocks.StaticBlock):  # type: ignore[misc]
    """A block of a project's own."""


class AdviceBlock(blocks.StructBlock):  # type: ignore[misc]
    """Chosen for each visitor: no content of the page."""

    is_content = False
    heading = blocks.CharBlock()


class PlacesBlock(blocks.StreamBlock):  # type: ignore[misc]
    heading = blocks.CharBlock()
    intro = blocks.RichTextBlock()
    when = blocks.DateBlock()
    stars = blocks.IntegerBlock()
    tint = blocks.ChoiceBlock(choices=[("red", "Red")])
    link = blocks.URLBlock()
    words = blocks.BlockQuoteBlock()
    steps = blocks.ListBlock(
        blocks.StructBlock([("step", blocks.CharBlock()), ("why", blocks.TextBlock(required=False))])
    )
    more = blocks.StreamBlock([("line", blocks.CharBlock())])
    map = MapBlock()
    advice = AdviceBlock()


VALUES = [
    ("heading", "Rail & road"),
    ("intro", "<p>Go <b>on</b>.</p>"),
    ("when", "2026-05-01"),
    ("stars", 4),
    ("tint", "red"),
    ("link", "https://a.example/?a=1&b=2"),
    ("words", "Slow <is> good"),
    ("steps", [{"step": "Pack", "why": ""}, {"step": "Leave", "why": "early"}]),
    ("more", [{"type": "line", "value": "Deep"}]),
    ("map", None),
    ("advice", {"heading": "For you"}),
]


def stream(values: list[tuple[str, object]]) -> blocks.StreamValue:
    raw = [{"type": name, "value": value} for name, value in values]
    return PlacesBlock().to_python(raw)


def test_it_writes_each_block_by_its_kind() -> None:
    assert html_of(stream(VALUES)) == (
        "<h2>Rail &amp; road</h2><p>Go <b>on</b>.</p><p>2026-05-01</p><p>4</p>"
        '<p><a href="https://a.example/?a=1&amp;b=2">https://a.example/?a=1&amp;b=2</a></p>'
        "<blockquote>Slow &lt;is&gt; good</blockquote><p>Pack</p><p>Leave</p><p>early</p><p>Deep</p>"
    )
    assert datetime.date(2026, 5, 1) in [child.value for child in stream(VALUES)]


def test_it_gives_text_a_line_for_each_block() -> None:
    assert text_of(html_of(stream(VALUES[:3]))) == "Rail & road\nGo on.\n2026-05-01"


def test_it_takes_a_writer_for_a_block_of_the_projects_own() -> None:
    @block_html(MapBlock)
    def write(_block: blocks.Block, _value: object) -> str:
        return "<p>54.1 N</p>"

    from content.items.streams import _WRITERS

    try:
        assert html_of(stream([("map", None)])) == "", "a block without a value has nothing to write"
        assert write(MapBlock(), None) == "<p>54.1 N</p>"
        assert _WRITERS[MapBlock] is write
    finally:
        del _WRITERS[MapBlock]


@pytest.mark.django_db
def test_it_exports_pictures_and_documents_and_leaves_unreadable_pictures_out(
    picture: Image, caplog: pytest.LogCaptureFixture
) -> None:
    document = Document.objects.create(title="Map", file="documents/map.pdf")
    block = blocks.StreamBlock([("image", ImageChooserBlock()), ("file", DocumentChooserBlock())])
    raw = [{"type": "image", "value": picture.pk}, {"type": "file", "value": document.pk}]
    assert html_of(block.to_python(raw)) == (
        f'<img src="{rendition_of(picture).url}" alt="Teal"><p><a href="{document.url}">Map</a></p>'
    )
    picture.renditions.all().delete()
    picture.file.storage.delete(picture.file.name)
    assert html_of(block.to_python(raw)) == f'<p><a href="{document.url}">Map</a></p>'
    assert f"picture {picture.pk}" in caplog.text


def test_rich_text_and_streams_are_text_too(magazine: Magazine, picture: Image) -> None:
    body = [("heading", "Trains"), ("image", picture), ("paragraph", "<p>Slow &amp; good</p><p>Late</p>")]
    with committed():
        article = magazine.articles.add_child(instance=ArticlePage(title="T", intro="<p>Hi</p>", body=body))
    assert value_of(article, "body.text") == "Trains\nSlow & good\nLate"
    assert value_of(article, "intro.text") == "Hi"
    item = stored(article)
    assert item is not None
    assert f'<img src="{rendition_of(picture).url}"' in str(item["body"])
    with committed():  # and follows the picture, which no column names
        picture.title = "Petrol"
        picture.save()
    item = stored(article)
    assert item is not None
    assert 'alt="Petrol"' in str(item["body"])


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<h3>One</h3><h4>Two</h4>three", "One\nTwo\nthree"),
        ("<div>One</div><DIV class='a'>Two</DIV >", "One\nTwo"),
        ("<table><tr><td>One</td><th>Two</th></tr></table>", "One\nTwo"),
        ("One<br />Two<BR/>Three<br class='x'>Four<hr>Five", "One\nTwo\nThree\nFour\nFive"),
        ("<p>One <b>t</b>wo</p><ul><li>Three</li></ul>", "One two\nThree"),
        ("<brand>One</brand>two", "Onetwo"),
    ],
)
def test_blocks_are_lines_of_the_text(markup: str, text: str) -> None:
    assert text_of(markup) == text

"""The blocks of a stream field as HTML and as text, whatever blocks a project has.

Not what its templates make of them: an item carries the content, without the page around it. A block of the
project's own gets a function: ``@block_html(MapBlock)``.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db import DatabaseError
from django.utils.html import conditional_escape, format_html, strip_tags
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.embeds.blocks import EmbedBlock
from wagtail.images.blocks import ImageBlock, ImageChooserBlock
from wagtail.rich_text import expand_db_html

from content.blocks import QuoteBlock
from content.items.pictures import rendition_of

logger = logging.getLogger("personalization")

Writer = Callable[[Any, Any], str]
W = TypeVar("W", bound=Writer)

_WRITERS: dict[type[blocks.Block], Writer] = {}
HEADINGS = ("heading", "title", "headline")
# What a browser shows in lines of its own: the ends of blocks, and of the cells of a table.
END_OF_LINE = re.compile(
    r"<(?:br|hr)\b[^>]*>|</(?:p|h[1-6]|li|dt|dd|blockquote|div|section|article|header|footer|aside|figure|"
    r"figcaption|pre|address|td|th|tr|caption|ul|ol|dl|table)\s*>",
    re.IGNORECASE,
)


def block_html(*kinds: type[blocks.Block]) -> Callable[[W], W]:
    """Register ``writer(block, value)`` for block classes; the most derived class wins."""

    def add(writer: W) -> W:
        _WRITERS.update(dict.fromkeys(kinds, writer))
        return writer

    return add


def html_of(value: Iterable[Any]) -> str:
    """Every block of a stream that has content, in its order; recommendations in a body have none."""
    return "".join(block_as_html(child.block, child.value) for child in value)


def block_as_html(block: blocks.Block, value: Any) -> str:
    if value is None or value == "" or not getattr(block, "is_content", True):
        return ""
    for kind in type(block).__mro__:
        if kind in _WRITERS:
            return str(_WRITERS[kind](block, value))
    return "".join(format_html("<p>{}</p>", text) for text in block.get_searchable_content(value))


def text_of(markup: str) -> str:
    """Plain text of HTML: one line for each block, entities decoded."""
    lines = html.unescape(strip_tags(END_OF_LINE.sub("\\g<0>\n", markup))).splitlines()
    return "\n".join(text for line in lines if (text := " ".join(line.split())))


@block_html(
    blocks.CharBlock,
    blocks.TextBlock,
    blocks.EmailBlock,
    blocks.IntegerBlock,
    blocks.FloatBlock,
    blocks.DecimalBlock,
    blocks.DateBlock,
    blocks.TimeBlock,
    blocks.DateTimeBlock,
)
def _line(block: blocks.Block, value: Any) -> str:
    tag = "h2" if block.name in HEADINGS else "p"
    return format_html("<{0}>{1}</{0}>", tag, value)


@block_html(blocks.ChoiceBlock, blocks.MultipleChoiceBlock, blocks.BooleanBlock, blocks.StaticBlock)
def _setting(_block: blocks.Block, _value: Any) -> str:
    """How something is shown is no content."""
    return ""


@block_html(blocks.RichTextBlock)
def _rich_text(_block: blocks.Block, value: Any) -> str:
    return str(expand_db_html(getattr(value, "source", str(value))))


@block_html(blocks.RawHTMLBlock)
def _raw(_block: blocks.Block, value: Any) -> str:
    return str(value)


@block_html(blocks.BlockQuoteBlock)
def _quotation(_block: blocks.Block, value: Any) -> str:
    return format_html("<blockquote>{}</blockquote>", value)


@block_html(QuoteBlock)
def _quote(_block: blocks.Block, value: Any) -> str:
    return format_html("<blockquote>{}</blockquote>", value["text"])


@block_html(blocks.URLBlock)
def _link(_block: blocks.Block, value: Any) -> str:
    return format_html('<p><a href="{0}">{0}</a></p>', value)


@block_html(EmbedBlock)
def _embed(_block: blocks.Block, value: Any) -> str:
    return format_html('<p><a href="{0}">{0}</a></p>', value.url)


@block_html(blocks.PageChooserBlock)
def _page(_block: blocks.Block, value: Any) -> str:
    if not value.live:
        return ""
    return format_html('<p><a href="{}">{}</a></p>', value.url or "", value.title)


@block_html(DocumentChooserBlock)
def _document(_block: blocks.Block, value: Any) -> str:
    return format_html('<p><a href="{}">{}</a></p>', value.url, value.title)


@block_html(ImageChooserBlock, ImageBlock)
def _picture(_block: blocks.Block, value: Any) -> str:
    text = getattr(value, "contextual_alt_text", None) or value.title
    try:
        return format_html('<img src="{}" alt="{}">', rendition_of(value).url, text)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - the text around an unreadable picture is whole
        logger.warning("A block is left out of an item, picture %s: %s", value.pk, error)
        return ""


@block_html(blocks.StructBlock)
def _struct(block: blocks.Block, value: Any) -> str:
    return "".join(block_as_html(child, value.get(name)) for name, child in block.child_blocks.items())


@block_html(blocks.ListBlock)
def _list(block: blocks.Block, value: Any) -> str:
    return "".join(block_as_html(block.child_block, one) for one in value)


@block_html(blocks.StreamBlock)
def _stream(_block: blocks.Block, value: Any) -> str:
    return html_of(value)


@block_html(blocks.ChooserBlock)
def _object(_block: blocks.Block, value: Any) -> str:
    """A snippet: what it is called."""
    return f"<p>{conditional_escape(str(value))}</p>"

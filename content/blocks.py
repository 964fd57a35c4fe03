"""Blocks of an article's body, and the door through which upper layers add theirs.

Wagtail publishes no types, so each subclass of its classes says `type: ignore[misc]`.
"""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock


class QuoteBlock(blocks.StructBlock):  # type: ignore[misc]
    text = blocks.TextBlock(label=_("Quotation"))
    source = blocks.CharBlock(required=False, label=_("Who said it"))

    class Meta:
        icon = "openquote"
        label = _("Quote")


BODY_BLOCKS: dict[str, blocks.Block] = {
    "heading": blocks.CharBlock(icon="title", form_classname="title", label=_("Heading")),
    "paragraph": blocks.RichTextBlock(icon="pilcrow", label=_("Paragraph")),
    "image": ImageChooserBlock(icon="image", label=_("Image")),
    "quote": QuoteBlock(),
}


def register_body_block(name: str, block: blocks.Block) -> None:
    """Offer ``block`` in article bodies under ``name``.

    Call it from an ``AppConfig.ready``: the choice is fixed when the first body is read.

    Raises ValueError when another block has the name already.
    """
    if name in BODY_BLOCKS:
        raise ValueError(f"The name of a body block must be unique; {name!r} is taken.")
    BODY_BLOCKS[name] = block


class BodyField(StreamField):  # type: ignore[misc]
    """A stream whose blocks are no part of the database schema.

    Layers above add blocks; spelled out in a migration, each of them would change the tables of this
    layer.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__([], **kwargs)

    @cached_property
    def stream_block(self) -> blocks.StreamBlock:
        stream = blocks.StreamBlock(list(BODY_BLOCKS.items()))
        stream.set_meta_options(self.block_opts)
        return stream

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        name, path, _args, kwargs = super().deconstruct()
        del kwargs["block_lookup"]
        return name, path, [], kwargs

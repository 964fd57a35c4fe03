"""Kinds whose content editors write (engine-protocol.md 5.6)."""

from __future__ import annotations

from typing import ClassVar

from personalization.server.learning.base import Kind, Parameters, Serves, register


@register
class EditorialList(Kind):
    """The items of an editor's list, by relevance. ``list``: its identifier, empty for the model's own."""

    name: ClassVar[str] = "editorial_list"
    serves: ClassVar[Serves] = Serves.LIST
    trained: ClassVar[bool] = False
    defaults: ClassVar[Parameters] = {"list": ""}


@register
class Blacklist(Kind):
    """Items that no scenario recommends."""

    name: ClassVar[str] = "blacklist"
    serves: ClassVar[Serves] = Serves.NOTHING
    trained: ClassVar[bool] = False
    defaults: ClassVar[Parameters] = {"list": ""}

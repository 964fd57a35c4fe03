"""Plain lines of the data files as rich text and as stream blocks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any
from uuid import NAMESPACE_URL, uuid5


def rich(lines: Iterable[str]) -> str:
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines if line)


def blocks(lines: Iterable[str], *, name: str, illustration: int | None) -> list[dict[str, Any]]:
    """Return raw stream data: `## ` opens a heading, `> words | source` a quote, the rest paragraphs.

    ``illustration`` is the id of an image that goes between the second and the third paragraph.
    """
    stream: list[dict[str, Any]] = []
    paragraphs = 0
    for line in filter(None, lines):
        if line.startswith("## "):
            stream.append({"type": "heading", "value": line[3:]})
        elif line.startswith("> "):
            words, _, source = line[2:].partition(" | ")
            stream.append({"type": "quote", "value": {"text": words, "source": source}})
        else:
            stream.append({"type": "paragraph", "value": rich([line])})
            paragraphs += 1
            if paragraphs == 2 and illustration:
                stream.append({"type": "image", "value": illustration})
    for place, block in enumerate(stream):
        block["id"] = str(uuid5(NAMESPACE_URL, f"lodestar:{name}:{place}"))
    return stream

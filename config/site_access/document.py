"""YAML text -> plain values, with the line of every key and without YAML's surprises.

Only what YAML 1.2 calls a number or a truth value is one: ``no`` stays a word, ``010`` and ``12:30``
stay text, so a type error can name what was written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from config.site_access.record import SitesFileError

MAX_DEPTH = 64
MAX_BYTES = 1_000_000
KeyPath = tuple[str, ...]


class PlainLoader(yaml.SafeLoader):
    """A SafeLoader that guesses types by the YAML 1.2 core schema."""


PlainLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)", "tTfF"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ("null", r"(?:~|null|Null|NULL|)", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^{_pattern}$"), list(_first))


@dataclass
class Document:
    """The values of a file and where each key stands."""

    path: Path
    values: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def place(self, *candidates: KeyPath) -> str:
        """Return "file, line N" of the first key path that is written, or of its closest parent."""
        for candidate in candidates:
            if candidate in self.lines:
                return f"{self.path}, line {self.lines[candidate]}"
        for candidate in candidates:
            for length in range(len(candidate) - 1, 0, -1):
                if candidate[:length] in self.lines:
                    return f"{self.path}, line {self.lines[candidate[:length]]}"
        return str(self.path)


def read(path: Path) -> Document:
    """Read the sites file; raises :class:`SitesFileError` with one sentence."""
    try:
        text = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise SitesFileError(
            f"The sites file {path} cannot be read ({error.strerror}). "
            "Create it or point LODESTAR_SITES_FILE at another one."
        ) from error
    if len(text) > MAX_BYTES:
        raise SitesFileError(f"The sites file {path} is longer than {MAX_BYTES} bytes.")
    return parse(text, path=path)


def parse(text: bytes, *, path: Path) -> Document:
    """Turn YAML into a :class:`Document`."""
    try:
        loader = PlainLoader(text)
        node = loader.get_single_node()
        document = Document(path=path, values={})
        if node is not None:
            document.values = as_mapping(Reader(loader, document).value(node, ()), document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        raise SitesFileError(f"{where}: this is not valid YAML: {error.problem or error.context}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise SitesFileError(f"{path} is not readable as YAML in UTF-8: {error}.") from error
    return document


def as_mapping(value: Any, document: Document) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SitesFileError(
            f"{document.path} must hold a mapping with one of the keys personalization, ibexa, "
            f"ibexa_personalization, ezrecommendation; it holds {shown(value)}."
        )
    return value


class Reader:
    """Walks the node tree of one file and notes the line of each key."""

    def __init__(self, loader: PlainLoader, document: Document) -> None:
        self.loader = loader
        self.document = document

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        if len(path) > MAX_DEPTH:
            raise SitesFileError(f"{self.document.path} is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(part, (*path, str(index))) for index, part in enumerate(node.value)]
        return self.loader.construct_object(node)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        inherited: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                inherited |= self.merged(value_node, path)
                continue
            key = self.key(key_node)
            here = (*path, key)
            line = key_node.start_mark.line + 1
            if key in found:
                raise SitesFileError(
                    f"{self.document.path}, line {line}: the key {key!r} stands here a second time; "
                    f"the first is in line {self.document.lines[here]}. Keep one of them."
                )
            self.document.lines[here] = line
            found[key] = self.value(value_node, here)
        return inherited | found

    def merged(self, node: yaml.Node, path: KeyPath) -> dict[str, Any]:
        value = self.value(node, path)
        parts = value if isinstance(value, list) else [value]
        result: dict[str, Any] = {}
        for part in reversed(parts):
            result |= as_mapping(part, self.document)
        return result

    def key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise SitesFileError(
                f"{self.document.path}, line {node.start_mark.line + 1}: a key must be a plain word."
            )
        return str(node.value)


def shown(value: Any) -> str:
    """A received value as it may stand in a message: short."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

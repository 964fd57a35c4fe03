"""Roots and scopes of the sites file: which entries it holds, and what each inherits.

Reference `client-protocol.md` 1.1. Every root has ``system.<scope>``; below ``ibexa`` the settings
stand one level deeper, in ``personalization``, beside ``languages``. A scope is ``default``, a group
of ``siteaccess.groups``, a site, or ``global``, which beats them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from config.site_access.document import Document, KeyPath, shown
from config.site_access.record import SitesFileError
from config.site_access.schema import RENAMED

OWN_ROOTS = (
    "personalization",
    "ibexa_personalization",
    "ibexa_personalization_client",
    "ezrecommendation",
)
CDP_ROOTS = ("ibexa_cdp", "cdp", "connector_raptor")
SEGMENTATION_ROOTS = ("ibexa_segmentation",)
ROOTS = ("ibexa", *OWN_ROOTS)
# Read beside the entry itself where the settings stand in a node of their own.
BESIDE = ("languages", "root", "cdp", "connector_raptor")


@dataclass(frozen=True)
class Layer:
    """One written piece of an entry: its values and where they stand."""

    path: KeyPath
    values: dict[str, Any]


@dataclass(frozen=True)
class Scoped:
    """One site: the layers it is made of, the weakest first."""

    name: str
    layers: tuple[Layer, ...]

    def merged(self) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for layer in self.layers:
            result = deep_merge(result, layer.values)
        return result

    def places(self, key: KeyPath) -> list[KeyPath]:
        """Where ``key`` of the entry may be written, the strongest first."""
        older = {new: old for old, new in RENAMED.items()}
        spellings = [key, (older[key[0]], *key[1:])] if key and key[0] in older else [key]
        beside = [layer.path[:-1] for layer in self.layers if layer.path[-1] == "personalization"]
        homes = [layer.path for layer in reversed(self.layers)] + beside
        return [(*home, *spelling) for spelling in spellings for home in homes]


def sites(document: Document) -> list[Scoped]:
    """Every site of the file with its layers, in file order."""
    check_roots(document)
    groups, listed = site_list(document)
    scopes = layers_by_scope(document)
    names = [name for name in scopes if name not in {"default", "global", *groups}]
    names = list(dict.fromkeys([*names, *listed]))
    if not names and "default" in scopes:
        names = ["default"]
    return [Scoped(name, tuple(layers_of(name, scopes, groups))) for name in names]


def check_roots(document: Document) -> None:
    for key in document.values:
        known = [*ROOTS, *CDP_ROOTS, *SEGMENTATION_ROOTS, "siteaccess"]
        if key not in known:
            hint = did_you_mean(key, known)
            raise SitesFileError(
                f"{document.place((key,))}: {key!r} is not a root key of the sites file.{hint}"
            )


def layers_of(name: str, scopes: dict[str, list[Layer]], groups: dict[str, list[str]]) -> list[Layer]:
    mine = [group for group, members in groups.items() if name in members]
    order = list(dict.fromkeys(["default", *mine, name, "global"]))
    return [layer for scope in order for layer in scopes.get(scope, [])]


def layers_by_scope(document: Document) -> dict[str, list[Layer]]:
    found: dict[str, list[Layer]] = {}
    for root in document.values:
        if root not in ROOTS:
            continue
        for scope, values in mapping_at(document, (root, "system")).items():
            for layer in layers_at(document, root=root, scope=scope, values=values):
                found.setdefault(scope, []).append(layer)
    return found


def layers_at(document: Document, *, root: str, scope: str, values: Any) -> list[Layer]:
    path = (root, "system", scope)
    written = expect_mapping(document, path, values)
    if root != "ibexa":
        return [Layer(path, renamed(document, path, written))]
    if "personalization" not in written and not any(key in written for key in BESIDE):
        return []  # a scope of other settings of that platform
    inner_path = (*path, "personalization")
    inner = expect_mapping(document, inner_path, written.get("personalization"))
    beside = {key: written[key] for key in BESIDE if key in written}
    return [Layer(inner_path, beside | renamed(document, inner_path, inner))]


def renamed(document: Document, path: KeyPath, values: dict[str, Any]) -> dict[str, Any]:
    """The values under today's key names."""
    result = dict(values)
    for old, new in RENAMED.items():
        if old in result and new in result:
            raise SitesFileError(
                f"{document.place((*path, old))}: {old} is the old name of {new}; keep one of them."
            )
        if old in result:
            result[new] = result.pop(old)
    return result


def site_list(document: Document) -> tuple[dict[str, list[str]], list[str]]:
    """Groups with their members, and the sites listed, of every ``siteaccess`` node."""
    groups: dict[str, list[str]] = {}
    listed: list[str] = []
    for path in [("siteaccess",), *((root, "siteaccess") for root in ROOTS)]:
        node = mapping_at(document, path)
        for group, members in expect_mapping(document, (*path, "groups"), node.get("groups")).items():
            groups[group] = names_at(document, (*path, "groups", group), members)
        listed += names_at(document, (*path, "list"), node.get("list"))
    return groups, listed


def names_at(document: Document, path: KeyPath, value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise SitesFileError(
            f"{document.place(path)}: {'.'.join(path)} must be a list of names; got {shown(value)}."
        )
    return value


def mapping_at(document: Document, path: KeyPath) -> dict[str, Any]:
    value: Any = document.values
    for length, key in enumerate(path, start=1):
        value = expect_mapping(document, path[:length], value.get(key))
    found: dict[str, Any] = value
    return found


def expect_mapping(document: Document, path: KeyPath, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SitesFileError(
            f"{document.place(path)}: {'.'.join(path)} must hold keys and values; got {shown(value)}."
        )
    return value


def deep_merge(weaker: dict[str, Any], stronger: dict[str, Any]) -> dict[str, Any]:
    """Mappings are merged key by key; everything else is replaced."""
    result = dict(weaker)
    for key, value in stronger.items():
        known = result.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            result[key] = deep_merge(known, value)
        else:
            result[key] = value
    return result


def did_you_mean(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else f" Known are: {', '.join(sorted(known))}."

"""Which item types and languages an export holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from config import site_access
from config.site_access import SiteAccess
from content.items import queries
from content.items.types import ItemType, item_types
from personalization import contracts
from personalization.client.errors import WrongUse


@dataclass(frozen=True, kw_only=True)
class Group:
    """All items of one type in one language: one event of the notification."""

    item_type: ItemType
    language: str  # eng-GB
    site_ids: tuple[int, ...]  # Wagtail sites
    count: int
    subtree: str = ""  # location path, "" for the whole site

    @property
    def name(self) -> str:
        """How messages and file names call it."""
        return f"{self.item_type.identifier}_{self.language}"


@dataclass(frozen=True, kw_only=True)
class Selection:
    groups: tuple[Group, ...]
    warnings: tuple[str, ...]

    @property
    def items(self) -> int:
        return sum(group.count for group in self.groups)


def comma_list(text: str) -> list[str]:
    """Split at commas; blanks around the parts and empty parts do not count."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def select(
    sites: Sequence[SiteAccess], *, types: Sequence[str], languages: Sequence[str], subtree: str = ""
) -> Selection:
    """Return what there is to export for these sites of one customer; empty lists mean everything.

    ``subtree``: the location path below which items must lie, "" for the whole sites.

    Groups without items are left out. Raises :class:`WrongUse` for types and languages that do not exist.
    """
    refuse_unknown_types(types)
    refuse_unknown_languages(languages)
    warnings = [*not_included(sites, types), *not_served(sites, languages)]
    groups = [
        group
        for identifier in wanted_types(sites, types)
        for language in wanted_languages(sites, languages)
        if (group := group_of(sites, identifier=identifier, language=language, subtree=subtree)).count
    ]
    return Selection(groups=tuple(groups), warnings=tuple(warnings))


def group_of(sites: Sequence[SiteAccess], *, identifier: str, language: str, subtree: str) -> Group:
    item_type = item_types()[identifier]
    # Two entries of the sites file may name one Wagtail site; its items count once.
    site_ids = tuple(
        dict.fromkeys(
            wagtail_site(site)
            for site in sites
            if identifier in site.included_item_types and site.serves(language)
        )
    )
    count = sum(
        queries.count(site_id, item_type=identifier, language=language, subtree=subtree)
        for site_id in site_ids
    )
    return Group(item_type=item_type, language=language, site_ids=site_ids, count=count, subtree=subtree)


def wanted_types(sites: Sequence[SiteAccess], types: Sequence[str]) -> list[str]:
    """Types in the order of the configuration, reference 2.5."""
    included = dict.fromkeys(name for site in sites for name in site.included_item_types)
    return [name for name in included if name in item_types() and (not types or name in types)]


def wanted_languages(sites: Sequence[SiteAccess], languages: Sequence[str]) -> list[str]:
    served = dict.fromkeys(language for site in sites for language in languages_of(site))
    return [language for language in served if not languages or language in languages]


def languages_of(site: SiteAccess) -> Iterable[str]:
    return site.languages or queries.languages(wagtail_site(site))


def refuse_unknown_types(types: Sequence[str]) -> None:
    known = list(item_types())
    for name in types:
        if name not in known:
            raise WrongUse(
                f"--item-type-identifier-list names {name[:80]!r}, which is not an item type."
                f"{did_you_mean(name, known)} Item types are: {', '.join(known) or 'none'}."
            )


def did_you_mean(word: str, known: Sequence[str]) -> str:
    close = get_close_matches(word, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]!r}?" if close else ""


def refuse_unknown_languages(languages: Sequence[str]) -> None:
    for language in languages:
        if not contracts.is_protocol_language(language):
            raise WrongUse(
                f"--languages takes codes of the form eng-GB, separated by commas; got {language[:80]!r}."
            )


def not_included(sites: Sequence[SiteAccess], types: Sequence[str]) -> list[str]:
    included = {name for site in sites for name in site.included_item_types}
    left_out = [name for name in types if name not in included]
    undeclared = [name for name in included if name not in item_types()]
    warnings = []
    if left_out:
        warnings.append(
            f"Item types: {', '.join(left_out)} are not configured as included item types and have been "
            f"removed from resolving criteria"
        )
    if undeclared:
        warnings.append(
            f"The sites file includes the item types {', '.join(sorted(undeclared))}, which this project "
            f"does not declare; they are left out."
        )
    return warnings


def not_served(sites: Sequence[SiteAccess], languages: Sequence[str]) -> list[str]:
    left_out = [language for language in languages if not any(site.serves(language) for site in sites)]
    if not left_out:
        return []
    names = ", ".join(site.name for site in sites)
    return [f"Languages: {', '.join(left_out)} are not served by {names} and are left out."]


def wagtail_site(site: SiteAccess) -> int:
    """The Wagtail site that an entry of the sites file exports."""
    site_id = site_access.wagtail_site_id(site)
    if site_id is None:
        raise WrongUse(
            f"The site {site.name} has root: {site.root!r}, but Wagtail has no site of that name. "
            f"Create it in the back office or correct root in the sites file."
        )
    return site_id

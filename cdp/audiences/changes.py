"""The only writer of audiences and their versions (reference `cdp.md` 3.1, 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from cdp.audiences.calculate import FAILED
from cdp.audiences.conditions.canonical import Document, written
from cdp.audiences.conditions.document import Group
from cdp.audiences.conditions.faults import shown
from cdp.audiences.conditions.read import read
from cdp.audiences.conditions.walk import in_order, references
from cdp.audiences.faults import AudienceFault, InUse
from cdp.audiences.models import Audience, AudienceVersion
from cdp.audiences.rules import Rules, known
from cdp.profiles import insights
from cdp.profiles.models import Account

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_IDENTIFIER = 100, 500, 64
MOST_TAGS, LONGEST_TAG = 20, 50
PURPOSE = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
Person = AbstractBaseUser | AnonymousUser | None


@contextmanager
def one_by_one(account: Account) -> Iterator[None]:
    """A transaction in which nobody else changes an audience of the account: two rules that are each free of
    cycles could make one together."""
    try:
        with transaction.atomic():
            rows = Audience.objects.filter(account=account).order_by("pk")
            list(rows.select_for_update(no_key=True).values_list("pk"))
            yield
    except IntegrityError:  # made in the same moment
        raise AudienceFault("name_taken", "name", "Another audience is called so.") from None


def create(
    account: Account,
    *,
    name: str,
    definition: Any,
    description: str = "",
    tags: Sequence[str] = (),
    purpose: str = "",
    by: Person = None,
) -> Audience:
    """A new audience with its first version.

    Raises :class:`AudienceFault`, and :class:`~cdp.audiences.conditions.faults.BadDefinition` for the
    definition.
    """
    with one_by_one(account):
        called = name_of(account, name)
        audience = Audience(
            account=account,
            name=called,
            identifier=identifier_of(account, called),
            description=description_of(description),
            tags=tags_of(tags),
            purpose=purpose_of(purpose),
        )
        audience.definition = judged(audience, definition)
        audience.save()
        note(audience, by)
    return audience


def save(
    audience: Audience,
    *,
    name: str | None = None,
    definition: Any = None,
    description: str | None = None,
    tags: Sequence[str] | None = None,
    purpose: str | None = None,
    by: Person = None,
) -> Audience:
    """Change what is given. Another rule is another version; the members are stale until it is calculated.

    Raises what :func:`create` raises; ``archived`` for one that is.
    """
    with one_by_one(audience.account):
        audience.refresh_from_db()
        if audience.archived_at is not None:
            raise AudienceFault("archived", "", f"{audience.name} is archived and cannot be changed.")
        if name is not None:
            audience.name = name_of(audience.account, name, but=audience)
        if description is not None:
            audience.description = description_of(description)
        if tags is not None:
            audience.tags = tags_of(tags)
        if purpose is not None and purpose_of(purpose) != audience.purpose:
            audience.purpose, audience.is_stale = purpose, True
        if definition is not None:
            rewrite(audience, judged(audience, definition), by)
        audience.save(update_fields=CHANGED)
    return audience


# Not what calculations write, which may happen at the same time.
CHANGED = [
    *("name", "description", "tags", "purpose", "definition", "version"),
    *("is_stale", "archived_at", "updated_at"),
]


def rewrite(audience: Audience, definition: Document, by: Person) -> None:
    if definition == audience.definition:
        return
    audience.definition, audience.version, audience.is_stale = definition, audience.version + 1, True
    note(audience, by)


def note(audience: Audience, by: Person) -> None:
    AudienceVersion.objects.create(
        audience=audience,
        number=audience.version,
        definition=audience.definition,
        saved_by_id=by.pk if by is not None else None,
    )


def restore(audience: Audience, number: int, *, by: Person = None) -> Audience:
    """Make the rule of an older version the newest. Raises what :func:`save` raises, ``unknown_version``."""
    version = audience.versions.filter(number=number).first()
    if version is None:
        raise AudienceFault("unknown_version", "version", f"{audience.name} has no version {number}.")
    return save(audience, definition=version.definition, by=by)


def archive(audience: Audience) -> None:
    """Take it out of use; its name is free again. Raises :class:`InUse` while others name it."""
    with one_by_one(audience.account):
        audience.refresh_from_db()
        if referrers := referrers_of(audience):
            raise InUse(referrers)
        audience.archived_at = audience.archived_at or timezone.now()
        audience.save(update_fields=["archived_at", "updated_at"])
        insights.close(audience.account, code=FAILED, subject=audience.identifier)


def referrers_of(audience: Audience) -> list[str]:
    """The names of the audiences whose rules name it."""
    others = Audience.objects.filter(account=audience.account, archived_at=None).exclude(pk=audience.pk)
    rules = Rules(audience.account)
    return [
        one.name
        for one in others.order_by("name")
        if audience.identifier in references(rules[one.identifier].tree)
    ]


def judged(audience: Audience, definition: Any) -> Document:
    """The document in its canonical form. Raises BadDefinition."""
    rules = Rules(audience.account)
    tree = read(definition, known(audience.account, rules))
    in_order(tree, tree_of(rules), name=audience.identifier)
    return written(tree)


def tree_of(rules: Rules) -> Callable[[str], Group | None]:
    return lambda identifier: rules[identifier].tree if identifier in rules else None


def name_of(account: Account, name: str, *, but: Audience | None = None) -> str:
    text = " ".join(str(name).split())
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        raise AudienceFault(
            "bad_name",
            "name",
            f"name must have 1 to {LONGEST_NAME} printable characters; got {shown(name)}.",
        )
    others = Audience.objects.filter(account=account, archived_at=None, name__iexact=text)
    if (others if but is None else others.exclude(pk=but.pk)).exists():
        raise AudienceFault("name_taken", "name", f"Another audience is called {text}.")
    return text


def identifier_of(account: Account, name: str) -> str:
    """Made of the name, once; archived audiences keep theirs."""
    text = slugify(name).replace("-", "_").strip("_")
    stem = (text if text[:1].isalpha() else f"audience_{text}".rstrip("_"))[:LONGEST_IDENTIFIER]
    taken = set(
        Audience.objects.filter(account=account, identifier__startswith=stem[:50]).values_list(
            "identifier", flat=True
        )
    )
    found, number = stem, 2
    while found in taken:
        end = f"_{number}"
        found, number = f"{stem[: LONGEST_IDENTIFIER - len(end)]}{end}", number + 1
    return found


def description_of(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION or "\0" in text:
        raise AudienceFault(
            "bad_description",
            "description",
            f"description must have at most {LONGEST_DESCRIPTION} characters; got {len(text)}.",
        )
    return text


def tags_of(tags: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(" ".join(str(tag).split()) for tag in tags))
    if len(found) > MOST_TAGS:
        raise AudienceFault("bad_tags", "tags", f"tags must be at most {MOST_TAGS}; got {len(found)}.")
    for tag in found:
        if not 1 <= len(tag) <= LONGEST_TAG or not tag.isprintable():
            raise AudienceFault(
                "bad_tags", "tags", f"A tag must have 1 to {LONGEST_TAG} characters; got {shown(tag)}."
            )
    return found


def purpose_of(purpose: str) -> str:
    if purpose and not PURPOSE.match(purpose):
        raise AudienceFault(
            "bad_purpose",
            "purpose",
            f"purpose must be empty or a name of small letters, digits and _; got {shown(purpose)}.",
        )
    return purpose

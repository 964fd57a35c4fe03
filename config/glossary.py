"""The hard words of the back office; each part adds its own."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

Words = str | Promise  # translated for whoever reads


@dataclass(frozen=True)
class Term:
    """``slug``: by which pages and templates point at it."""

    slug: str
    word: Words
    meaning: Words


_terms: dict[str, Term] = {}


def register(*terms: Term) -> None:
    """For the hooks of the parts above, while they are loaded."""
    _terms.update({one.slug: one for one in terms})


def find(slug: str) -> Term:
    """Raises KeyError."""
    return _terms[slug]


def all_terms() -> list[Term]:
    """In the order of the words in the active language."""
    return sorted(_terms.values(), key=lambda one: str(one.word).casefold())

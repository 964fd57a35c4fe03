"""Item numbers for catalogues that only have names.

The protocol wants numbers from 1 to 2147483647; a file may identify its items by a name alone. The number
is taken from a digest of the name, so that the same name gets the same number in every import and on every
machine; two names whose digests agree are told apart by the known names of the customer.
"""

from __future__ import annotations

from hashlib import blake2b

MAX_ID = 2_147_483_647


class Mint:
    """Gives names their numbers. ``known`` maps numbers that are taken to their names."""

    def __init__(self, known: dict[int, str]) -> None:
        self.name_of = dict(known)
        self.id_of = {name_key(name): number for number, name in known.items()}

    def number(self, name: str) -> int:
        key = name_key(name)
        if key not in self.id_of:
            number = first_choice(key)
            while number in self.name_of:
                number = number % MAX_ID + 1
            self.id_of[key] = number
            self.name_of[number] = name
        return self.id_of[key]


def name_key(name: str) -> str:
    """Names that differ only in case and white space are one item."""
    return " ".join(name.split()).casefold()


def first_choice(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) % MAX_ID + 1

"""The keys under which user ids are stored, from the environment: one, or all there were, oldest first."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from config.environment import env_str

# Each generation has a letter of its own in what is stored: see tracking.identity.
MOST_KEYS = 13
SHORTEST_NEW_KEY, FEWEST_CHARACTERS = 50, 5
LISTED, SINGLE = "LODESTAR_PSEUDONYM_KEYS", "LODESTAR_PSEUDONYM_KEY"


def pseudonym_keys(*, secret_key: str) -> tuple[str, ...]:
    """At least one key. Without a list it is the single key, without that ``secret_key``.

    Raises ImproperlyConfigured for a list that cannot be meant; the sentence shows no key.
    """
    single = env_str("LODESTAR_PSEUDONYM_KEY")
    listed = env_str("LODESTAR_PSEUDONYM_KEYS")
    if not listed.strip():
        return (single or secret_key,)
    keys = tuple(key.strip() for key in listed.split(","))
    if complaint := complaint_of(keys, single=single):
        raise ImproperlyConfigured(complaint)
    return keys


def complaint_of(keys: tuple[str, ...], *, single: str) -> str:
    """What is wrong with a list, as a sentence; "" when nothing is."""
    if len(keys) > MOST_KEYS:
        return f"{LISTED} must hold at most {MOST_KEYS} keys; got {len(keys)}."
    for number, key in enumerate(keys, 1):
        if not key:
            return (
                f"{LISTED}: key {number} is missing; two commas follow each other, or one stands at an end."
            )
        if key in keys[: number - 1]:
            return f"{LISTED}: keys {keys.index(key) + 1} and {number} are the same."
        # The first may be an old one, which cannot be changed any more.
        if number > 1 and (len(key) < SHORTEST_NEW_KEY or len(set(key)) < FEWEST_CHARACTERS):
            rule = f"use at least {SHORTEST_NEW_KEY} random characters"
            return f"{LISTED}: key {number} is short or too simple; {rule}."
    if single and single != keys[0]:
        remedy = "Remove it, or put it first if it is the oldest"
        return f"{SINGLE} is set beside {LISTED} and is not its first key. {remedy}."
    return ""

"""The doctor's questions about the keys under which users are stored."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings

from config.checks import Finding, part
from tracking.rotation import keys, run

ABOUT = "pseudonyms"
AGAIN = "Restart all that serve, work or collect, then run `manage.py rotate_pseudonyms`."


@part(ABOUT)
def pseudonyms() -> Iterator[Finding]:
    number = len(settings.PSEUDONYM_KEYS)
    if wrong := keys.complaint():
        remedy = (
            "Set the keys that the database was made with, or see docs/privacy.md if they were destroyed."
        )
        yield Finding(ABOUT, wrong.rstrip("."), remedy)
    elif number == 1:
        yield Finding(ABOUT, f"one key, fingerprint {keys.fingerprint(settings.PSEUDONYM_KEYS[0])}")
    elif not keys.users_stored():
        text = f"{number} keys are set and no users are stored: the older keys are not needed"
        yield Finding(ABOUT, text, "Leave only the newest key in LODESTAR_PSEUDONYM_KEYS.")
    elif not keys.is_finished():
        text = f"a rotation to generation {number} is not finished; users of older ones are stored"
        yield Finding(ABOUT, text, AGAIN)
    elif run.anything_outdated():
        text = "users of an older generation were stored after it: a process still runs with the old keys"
        yield Finding(ABOUT, text, AGAIN)
    else:
        yield Finding(
            ABOUT, f"generation {number}, fingerprint {keys.fingerprint(settings.PSEUDONYM_KEYS[-1])}"
        )

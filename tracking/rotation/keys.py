"""Which keys the database was made with, and whether something of an older generation may still be stored.

The table holds fingerprints and generation numbers, never a key. It is written before the first event of a
process is stored; keys that nothing was stored under are replaced without a word.
"""

from __future__ import annotations

import hmac
import logging
import time

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from config.faults import Fault
from tracking import identity, lake
from tracking.models import Event, PseudonymKey
from tracking.parts import folder_of, read_manifest
from tracking.rotation.ranges import any_stored

logger = logging.getLogger("tracking")

FINGERPRINT_DIGITS = 16
LOOK_SECONDS = 2.0


class Settled:
    """Whether all that is stored is of today's generation, as far as this process knows."""

    def __init__(self) -> None:
        self._keys: tuple[str, ...] = ()
        self._looked = -LOOK_SECONDS

    def __bool__(self) -> bool:
        return len(settings.PSEUDONYM_KEYS) == 1 or self._keys == settings.PSEUDONYM_KEYS

    def look(self) -> bool:
        """Ask the database, at most every two seconds and never again once it is true."""
        if not self and time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            try:
                if is_finished():
                    self.know()
            except DatabaseError as reason:
                logger.warning("Whether keys are being rotated could not be read: %s", type(reason).__name__)
        return bool(self)

    def know(self) -> None:
        self._keys = settings.PSEUDONYM_KEYS

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]


settled = Settled()


def living(customer_id: str, raw_user_id: str) -> tuple[str, ...]:
    """The forms under which something of a user may be stored, that of today first. May ask the database."""
    if settled.look():
        return (identity.pseudonym(customer_id, raw_user_id),)
    return identity.pseudonyms(customer_id, raw_user_id)


def kept(customer_id: str, raw_user_id: str) -> tuple[str, ...]:
    """The same for whoever may not wait: what the process was told last counts."""
    if settled:
        return (identity.pseudonym(customer_id, raw_user_id),)
    return identity.pseudonyms(customer_id, raw_user_id)


def is_finished() -> bool:
    newest = PseudonymKey.objects.filter(generation=len(settings.PSEUDONYM_KEYS), finished_at__isnull=False)
    return newest.exists()


def fingerprint(key: str) -> str:
    return hmac.digest(key.encode(), b"fingerprint", "sha256").hex()[:FINGERPRINT_DIGITS]


def note() -> str:
    """Write the keys down that are set; return what is wrong with them, "" when nothing is."""
    if recorded() == ours():
        return ""
    with transaction.atomic(using=settings.EVENTS_DB):
        if not differs():
            add_missing()
            return ""
        if wrong := complaint():
            return wrong
        # Nothing was stored under what differs.
        PseudonymKey.objects.filter(generation__gt=newest_stored()).delete()
        add_missing()
        return ""


def note_quietly() -> None:
    """For whatever is about to store events: what is wrong is logged, `doctor` says it again."""
    try:
        if wrong := note():
            logger.error("%s", wrong)
    except DatabaseError as reason:
        logger.warning("The keys of pseudonyms could not be looked up: %s", type(reason).__name__)


def begin_anew() -> None:
    """From now on the keys that are set are those of this database; what is stored belongs to nobody."""
    with transaction.atomic(using=settings.EVENTS_DB):
        PseudonymKey.objects.all().delete()
        add_missing()
    settled.forget()


def add_missing() -> None:
    now = timezone.now()
    known = set(PseudonymKey.objects.values_list("generation", flat=True))
    for generation, key in enumerate(settings.PSEUDONYM_KEYS, 1):
        if generation not in known:
            last = generation == len(settings.PSEUDONYM_KEYS) > 1
            # What is already stored may be of an older generation; only the rotation knows.
            finished_at = None if last and users_stored() else now
            PseudonymKey.objects.get_or_create(
                generation=generation,
                defaults={"fingerprint": fingerprint(key), "begun_at": now, "finished_at": finished_at},
            )


def finish() -> None:
    """Nothing of an older generation is stored any more."""
    rows = PseudonymKey.objects.filter(generation=len(settings.PSEUDONYM_KEYS), finished_at=None)
    rows.update(finished_at=timezone.now())
    settled.know()


def recorded() -> dict[int, str]:
    """Generation -> fingerprint, as the database knows them."""
    rows = PseudonymKey.objects.order_by("generation")
    return dict(rows.values_list("generation", "fingerprint"))


def differs() -> bool:
    set_now = ours()
    return any(set_now.get(generation) != known for generation, known in recorded().items())


def ours() -> dict[int, str]:
    """The same for the keys that are set."""
    return {number: fingerprint(key) for number, key in enumerate(settings.PSEUDONYM_KEYS, 1)}


def complaint() -> str:
    """What is wrong with the keys that are set, as a sentence; "" when nothing is."""
    if not differs():
        return ""
    known, stored = recorded(), newest_stored()
    for generation in sorted(number for number in known if number <= stored):
        if sentence := complaint_about(generation, list(ours().values()), known):
            return sentence
    return ""  # nothing was stored under what differs


def complaint_about(generation: int, prints: list[str], known: dict[int, str]) -> str:
    """What is wrong with the key of one generation; ``prints``: of the keys that are set, in their order."""
    print_of, mine = known[generation], prints[generation - 1 : generation]
    if mine == [print_of]:
        return ""
    if print_of in prints:
        place = prints.index(print_of) + 1
        return (
            f"The keys of pseudonyms are in the wrong order: number {place} ({print_of}) is the one of "
            f"generation {generation}; the oldest key stands first."
        )
    if not mine or mine[0] in known.values():
        return (
            f"A key of pseudonyms is missing: the one with the fingerprint {print_of} as number {generation}."
            " Users are stored under it; all keys are needed, the oldest first."
        )
    return (
        f"Key {generation} of pseudonyms is not the one that this database was made with: its fingerprint is "
        f"{mine[0]}, that of the database {print_of}."
    )


def newest_stored() -> int:
    """The newest recorded generation that something is stored of; 0 when there are no users."""
    known = max(recorded(), default=1)
    for generation in range(known, 0, -1):
        if any_stored(Event, *identity.span_of(generation)):
            return generation
    return known if users_stored() else 0


def users_stored() -> bool:
    if any_stored(Event, *identity.EVERYBODY):
        return True
    try:
        return any(read_manifest(folder_of(customer_id)).rows for customer_id in lake.customers())
    except Fault:  # of a lake that cannot be asked, what it had when it was last seen is believed
        return True

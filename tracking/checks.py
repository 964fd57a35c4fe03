"""The doctor's questions about the lake: is it in reach, are its parts whole, what does not belong there?"""

from __future__ import annotations

from collections.abc import Iterator

from config.checks import Finding, part
from config.faults import Fault
from tracking import lake, lake_files
from tracking.lake_faults import reaching
from tracking.parts import PART, folder_of, names_in, read_manifest, sound

MOST_NAMED = 3


@part("lake")
def lake_place() -> Iterator[Finding]:
    try:
        customers = lake.customers()
    except Fault as fault:
        yield Finding("lake", str(fault), "Mend what it names; events wait in the database until then.")
        return
    yield Finding("lake", f"{lake_files.address()} holds events of {len(customers)} customers")
    for customer_id in customers:
        yield from parts_of(folder_of(customer_id))


def parts_of(folder: str) -> Iterator[Finding]:
    """Parts in a bucket are not fetched for this; readers look at each."""
    try:
        with reaching(lost="The lake was not read"):
            names = read_manifest(folder).files
            if lake_files.in_folder():
                sound(folder, names)
            foreign = [name for name in names_in(folder) if not PART.fullmatch(name)]
    except Fault as fault:
        yield Finding("lake", str(fault), "Mend what it names.")
        return
    if foreign:
        named = ", ".join(foreign[:MOST_NAMED])
        text = f"{len(foreign)} files in {lake_files.address()}/{folder} are not of the lake: {named}"
        yield Finding("lake", text, "Move them elsewhere; whoever reads whole folders takes them in.")

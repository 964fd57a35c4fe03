"""Brings the reference's faults back, one at a time, and looks whether their tests notice.

Each test of a weakness says in a comment which change of one line brings its fault back::

    # Brings it back: personalization/client/asked.py: `what is there` -> `what stands there then`

``python -m tests.personalization.weaknesses.bring_back [w04 ...]`` makes the change in a copy of the project
and runs the test, which must fail.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.environ import of_its_own

ROOT = Path(__file__).resolve().parents[3]
TEST = re.compile(r"^def (test_(w\d\d)_\w+)\(", re.MULTILINE)
CHANGE = re.compile(r"Brings it back: (\S+): `([^`]+)` -> `([^`]*)`")
COPIED = (
    "config",
    "content",
    "personalization",
    "cdp",
    "tracking",
    "templates",
    "static",
    "tests",
    "pyproject.toml",
    "manage.py",
)
FAILED = 1  # of pytest: tests ran, and some failed


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One weakness of the reference: the test that shows it is gone, and the change that brings it back."""

    weakness: str  # w04
    test: str  # path::name, from the root of the project
    file: str
    old: str
    new: str


def faults() -> list[Fault]:
    """Every weakness with its change, in the order of their numbers; a test without one is an error."""
    found = [fault for path in Path(__file__).parent.glob("test_*.py") for fault in faults_of(path)]
    return sorted(found, key=lambda fault: (fault.weakness, fault.test))


def faults_of(path: Path) -> Iterator[Fault]:
    text = path.read_text()
    starts = list(TEST.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    for start, end in zip(starts, ends, strict=bool(starts)):
        body = text[start.start() : end]
        comments = re.sub(r"\n\s*# ", " ", body)
        change = CHANGE.search(comments)
        if change is None:
            raise LookupError(f"{path.name}, {start[1]}: no comment says what brings the fault back.")
        yield Fault(
            weakness=start[2],
            test=f"{path.relative_to(ROOT)}::{start[1]}",
            file=change[1],
            old=change[2],
            new=change[3],
        )


def changed(fault: Fault) -> str:
    """The text of the file with the fault; the line must be there exactly once."""
    text = (ROOT / fault.file).read_text()
    if text.count(fault.old) != 1:
        raise LookupError(f"{fault.test}: {fault.file} has {text.count(fault.old)} times {fault.old!r}.")
    return text.replace(fault.old, fault.new)


def copied(folder: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def notices(fault: Fault, *, copy: Path) -> bool:
    """Whether the test fails with the fault; anything else than a failure is an error of its own."""
    path = copy / fault.file
    before = path.read_text()
    path.write_text(changed(fault))
    try:
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", fault.test],
            cwd=copy,
            env=of_its_own(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(before)
    # A test that could not begin ends with the same code as one that failed; its summary tells them apart.
    summary = (run.stdout.strip().splitlines() or [""])[-1]
    began = re.match(r"\d+ (?:failed|passed)\b", summary) and "error" not in summary
    if run.returncode not in (0, FAILED) or not began or "SyntaxError" in run.stdout:
        raise RuntimeError(f"{fault.test} could not be run with its fault:\n{run.stdout[-2000:]}{run.stderr}")
    return run.returncode == FAILED


def main(wanted: Sequence[str]) -> int:
    chosen = [fault for fault in faults() if not wanted or fault.weakness in wanted]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        for fault in chosen:
            noticed = notices(fault, copy=copy)
            unnoticed += not noticed
            sys.stdout.write(
                f"{fault.weakness} {'fails, as it must' if noticed else 'PASSES'}: {fault.test}\n"
            )
            sys.stdout.flush()
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

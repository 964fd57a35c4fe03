"""`python -m tests.benchmarks [name ...]`: run every bench_*.py, or those named, one after the other."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> int:
    known = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
    wanted = [f"bench_{name.removeprefix('bench_')}" for name in sys.argv[1:]] or known
    missed = 0
    for name in wanted:
        if name not in known:
            sys.stderr.write(f"No benchmark {name}; known are {', '.join(known)}.\n")
            return 2
        sys.stdout.write(f"\n{name}\n")
        sys.stdout.flush()
        missed |= importlib.import_module(f"tests.benchmarks.{name}").main() or 0
    return missed


if __name__ == "__main__":
    sys.exit(main())

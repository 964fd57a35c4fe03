#!/usr/bin/env python
"""Entry point of every command; also accepts the spellings of older installations."""

from __future__ import annotations

import os
import sys

from config.spellings import canonical_argv, refuse_unknown


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from config.faults import explained

    argv = canonical_argv(sys.argv)
    try:
        refuse_unknown(argv[1:2])
        execute_from_command_line(argv)
    except Exception as error:
        found = explained(error)
        if found is None or "--traceback" in sys.argv:
            raise
        code, sentence = found
        sys.stderr.write(f"{sentence}\n")
        sys.exit(code)


if __name__ == "__main__":
    main()

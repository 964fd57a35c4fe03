#!/usr/bin/env python
"""Entry point of every command; also accepts the spellings of older installations."""

from __future__ import annotations

import os
import sys

from config.spellings import canonical_argv


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(canonical_argv(sys.argv))
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"{error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()

"""Says in words what is wrong or unsafe, with the remedy."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.checks import UNEXAMINED, Finding, examine


def is_told(finding: Finding, told: set[str]) -> bool:
    """Whether the same fault was named before; notes it otherwise."""
    fault = finding.text.removeprefix(UNEXAMINED)
    known = fault in told
    told.add(fault)
    return known


class Command(BaseCommand):
    help = "Examine this installation; exit code 1 when something is wrong or unsafe."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        # A broken sites file keeps several parts from being examined; it is named once.
        told: set[str] = set()
        findings = [one for one in examine() if one.well or not is_told(one, told)]
        for finding in findings:
            mark = self.style.SUCCESS("ok   ") if finding.well else self.style.ERROR("WRONG")
            self.stdout.write(f"{mark} {finding.about}: {finding.text}")
            if finding.remedy:
                self.stdout.write(f"      -> {finding.remedy}")
        bad = sum(not finding.well for finding in findings)
        if bad:
            self.stdout.write(self.style.ERROR(f"{bad} of {len(findings)} need attention."))
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("All is well."))

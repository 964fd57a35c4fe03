"""``manage.py cdp_generate_credentials``: a client id and a secret for an activation."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Make a client id and a secret for an activation, to stand in .env and in the sites file."
    requires_system_checks = []  # noqa: RUF012 - as Django declares it

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"CDP_ACTIVATION_CLIENT_ID={uuid4()}")
        self.stdout.write(f"CDP_ACTIVATION_CLIENT_SECRET={secrets.token_urlsafe(32)}")

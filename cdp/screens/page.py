"""What the pages of the platform share."""

from __future__ import annotations

from typing import Any, ClassVar

from cdp.dataflows.faults import DataflowFault
from cdp.profiles.models import Account
from cdp.screens import access
from personalization.screens import page


def key_of(text: str | None) -> int:
    """The key of a row as a browser sends it; 0, which no row has, for what is none."""
    text = text or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


class Page(page.Page):
    """A page with actions, whose faults are those of dataflows unless it says otherwise.

    What it looks up is narrowed to accounts of the user (:mod:`cdp.screens.access`).
    """

    faults: ClassVar[tuple[type[Exception], ...]] = (DataflowFault,)

    def whose(self) -> Account | None:
        """The account that the page is about; None while it is about none in particular."""
        return None

    def missing(self) -> list[str]:
        """Of whoever has a permission nowhere it is said before anything is looked up."""
        user: Any = self.request.user
        nowhere = [one for one in self.get_permission_required() if not access.anywhere(user, one)]
        return nowhere or super().missing()

    def is_allowed(self, permission: str) -> bool:
        user: Any = self.request.user
        account = self.whose()
        if account is None:
            return access.anywhere(user, permission)
        return access.may(user, permission, account)

    def accounts(self) -> list[Account]:
        """Those in which the user may do what the page is for."""
        return access.accounts(self.request.user, *self.get_permission_required())

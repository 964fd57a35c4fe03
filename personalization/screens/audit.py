"""What somebody did in the back office, in Wagtail's log (*Reports*, *Site history*).

An entry names the row, the user and the action, and nothing of what was typed: no secret and no name of a
person can get into it.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from wagtail.log_actions import log

EDIT, CREATE, DELETE = "wagtail.edit", "wagtail.create", "wagtail.delete"
PREFIX = "lodestar."
# Names of actions of pages that Wagtail has words for.
USUAL = {
    **dict.fromkeys(("save", "keep", "close", "rename", "add", "change", "remove_field"), EDIT),
    **dict.fromkeys(("delete", "remove", "archive"), DELETE),
    "create": CREATE,
}
# Name of an action of a page -> what it is called, and what the log says of it.
OWN: dict[str, tuple[Promise, Promise]] = {
    "activate": (_("Activate"), _("Activated")),
    "add_schema": (_("Add schema"), _("Added a schema")),
    "add_transformation": (_("Add transformation"), _("Added a transformation")),
    "attach": (_("Attach"), _("Attached an audience")),
    "build": (_("Trigger model build"), _("Triggered a build")),
    "calculate": (_("Calculate"), _("Triggered a calculation")),
    "cancel": (_("Cancel build"), _("Cancelled a build")),
    "cancel_evaluation": (_("Cancel the evaluation"), _("Cancelled an evaluation")),
    "clone": (_("Clone"), _("Made as a copy")),
    "close_insight": (_("Close"), _("Closed")),
    "consent": (_("Note consent"), _("Noted a consent")),
    "deactivate": (_("Deactivate"), _("Deactivated")),
    "detach": (_("Detach"), _("Detached an audience")),
    "end": (_("End test"), _("Ended the test")),
    "erase": (_("Erase"), _("Asked for an erasure")),
    "export_person": (_("Export person"), _("Took a file of everything that is known")),
    "give_up": (_("Give up"), _("Gave actions up")),
    "lower_transformation": (_("Move transformation"), _("Moved a transformation down")),
    "measure": (_("Measure now"), _("Triggered an evaluation")),
    "merge": (_("Merge"), _("Merged with another person")),
    "parse": (_("Parse file"), _("Parsed the file")),
    "part": (_("Take apart"), _("Took a merge apart")),
    "pause": (_("Pause"), _("Paused")),
    "raise_transformation": (_("Move transformation"), _("Moved a transformation up")),
    "redeliver": (_("Redeliver"), _("Sent a request again")),
    "refused_rows": (_("Download refused rows"), _("Took the file of refused rows")),
    "remove_schema": (_("Remove schema"), _("Removed a schema")),
    "remove_transformation": (_("Remove transformation"), _("Removed a transformation")),
    "replay": (_("Replay"), _("Replayed actions")),
    "reset": (_("Reset"), _("Made as it was at first")),
    "restore": (_("Restore"), _("Restored an older version")),
    "resume": (_("Resume"), _("Resumed")),
    "rotate": (_("Change secret"), _("Changed the secret")),
    "run": (_("Run"), _("Ran what was held")),
    "schedule": (_("Schedule"), _("Changed the schedule")),
    "send": (_("Send"), _("Sent what is different")),
    "take_over": (_("Use B for everyone"), _("Gave A of an A/B test what B has")),
    "test": (_("Test"), _("Tested")),
    "upload": (_("Upload"), _("Delivered a file")),
    "validate": (_("Validate"), _("Made the draft the sample")),
}


def name_of(action: str) -> str:
    """What the log calls an action of a page, or one of its own names."""
    return action if "." in action else USUAL.get(action, f"{PREFIX}{action}")


def record(row: Model, action: str, *, user: Any, **counts: int) -> None:
    """``action``: as :func:`name_of` takes it. ``row`` may be gone meanwhile, if it still knows its key."""
    name = name_of(action)
    log(row, name, user=user, data=counts or None, deleted=name == DELETE)


def register(actions: Any) -> None:
    """For Wagtail's hook."""
    for name, (label, message) in OWN.items():
        actions.register_action(f"{PREFIX}{name}", label, message)

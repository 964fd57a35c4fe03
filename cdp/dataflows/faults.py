"""What can be wrong with a dataflow, a schema or a delivery: a code for programs, a sentence for people."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "be activated": _("A dataflow that is %(state)s cannot be activated; nothing has changed."),
    "be changed": _("A dataflow that is %(state)s cannot be changed; nothing has changed."),
    "be deleted": _("A dataflow that is %(state)s cannot be deleted; nothing has changed."),
    "be parsed": _("A dataflow that is %(state)s cannot be parsed; nothing has changed."),
    "be paused": _("A dataflow that is %(state)s cannot be paused; nothing has changed."),
    "be resumed": _("A dataflow that is %(state)s cannot be resumed; nothing has changed."),
    "be run": _("A dataflow that is %(state)s cannot be run; nothing has changed."),
    "be validated": _("A dataflow that is %(state)s cannot be validated; nothing has changed."),
    "get a stream id": _("A dataflow that is %(state)s cannot get a stream id; nothing has changed."),
}
STATES = {
    "draft": _("a draft"),
    "validated": _("validated"),
    "mapped": _("mapped"),
    "active": _("active"),
    "paused": _("paused"),
    "archived": _("archived"),
}


class DataflowFault(Exception):
    """Something cannot be as it was asked. ``field`` names the control it belongs to, "" for none."""

    def __init__(self, code: str, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.field = field


class IllegalTransition(DataflowFault):
    """The state of the dataflow does not allow it; nothing has changed."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__("illegal_transition", REFUSALS[event] % {"state": STATES.get(state, state)})
        self.state = state
        self.event = event

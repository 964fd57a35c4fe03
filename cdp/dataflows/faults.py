"""What can be wrong with a dataflow, a schema or a delivery: a code for programs, a sentence for people."""

from __future__ import annotations


class DataflowFault(Exception):
    """Something cannot be as it was asked. ``field`` names the control it belongs to, "" for none."""

    def __init__(self, code: str, sentence: str, *, field: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.field = field


class IllegalTransition(DataflowFault):
    """The state of the dataflow does not allow it; nothing has changed."""

    def __init__(self, state: str, event: str) -> None:
        super().__init__(
            "illegal_transition", f"A dataflow that is {state} cannot {event}; nothing has changed."
        )
        self.state = state
        self.event = event

"""The parameters by which a model learns and serves."""

from __future__ import annotations

from typing import Any

from personalization.server.learning import registry
from personalization.server.models import Model


def parameters_of(model: Model) -> dict[str, Any]:
    """What an editor set, else what was found on the customer's own events, else the kind's own.

    Raises ValueError as :func:`registry.with_defaults` does.
    """
    kind = registry.kind(model.kind)
    found = model.chosen.get("parameters", {})
    # What another version of the kind had is left out.
    known = {name: value for name, value in found.items() if name in kind.defaults}
    return registry.with_defaults(kind, {**known, **model.parameters})

"""What LiteLLM's cost map says of a model, and the variables of its deployment over it."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def model_info(name: str, stated: Mapping[str, object]) -> dict[str, object]:
    """Return what is known of the model that LiteLLM calls *name*: its cost map, and what is *stated* over that."""
    return {**_known(name), **stated}


def _known(name: str) -> Mapping[str, object]:
    # Not imported: inside the proxy it is there already, and the command line does without.
    costs = getattr(sys.modules.get("litellm"), "model_cost", None)
    if not isinstance(costs, dict):
        return {}
    info = costs.get(name) or costs.get(name.partition("/")[2])
    return info if isinstance(info, dict) else {}

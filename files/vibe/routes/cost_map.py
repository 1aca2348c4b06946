"""LiteLLM's cost map entry of a model, overridden by the variables of its deployment."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def model_info(name: str, stated: Mapping[str, object]) -> dict[str, object]:
    """Return the model info of LiteLLM's model *name*: its cost map entry, overridden by what is *stated*."""
    return {**_known(name), **stated}


def _known(name: str) -> Mapping[str, object]:
    # Not imported: the proxy has loaded it, and the command line does not need it.
    costs = getattr(sys.modules.get("litellm"), "model_cost", None)
    if not isinstance(costs, dict):
        return {}
    info = costs.get(name) or costs.get(name.partition("/")[2])
    return info if isinstance(info, dict) else {}

"""The first message of a Responses WebSocket: the only one that a hook sees, as raw JSON text.

Either ``{"type": "response.create", "model": …, "input": …}`` or the same fields inside a ``"response"`` object.
"""

from __future__ import annotations

import json

MODEL_KEY, RESPONSE_KEY = "model", "response"


def response_of(frame: object) -> dict[str, object]:
    """Return the object of *frame* (raw JSON text) that holds the input; {} where there is none."""
    event = _parsed(frame)
    inner = event.get(RESPONSE_KEY)
    return inner if isinstance(inner, dict) else event


def with_model(frame: object, old: str, new: str) -> object:
    """Return *frame* with the model name *old* replaced by *new*, wherever the frame names it.

    LiteLLM sends the frame on as it is: with only ``data["model"]`` rewritten, the upstream is asked for the virtual
    model and refuses. A frame that cannot be read, or names no model, comes back unchanged.
    """
    event = _parsed(frame)
    inner = event.get(RESPONSE_KEY)
    named = [place for place in (event, inner) if isinstance(place, dict) and place.get(MODEL_KEY) == old]
    if not named:
        return frame
    for place in named:
        place[MODEL_KEY] = new
    try:
        return json.dumps(event)
    except RecursionError:
        return frame


def _parsed(frame: object) -> dict[str, object]:
    if not isinstance(frame, str):
        return {}
    try:
        event = json.loads(frame)
    except (ValueError, RecursionError):
        # Not refused here: LiteLLM has checked it, or reports to the client what is wrong.
        return {}
    return event if isinstance(event, dict) else {}

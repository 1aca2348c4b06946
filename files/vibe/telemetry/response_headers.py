"""Response headers that show the decision, and the pool that really served.

What can be known about the serving pool (seen on LiteLLM 1.106.2, chat, Responses, Messages and completions, streamed
or not):

* ``data["deployment"]`` is the deployment that served, after fallbacks too, with its pool as ``model_name``.
* The response's hidden ``x-litellm-model-group`` names the pool as well, but the virtual model where LiteLLM resolved
  it by alias, and it is gone from Messages that are not streamed.
* ``litellm_call_info["model_info"]`` and the metadata's ``model_group`` still describe the pool that *failed*.
* A fallback in the middle of a stream: headers are sent by then; only LiteLLM's own log has it.
* A WebSocket has no response headers; a request that failed on every pool was served by none, and LiteLLM's error
  answers on Messages and completions carry none of our headers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

VIRTUAL_MODEL, POOL, RULE = "x-vibe-virtual-model", "x-vibe-pool", "x-vibe-rule"
SCORE, REASON, CONVERSATION = "x-vibe-score", "x-vibe-reason", "x-vibe-conversation"
# Which worker served: for the proof of a new slot, which warms them all; a gateway takes it off.
WORKER = "x-vibe-worker"
# The adapter behind the score, if any.
ADAPTER = "x-vibe-adapter"
ROUTING, PROPOSED_POOL = "x-vibe-routing", "x-vibe-proposed-pool"
SERVED_POOL, FALLBACK = "x-vibe-served-pool", "x-vibe-fallback"
MAX_VALUE_CHARS = 200
_MODEL_GROUP = "x-litellm-model-group"
_UNPRINTABLE = re.compile(r"[^ -~]")


def response_headers(decision: Mapping[str, object], served: str | None) -> dict[str, str]:
    """Return the headers for a *decision* record and the *served* pool (None: not known).

    CRITICAL: every value must be an ASCII str. One number here turns the finished answer into a 400.
    """
    values = {
        VIRTUAL_MODEL: decision.get("virtual_model"),
        POOL: decision.get("pool"),
        RULE: decision.get("rule"),
        SCORE: decision.get("score"),
        ADAPTER: decision.get("adapter"),
        REASON: decision.get("reason"),
        CONVERSATION: decision.get("conversation"),
        ROUTING: decision.get("routing"),
        PROPOSED_POOL: decision.get("proposed_pool"),
        SERVED_POOL: served,
        WORKER: str(os.getpid()),
        FALLBACK: None if served is None else str(served != decision.get("pool")).lower(),
    }
    return {name: printable(value) for name, value in values.items() if value is not None}


def served_pool(data: Mapping[str, object], response: object) -> str | None:
    """Return the name of the pool that served *response*, None where it cannot be known."""
    if response is None:
        return None
    named = getattr(data.get("deployment"), "model_name", None)
    if not isinstance(named, str):
        named = _entry(_entry(getattr(response, "_hidden_params", None), "additional_headers"), _MODEL_GROUP)
    return named if isinstance(named, str) and named else None


def _entry(holder: object, key: str) -> object:
    return holder.get(key) if isinstance(holder, Mapping) else None


def printable(value: object) -> str:
    """Return *value* as a header may hold it: printable ASCII, of bounded length."""
    return _UNPRINTABLE.sub("?", str(value))[:MAX_VALUE_CHARS]

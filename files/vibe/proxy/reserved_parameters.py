"""Parameters for LiteLLM itself, not for the model: removed, because they reach beyond what the client's key allows.

In a deployment none of them gets here (``proxy.request_gate``). If LiteLLM runs without our launcher, as with its own
Helm chart, this is the only check.

LiteLLM takes a body's parameters for its own where they have their names (seen in 1.106.2): ``deployment_id`` and
``custom_llm_provider`` make an upstream answer 404, for which a pool is left out for everybody; ``timeout`` makes it
fail; ``headers`` take the place of the provider's key; ``mock_response`` is an answer that nobody gave, and counted as
one; ``num_retries`` multiplies what is asked; ``silent_model`` asks another model besides.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

# Arguments of LiteLLM's router and of its calls to providers that its own list (all_litellm_params) does not have.
_BESIDES = {
    *("timeout", "deployment_id", "specific_deployment", "organization", "extra_headers", "extra_query", "extra_body"),
    *("litellm_params", "mock_delay", "mock_tool_calls", "context_window_fallbacks", "content_policy_fallbacks"),
}
# Entries of LiteLLM's list that are also a provider's parameter, or harmless: fallbacks are checked like the model.
_LEFT = {"metadata", "litellm_metadata", "tags", "fallbacks", "litellm_session_id", "litellm_trace_id"}
_REQUEST = "proxy_server_request"


def controls_of(litellms: list[str]) -> frozenset[str]:
    """Return the names of parameters to remove; *litellms* are LiteLLM's own."""
    return frozenset({*litellms, *_BESIDES} - _LEFT)


def take_out(data: MutableMapping[str, Any], controls: frozenset[str]) -> list[str]:
    """Remove the *controls* that a client put into its request's *data*, and return their names.

    LiteLLM's proxy adds some of the same names itself; those stay.
    """
    asked = data.get(_REQUEST)
    body = asked.get("body") if isinstance(asked, dict) else None
    if not isinstance(body, dict):
        return []
    found = sorted(name for name in body.keys() & controls if name in data and data[name] == body[name])
    for name in found:
        del data[name]
    return found

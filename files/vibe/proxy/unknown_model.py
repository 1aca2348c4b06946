"""A model that LiteLLM does not know is a 404, as in both APIs; LiteLLM answers 400.

LiteLLM decides, and raises ``ProxyModelNotFoundError`` (1.106.2); this only changes that error. Messages
ignores what a failure hook returns, so the exception itself is changed: every endpoint makes its answer from it.
OpenAI's ``code`` is always the status there; the gateway writes the answer again for those clients, by the header
(``haproxy.cfg``).
"""

from __future__ import annotations

from typing import Any

from vibe.telemetry.response_headers import printable

ERROR_CLASS = "ProxyModelNotFoundError"
HEADER = "x-vibe-unknown-model"
STATUS = 404


def make_not_found(error: Any, model: object) -> bool:
    """Turn *error* into a 404 that names *model* if LiteLLM does not know the model; return whether it did."""
    # By its name: the class is LiteLLM's own, and the package imports nothing but the standard library.
    if type(error).__name__ != ERROR_CLASS:
        return False
    name = printable(model)
    error.status_code = STATUS
    error.detail = f"The model `{name}` does not exist. GET /v1/models lists those that do."
    error.headers = {HEADER: name}
    return True

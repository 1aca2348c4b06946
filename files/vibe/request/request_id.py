"""The identifiers by which a request can be found: the client's and LiteLLM's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vibe.request.request import headers_of

UNKNOWN = "-"
MAX_ID_CHARS = 128
_UNSAFE = re.compile(r"[^!-~]")


def request_id(data: Mapping[str, object]) -> str:
    """Return the client's ``x-request-id``, else LiteLLM's call id, else "-"."""
    return _clean(headers_of(data).get("x-request-id")) or call_id(data)


def call_id(data: Mapping[str, object]) -> str:
    """Return LiteLLM's call id, which the client gets as ``x-litellm-call-id``, else "-"."""
    return _clean(data.get("litellm_call_id")) or UNKNOWN


def _clean(value: object) -> str:
    # A header is the client's text: without this it could write log lines of its own.
    return _UNSAFE.sub("", value)[:MAX_ID_CHARS] if isinstance(value, str) else ""

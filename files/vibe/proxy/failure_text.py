"""The message of an error for a client: what went wrong, and nothing of the network or program behind the gateway."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from vibe.escaped import escaped

_TRACEBACK = re.compile(r"\s*Traceback \(most recent call last\).*", re.DOTALL)
# aiohttp's message for an upstream that cannot be reached: host, port, and a Python object.
_UNREACHABLE = re.compile(r"host \S+ ssl:(?:<[^>]*>|\S+)(?: \[[^\]]*\])?")
# What LiteLLM adds for operators: every pool, and what to add to its configuration.
_FOR_OPERATORS = re.compile(r"\s*LiteLLM: model group '.*", re.DOTALL)
_FILE = re.compile(r"(?:/[\w.+-]+){2,}\.py\b")
_PROVIDER, _PROGRAM = "the provider", "the router"
_STORED_RESPONSE = re.compile(r"^Forbidden\. (?:The|This) response id ")
NOT_FOUND = 404
RESPONSE_NOT_FOUND = "There is no such response. Fix: name one that this API key was given."


def clean(error: Any, hosts: Iterable[str]) -> None:
    """Remove addresses, paths and tracebacks from the message of *error*; *hosts* are the providers'.

    LiteLLM makes its answers from an exception's ``detail`` or ``message``, whichever it has (1.106.2).
    """
    detail = getattr(error, "detail", None)
    if isinstance(detail, str):
        error.detail = without_inside(detail, hosts)
    elif isinstance(detail, dict):
        error.detail = {
            key: without_inside(value, hosts) if isinstance(value, str) else value for key, value in detail.items()
        }
    message = getattr(error, "message", None)
    said = message if isinstance(message, str) else str(error)
    shown = without_inside(said, hosts)
    if shown != said:
        error.message = shown


def make_response_not_found(error: Any) -> bool:
    """Turn *error* into a 404 if a stored response is another client's; return whether it is.

    LiteLLM's own 403 reveals that the response exists, and how an operator switches the check off.
    """
    if not _STORED_RESPONSE.match(str(getattr(error, "detail", ""))):
        return False
    error.status_code, error.detail = NOT_FOUND, RESPONSE_NOT_FOUND
    return True


def without_inside(text: str, hosts: Iterable[str]) -> str:
    """Return *text* without internals: addresses of the *hosts*, files, tracebacks, control characters."""
    text = _FILE.sub(_PROGRAM, _UNREACHABLE.sub(_PROVIDER, _FOR_OPERATORS.sub("", _TRACEBACK.sub("", text))))
    for host in hosts:
        if host in text:
            text = re.sub(rf"(?:https?://)?\b{re.escape(host)}\b(?::\d+)?(?:/[^\s'\"]*)?", _PROVIDER, text)
    return text if text.isprintable() else "\n".join(map(escaped, text.split("\n")))

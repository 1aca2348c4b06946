"""What an upstream answered instead of a completion, for the client: its status, its words and its code.

LiteLLM changes all three (1.106.12): it puts names of its own in front of the message, gives the HTTP status as the
code, and turns 413 into 400 and 529 into 500. Clients act on them: they compact at ``context_length_exceeded`` or
"prompt is too long", and wait at 529.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vibe.proxy.failure_text import without_inside
from vibe.proxy.refusal import ANTHROPIC_TYPES, INVALID, SERVER_ERROR, anthropic_type

# "litellm.BadRequestError: OpenAIException - …", with a second name of the error for some.
_WRAPPED = re.compile(
    r"litellm\.\w+: (?:\w+: )?\w+(?:Exception|Error) - (.*?)(?:\. Handle with `litellm\.\w+`\.)?", re.DOTALL
)
# Statuses that LiteLLM changes, by the type that names them.
_STATUSES = {"request_too_large": 413, "overloaded_error": 529}


@dataclass(frozen=True, slots=True)
class UpstreamFailure:
    """An upstream's error; ``kind``, ``param`` and ``code`` are None where it names none."""

    status: int
    message: str
    kind: str | None = None
    param: str | None = None
    code: str | None = None

    def body(self, *, is_anthropic: bool) -> bytes:
        """Return the JSON body of the answer, in the form of the API that was called."""
        if is_anthropic:
            kind = self.kind if self.kind in ANTHROPIC_TYPES.values() else anthropic_type(self.status)
            error: dict[str, Any] = {"type": kind, "message": self.message}
            return json.dumps({"type": "error", "error": error}).encode()
        kind = self.kind or ("server_error" if self.status >= SERVER_ERROR else INVALID)
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code or str(self.status)}
        return json.dumps({"error": error}).encode()


def upstream_failure(error: Any, hosts: Iterable[str]) -> UpstreamFailure | None:
    """Return the upstream's error that LiteLLM's *error* wraps, None if it is LiteLLM's own.

    Addresses of the *hosts*, the providers', are removed from the message.
    """
    message, status = getattr(error, "message", None), getattr(error, "status_code", None)
    wrapped = _WRAPPED.fullmatch(without_inside(message, hosts)) if isinstance(message, str) else None
    if wrapped is None or not str(status).isdigit():
        return None
    said = wrapped[1]
    # Some of LiteLLM's errors lose the body, which the error that they were made from still has.
    bodies = [getattr(one, "body", None) for one in (error, error.__cause__, error.__context__)]
    details = next((found for body in bodies if (found := _details(body, said))), None) or _details(_json(said), "")
    words = details.get("message")
    kind = _text(details.get("type"))
    return UpstreamFailure(
        _STATUSES.get(kind or "", int(str(status))),
        without_inside(words, hosts) if isinstance(words, str) else said,
        kind,
        _text(details.get("param")),
        _text(details.get("code")),
    )


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _details(body: object, said: str) -> Mapping[str, object]:
    """Return the error object of a *body*: OpenAI's SDK gives that alone, an upstream has it in ``error``.

    Where LiteLLM *said* something, only the body with these words: a fallback leaves another pool's error behind.
    """
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    found = inner if isinstance(inner, dict) else body
    return found if str(found.get("message")) in said or not said else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None

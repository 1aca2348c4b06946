"""The error answer to a request that is refused before LiteLLM sees it, in the form of the API that was called."""

from __future__ import annotations

import json

INVALID = "invalid_request_error"
NOT_FOUND = "not_found_error"
SERVER_ERROR = 500
# Anthropic's types of errors by status (its documentation, API, Errors).
ANTHROPIC_TYPES = {
    400: INVALID,
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: NOT_FOUND,
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def anthropic_type(status: int) -> str:
    """Return Anthropic's type of an error with this *status*."""
    return ANTHROPIC_TYPES.get(status, "api_error" if status >= SERVER_ERROR else INVALID)


class RefusedError(Exception):
    """A request that gets an error answer; the message is for the client: what is wrong, where, and the fix."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        """Take the *status*, the invalid field (*param*), OpenAI's *code*, and Anthropic's *details*."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.param = param
        self.code = code
        self.details = details


def error_body(error: RefusedError, *, is_anthropic: bool) -> bytes:
    """Return the JSON body of the answer."""
    if is_anthropic:
        kind, details = anthropic_type(error.status), {} if error.details is None else {"details": error.details}
        return _json({"type": "error", "error": {"type": kind, "message": error.message, **details}})
    described = {"message": error.message, "type": INVALID, "param": error.param, "code": error.code}
    return _json({"error": described})


def _json(document: dict[str, object]) -> bytes:
    # ASCII: a name that the client sent cannot bring control characters into a terminal.
    return json.dumps(document).encode()

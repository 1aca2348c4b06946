"""An upstream's error reaches the client with its status, its words and its code, in the form of the API it called."""

from __future__ import annotations

import json
from typing import Any

import pytest
from vibe.proxy.upstream_failure import UpstreamFailure, upstream_failure

HOSTS = ("api.example",)
TOO_LONG = "prompt is too long: 210000 tokens > 200000 maximum"


class LiteLLMError(Exception):
    """LiteLLM's error, as far as it is read."""

    def __init__(self, message: str, status: object, body: object = None) -> None:
        """Save the *message*, the *status* and the upstream's *body*."""
        self.message, self.status_code, self.body = message, status, body


def _anthropic(kind: str, message: str) -> str:
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}})


# LiteLLM's error, and what the upstream said. The messages are LiteLLM 1.106.12's.
FAILURES: dict[str, tuple[LiteLLMError, UpstreamFailure]] = {
    "OpenAI's SDK": (
        LiteLLMError(
            "litellm.BadRequestError: OpenAIException - This model's maximum context length is 128000 tokens.",
            400,
            {
                "message": "This model's maximum context length is 128000 tokens.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            },
        ),
        UpstreamFailure(
            400,
            "This model's maximum context length is 128000 tokens.",
            "invalid_request_error",
            "messages",
            "context_length_exceeded",
        ),
    ),
    "Responses API": (
        LiteLLMError(
            'litellm.BadRequestError: OpenAIException - {"error":{"message":"No.","type":"x","param":null,"code":"y"}}',
            422,
        ),
        UpstreamFailure(422, "No.", "x", None, "y"),
    ),
    "Anthropic": (
        LiteLLMError(
            f"litellm.BadRequestError: AnthropicException - {_anthropic('invalid_request_error', TOO_LONG)}", 400
        ),
        UpstreamFailure(400, TOO_LONG, "invalid_request_error"),
    ),
    "Anthropic, too large": (
        LiteLLMError(f"litellm.BadRequestError: AnthropicException - {_anthropic('request_too_large', 'Big.')}", 400),
        UpstreamFailure(413, "Big.", "request_too_large"),
    ),
    "Anthropic, overloaded": (
        LiteLLMError(
            f"litellm.InternalServerError: AnthropicError - {_anthropic('overloaded_error', 'Overloaded')}", 500
        ),
        UpstreamFailure(529, "Overloaded", "overloaded_error"),
    ),
    "twice named": (
        LiteLLMError("litellm.APIError: APIError: OpenAIException - Bad gateway", 502),
        UpstreamFailure(502, "Bad gateway"),
    ),
    "with advice for programmers": (
        LiteLLMError(
            "litellm.ServiceUnavailableError: AnthropicException - No. Handle with `litellm.ServiceUnavailableError`.",
            503,
        ),
        UpstreamFailure(503, "No"),
    ),
    "with what the fallbacks came to": (
        LiteLLMError(
            "litellm.BadRequestError: OpenAIException - No. LiteLLM: model group 'pool-a' failed with the error above.",
            400,
        ),
        UpstreamFailure(400, "No."),
    ),
    "with an address": (
        LiteLLMError("litellm.APIError: OpenAIException - no route to https://api.example/v1/chat", 500),
        UpstreamFailure(500, "no route to the provider"),
    ),
    "odd fields": (
        LiteLLMError(
            "litellm.BadRequestError: OpenAIException - x",
            400,
            {"message": 5, "type": ["a"], "param": "b\x1b[2J", "code": 7},
        ),
        UpstreamFailure(400, "x"),
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_the_upstreams_error_is_read(case: str) -> None:
    error, failure = FAILURES[case]
    assert upstream_failure(error, HOSTS) == failure


@pytest.mark.parametrize(("words", "code"), [("Overloaded", "busy"), ("Of another pool", None)])
def test_a_lost_body_is_taken_from_the_cause_if_it_has_the_same_words(words: str, code: str | None) -> None:
    cause = LiteLLMError(words, 529, {"message": words, "code": "busy"})
    error = LiteLLMError("litellm.APIError: APIError: OpenAIException - Overloaded", 529)
    error.__context__ = cause
    failure = upstream_failure(error, HOSTS)
    assert failure == UpstreamFailure(529, "Overloaded", code=code)


@pytest.mark.parametrize(
    "error",
    [
        LiteLLMError("No deployments available for selected model", 429),
        LiteLLMError("litellm.BadRequestError: Invalid model name", 400),
        LiteLLMError("litellm.BadRequestError: OpenAIException - x", None),
        ValueError("OpenAIException - x"),
    ],
)
def test_litellms_own_errors_stay_as_they_are(error: Any) -> None:
    assert upstream_failure(error, HOSTS) is None


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (UpstreamFailure(422, "No.", "x"), "invalid_request_error"),
        (UpstreamFailure(409, "No.", "overloaded_error"), "overloaded_error"),
        (UpstreamFailure(503, "No."), "api_error"),
        (UpstreamFailure(529, "No."), "overloaded_error"),
    ],
)
def test_anthropics_clients_get_one_of_its_types(failure: UpstreamFailure, kind: str) -> None:
    body = json.loads(failure.body(is_anthropic=True))
    assert body == {"type": "error", "error": {"type": kind, "message": "No."}}


def test_openais_clients_get_the_code_or_else_the_status() -> None:
    body = json.loads(UpstreamFailure(400, "No.", "x", "messages", "too_long").body(is_anthropic=False))
    assert body == {"error": {"message": "No.", "type": "x", "param": "messages", "code": "too_long"}}
    without = json.loads(UpstreamFailure(503, "No.").body(is_anthropic=False))["error"]
    assert (without["type"], without["code"]) == ("server_error", "503")

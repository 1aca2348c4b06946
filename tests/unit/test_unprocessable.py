"""LiteLLM passes an upstream's 422 on as soon as it has nothing to take out of the request."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from fake_litellm import install_litellm
from vibe.proxy.litellm_names import UnknownLiteLLMError
from vibe.proxy.unprocessable import pass_on_unprocessable

MODULE = "litellm.llms.openai.openai"
FUNCTION = "drop_params_from_unprocessable_entity_error"


class UnprocessableError(Exception):
    """An upstream's 422."""


def _installed(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> ModuleType:
    return install_litellm(monkeypatch, {MODULE: functions})[MODULE]


def _without(*fields: str) -> Any:
    """Return LiteLLM's function: it takes *fields* out, one at each call."""
    left = list(fields)

    def drop(error: Exception, data: dict[str, Any]) -> dict[str, Any]:
        gone = left.pop(0) if left else None
        return {name: value for name, value in data.items() if name != gone}

    return drop


def test_a_422_that_names_no_field_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _installed(monkeypatch, **{FUNCTION: _without()})
    pass_on_unprocessable()
    with pytest.raises(UnprocessableError):
        getattr(module, FUNCTION)(UnprocessableError(), {"model": "a"})


def test_a_named_field_is_taken_out_once_and_a_second_422_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    module = _installed(monkeypatch, **{FUNCTION: _without("thinking", "effort")})
    pass_on_unprocessable()
    left = getattr(module, FUNCTION)(UnprocessableError(), {"model": "a", "thinking": 1, "effort": 2})
    assert left == {"model": "a", "effort": 2}
    with pytest.raises(UnprocessableError):
        getattr(module, FUNCTION)(UnprocessableError(), left)


def test_a_litellm_that_handles_it_elsewhere_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch)
    with pytest.raises(UnknownLiteLLMError, match=f"has no {FUNCTION}"):
        pass_on_unprocessable()

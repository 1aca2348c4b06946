"""A pool's cooldown depends on its upstream's health, and never on what a client sent."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import httpx
import openai
import pytest
from fake_litellm import install_litellm
from vibe.proxy.cooldowns import is_of_health, keep_to_health
from vibe.proxy.litellm_names import UnknownLiteLLMError

# The newest versions of the SDK have their own HTTP library.
REQUEST: Any = httpx.Request("POST", "http://upstream/v1")


class _Mapped(openai.APIError):
    """An error like LiteLLM's: of its own module, with a class of openai as its base."""

    def __init__(self) -> None:
        super().__init__("mapped", request=REQUEST, body=None)


def _raised(cause: Exception) -> Exception:
    """Return LiteLLM's error for *cause*, raised while handling it."""
    try:
        try:
            raise cause
        except Exception:
            raise _Mapped  # noqa: B904  # LiteLLM's own way: the cause is its context
    except _Mapped as error:
        return error


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (500, openai.APIConnectionError(request=REQUEST)),
        (503, httpx.ReadError("gone")),
        (502, ConnectionResetError()),
        (408, TimeoutError()),
        (429, httpx.HTTPError("busy")),
        (401, httpx.HTTPError("our key")),
        ("500", httpx.ReadTimeout("slow")),
        (500, RuntimeError("unexplained")),
        ("", OSError()),
    ],
)
def test_an_upstream_that_is_ill_is_put_aside(status: object, cause: Exception) -> None:
    assert is_of_health(status, _raised(cause))


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_what_a_client_provokes_by_its_request_is_not_counted(status: int) -> None:
    assert not is_of_health(status, _raised(httpx.HTTPError("no")))


@pytest.mark.parametrize("cause", [TypeError("create() got an unexpected keyword"), KeyError("type"), ValueError()])
def test_nor_is_what_litellms_own_code_stumbles_over(cause: Exception) -> None:
    assert not is_of_health(500, _raised(cause))


def test_an_error_that_goes_round_in_circles_is_followed_once() -> None:
    error = _raised(TypeError())
    error.__cause__ = error
    assert not is_of_health(500, error)


def _installed(monkeypatch: pytest.MonkeyPatch, **functions: Any) -> ModuleType:
    name = "litellm.router_utils.cooldown_handlers"
    return install_litellm(monkeypatch, {name: functions})[name]


def test_litellms_own_judgement_counts_after_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def decide(router: object, deployment: object, status: object, error: object, time: object = None) -> bool:
        asked.append((deployment, status, time))
        return True

    handlers = _installed(monkeypatch, _should_run_cooldown_logic=decide)
    keep_to_health()
    error = _raised(httpx.ReadError("gone"))
    assert handlers._should_run_cooldown_logic(None, "id", 503, error, time=5)
    assert not handlers._should_run_cooldown_logic(None, "id", 404, error)
    assert asked == [("id", 503, 5)]


def test_a_litellm_that_decides_elsewhere_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch)
    with pytest.raises(UnknownLiteLLMError, match="has no _should_run_cooldown_logic"):
        keep_to_health()

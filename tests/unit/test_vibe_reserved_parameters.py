"""Parameters for LiteLLM itself are removed from the client's request, never from what the proxy added."""

from typing import Any

import pytest
from vibe.proxy.reserved_parameters import controls_of, take_out

CONTROLS = controls_of(["litellm_call_id", "num_retries", "metadata", "fallbacks", "headers"])


def _sent(body: dict[str, Any], **by_the_proxy: object) -> dict[str, Any]:
    """Return a request's data as a hook gets it: the client's fields, and those that the proxy added or replaced."""
    return {**body, "proxy_server_request": {"body": dict(body)}, **by_the_proxy}


@pytest.mark.parametrize("name", ["num_retries", "headers", "timeout", "deployment_id", "extra_body"])
def test_a_control_is_taken_out_and_named(name: str) -> None:
    data = _sent({"model": "chat-auto", name: 7})
    assert take_out(data, CONTROLS) == [name]
    assert name not in data
    assert data["model"] == "chat-auto"


@pytest.mark.parametrize("name", ["metadata", "fallbacks", "model", "temperature", "tools"])
def test_what_a_provider_or_a_check_knows_stays(name: str) -> None:
    data = _sent({name: {"a": 1}})
    assert take_out(data, CONTROLS) == []
    assert data[name] == {"a": 1}


def test_what_the_proxy_put_in_stays() -> None:
    data = _sent({"litellm_call_id": "mine", "num_retries": 3}, litellm_call_id="its-own", timeout=600)
    assert take_out(data, CONTROLS) == ["num_retries"]
    assert (data["litellm_call_id"], data["timeout"]) == ("its-own", 600)


@pytest.mark.parametrize("asked", [None, "text", {}, {"body": None}, {"body": []}])
def test_without_a_body_nothing_is_taken_out(asked: object) -> None:
    assert take_out({"timeout": 1, "proxy_server_request": asked}, CONTROLS) == []

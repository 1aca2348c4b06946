"""Errors reveal no internals to clients, and no client's text can act on a log or a terminal."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from vibe.escaped import escaped
from vibe.log import INFO, log
from vibe.proxy.failure_text import RESPONSE_NOT_FOUND, clean, make_response_not_found, without_inside
from vibe.proxy.log_escape import EscapingFormatter, escape_logs

HOSTS = ("vibe-stub-upstream", "10.1.2.3")
# A new line, an escape sequence that clears a terminal, and a mark that reverses the text.
HOSTILE = "x\n[23:59:51] [VIBE-ROUTER] [INFO] SERVED\x1b[2J\u202eabc\r\x07\u2028\x9b"


class _Error(Exception):
    detail: Any = None
    status_code = 403


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "Failed: Cannot connect to host vibe-stub-upstream:8080 ssl:<ssl.SSLContext object at 0x7f> [None]",
            "Failed: Cannot connect to the provider",
        ),
        ("Cannot connect to host other:8080 ssl:default [Name or service not known]", "Cannot connect to the provider"),
        ("POST http://vibe-stub-upstream:8080/v1/chat failed", "POST the provider failed"),
        ("10.1.2.3:443 refused", "the provider refused"),
        ("boom\nTraceback (most recent call last):\n  File x", "boom"),
        ("in /opt/litellm/lib/python3.13/site-packages/litellm/main.py line 3", "in the router line 3"),
        ("down.\n\nLiteLLM: model group 'pool-a' failed. Fallbacks are configured for: pool-b", "down."),
        ("Get a key at https://platform.openai.com/account", "Get a key at https://platform.openai.com/account"),
        ("two\nlines", "two\nlines"),
        ("clear \x1b[2J\u202e", "clear \\x1b[2J\\u202e"),
    ],
)
def test_an_error_tells_nothing_of_the_inside(said: str, shown: str) -> None:
    assert without_inside(said, HOSTS) == shown


@pytest.mark.parametrize("place", ["message", "detail", "arguments", "detail of a mapping"])
def test_an_error_is_cleaned_wherever_litellm_reads_it(place: str) -> None:
    said = "no way to vibe-stub-upstream"
    error = _Error(said if place == "arguments" else "")
    if place == "message":
        vars(error)["message"] = said
    elif place == "detail":
        error.detail = said
    elif place == "detail of a mapping":
        error.detail = {"error": said, "code": 5}
    clean(error, HOSTS)
    said = f"{error.detail} {getattr(error, 'message', '')}"
    assert "upstream" not in said
    assert "the provider" in said


@pytest.mark.parametrize(
    "said",
    [
        "Forbidden. The response id is not associated with the user, who this key belongs to. To disable …",
        "Forbidden. This response id was not issued by this proxy, so the proxy cannot tell who owns it. …",
    ],
)
def test_a_response_of_somebody_else_does_not_exist(said: str) -> None:
    error = _Error()
    error.detail = said
    assert make_response_not_found(error)
    assert (error.status_code, error.detail) == (404, RESPONSE_NOT_FOUND)


def test_another_403_stays() -> None:
    error = _Error()
    error.detail = "Forbidden. Not your model."
    assert not make_response_not_found(error)
    assert error.status_code == 403


def test_what_acts_is_written_out_and_a_forged_line_is_indented() -> None:
    shown = escaped(HOSTILE)
    assert shown == "x\n    [23:59:51] [VIBE-ROUTER] [INFO] SERVED\\x1b[2J\\u202eabc\\r\\x07\\u2028\\x9b"
    assert escaped("plain, naïve, 漢字") == "plain, naïve, 漢字"


def test_our_log_and_litellms_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    log(INFO, HOSTILE)
    handler, logger = logging.StreamHandler(), logging.getLogger("LiteLLM of a test")
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    try:
        escape_logs()
        escape_logs()
        assert isinstance(handler.formatter, EscapingFormatter)
        logger.error("%s", HOSTILE)
    finally:
        logger.removeHandler(handler)
    lines = capsys.readouterr().err.split("\n")
    assert len([line for line in lines if line.startswith("[")]) == 1
    assert lines[2] == "ERROR: x"
    assert all(line.isprintable() for line in lines)

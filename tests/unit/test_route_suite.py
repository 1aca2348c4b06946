"""The routing suite itself: its options, and that an incomplete answer, or one from another pool, fails."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from report.model import FAILED, CheckFailedError
from routing import checks, client, prompts, suite

FILES = Path(__file__).resolve().parents[2] / "files"
KEY = "sk-test-0123456789"


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    pytest.importorskip("starlette", reason="the stub needs starlette")
    pytest.importorskip("uvicorn", reason="the stub is served by uvicorn")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-B", str(FILES / "stub_upstream.py"), "--port", url.rpartition(":")[2]]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                requests.get(f"{url}/healthz", timeout=1)
                break
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def pointed_at_stub(stub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VIBE_ENV_FILE", "VIBE_POOLS_FILE", "VIBE_CA_FILE", "VIBE_TIMEOUT"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("OPENAI_BASE_URL", f"{stub}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.mark.usefixtures("pointed_at_stub")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("api", list(client.PATHS))
class TestReading:
    """The answers of each API, whole and streamed."""

    def test_whole_answer_is_read_to_its_end(self, api: str, stream: bool) -> None:
        exchange = client.send(api, "gpt-mini", "hi", stream)
        checks.require_whole(exchange)
        assert exchange.stub_model == "gpt-mini"

    def test_answer_that_breaks_off_is_red(self, api: str, stream: bool) -> None:
        with pytest.raises(CheckFailedError):
            checks.require_whole(client.send(api, "gpt-mini", "hi [[stub:cut=2]]", stream))

    def test_error_is_red(self, api: str, stream: bool) -> None:
        with pytest.raises(CheckFailedError, match="HTTP 503"):
            checks.require_whole(client.send(api, "gpt-mini", "hi [[stub:status=503]]", stream))


def exchange_with(**headers: str) -> client.Exchange:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.Exchange(200, names, "", 1, end="stop")


SOUND = {"x_vibe_pool": "pool-chat-mini", "x_vibe_score": "7.5", "x_litellm_model_group": "pool-chat-mini"}


@pytest.mark.usefixtures("pointed_at_stub")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"x_vibe_pool": "pool-chat-standard"}, "x-vibe-pool"),
        ({"x_litellm_model_group": "pool-chat-standard"}, "x-litellm-model-group"),
        ({"x_vibe_score": "high"}, "x-vibe-score"),
        ({"x_vibe_score": "101"}, "x-vibe-score"),
    ],
)
def test_wrong_pool_or_score_is_red(change: dict[str, str], named: str) -> None:
    case = checks.Case("chat-auto", prompts.SIMPLE, client.CHAT, False)
    checks.check_route(case, exchange_with(**SOUND))
    with pytest.raises(CheckFailedError, match=named):
        checks.check_route(case, exchange_with(**{**SOUND, **change}))


@pytest.mark.usefixtures("pointed_at_stub")
def test_plug_in_that_did_not_run_is_named_as_the_cause() -> None:
    case = checks.Case("chat-auto", prompts.COMPLEX, client.CHAT, True)
    with pytest.raises(CheckFailedError, match="the plug-in did not run"):
        checks.check_route(case, exchange_with(x_litellm_model_group="chat-auto"))


def test_event_with_an_error_is_red_although_the_stream_goes_on_to_its_end() -> None:
    class Response:
        def iter_lines(self) -> list[bytes]:
            failed = {"type": "response.failed", "response": {"status": "failed"}}
            return [b"data: " + json.dumps(failed).encode(), b"", b"data: [DONE]"]

    exchange = client.Exchange(200, {}, "", 1)
    client._read_stream(client.RESPONSES, Response(), exchange)
    assert (bool(exchange.problem), exchange.end) == (True, "")


def test_options_come_before_the_file_and_the_file_before_the_variables(tmp_path: Path) -> None:
    exports = tmp_path / "exports.sh"
    exports.write_text(
        "# a comment\nexport OPENAI_BASE_URL='https://file:4000/v1'\nexport OPENAI_API_KEY='sk-f il#e'\n"
    )
    environment = {"OPENAI_BASE_URL": "http://env:4000/v1/", "ANTHROPIC_AUTH_TOKEN": "sk-env"}
    assert client.find_target(environment).url == "http://env:4000"
    assert client.find_target(environment).key == "sk-env"
    from_file = client.find_target({**environment, "VIBE_ENV_FILE": str(exports)})
    assert (from_file.url, from_file.key) == ("https://file:4000", "sk-f il#e")
    assert client.find_target(environment, "http://option:1/", "sk-option").url == "http://option:1"
    with pytest.raises(unittest.SkipTest):
        client.find_target({})


def test_the_file_says_whom_to_trust_and_the_option_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = tmp_path / "client.env"
    exports.write_text(
        "export OPENAI_BASE_URL='https://gateway.example/v1'\nexport OPENAI_API_KEY=sk-file\n"
        "export VIBE_CA_FILE=/ca.pem\n",
        encoding="utf-8",
    )
    for name in ("VIBE_ENV_FILE", "VIBE_CA_FILE", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        # Set, so that monkeypatch restores it.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    suite.put_into_environment(suite.parse_arguments(["--env-file", str(exports)]))
    assert (client.target().url, client.target().ca_file) == ("https://gateway.example", "/ca.pem")
    suite.put_into_environment(suite.parse_arguments(["--env-file", str(exports), "--ca-file", "/other.pem"]))
    assert client.target().ca_file == "/other.pem"


def test_key_is_not_shown(tmp_path: Path) -> None:
    target = client.find_target({"OPENAI_BASE_URL": "http://env:4000/v1", "OPENAI_API_KEY": KEY})
    assert KEY not in repr(target)


@pytest.mark.usefixtures("pointed_at_stub")
def test_script_reports_and_ends_with_one_on_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], stub: str
) -> None:
    report = tmp_path / "report.json"
    arguments: list[Any] = ["--url", stub, "--json", str(report), "--timeout", "10"]
    assert suite.main(arguments) == 1  # the stub has no router in front of it
    shown = capsys.readouterr()
    written = json.loads(report.read_text())
    assert written["verdict"] == FAILED
    assert len(written["results"]) == len(checks.cases(prompts.DEFAULT_POOLS)) + len(checks.CHECKS)
    failed = [row for row in written["results"] if row["verdict"] == FAILED]
    assert all(row["expected"] and row["found"] and row["hint"] for row in failed)
    assert "virtual model" in shown.out
    assert KEY not in shown.out + shown.err + report.read_text()


def _answers(monkeypatch: pytest.MonkeyPatch, pool: str, rule: str = "score", status: int = 200) -> None:
    """Have one pool answer every request."""
    exchange = exchange_with(x_vibe_pool=pool, x_vibe_rule=rule, x_litellm_model_group="pool-chat-standard")
    exchange.status = status
    monkeypatch.setattr(checks, "send", lambda *words, **more: exchange)


@pytest.mark.usefixtures("pointed_at_stub")
def test_a_tool_loop_that_leaves_its_pool_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "pool-chat-mini", "inherit")
    checks.test_tool_loop_stays_in_its_pool()
    _answers(monkeypatch, "pool-chat-standard")
    with pytest.raises(CheckFailedError, match="pool-chat-standard by rule score"):
        checks.test_tool_loop_stays_in_its_pool()


@pytest.mark.usefixtures("pointed_at_stub")
def test_a_language_that_is_not_judged_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "pool-chat-mini")
    with pytest.raises(CheckFailedError, match="pool-chat-standard for 'Entwirf"):
        checks.test_other_languages_are_judged_too()


@pytest.mark.usefixtures("pointed_at_stub")
def test_a_picture_that_another_pool_served_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(monkeypatch, "pool-chat-standard", "ability")
    checks.test_picture_goes_where_it_can_be_seen()
    _answers(monkeypatch, "pool-chat-mini")
    with pytest.raises(CheckFailedError, match="decided pool-chat-mini, served pool-chat-standard"):
        checks.test_picture_goes_where_it_can_be_seen()
    _answers(monkeypatch, "pool-chat-mini", status=400)
    with pytest.raises(unittest.SkipTest, match="takes pictures"):
        checks.test_picture_goes_where_it_can_be_seen()


@pytest.mark.usefixtures("pointed_at_stub")
def test_a_long_conversation_that_nobody_decided_for_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "send", lambda *words, **more: exchange_with(x_litellm_model_group="x"))
    with pytest.raises(CheckFailedError, match="the plug-in did not run"):
        checks.test_long_conversation_is_served()


@pytest.mark.usefixtures("pointed_at_stub")
def test_no_more_requests_are_sent_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = client.Ledger()
    monkeypatch.setattr(client, "LEDGER", ledger)
    monkeypatch.setenv("VIBE_MOST_REQUESTS", "2")
    for _ in range(2):
        client.send(client.CHAT, "gpt-mini", "hi")
    with pytest.raises(unittest.SkipTest, match="verification_most_requests"):
        client.send(client.CHAT, "gpt-mini", "hi")
    assert str(ledger) == "2 requests to models"
    ledger.end({"x-litellm-response-cost-original": "0.25"})
    assert str(ledger) == "2 requests to models; 1 of them report a cost, $0.2500 in all"

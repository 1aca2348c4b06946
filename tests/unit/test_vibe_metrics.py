"""The router's metrics, in one process or several; they never fail a request."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import vibe_router
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import Decision
from vibe.telemetry import metrics
from vibe.telemetry.metrics import Metrics
from vibe.telemetry.spending import Spending, Usage

FILES = Path(__file__).resolve().parents[2] / "files"
PORT = 19464
PATIENCE_SECONDS = 20.0


def _decision(**changed: Any) -> Decision:
    made: dict[str, Any] = {
        "family": "chat",
        "virtual_model": "chat-auto",
        "pool": "pool-mini",
        "safe_pool": "pool-standard",
        "rule": "score",
        "score": 42.0,
        "threshold": 50.0,
        "reasons": (),
    }
    return Decision(**made | changed)


@pytest.fixture
def registry() -> prometheus_client.CollectorRegistry:
    """A separate registry."""
    return prometheus_client.CollectorRegistry()


def test_a_decision_is_counted_by_model_pool_and_rule(registry: prometheus_client.CollectorRegistry) -> None:
    counted = Metrics(registry)
    counted.decided(_decision(), 0.0003)
    counted.decided(_decision(pool=None, rule="none", score=None), 0.0003)
    counted.decided(_decision(rule="escalation", score=None, pool="pool-standard", moved_to="strong"), 0.0003)
    counted.failed("chat-auto")

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"virtual_model": "chat-auto", **labels})

    assert value("vibe_decisions_total", pool="pool-mini", rule="score") == 1.0
    assert value("vibe_decisions_total", pool="pool-standard", rule="none") == 1.0
    assert value("vibe_score_count") == 1.0
    assert value("vibe_score_bucket", le="50.0") == 1.0
    assert value("vibe_score_bucket", le="40.0") == 0.0
    assert value("vibe_decision_seconds_count") == 3.0
    assert value("vibe_moves_total", to="strong") == 1.0
    assert value("vibe_escalations_total") == 1.0
    assert value("vibe_router_errors_total") == 1.0


def test_feedback_is_counted_by_the_status_of_its_answer(registry: prometheus_client.CollectorRegistry) -> None:
    counted = Metrics(registry)
    for status in (200, 409, 409):
        counted.told(status)
    assert registry.get_sample_value("vibe_feedback_total", {"status": "200"}) == 1.0
    assert registry.get_sample_value("vibe_feedback_total", {"status": "409"}) == 2.0


def test_what_was_served_is_counted_in_tokens_and_dollars(registry: prometheus_client.CollectorRegistry) -> None:
    counted = Metrics(registry)
    counted.served("chat-auto", Spending("pool-mini", Usage(10, 20, 0, 5), 0.25, 1.0), "team-a")
    counted.served("chat-auto", Spending("pool-mini", Usage(10, 0, 0, 5), None, 1.0), "team-a")
    labels = {"virtual_model": "chat-auto", "pool": "pool-mini"}
    assert registry.get_sample_value("vibe_tokens_total", {**labels, "kind": "input"}) == 20.0
    assert registry.get_sample_value("vibe_tokens_total", {**labels, "kind": "cached"}) == 20.0
    assert registry.get_sample_value("vibe_tokens_total", {**labels, "kind": "written"}) is None
    assert registry.get_sample_value("vibe_spend_dollars_total", labels) == 0.25
    assert registry.get_sample_value("vibe_strong_spend_dollars_total", labels) == 1.0
    of_a_client = {"virtual_model": "chat-auto", "client": "team-a"}
    assert registry.get_sample_value("vibe_client_spend_dollars_total", of_a_client) == 0.25
    counted.asked("team-a", "chat-auto")
    assert registry.get_sample_value("vibe_client_requests_total", of_a_client) == 1.0


def test_without_the_library_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "prometheus_client", None)
    counted = Metrics()
    counted.decided(_decision(), 0.1)
    counted.failed("chat-auto")
    counted.asked("team-a", "chat-auto")
    counted.served("chat-auto", Spending("pool-mini", Usage(1, 1, 1, 1), 1.0, 1.0), "team-a")


def test_counters_that_fail_are_no_matter_for_a_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full:
        def decided(self, *_: object) -> None:
            raise OSError("No space left on device")

        failed = served = asked = decided

    monkeypatch.setattr(vibe_router, "METRICS", Full())
    family = Family(*("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard"), threshold=50.0)
    routes = Routes({family.virtual_model: family}, frozenset(("pool-mini", "pool-standard")))
    data = {"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}], "metadata": {}}
    router = vibe_router.VibeIntelligentRouter(routes)
    asyncio.run(router.async_pre_call_hook(None, None, data, "acompletion"))
    assert data["model"] == "pool-mini"
    assert "not counted: OSError" in capsys.readouterr().err


def test_the_workers_of_a_slot_are_added_up_and_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(FILES)}
    worker = textwrap.dedent("""
        from vibe.telemetry.metrics import Metrics
        from vibe.telemetry.spending import Spending, Usage
        Metrics().served("chat-auto", Spending("pool-mini", Usage(1, 0, 0, 2), 0.5, 1.5), "team-a")
    """)
    for _ in range(3):
        subprocess.run([sys.executable, "-c", worker], env=environment, check=True, timeout=PATIENCE_SECONDS)
    # A separate parent process, which is stopped below.
    parent = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -m vibe.telemetry.metrics_server --port {PORT}; true"], env=environment
    )
    try:
        said = _answer()
    finally:
        parent.kill()
        parent.wait(PATIENCE_SECONDS)
    assert 'vibe_spend_dollars_total{pool="pool-mini",virtual_model="chat-auto"} 1.5' in said
    assert 'vibe_tokens_total{kind="output",pool="pool-mini",virtual_model="chat-auto"} 6.0' in said
    end = time.monotonic() + PATIENCE_SECONDS
    while _serves():
        assert time.monotonic() < end, "the server outlives what started it"
        time.sleep(0.2)


def _answer() -> str:
    end = time.monotonic() + PATIENCE_SECONDS
    while not _serves():
        assert time.monotonic() < end, "nothing answers"
        time.sleep(0.1)
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def _serves() -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=1).close()
    except OSError:
        return False
    return True

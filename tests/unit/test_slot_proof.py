"""The slot proof: a new slot answers, lists its models, routes, warms every worker and is healthy, or says why not."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from role_plugins import load

proof = load("router/library/slot_proof")

FAMILY = {
    "virtual_model": "chat-auto",
    "cheap_pool": "pool-mini",
    "strong_pool": "pool-large",
    "safe_pool": "pool-large",
    "threshold": 50,
    "routing": "active",
}
KEY = "sk-planted-key"


class Router:
    """Replaces LiteLLM with two alternating workers; a test can break its answers."""

    def __init__(self) -> None:
        self.listed, self.hook, self.hard_pool, self.status, self.echo = (
            ["chat-auto"],
            proof.HOOK,
            "pool-large",
            200,
            "",
        )
        self.workers, self.silent_polls, self.lacking = 2, 3, ""
        self.served: Counter[tuple[str, bool]] = Counter()
        self._turns, self._lock = itertools.count(), Lock()
        router = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply(*router.look(self.path), {})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                assert self.headers["authorization"] == f"Bearer {KEY}"
                self.reply(*router.serve(self.path, body))

            def reply(self, status: int, text: str, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def look(self, path: str) -> tuple[int, str]:
        if path == "/health/liveliness":
            self.silent_polls -= 1
            return (503 if self.silent_polls >= 0 else 200), ""
        if path == "/v1/models":
            return 200, json.dumps({"data": [{"id": name} for name in self.listed]})
        return 200, json.dumps({"callbacks": [self.hook]})

    def serve(self, path: str, body: dict[str, Any]) -> tuple[int, str, dict[str, str]]:
        hard = proof.PROMPTS[proof.HARD] in json.dumps(body, ensure_ascii=False)
        with self._lock:
            self.served[path, body["stream"]] += 1
            worker = next(self._turns) % self.workers
        if path == self.lacking:
            return 404, "no such API", {}
        return (
            self.status,
            self.echo,
            {"x-vibe-pool": self.hard_pool if hard else "pool-mini", "x-vibe-worker": str(worker)},
        )


class Engine:
    """Replaces the module's engine client."""

    def __init__(self) -> None:
        self.answer = (0, "running 0 0 healthy\n", "")

    def run_command(self, words: list[str]) -> tuple[int, str, str]:
        assert words[:2] == ["docker", "inspect"]
        return self.answer


@pytest.fixture
def router() -> Iterator[Router]:
    router = Router()
    yield router
    router.server.shutdown()
    router.server.server_close()


@pytest.fixture
def release(tmp_path: Path) -> Path:
    (tmp_path / "secrets.json").write_text(json.dumps({"LITELLM_MASTER_KEY": KEY, "UPSTREAM": ""}), encoding="utf-8")
    (tmp_path / "vibe_routes.json").write_text(json.dumps({"families": {"chat": FAMILY}}), encoding="utf-8")
    return tmp_path


def prove(router: Router, release: Path, engine: Engine | None = None, **given: Any) -> str:
    container = proof.Container(engine or Engine(), "slot-blue")
    slot = proof.Slot(router.address, release)
    told: str = proof.prove(slot, container, {"timeout": 5, "workers": 2, "requests": True, **given})
    return told


def refusal(router: Router, release: Path, engine: Engine | None = None, **given: Any) -> str:
    with pytest.raises(proof.ProofError) as refused:
        prove(router, release, engine, **given)
    return str(refused.value)


def test_a_good_slot_is_waited_for_and_every_worker_has_had_each_api(router: Router, release: Path) -> None:
    assert "2 of 2 workers warmed" in prove(router, release)
    kinds = set(itertools.product(proof.PATHS.values(), (False, True)))
    assert set(router.served) == kinds
    assert min(router.served.values()) >= 2


def test_without_requests_no_model_is_asked(router: Router, release: Path) -> None:
    assert "warmed" not in prove(router, release, requests=False)
    assert not router.served


def test_a_worker_that_is_never_met_costs_a_bounded_number_of_requests(router: Router, release: Path) -> None:
    router.workers = 1
    assert "1 of 2 workers warmed by 132 requests" in prove(router, release)


def test_an_api_that_the_upstream_lacks_is_not_asked_again(router: Router, release: Path) -> None:
    router.lacking = proof.PATHS["responses"]
    assert "2 of 2 workers warmed" in prove(router, release)
    assert {router.served[router.lacking, stream] for stream in (False, True)} == {2}


def test_no_proxy_of_the_host_is_asked(router: Router, release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    fresh = load("router/library/slot_proof")
    assert fresh.Slot(router.address, release).ask("/v1/models").status == 200


def test_a_short_secret_spoils_no_answer(router: Router, release: Path) -> None:
    (release / "secrets.json").write_text(json.dumps({"LITELLM_MASTER_KEY": KEY, "SHORT": "chat"}), encoding="utf-8")
    assert prove(router, release)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"listed": []}, "The new slot does not list chat-auto (status 200)."),
        (
            {"hook": "none"},
            "The new slot does not have the routing hook VibeIntelligentRouter registered (status 200).",
        ),
        (
            {"hard_pool": "pool-mini"},
            "chat-auto: a hard request should go to pool-large; status 200, pool pool-mini, answer ",
        ),
        (
            {"status": 500, "echo": f"no way for {KEY}"},
            "chat-auto: a simple request should go to pool-mini; status 500, pool pool-mini, answer no way for ***\n"
            "chat-auto: a hard request should go to pool-large; status 500, pool pool-large, answer no way for ***",
        ),
    ],
    ids=["unlisted", "hook", "pool", "upstream"],
)
def test_a_slot_that_does_not_do_its_work_says_what(
    router: Router, release: Path, spoil: dict[str, Any], said: str
) -> None:
    vars(router).update(spoil)
    assert refusal(router, release) == said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((0, "exited 0 1 starting\n", ""), "The container slot-blue ended while it started, with exit code 1."),
        ((0, "running 2 1 starting\n", ""), "The container slot-blue ended while it started, with exit code 1."),
        ((1, "", "no such object"), "The container slot-blue is gone: no such object"),
    ],
    ids=["ended", "restarts", "gone"],
)
def test_a_container_that_ends_is_not_waited_for(router: Router, release: Path, answer: Any, said: str) -> None:
    engine = Engine()
    engine.answer, router.silent_polls = answer, 10_000
    assert refusal(router, release, engine, timeout=600) == said


def test_one_that_does_not_answer_in_time_is_given_up(router: Router, release: Path) -> None:
    router.silent_polls = 10_000
    assert refusal(router, release, timeout=0) == f"The new slot did not answer on {router.address} within 0 s."


def test_one_that_the_engine_does_not_call_healthy_is_given_up(router: Router, release: Path) -> None:
    engine = Engine()
    engine.answer = (0, "running 0 0 unhealthy\n", "")
    assert refusal(router, release, engine, timeout=1) == "The engine does not call slot-blue healthy after 1 s."


@pytest.mark.parametrize(
    ("change", "simple", "hard"),
    [
        ({}, ["pool-mini"], ["pool-large"]),
        ({"threshold": 10}, ["pool-mini", "pool-large"], ["pool-large"]),
        ({"threshold": 90}, ["pool-mini"], ["pool-mini", "pool-large"]),
        ({"routing": "shadow"}, ["pool-large"], ["pool-large"]),
        ({"adapter": "5f1d2a3b4c5d"}, ["pool-mini", "pool-large"], ["pool-mini", "pool-large"]),
    ],
    ids=["active", "low", "high", "shadow", "learnt"],
)
def test_where_a_request_may_go_follows_from_its_family(
    change: dict[str, Any], simple: list[str], hard: list[str]
) -> None:
    family = {**FAMILY, **change}
    assert (proof.pools_of(family, proof.SIMPLE), proof.pools_of(family, proof.HARD)) == (simple, hard)

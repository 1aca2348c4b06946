"""Clients with their own keys: which may use which model, on each API, streamed or not; adding and removing keys."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from e2e.load import traffic_to
from e2e.machine import PROJECT, chat, run, stub_requests

FILE = PROJECT / "inventory/local/group_vars/all/clients.yml"
CLIENT = ("./deploy.sh", "client")
EVERYTHING = ("chat-auto", "codex-auto", "claude-auto", "pool-chat-mini", "no-such-model")
APIS = ("chat/completions", "responses", "messages")
TIMEOUT_SECONDS = 60
PER_MINUTE = 5


@dataclass(frozen=True)
class Asker:
    """A client: its key, and the models that it may use."""

    key: str
    models: tuple[str, ...] = EVERYTHING
    is_known: bool = True

    def expected(self, model: str, api: str) -> tuple[int, str]:
        """Return the expected status and error name: Anthropic's type, or OpenAI's code."""
        anthropic = api == "messages"
        if not self.is_known:
            return 401, "authentication_error" if anthropic else "invalid_api_key"
        if model not in self.models:
            return 403, "permission_error" if anthropic else "model_not_allowed"
        if model == "no-such-model":
            return 404, "not_found_error" if anthropic else "model_not_found"
        return 200, ""


def _key(name: str) -> str:
    return f"sk-of-{name}-{'0' * 20}"


def _digest(name: str) -> str:
    return hashlib.sha256(_key(name).encode()).hexdigest()


# In addition to the one that the command creates.
WRITTEN = [
    {"name": "all", "key_sha256": _digest("all"), "note": "whose turn it is: 7 & 8 %d"},
    {"name": "chats", "key_sha256": _digest("chats"), "models": ["chat-auto", "pool-chat-mini"]},
    {"name": "claudes", "key_sha256": _digest("claudes"), "models": ["claude-auto"], "expires": "2099-12-31"},
    {"name": "ended", "key_sha256": _digest("ended"), "expires": "2020-01-01"},
    {
        "name": "changed",
        "key_sha256": _digest("changed"),
        "former_key_sha256": _digest("changed-before"),
        "former_key_expires": "2099-12-31T12:00:00Z",
    },
    {
        "name": "changed-long-ago",
        "key_sha256": _digest("changed-long-ago"),
        "former_key_sha256": _digest("changed-long-ago-before"),
        "former_key_expires": "2020-01-01T00:00:00Z",
    },
    {"name": "slow", "key_sha256": _digest("slow"), "requests_per_minute": PER_MINUTE},
]


@pytest.fixture(scope="module")
def askers(deployed: dict[str, str]) -> Iterator[dict[str, Asker]]:
    """All clients by name; afterwards the gateway knows only the operator, and all client files are removed."""
    assert not FILE.exists(), "this machine has clients of its own"
    FILE.write_text(yaml.safe_dump({"gateway_clients": WRITTEN}), encoding="utf-8")
    try:
        made = run(*CLIENT, "add", "made", "--models", "codex-auto")
        key = made.stdout.strip()
        assert key.startswith("sk-")
        assert key not in made.stderr, "a key is shown once, and not in the log"
        yield {
            "operator": Asker(deployed["OPENAI_API_KEY"]),
            "nobody": Asker("sk-of-nobody", is_known=False),
            "made": Asker(key, ("codex-auto",)),
            "all": Asker(_key("all")),
            "chats": Asker(_key("chats"), ("chat-auto", "pool-chat-mini")),
            "claudes": Asker(_key("claudes"), ("claude-auto",)),
            "ended": Asker(_key("ended"), is_known=False),
            "changed": Asker(_key("changed")),
            "changed-before": Asker(_key("changed-before")),
            "changed-long-ago-before": Asker(_key("changed-long-ago-before"), is_known=False),
            "slow": Asker(_key("slow")),
        }
    finally:
        FILE.unlink()
        run("./deploy.sh", "--tags", "gateway")


def _post(
    settings: dict[str, str], key: str, path: str, body: dict[str, object], headers: dict[str, str] | None = None
) -> requests.Response:
    shown = {"x-api-key": key} if path == "messages" else {"Authorization": f"Bearer {key}"}
    url = f"{settings['OPENAI_BASE_URL']}/{path}"
    return requests.post(url, json=body, headers={**shown, **(headers or {})}, timeout=TIMEOUT_SECONDS)


def _body(model: str, api: str) -> dict[str, object]:
    """Return a request for *model* in the form of *api*."""
    if api in {"responses", "embeddings"}:
        return {"model": model, "input": "hi"}
    if api == "completions":
        return {"model": model, "prompt": "hi"}
    limit = {"max_tokens": 16} if api == "messages" else {}
    return {"model": model, "messages": [{"role": "user", "content": "hi"}], **limit}


def _ask(settings: dict[str, str], key: str, model: str, api: str, *, stream: bool = False) -> requests.Response:
    return _post(settings, key, api, {**_body(model, api), "stream": stream})


@pytest.mark.parametrize("name", ["operator", "nobody", "made", "all", "chats", "claudes", "ended", "changed-before"])
def test_every_key_asks_for_every_model_on_every_api_and_gets_what_it_may(
    name: str, askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    asker = askers[name]
    wrong = []
    for model, api, stream in itertools.product(EVERYTHING, APIS, (False, True)):
        answer = _ask(deployed, asker.key, model, api, stream=stream)
        status, called = asker.expected(model, api)
        error = {} if answer.status_code == 200 else answer.json()["error"]
        found = str(error.get("type" if api == "messages" else "code", ""))
        whole = "event: " in answer.text or "data: " in answer.text if stream and status == 200 else True
        if (answer.status_code, found, whole) != (status, called, True):
            wrong.append(
                f"{model} {api} stream={stream}: {answer.status_code} {answer.text[:150]}, not {status} {called}"
            )
    assert wrong == []


@pytest.mark.parametrize(("name", "status"), [("changed", 200), ("changed-long-ago-before", 401), ("ended", 401)])
def test_a_key_ends_when_it_was_said_to(
    name: str, status: int, askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    answer = _ask(deployed, askers[name].key, "chat-auto", "responses")
    assert answer.status_code == status
    if status == 401:
        assert "This API key ended at 2020-01-01 00:00:00 UTC" in answer.json()["error"]["message"]


def test_a_client_sees_the_models_that_it_may_ask_for(askers: dict[str, Asker], deployed: dict[str, str]) -> None:
    listed = {
        name: {
            model["id"]
            for model in requests.get(
                f"{deployed['OPENAI_BASE_URL']}/models",
                headers={"Authorization": f"Bearer {askers[name].key}"},
                timeout=TIMEOUT_SECONDS,
            ).json()["data"]
        }
        for name in ("chats", "all", "operator")
    }
    assert listed["chats"] == {"chat-auto", "pool-chat-mini"}
    assert listed["all"] == listed["operator"] > set(EVERYTHING[:-1])


@pytest.mark.parametrize(
    "headers",
    [
        {"x-vibe-client": "all"},
        {"x-vibe-client": "default"},
        {"x-vibe-client-models": "codex-auto"},
        {"X-Vibe-Client-Models": ""},
        {"x-vibe-router-keys": "sk-of-nobody"},
    ],
)
def test_what_a_client_says_of_itself_counts_for_nothing(
    headers: dict[str, str], askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    body = _body("codex-auto", "chat/completions")
    answer = _post(deployed, askers["chats"].key, "chat/completions", body, headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "asked",
    [
        {"model": "chat-auto", "fallbacks": ["codex-auto"]},
        {"model": ["chat-auto", "codex-auto"]},
        {"model": "chat-auto,codex-auto"},
        {"model": "CODEX-AUTO"},
    ],
)
def test_no_other_model_is_reached_by_a_side_door(
    asked: dict[str, object], askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    body = {**_body("", "chat/completions"), **asked}
    answer = _post(deployed, askers["chats"].key, "chat/completions", body)
    assert answer.status_code in {200, 400, 403, 404}
    assert "codex" not in answer.headers.get("x-vibe-pool", "")
    assert "stub-codex" not in answer.text


@pytest.mark.parametrize(
    "control",
    [
        {"deployment_id": "codex-auto"},
        {"custom_llm_provider": "anthropic"},
        {"specific_deployment": True},
        {"mock_response": "free of charge"},
        {"client": "none"},
        {"fallbacks": {"codex-auto": []}},
        {"headers": {"Authorization": "Bearer EVIL", "Host": "evil.example"}},
        {"router_settings_override": {"num_retries": 6}},
        {"metadata": {"user_api_key_alias": "victim"}},
    ],
    ids=lambda control: next(iter(control)),
)
@pytest.mark.parametrize("api", APIS)
def test_what_a_client_tells_litellm_itself_is_refused_and_harms_nobody(
    control: dict[str, Any], api: str, askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    refused = _post(deployed, askers["chats"].key, api, {**_body("chat-auto", api), **control})
    assert refused.status_code == 400
    assert next(iter(control)) in refused.json()["error"]["message"]
    answer = chat(deployed, "hi", disable_fallbacks=True)
    assert (answer.status_code, answer.headers["x-vibe-served-pool"]) == (200, "pool-chat-mini")


@pytest.mark.parametrize("habit", [{"timeout": 0.001}, {"num_retries": 6}, {"drop_params": False}, {"cache": {"a": 1}}])
def test_what_wrappers_tell_litellm_by_habit_counts_for_nothing(
    habit: dict[str, Any], askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    answer = chat({**deployed, "OPENAI_API_KEY": askers["all"].key}, "hi", **habit)
    assert answer.status_code == 200
    assert "stub answer from model stub-chat-mini" in answer.text


@pytest.mark.parametrize("name", ["x-litellm-api-key", "X-LiteLLM-Call-Id"])
def test_nor_does_what_it_says_in_headers(name: str, askers: dict[str, Asker], deployed: dict[str, str]) -> None:
    body = _body("chat-auto", "chat/completions")
    answer = _post(deployed, askers["all"].key, "chat/completions", body, {name: "its-own"})
    assert answer.status_code == 200
    assert answer.headers["x-litellm-call-id"] != "its-own"


@pytest.mark.parametrize("query", ["model=codex-auto", "%6dodel=codex-auto", "a=1&model=pool-codex-heavy"])
@pytest.mark.parametrize("api", ["chat/completions", "completions", "embeddings"])
def test_the_model_is_the_one_of_the_body(
    query: str, api: str, askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    answer = _post(deployed, askers["chats"].key, f"{api}?{query}", _body("chat-auto", api))
    assert answer.status_code == 200
    assert "codex" not in answer.headers.get("x-vibe-pool", "") + answer.text


def test_a_key_for_some_models_opens_no_websocket(askers: dict[str, Asker], deployed: dict[str, str]) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }

    def status(name: str) -> int:
        # Closed before the request is sent, so no upstream is asked.
        with requests.get(
            f"{deployed['OPENAI_BASE_URL']}/responses",
            headers={"Authorization": f"Bearer {askers[name].key}", **upgrade},
            timeout=TIMEOUT_SECONDS,
            stream=True,
        ) as answer:
            return answer.status_code

    assert status("chats") == 403
    assert status("all") == 101


def test_a_clients_own_limit_is_its_own(askers: dict[str, Asker], deployed: dict[str, str]) -> None:
    slow = [_ask(deployed, askers["slow"].key, "chat-auto", "responses").status_code for _ in range(PER_MINUTE + 1)]
    assert slow == [200] * PER_MINUTE + [429]
    told = _ask(deployed, askers["slow"].key, "chat-auto", "messages").json()["error"]
    assert told == {
        "type": "rate_limit_error",
        "message": f"This API key may send {PER_MINUTE} requests a minute. Wait a moment.",
    }
    assert _ask(deployed, askers["all"].key, "chat-auto", "responses").status_code == 200


def test_a_clients_name_is_in_the_logs_and_counters_and_nowhere_upstream(
    askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    assert _ask(deployed, askers["all"].key, "chat-auto", "messages").status_code == 200
    (router,) = [
        name
        for name in run("docker", "ps", "--format", "{{.Names}}").stdout.split()
        if name.startswith("litellm-vibe-router-")
    ]
    logged = run("docker", "logs", router)
    (decision, *_) = [line for line in reversed((logged.stdout + logged.stderr).splitlines()) if "DECISION" in line]
    assert " client=all " in decision
    assert json.loads(run("docker", "logs", "vibe-gateway").stdout.splitlines()[-1])["client_name"] == "all"
    port = 4201 if router.endswith("blue") else 4202
    counted = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_SECONDS).text
    assert 'vibe_client_requests_total{client="all",virtual_model="chat-auto"}' in counted
    seen = stub_requests()
    last = json.dumps(seen[-1]).lower()
    assert "stub-chat-mini" in last, "the stub tells what it was asked"
    assert "x-vibe" not in last
    assert askers["all"].key not in json.dumps(seen)
    assert '"all"' not in last


@pytest.mark.slow
def test_a_key_is_changed_and_a_client_removed_without_a_failed_request(
    askers: dict[str, Asker], deployed: dict[str, str]
) -> None:
    made = {**deployed, "OPENAI_API_KEY": askers["made"].key}
    with traffic_to({**deployed, "OPENAI_API_KEY": askers["all"].key}) as traffic:
        rotated = {**deployed, "OPENAI_API_KEY": run(*CLIENT, "rotate", "made", "--keep", "1").stdout.strip()}
        for settings in (made, rotated):
            assert _ask(settings, settings["OPENAI_API_KEY"], "codex-auto", "responses").status_code == 200
        run(*CLIENT, "remove", "made")
        for settings in (made, rotated):
            assert _ask(settings, settings["OPENAI_API_KEY"], "codex-auto", "responses").status_code == 401
    assert traffic.failed == [], traffic.story()
    assert "made" not in run(*CLIENT, "list").stdout


def test_what_the_gateways_refuse_leaves_the_clients_as_they_were(askers: dict[str, Asker]) -> None:
    assert askers
    before = FILE.read_bytes()
    done = run(*CLIENT, "add", "other", "--models", "pool-chat-mini,pool-nope", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "(other) may request pool-nope, which is neither a virtual model nor a pool" in done.stderr
    assert "the clients are as before" in done.stderr
    assert FILE.read_bytes() == before


def test_no_key_of_a_client_stands_on_the_host(askers: dict[str, Asker], deployed: dict[str, str]) -> None:
    for path in Path("/opt/litellm-vibe-router").rglob("*"):
        if path.is_file() and path.stat().st_size < 10**6:
            text = path.read_bytes()
            assert not [name for name, asker in askers.items() if name != "operator" and asker.key.encode() in text], (
                path
            )
    keys = Path("/opt/litellm-vibe-router/gateway/conf/router_keys.map")
    assert deployed["OPENAI_API_KEY"] in keys.read_text(encoding="utf-8")
    assert keys.stat().st_mode & 0o777 == 0o400

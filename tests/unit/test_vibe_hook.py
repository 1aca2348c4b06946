"""The hook: its effect on a request, its log lines, and that it never fails a request."""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import vibe_router
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vibe.memory.conversation_state import State
from vibe.memory.store import MemoryStore
from vibe.routes.family import Family
from vibe.routes.pool import Pool
from vibe.routes.routes_file import Routes, load_routes
from vibe.rules import RULE_NAMES
from vibe.scoring.family_scorers import Scorers
from vibe.scoring.score import Score
from vibe.telemetry.decision_metadata import METADATA_KEY
from vibe_fixtures import HARD, HI, routes_document
from vibe_fuzz import BODIES, CALL_TYPES
from vibe_router import VibeIntelligentRouter

FAMILIES = ("chat", "codex", "claude")
LINE = re.compile(r"\[\d\d:\d\d:\d\d\] \[VIBE-ROUTER\] \[[A-Z]+\] ")
DECISION = "ROUTING DECISION"


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> VibeIntelligentRouter:
    path: Path = tmp_path_factory.mktemp("routes") / "vibe_routes.json"
    path.write_text(json.dumps(routes_document()), encoding="utf-8")
    return VibeIntelligentRouter(load_routes(path, RULE_NAMES))


def _chat(model: str, text: str) -> tuple[str, dict[str, Any]]:
    return "acompletion", {"model": model, "messages": [{"role": "user", "content": text}], "metadata": {}}


def _responses(model: str, text: str) -> tuple[str, dict[str, Any]]:
    return "aresponses", {"model": model, "input": text, "metadata": {"theirs": 1}, "litellm_metadata": {}}


def _messages(model: str, text: str) -> tuple[str, dict[str, Any]]:
    content = [{"type": "text", "text": text}]
    return "anthropic_messages", {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "litellm_metadata": {},
    }


def _completions(model: str, text: str) -> tuple[str, dict[str, Any]]:
    return "atext_completion", {"model": model, "prompt": text, "metadata": {}}


ENDPOINTS = (_chat, _responses, _messages, _completions)


def _run(router: VibeIntelligentRouter, call_type: str, data: dict[str, Any]) -> dict[str, Any]:
    returned = asyncio.run(router.async_pre_call_hook(None, None, data, call_type))
    assert returned is data
    return returned


def _headers(router: VibeIntelligentRouter, data: dict[str, Any], response: object) -> dict[str, str] | None:
    return asyncio.run(router.async_post_call_response_headers_hook(data, None, response, {}, {}))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("text", "size"), [(HI, "mini"), (HARD, "standard")])
def test_each_virtual_model_goes_to_the_pool_of_its_complexity(
    router: VibeIntelligentRouter,
    endpoint: Callable[[str, str], tuple[str, dict[str, Any]]],
    family: str,
    text: str,
    size: str,
) -> None:
    call_type, data = endpoint(f"{family}-auto", text)
    assert _run(router, call_type, data)["model"] == f"pool-{family}-{size}"


def test_one_decision_line_says_everything_but_the_prompt(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    call_type, data = _chat("chat-auto", HARD)
    data |= {"litellm_call_id": "call-1", "proxy_server_request": {"headers": {"x-request-id": "req-1\nforged line"}}}
    _run(router, call_type, data)
    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert LINE.match(line)
    for part in (
        DECISION,
        "virtual_model=chat-auto",
        "pool=pool-chat-standard",
        "score=",
        "words +",
        "client=-",
        "request_id=req-1forgedline",
        "call_id=call-1",
        "call_type=acompletion",
    ):
        assert part in line
    assert "payment" not in line


def _sessions(deployments: int, *asked: tuple[str, dict[str, Any]]) -> list[object]:
    """Return LiteLLM's session of each request, where the pools have so many deployments."""
    pools = {f"pool-chat-{size}": Pool(deployments=deployments) for size in ("mini", "standard")}
    family = Family("chat", "chat-auto", "pool-chat-mini", "pool-chat-standard", "pool-chat-standard", 50)
    hook = VibeIntelligentRouter(Routes({"chat-auto": family}, frozenset(pools), pools))
    answers = [_run(hook, call_type, data) for call_type, data in asked]
    return [(data.get("litellm_metadata") or data.get("metadata") or {}).get("session_id") for data in answers]


@pytest.mark.parametrize("endpoint", [_chat, _messages])
def test_a_conversation_is_litellms_session_where_a_pool_has_several_deployments(
    endpoint: Callable[[str, str], tuple[str, dict[str, Any]]],
) -> None:
    (one, other) = _sessions(2, endpoint("chat-auto", "hi there"), endpoint("chat-auto", "hello to you"))
    assert isinstance(one, str)
    assert isinstance(other, str)
    assert one != other
    assert _sessions(1, endpoint("chat-auto", "hi there")) == [None]


def test_the_next_turn_has_the_same_session() -> None:
    call_type, first = _chat("chat-auto", "hi there")
    more = copy.deepcopy(first)
    more["messages"] += [{"role": "assistant", "content": "hello"}, {"role": "user", "content": "thanks"}]
    (one, next_one) = _sessions(2, (call_type, first), (call_type, more))
    assert one == next_one


@pytest.mark.parametrize(("given", "is_kept"), [({}, True), ({"litellm_session_id_generated": True}, False)])
def test_a_session_that_the_client_names_stays_and_one_that_litellm_made_up_does_not(
    given: dict[str, Any], is_kept: bool
) -> None:
    call_type, data = _chat("chat-auto", "hi there")
    data["metadata"] = {"session_id": "theirs", **given}
    assert (_sessions(2, (call_type, data)) == ["theirs"]) is is_kept


@pytest.mark.parametrize(
    ("model", "call_type"), [("pool-chat-mini", "acompletion"), ("chat-auto", "aembedding"), ("gpt-9", "aresponses")]
)
def test_what_is_not_ours_is_left_alone(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str], model: str, call_type: str
) -> None:
    data = {"model": model, "input": HARD, "messages": [{"role": "user", "content": HARD}], "metadata": {"a": 1}}
    before = json.dumps(data)
    assert json.dumps(_run(router, call_type, data)) == before
    assert capsys.readouterr().err == ""
    assert _headers(router, data, SimpleNamespace()) is None


@pytest.mark.parametrize("model", [None, 7, ["chat-auto"], {}])
def test_a_model_that_is_no_name_is_left_alone(router: VibeIntelligentRouter, model: object) -> None:
    assert _run(router, "acompletion", {"model": model, "messages": []})["model"] == model


def test_a_title_turn_goes_cheap_however_hard_the_prompt_is(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    call_type, data = _messages("claude-auto", HARD)
    data["system"] = [{"type": "text", "text": "Generate a concise, sentence-case title (3-7 words)."}]
    assert _run(router, call_type, data)["model"] == "pool-claude-mini"
    assert 'rule=background score=- threshold=50 reasons="title"' in capsys.readouterr().err
    headers = _headers(router, data, None)
    assert headers is not None
    assert (headers["x-vibe-rule"], headers["x-vibe-reason"]) == ("background", "title")


def test_a_choice_in_the_metadata_does_not_go_upstream(router: VibeIntelligentRouter) -> None:
    call_type, data = _messages("claude-auto", HI)
    data["metadata"] = {"user_id": "theirs", "vibe_choice": "strong"}
    assert _run(router, call_type, data)["model"] == "pool-claude-standard"
    assert data["metadata"] == {"user_id": "theirs"}


def test_without_a_visible_prompt_the_safe_pool_serves(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    data = {"model": "codex-auto", "input": [{"type": "function_call_output", "output": "x"}], "litellm_metadata": {}}
    assert _run(router, "aresponses", data)["model"] == "codex-auto"
    assert 'reasons="no_human_prompt"' in capsys.readouterr().err


def test_an_error_is_logged_without_text_and_the_virtual_name_kept(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def score(self, text: str) -> Score:
            raise ValueError(f"cannot score {text}")

    router = VibeIntelligentRouter(router.routes, Scorers(Failing()))
    call_type, data = _chat("chat-auto", HARD)
    assert _run(router, call_type, data)["model"] == "chat-auto"
    errors = capsys.readouterr().err
    assert "[ERROR]" in errors
    assert "Traceback" in errors
    assert "ValueError" in errors
    assert "in decide" in errors
    assert "payment" not in errors
    assert errors.count(DECISION) == 1
    assert 'pool=pool-chat-standard rule=none score=- threshold=50 reasons="router_error"' in errors
    headers = _headers(router, data, None)
    assert headers is not None
    assert headers["x-vibe-reason"] == "router_error"
    assert "x-vibe-score" not in headers


def test_a_pool_that_litellm_does_not_know_is_never_named(router: VibeIntelligentRouter) -> None:
    stale = VibeIntelligentRouter(Routes(router.routes.by_virtual_model, frozenset({"pool-chat-standard"})))
    call_type, data = _chat("chat-auto", HI)
    assert _run(stale, call_type, data)["model"] == "chat-auto"


def test_the_decision_goes_into_litellms_own_metadata_only(router: VibeIntelligentRouter) -> None:
    call_type, data = _responses("codex-auto", HI)
    _run(router, call_type, data)
    assert data["metadata"] == {"theirs": 1}
    kept = data["litellm_metadata"][METADATA_KEY]
    assert kept["pool"] == "pool-codex-mini"
    assert json.loads(json.dumps(kept)) == kept


def test_a_forged_decision_is_not_believed(router: VibeIntelligentRouter) -> None:
    data: dict[str, Any] = {"model": "pool-chat-mini", "metadata": {METADATA_KEY: {"pool": "forged", "score": 1.5}}}
    _run(router, "acompletion", data)
    assert _headers(router, data, SimpleNamespace()) is None


def _served(pool: str | None, group: str | None) -> tuple[dict[str, Any], object]:
    additional = {} if group is None else {"x-litellm-model-group": group}
    deployment = {} if pool is None else {"deployment": SimpleNamespace(model_name=pool)}
    return deployment, SimpleNamespace(_hidden_params={"additional_headers": additional})


@pytest.mark.parametrize(
    ("deployment", "group", "served", "fallback"),
    [
        ("pool-chat-mini", "pool-chat-mini", "pool-chat-mini", "false"),
        ("pool-chat-standard", "pool-chat-standard", "pool-chat-standard", "true"),
        (None, "pool-chat-standard", "pool-chat-standard", "true"),
        ("pool-chat-mini", None, "pool-chat-mini", "false"),
        (None, None, None, None),
    ],
)
def test_headers_say_what_was_decided_and_who_served(
    router: VibeIntelligentRouter, deployment: str | None, group: str | None, served: str | None, fallback: str | None
) -> None:
    call_type, data = _chat("chat-auto", HI)
    _run(router, call_type, data)
    more, response = _served(deployment, group)
    headers = _headers(router, data | more, response)
    assert headers is not None
    assert headers["x-vibe-virtual-model"] == "chat-auto"
    assert headers["x-vibe-pool"] == "pool-chat-mini"
    assert headers["x-vibe-rule"] == "score"
    assert float(headers["x-vibe-score"]) < 50
    assert re.match(r"(words|phrases|length|form|material) [+-]\d", headers["x-vibe-reason"])
    assert headers.get("x-vibe-served-pool") == served
    assert headers.get("x-vibe-fallback") == fallback


def test_a_fallback_is_logged(router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]) -> None:
    call_type, data = _chat("chat-auto", HARD)
    _run(router, call_type, data)
    capsys.readouterr()
    more, response = _served("pool-chat-mini", None)
    _headers(router, data | more, response)
    errors = capsys.readouterr().err
    assert "[WARNING] FALLBACK pool=pool-chat-standard served_pool=pool-chat-mini" in errors
    assert DECISION not in errors


def test_a_response_without_hidden_parameters_still_gets_headers(router: VibeIntelligentRouter) -> None:
    call_type, data = _messages("claude-auto", HI)
    _run(router, call_type, data)
    headers = _headers(router, data, {"type": "message"})
    assert headers is not None
    assert headers["x-vibe-pool"] == "pool-claude-mini"


def test_header_values_are_ascii_text(router: VibeIntelligentRouter) -> None:
    data = {"metadata": {METADATA_KEY: {"virtual_model": "chät\r\nx: y", "pool": 7, "score": 1.5, "reason": "ü" * 999}}}
    headers = _headers(router, data, SimpleNamespace())
    assert headers is not None
    for value in headers.values():
        assert type(value) is str
        assert re.fullmatch(r"[ -~]{1,200}", value)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(("text", "pool"), [(HI, "pool-codex-mini"), (HARD, "pool-codex-standard")])
def test_a_websocket_has_its_first_frame_rewritten_too(
    router: VibeIntelligentRouter, nested: bool, text: str, pool: str
) -> None:
    body = {"model": "codex-auto", "input": text, "stream": True}
    frame = {"type": "response.create", "response": body} if nested else {"type": "response.create", **body}
    data = _run(router, "_aresponses_websocket", {"model": "codex-auto", "first_message": json.dumps(frame)})
    sent = json.loads(data["first_message"])
    rewritten = sent["response"] if nested else sent
    assert data["model"] == rewritten["model"] == pool
    assert rewritten["input"] == text
    assert rewritten["stream"] is True


def test_a_websocket_without_a_prompt_names_the_safe_pool_in_both_places(router: VibeIntelligentRouter) -> None:
    frame = json.dumps({"type": "response.create", "model": "codex-auto", "input": []})
    data = _run(router, "_aresponses_websocket", {"model": "codex-auto", "first_message": frame})
    assert data["model"] == json.loads(data["first_message"])["model"] == "pool-codex-standard"


def test_a_websocket_frame_that_names_no_model_is_not_touched(router: VibeIntelligentRouter) -> None:
    frame = '{"type": "response.create",   "input": "hi"}'
    data = _run(router, "_aresponses_websocket", {"model": "codex-auto", "first_message": frame})
    assert data["first_message"] == frame
    assert data["model"] == "pool-codex-mini"


class _Key:
    """LiteLLM's data about the client's key."""

    def __init__(self, api_key: str) -> None:
        """Save the key's digest."""
        self.api_key, self.end_user_id = api_key, None


def _turns(*prompts: str) -> dict[str, Any]:
    turns: list[dict[str, str]] = []
    for prompt in prompts:
        turns += [{"role": "user", "content": prompt}, {"role": "assistant", "content": "An answer."}]
    return {"model": "chat-auto", "messages": turns[:-1], "metadata": {}}


def test_a_conversation_is_told_in_header_and_log_line_and_is_the_owners_alone(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for owner, prompts in (("one", (HARD,)), ("one", (HARD, "ok go ahead")), ("two", (HARD,))):
        data = _turns(*prompts)
        asyncio.run(router.async_pre_call_hook(_Key(owner), None, data, "acompletion"))
        headers = _headers(router, data, None)
        assert headers is not None
        told.append(headers["x-vibe-conversation"])
        assert data["model"] == "pool-chat-standard"
        assert f"conversation={told[-1]} " in capsys.readouterr().err
    assert re.fullmatch(r"[0-9a-f]{12}", told[0])
    assert told[0] == told[1] != told[2]


def test_what_is_remembered_is_asked_for_once_a_turn_and_never_for_an_opening(router: VibeIntelligentRouter) -> None:
    class Counting(MemoryStore):
        """Counts its reads."""

        asked = 0

        async def get(self, key: str) -> tuple[State | None, str]:
            """Return the value under *key*."""
            self.asked += 1
            return await super().get(key)

    store = Counting()
    router = VibeIntelligentRouter(router.routes, store=store)
    for data, asked in (
        (_turns(HARD), 0),
        ({"model": "chat-auto", "prompt": HARD}, 0),
        (_turns(HARD, "ok"), 1),
        (_turns(HARD, "ok", HI), 2),
    ):
        _run(router, "acompletion", data)
        assert store.asked == asked


def test_a_store_that_fails_leaves_the_request_with_the_safe_pool(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(MemoryStore):
        """Fails."""

        async def get(self, key: str) -> tuple[State | None, str]:
            """Fail."""
            raise RuntimeError(key)

    router = VibeIntelligentRouter(router.routes, store=Failing())
    assert _run(router, "acompletion", _turns(HARD, "ok"))["model"] == "chat-auto"
    assert "[ERROR] the safe pool serves" in capsys.readouterr().err


def test_an_unusable_state_is_named_in_the_reasons(router: VibeIntelligentRouter) -> None:
    class Spoilt(MemoryStore):
        """Does not contain the plug-in."""

        async def get(self, key: str) -> tuple[State | None, str]:
            """Return another value."""
            return None, "the conversation's state is of another version"

    data = _turns(HARD, "ok")
    assert (
        _run(VibeIntelligentRouter(router.routes, store=Spoilt()), "acompletion", data)["model"] == "pool-chat-standard"
    )
    headers = _headers(router, data, None)
    assert headers is not None
    assert headers["x-vibe-reason"] == "continues what was asked before, the conversation's state is of another version"


@pytest.mark.parametrize(("routing", "rule"), [("shadow", "score"), ("off", "none")])
def test_shadow_tells_and_off_does_not_while_the_safe_pool_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], routing: str, rule: str
) -> None:
    document = routes_document()
    document["families"]["chat"]["routing"] = routing
    path = tmp_path / "vibe_routes.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    router = VibeIntelligentRouter(load_routes(path, RULE_NAMES))
    call_type, data = _chat("chat-auto", HI)
    assert _run(router, call_type, data)["model"] == "pool-chat-standard"
    headers = _headers(router, data, None)
    assert headers is not None
    assert (headers["x-vibe-pool"], headers["x-vibe-routing"]) == ("pool-chat-standard", routing)
    assert headers["x-vibe-rule"] == rule
    assert headers.get("x-vibe-proposed-pool") == ("pool-chat-mini" if routing == "shadow" else None)
    assert f"routing={routing} proposed={'pool-chat-mini' if routing == 'shadow' else '-'} " in capsys.readouterr().err


def test_both_hooks_stand_on_the_leaf_class() -> None:
    # LiteLLM looks in vars(type(instance)); it silently never calls an inherited hook.
    own = vars(type(vibe_router.router_instance))
    assert {"async_pre_call_hook", "async_post_call_response_headers_hook"} <= set(own)


def test_the_door_holds_no_dataclass() -> None:
    # vibe_router is not in sys.modules when LiteLLM loads it; a dataclass there would stop the start.
    assert "@dataclass" not in Path(vibe_router.__file__).read_text(encoding="utf-8")


def test_no_body_makes_the_hook_fail_or_name_an_unknown_pool(
    router: VibeIntelligentRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hook catches all errors, but handling any body must not depend on that.
    def fail(message: str, error: BaseException) -> None:
        raise error

    monkeypatch.setattr(vibe_router, "log_failure", fail)
    monkeypatch.setenv("VIBE_LOG_LEVEL", "ERROR")

    @settings(max_examples=2000, suppress_health_check=list(HealthCheck), deadline=None)
    @given(body=BODIES, call_type=st.sampled_from(CALL_TYPES))
    def check(body: dict[str, Any], call_type: str) -> None:
        assert _run(router, call_type, body)["model"] in {"chat-auto", "pool-chat-mini", "pool-chat-standard"}
        headers = _headers(router, body, None)
        assert headers is None or all(value.isascii() for value in headers.values())

    check()


class ProxyModelNotFoundError(Exception):
    """Looks like LiteLLM's error for an unknown model: the same name and attributes."""

    status_code = 400
    detail: object = {"error": "Invalid model name passed in model=x."}
    headers: dict[str, str] | None = None


def _failed(router: VibeIntelligentRouter, model: object, error: Exception) -> None:
    assert asyncio.run(router.async_post_call_failure_hook({"model": model}, error, None)) is None


@pytest.mark.parametrize(
    ("model", "shown"), [("gpt-99", "gpt-99"), ("ü\r\nx: y", "???x: y"), (None, "None"), ("m" * 999, "m" * 200)]
)
def test_a_model_that_does_not_exist_is_a_404_that_names_it(
    router: VibeIntelligentRouter, model: object, shown: str
) -> None:
    error = ProxyModelNotFoundError()
    _failed(router, model, error)
    assert error.status_code == 404
    assert error.detail == f"The model `{shown}` does not exist. GET /v1/models lists those that do."
    assert error.headers == {"x-vibe-unknown-model": shown}


def test_another_error_stays_as_it_is(router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]) -> None:
    error = ValueError("upstream said no")
    _failed(router, "chat-auto", error)
    assert vars(error) == {}
    assert capsys.readouterr().err == ""


def test_an_error_that_cannot_be_changed_is_left_with_a_line_in_the_log(
    router: VibeIntelligentRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    class Frozen(Exception):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    Frozen.__name__ = "ProxyModelNotFoundError"
    _failed(router, "gpt-99", Frozen())
    assert "the error stays as it is" in capsys.readouterr().err

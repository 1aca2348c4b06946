"""Decision records and clients' feedback: no text, bounded, each answer judged once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from vibe.commands.records import StreamsError, records
from vibe.feedback.decision_records import labels_of, outcome_of, records_of
from vibe.feedback.feedback import MAX_BYTES, take
from vibe.learning.labels import read_labels
from vibe.memory import redis_store
from vibe.memory.redis_store import ENTRIES, FIELD, KNOWN_PREFIX, OUTCOMES, RedisStore
from vibe.memory.store import AWAY, BY_CLIENT, BY_ESCALATION, KEEP_SECONDS, MemoryStore
from vibe.routes.routes_file import RoutesError, load_routes
from vibe.rules import RULE_NAMES
from vibe.scoring.scorer import HEAD_NAMES, load_prior
from vibe_fixtures import HARD, HI, routes_document
from vibe_router import VibeIntelligentRouter

MOST = 1000
PRIOR = load_prior()
# Not JSON, of a release with fewer features, of one with another judgement model.
UNUSABLE = (
    "spoilt",
    json.dumps({"family": "chat", "prior": PRIOR.name, "values": [1]}),
    json.dumps({"family": "chat", "prior": "0" * 12, "values": [1] * len(HEAD_NAMES)}),
)
SAID = b'{"request_id": "call-1", "good": false}'


class Redis:
    """An in-memory Redis client that does what the two scripts do, or fails."""

    def __init__(self) -> None:
        """Start empty, without failures."""
        self.streams: dict[str, list[str]] = {ENTRIES: [], OUTCOMES: []}
        self.keys: set[str] = set()
        self.last: dict[str, str] = {}
        self.states: dict[str, str] = {}
        self.error: Exception | None = None
        self.scripts = 0

    async def get(self, key: str) -> str | None:
        """Return the state of a conversation."""
        return self.states.get(key)

    async def set(self, key: str, value: str, ex: int) -> None:
        """Save the state of a conversation."""
        self.states[key] = value

    async def eval(self, script: str, count: int, *words: Any) -> bytes:
        """Save an entry, or an outcome."""
        self.scripts += 1
        if self.error is not None:
            raise self.error
        if script == redis_store._BLAME:
            assert words[count:] == (MOST, FIELD, BY_ESCALATION)
            call = self.last.pop(words[1], None)
            if call is not None:
                self.streams[words[0]].append(json.dumps({"call": call, "score": 0, "by": BY_ESCALATION}))
            return b""
        (stream, *keys), (most, field, line, seconds, *answers) = words[:count], words[count:]
        assert (most, field, seconds) == (MOST, FIELD, KEEP_SECONDS)
        if script == redis_store._KEEP:
            self.keys.add(keys[0])
            self.streams[stream].append(line)
            self.last |= dict.fromkeys(keys[1:], answers[0])
            return b""
        assert script == redis_store._JUDGE
        if keys[0] not in self.keys:
            return str(answers[0]).encode()
        if keys[1] in self.keys:
            return str(answers[1]).encode()
        self.keys.add(keys[1])
        self.streams[stream].append(line)
        return str(answers[2]).encode()


def _router(folder: Path, redis: Redis | None, records: int = MOST) -> VibeIntelligentRouter:
    path = folder / "vibe_routes.json"
    path.write_text(json.dumps({**routes_document(), "records": records}), encoding="utf-8")
    return VibeIntelligentRouter(
        load_routes(path, RULE_NAMES), store=MemoryStore() if redis is None else RedisStore(lambda: redis)
    )


def _asked(router: VibeIntelligentRouter, text: str, call: str, before: tuple[str, ...] = (), **more: Any) -> None:
    """Send a prompt after those *before*, in the conversation *talk* or a new one; *more* goes into the body."""
    talk, loop = more.pop("talk", call), more.pop("loop", False)

    async def go() -> None:
        turns: list[dict[str, Any]] = [
            {"role": role, "content": said} for said in before for role in ("user", "assistant")
        ]
        turns.append({"role": "user", "content": text})
        if loop:
            call_of = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            turns += [
                {"role": "assistant", "tool_calls": [call_of]},
                {"role": "tool", "tool_call_id": "c", "content": ""},
            ]
        data: dict[str, Any] = {
            "model": "chat-auto",
            "messages": turns,
            "metadata": {},
            "litellm_call_id": call,
            **more,
        }
        data["proxy_server_request"] = {"headers": {"x-session-id": talk}}
        await router.async_pre_call_hook(None, None, data, "acompletion")
        store = router.store()
        if isinstance(store, RedisStore):
            await store.settle()

    asyncio.run(go())


def test_a_scored_prompt_is_kept_without_its_text(tmp_path: Path) -> None:
    redis = Redis()
    router = _router(tmp_path, redis)
    _asked(router, HARD, "call-1")
    _asked(router, "[[vibe:strong]] hi", "call-2")
    _asked(router, HARD, "")
    (line,) = redis.streams[ENTRIES]
    entry = json.loads(line)
    assert (entry["call"], entry["family"], entry["pool"]) == ("call-1", "chat", "pool-chat-standard")
    assert len(entry["values"]) == len(HEAD_NAMES)
    assert redis.keys == {KNOWN_PREFIX + "call-1"}
    assert not any(word in line for word in ("payment", "multi-region"))


def test_a_tool_loop_goes_on_with_a_prompt_that_is_kept_already(tmp_path: Path) -> None:
    redis, families = Redis(), routes_document()["families"]
    # Without the rule that knows loops, each of their turns is scored.
    families["chat"]["rules"] = ["score"]
    routes = load_routes(_written(tmp_path, families=families, records=MOST), RULE_NAMES)
    router = VibeIntelligentRouter(routes, store=RedisStore(lambda: redis))
    _asked(router, HARD, "call-1")
    _asked(router, HARD, "call-2", talk="call-1", loop=True)
    assert [json.loads(line)["call"] for line in redis.streams[ENTRIES]] == ["call-1"]


def test_nothing_is_kept_by_default_and_a_failure_is_not_felt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = Redis()
    _asked(_router(tmp_path, redis, records=0), HARD, "call-1")
    # Counted: the store takes a wrong argument for a failure of Redis.
    assert redis.scripts == 0
    redis.error = ConnectionError("gone")
    _asked(_router(tmp_path, redis), HARD, "call-1")
    monkeypatch.setattr("vibe_router.entry_of", lambda *_: 1 / 0)
    _asked(_router(tmp_path, redis), HARD, "call-1")
    said = capsys.readouterr().err
    assert said.count("ROUTING DECISION virtual_model=chat-auto pool=pool-chat-standard") == 3
    assert "not kept: " in said


def test_an_answer_is_judged_once_and_only_one_that_was_kept(tmp_path: Path) -> None:
    redis = Redis()
    router = _router(tmp_path, redis)
    _asked(router, HI, "call-1")

    async def say(body: bytes) -> tuple[int, str]:
        status, document = await take(body, router.store(), MOST)
        return status, json.dumps(document)

    assert asyncio.run(say(SAID)) == (200, '{"status": "noted"}')
    assert asyncio.run(say(SAID))[0] == 409
    unknown = asyncio.run(say(SAID.replace(b"call-1", b"call-9")))
    assert unknown[0] == 404
    assert "x-litellm-call-id" in unknown[1]
    assert redis.streams[OUTCOMES] == ['{"call":"call-1","score":0.0}']
    redis.error = ConnectionError("gone")
    assert asyncio.run(say(SAID))[0] == 503
    assert asyncio.run(MemoryStore().judge("call-1", "", MOST)) == AWAY


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "is not valid JSON"),
        (b"\xff", "is not valid JSON"),
        (b"[]", "must be one object"),
        (b'{"good": true}', "request_id: must be"),
        (b'{"request_id": "x"}', "one of them"),
        (b'{"request_id": "x", "good": true, "score": 1}', "one of them"),
        (b'{"request_id": "x", "good": 1}', "good: must be true or false"),
        (b'{"request_id": "x", "score": 1.1}', "score: must be a number from 0 to 1"),
        (b'{"request_id": "x", "score": true}', "score: must be a number from 0 to 1"),
        (b'{"request_id": "x", "score": NaN}', "score: must be a number from 0 to 1"),
        (b'{"request_id": "' + b"x" * 200 + b'", "good": true}', "1 to 128 characters"),
        (b" " * MAX_BYTES + SAID, "longer than 4096 bytes"),
    ],
)
def test_feedback_that_makes_no_sense_is_refused_by_its_field(body: bytes, said: str) -> None:
    status, document = asyncio.run(take(body, MemoryStore(), MOST))
    error = document["error"]
    assert status == 400
    assert isinstance(error, dict)
    assert said in error["message"]


def test_what_was_judged_of_the_cheap_pool_is_labels_that_fit_reads(tmp_path: Path) -> None:
    redis = Redis()
    router = _router(tmp_path, redis)
    for number, text in enumerate((HI, "thanks", HARD, "bye")):
        _asked(router, text, f"call-{number}")
    _asked(router, HI, "other", model="codex-auto")
    outcomes = [outcome_of(f"call-{number}", score) for number, score in ((0, 1.0), (1, 0.25), (2, 0.0), (0, 0.5))]
    kept = records_of([*redis.streams[ENTRIES], *UNUSABLE], outcomes, "chat", PRIOR)
    assert [record.get("judged") for record in kept] == [1.0, 0.25, 0.0, None]
    assert {record["script"] for record in kept} == {"latin"}
    judged = labels_of(kept, "pool-chat-mini")
    assert (judged.not_judged, judged.not_cheap) == (1, 1)
    path = tmp_path / "labels.jsonl"
    path.write_text("".join(json.dumps(label) + "\n" for label in judged.labels), encoding="utf-8")
    assert [label.weak for label in read_labels(path)] == [1.0, 0.25], "what was said first counts"


def test_what_is_said_to_be_wrong_was_not_good_unless_a_client_said_it_was(tmp_path: Path) -> None:
    redis = Redis()
    router = _router(tmp_path, redis)
    _asked(router, HI, "call-1", talk="a")
    _asked(router, "no, that's wrong", "call-2", talk="a", before=(HI,))
    _asked(router, "no, that's wrong", "call-3", talk="a", before=(HI, "no, that's wrong"))
    (said,) = redis.streams[OUTCOMES]
    assert json.loads(said) == {"call": "call-1", "score": 0, "by": BY_ESCALATION}
    entries = redis.streams[ENTRIES]
    assert records_of(entries, [said], "chat", PRIOR)[0].items() >= {"judged": 0, "by": BY_ESCALATION}.items()
    record = records_of(entries, [said, outcome_of("call-1", 0.75)], "chat", PRIOR)[0]
    assert record.items() >= {"judged": 0.75, "by": BY_CLIENT}.items()
    (label,) = labels_of([record], "pool-chat-mini").labels
    assert label["weak_score"] == 0.75


def test_the_command_says_where_it_runs(tmp_path: Path) -> None:
    family = load_routes(_written(tmp_path), RULE_NAMES).by_virtual_model["chat-auto"]
    with pytest.raises(StreamsError, match=r"no slot's container .* ./deploy.sh report asks one"):
        records(family, tmp_path)


def _written(folder: Path, **changes: Any) -> Path:
    path = folder / "vibe_routes.json"
    path.write_text(json.dumps({**routes_document(), **changes}), encoding="utf-8")
    return path


@pytest.mark.parametrize("records", [-1, 10**7, "many", True, None])
def test_a_number_of_records_that_makes_no_sense_is_refused(tmp_path: Path, records: object) -> None:
    with pytest.raises(RoutesError, match="records: must be a whole number from 0"):
        load_routes(_written(tmp_path, records=records), RULE_NAMES)

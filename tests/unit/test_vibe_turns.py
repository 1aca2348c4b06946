"""A conversation's turns: what they inherit, what moves or escalates it, and what is remembered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from vibe.memory.conversation_state import State, StateError, decoded
from vibe.memory.store import MemoryStore
from vibe.request.request import read_request
from vibe.routes.family import OFF, SHADOW, Family
from vibe.routes.routes_file import Routes
from vibe.routing.decision import Decision, decide
from vibe.scoring.scorer import load_prior
from vibe_fixtures import HARD, HI

RECORDED = Path(__file__).resolve().parents[1] / "fixtures/clients"
FAMILY = Family("chat", "chat-auto", "pool-mini", "pool-standard", "pool-standard", 50)
ROUTES = Routes({"chat-auto": FAMILY}, frozenset(("pool-mini", "pool-standard")))
SCORER = load_prior()
EASY = "What is the capital of France?"
# Between the threshold and the margins: enough for a first prompt, not enough for a move.
MEDIUM_LOW, MEDIUM_HIGH = 46.0, 53.0
CHEAP, STRONG = "pool-mini", "pool-standard"


class Fixed:
    """A scorer with given scores, by prompt."""

    def __init__(self, **values: float) -> None:
        """Save the score of each text."""
        self.values = values

    def score(self, text: str) -> Any:
        """Score *text*."""
        return replace(SCORER.score(text), value=self.values[text.split()[0]])


class Talk:
    """A conversation over the chat API, with each turn decided like in the hook."""

    def __init__(self, family: Family = FAMILY, scorer: Any = SCORER, *, remembers: bool = True, **more: Any) -> None:
        """Use *family*; without memory every turn is decided from the history alone."""
        self.family, self.scorer, self.remembers, self.more = family, scorer, remembers, more
        self.messages: list[dict[str, Any]] = []
        self.store = MemoryStore()

    def ask(self, text: str, **more: Any) -> Decision:
        """Send *text*, and add an answer."""
        self.messages.append({"role": "user", "content": text})
        decision = self.send(**more)
        self.messages.append({"role": "assistant", "content": "An answer."})
        return decision

    def tool(self, result: str, arguments: str = "{}", name: str = "run") -> Decision:
        """Add a tool call, and send its result."""
        if self.messages[-1].get("content") == "An answer.":
            self.messages.pop()
        number = f"call_{len(self.messages)}"
        call = {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}
        self.messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        self.messages.append({"role": "tool", "tool_call_id": number, "content": result})
        return self.send()

    def send(self, **more: Any) -> Decision:
        """Send the history."""
        data = {"model": "chat-auto", "messages": list(self.messages)} | self.more | more
        request = read_request(data, "acompletion", "one")
        assert request.conversation is not None
        key = request.conversation.key
        state = self.store.peek(key) if self.remembers else None
        decision, new = decide(self.family, ROUTES, self.scorer, request, state)
        if new is not None:
            self.store.put(key, new)
        return decision


@pytest.fixture(params=[True, False], ids=["remembered", "from the history alone"])
def remembers(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.mark.parametrize("word", ["ok go ahead", "why is that?", "继续", "weiter", "thanks", "and in German?"])
@pytest.mark.parametrize(("first", "pool"), [(HARD, STRONG), (EASY, CHEAP)])
def test_a_continuation_stays_where_its_prompt_went(remembers: bool, first: str, pool: str, word: str) -> None:
    talk = Talk(remembers=remembers)
    assert talk.ask(first).target == pool
    decision = talk.ask(word)
    assert (decision.target, decision.rule, decision.score) == (pool, "inherit", None)
    assert talk.ask("go on").target == pool


def test_a_continuation_with_nothing_before_it_is_scored() -> None:
    assert Talk().ask("ok go ahead").rule == "score"


def test_fifty_turns_of_a_tool_loop_never_switch(remembers: bool) -> None:
    for first, pool in ((HARD, STRONG), (EASY, CHEAP)):
        talk = Talk(remembers=remembers)
        assert talk.ask(first).target == pool
        for turn in range(50):
            decision = talk.tool(f"line {turn}", arguments=f'{{"line": {turn}}}')
            assert (decision.target, decision.rule) == (pool, "inherit")


def test_a_new_independent_prompt_moves_the_conversation_both_ways(remembers: bool) -> None:
    talk = Talk(remembers=remembers)
    assert [talk.ask(text).target for text in (EASY, HARD, EASY, HARD)] == [CHEAP, STRONG, CHEAP, STRONG]


def test_a_move_needs_a_margin(remembers: bool) -> None:
    scorer = Fixed(Easy=10, Low=MEDIUM_LOW, High=MEDIUM_HIGH, Hard=90)
    prompts = [f"{word} question about distributed ledgers" for word in ("Easy", "High", "Hard", "Low", "Easy", "Low")]
    talk = Talk(scorer=scorer, remembers=remembers)
    decisions = [talk.ask(text) for text in prompts]
    assert [decision.target for decision in decisions] == [CHEAP, CHEAP, STRONG, STRONG, CHEAP, CHEAP]
    assert decisions[1].reasons[0] == "stays cheap"
    assert decisions[3].reasons[0] == "stays strong"


def test_without_margins_the_threshold_alone_moves() -> None:
    talk = Talk(replace(FAMILY, move_up_margin=0.0, move_down_margin=0.0), Fixed(Low=MEDIUM_LOW, High=MEDIUM_HIGH))
    prompts = [f"{word} question about distributed ledgers" for word in ("Low", "High", "Low")]
    assert [talk.ask(text).target for text in prompts] == [CHEAP, STRONG, CHEAP]


@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_tool_results_that_fail_in_a_row_escalate(times: int) -> None:
    talk = Talk()
    talk.ask(EASY)
    failures = ("Process exited with code 1", "Error: no such file", "Exit status 2", "exit code: 127")
    decisions = [talk.tool(failures[turn], f'{{"try": {turn}}}', f"tool_{turn}") for turn in range(times)]
    escalated = [decision.rule == "escalation" for decision in decisions]
    assert escalated == [turn >= 3 for turn in range(1, times + 1)]
    if times >= 3:
        assert decisions[-1].target == STRONG
        assert decisions[-1].reasons == (f"{times} tool results in a row failed",)
        # It stays there: in the loop, for a continuation, for another prompt.
        assert talk.tool("Process exited with code 0", '{"cmd": "make"}').target == STRONG
        assert talk.ask("ok go on").target == STRONG
        # Not only once: the remembered state of the first one still says so.
        assert [talk.ask(text).target for text in (EASY, EASY, "thanks")] == [STRONG] * 3


def test_an_escalation_is_seen_in_the_history_where_nothing_is_remembered_of_it() -> None:
    talk = Talk(remembers=False)
    talk.ask(EASY)
    for _ in range(3):
        talk.tool("Process exited with code 1", '{"cmd": "make"}')
    # The newest result is a success, so the history decides, in the loop and after it.
    assert talk.tool("Process exited with code 0", '{"cmd": "make"}').rule == "inherit"
    assert talk.send().target == STRONG
    talk.messages.append({"role": "assistant", "content": "Done."})
    assert [talk.ask(text).target for text in ("go on", EASY)] == [STRONG, STRONG]


@pytest.mark.parametrize(
    "results",
    [
        [("exit code: 1", "a"), ("exit code: 0", "a"), ("exit code: 1", "a"), ("exit code: 1", "a")],
        [("exit code: 1", "a"), ("exit code: 1", "a"), ("all good", "b"), ("exit code: 1", "a"), ("exit code: 1", "a")],
        [("exit code: 1", "a"), ("exit code: 1", "a")],
        [("it failed", "a")] * 5,
        [("ERROR 2026-11-30 12:00:01 lost the leader\nError: flapped", "a")] * 5,
        [('{"error": null, "rows": 3}', "a")] * 5,
    ],
    ids=["a success between", "another call's success between", "twice", "no sign", "a log", "no error"],
)
def test_what_is_no_failure_in_a_row_does_not_escalate(results: list[tuple[str, str]]) -> None:
    talk = Talk()
    talk.ask(EASY)
    assert all(talk.tool(text, arguments).target == CHEAP for text, arguments in results)


@pytest.mark.parametrize(
    "result",
    [
        "Traceback (most recent call last):\n  File 'x'",
        "ValueError: x",
        "<tool_use_error>File has not been read yet.",
        '{"error": "not found"}',
        '{"isError": true}',
        "Failed to open x",
        "error: pathspec 'x' did not match",
    ],
)
def test_a_result_that_begins_as_errors_do_is_a_failure(result: str) -> None:
    talk = Talk()
    talk.ask(EASY)
    assert [talk.tool(result).rule for _ in range(3)][-1] == "escalation"


def test_the_number_of_failures_is_the_familys_and_none_never_escalates() -> None:
    for after, rule in ((2, "escalation"), (0, "inherit")):
        talk = Talk(replace(FAMILY, escalate_after=after))
        talk.ask(EASY)
        talk.tool("exit code 1")
        assert talk.tool("exit code 1").rule == rule


@pytest.mark.parametrize("path", ["claude-code/failing-tool.json", "codex/failing-tool.json"])
def test_a_recorded_failing_tool_escalates_at_its_third_failure(path: str) -> None:
    call_types = {"/v1/messages?beta=true": "anthropic_messages", "/v1/responses": "aresponses"}
    store, rules = MemoryStore(), []
    for sent in json.loads((RECORDED / path).read_text(encoding="utf-8")):
        if sent["method"] == "POST":
            data = sent["body"] | {"proxy_server_request": {"headers": sent["headers"]}}
            request = read_request(data, call_types[sent["path"]], "one")
            key = request.conversation.key if request.conversation else ""
            decision, new = decide(FAMILY, ROUTES, SCORER, request, store.peek(key))
            if new is not None:
                store.put(key, new)
            rules.append(decision.rule)
    assert [rule for rule in rules if rule != "background"] == [
        "score",
        "inherit",
        "inherit",
        "escalation",
        "escalation",
    ]


def test_an_answer_that_is_called_wrong_escalates(remembers: bool) -> None:
    talk = Talk(remembers=remembers)
    assert talk.ask(EASY).target == CHEAP
    decision = talk.ask("no, that's wrong")
    assert (decision.target, decision.rule) == (STRONG, "escalation")
    assert talk.ask("thanks").target == STRONG
    assert talk.ask(EASY).reasons[0] == "stays strong"


def test_a_first_prompt_about_something_wrong_does_not_escalate() -> None:
    assert Talk().ask("It doesn't work").rule == "score"


def test_an_explicit_choice_wins_and_what_continues_it_stays(remembers: bool) -> None:
    talk = Talk(remembers=remembers)
    assert talk.ask(f"[[vibe:strong]] {EASY}").rule == "explicit"
    assert talk.ask("go on").target == STRONG
    # It overrides an escalation too.
    assert talk.ask("that's wrong [[vibe:cheap]]").target == CHEAP
    assert talk.ask("go on").target == CHEAP


def test_a_background_turn_does_not_mark_the_conversation() -> None:
    talk = Talk(proxy_server_request={"headers": {"x-claude-code-session-id": "1"}})
    assert talk.ask(HARD).target == STRONG
    title = {"system": "Generate a concise, sentence-case title (3-7 words)."}
    request = read_request(
        {"messages": [{"role": "user", "content": EASY}], **talk.more, **title}, "anthropic_messages"
    )
    assert request.conversation is None
    assert talk.ask("go on").target == STRONG


def test_a_turn_that_another_worker_decided_is_decided_again_from_the_history() -> None:
    here, elsewhere = Talk(), Talk()
    here.ask(EASY)
    elsewhere.messages = here.messages
    assert elsewhere.ask(HARD).target == STRONG
    # This worker's memory still says cheap.
    assert here.ask("go on").target == STRONG


def test_a_shortened_history_keeps_the_side_where_the_client_names_the_conversation() -> None:
    talk = Talk(proxy_server_request={"headers": {"x-claude-code-session-id": "1"}})
    assert talk.ask(HARD).target == STRONG
    talk.messages = [{"role": "user", "content": "go on"}]
    assert (talk.send().target, talk.send().rule) == (STRONG, "inherit")


def test_two_conversations_with_one_opening_do_not_share_a_side() -> None:
    one = Talk()
    one.ask(HI)
    one.ask(HARD)
    other = Talk()
    other.store = one.store
    other.ask(HI)
    other.ask(EASY)
    assert other.ask("go on").target == CHEAP
    assert one.ask("go on").target == STRONG


def test_without_the_history_what_is_remembered_decides() -> None:
    named = {"proxy_server_request": {"headers": {"session-id": "1"}}}
    body: dict[str, Any] = {"model": "chat-auto", "input": [{"role": "user", "content": HARD}]} | named
    first, state = decide(FAMILY, ROUTES, SCORER, read_request(body, "aresponses"))
    later: dict[str, Any] = {"previous_response_id": "resp_1"}
    loop = read_request(body | later | {"input": [{"type": "function_call_output", "output": "x"}]}, "aresponses")
    assert decide(FAMILY, ROUTES, SCORER, loop, state)[0].target == first.target == STRONG
    assert decide(FAMILY, ROUTES, SCORER, loop)[0].rule == "no-prompt"
    word = body | later | {"input": [{"role": "user", "content": "go on"}]}
    assert decide(FAMILY, ROUTES, SCORER, read_request(word, "aresponses"), state)[0].rule == "inherit"
    unknown = decide(FAMILY, ROUTES, SCORER, read_request(word, "aresponses"))[0]
    assert (unknown.pool, unknown.reasons) == (None, ("continues what is not to be seen",))


def test_shadow_decides_and_tells_while_the_safe_pool_serves() -> None:
    decision = Talk(replace(FAMILY, routing=SHADOW, safe_pool="pool-standard")).ask(EASY)
    assert (decision.pool, decision.target, decision.proposed) == ("pool-standard", "pool-standard", "pool-mini")
    assert decision.as_metadata()["routing"] == "shadow"
    assert decision.as_metadata()["proposed_pool"] == "pool-mini"


def test_off_decides_nothing() -> None:
    decision = Talk(replace(FAMILY, routing=OFF)).ask(EASY)
    assert (decision.pool, decision.proposed) == ("pool-standard", None)
    assert (decision.rule, decision.score, decision.reasons) == ("none", None, ("routing is off",))


def test_a_family_asks_only_the_rules_that_it_lists() -> None:
    talk = Talk(replace(FAMILY, rules=("score",)))
    assert talk.ask(f"[[vibe:cheap]] {HARD}").target == STRONG
    assert talk.ask("go on").rule == "score"


def test_a_state_is_read_as_it_was_written() -> None:
    state = State("strong", escalated=True, position=7, prompt=123)
    assert decoded(state.encoded()) == decoded(state.encoded().encode()) == state


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nonsense", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        ("[]", "is not a JSON object"),
        ("{}", "is of another version"),
        ('{"version": 2, "side": "cheap"}', "is of another version"),
        ('{"version": 1, "side": "dear", "escalated": false, "position": 1, "ask": 1}', "has values"),
        ('{"version": 1, "side": "cheap", "escalated": 0, "position": 1, "ask": 1}', "has values"),
        (
            '{"version": 1, "side": "cheap", "escalated": false, "position": true, "ask": 1}',
            "has values of a wrong type",
        ),
        ('{"version": 1, "side": "cheap", "escalated": false, "position": 1, "ask": -1}', "has values"),
        ("[" * 900, "is not JSON"),
        ("x" * 2000, "was not written by this toolkit"),
        (7, "was not written by this toolkit"),
    ],
)
def test_a_state_that_is_none_of_ours_is_refused_with_its_reason(text: object, why: str) -> None:
    with pytest.raises(StateError, match=why):
        decoded(text)


def test_memory_forgets_the_conversation_that_was_idle_for_longest() -> None:
    store = MemoryStore(most=2)
    states = {key: State("cheap", escalated=False, position=0, prompt=index) for index, key in enumerate("abc")}
    store.put("a", states["a"])
    store.put("b", states["b"])
    store.put("a", states["a"])
    store.put("c", states["c"])
    assert [store.peek(key) for key in "abc"] == [states["a"], None, states["c"]]

"""Simulated conversations from a seed: chats, coding sessions with tool loops, mixed topics, pauses, compactions.

Each turn is a whole request body, as a client of its API would send it, and says what kind of turn it is.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CHAT, RESPONSES, MESSAGES = "acompletion", "aresponses", "anthropic_messages"
# A coffee, a night, a long weekend.
PAUSES = (1800.0, 14 * 3600.0, 4 * 24 * 3600.0)
# PROMPT is self-contained, CONTINUATION and LOOP belong to the prompt before, COMPLAINT calls an answer wrong.
PROMPT, CONTINUATION, LOOP, COMPLAINT = "prompt", "continuation", "loop", "complaint"
PAUSE_CHANCE, COMPACTION_CHANCE, FAILING_CHANCE, COMPLAINT_CHANCE = 0.03, 0.03, 0.05, 0.03

EASY = (
    "What is the capital of {place}?",
    "Translate 'good morning' to {language}",
    "Who wrote the anthem of {place}?",
    "What is a {thing}?",
    "Rename the variable x to {thing} in this line: x = 1",
    "Write a haiku about a {thing} in {place}",
    "Convert 20 degrees Celsius to Fahrenheit for my {place} trip",
    "{place} 的首都是哪里？",
)
HARD = (
    "Design a fault-tolerant, multi-region {thing} service for {place}: prove that it survives partitions, compare "
    "two consensus protocols and justify the trade-offs.",
    "Refactor the {thing} scheduler so that it is lock-free, prove its progress guarantee and analyze its worst case.",
    "Derive the capacity formula of a sharded {thing} store step by step under the constraint of 99.99 % availability.",
    "Debug this: our {thing} pipeline loses events under load in {place}; investigate the root cause, design a test "
    "that reproduces it, and implement a fix that must not change the protocol.",
    "请设计一个分布式的{thing}系统, 证明其一致性, 分析容错并优化架构。",
    "Entwerfe eine verteilte Architektur für {thing} in {place}, beweise ihre Konsistenz und analysiere das Risiko.",
)
# Near the threshold: what the margins are for.
MIDDLING = (
    "Explain how a {thing} handles concurrent writes in {place} and which limits it must respect.",
    "Compare a {thing} with a queue for the office in {place}, and say which one scales better.",
    "Write a function that merges two lists of {thing} records, with tests for the empty case.",
)
CONTINUING = (
    *("ok go ahead", "go on", "continue", "yes please", "why is that?", "make it shorter", "and in German?", "thanks"),
    *("now the second one", "can you explain that again?", "try again", "weiter", "继续", "sí, hazlo", "продолжай"),
)
COMPLAINING = ("no, that's wrong", "it still doesn't work", "das ist falsch", "不对", "same error")
PLACES = ("France", "Peru", "Kenya", "Norway", "Vietnam", "Texas", "Berlin", "Osaka", "Cairo", "Quito")
THINGS = ("ledger", "lexer", "cache", "calendar", "router", "sensor", "parser", "queue", "ticket", "catalogue")
LANGUAGES = ("French", "Swahili", "Polish", "Thai", "Welsh")
COMMANDS = ("ls", "cat main.py", "make", "pytest -q", "git diff", "grep -n ledger src")


@dataclass(frozen=True)
class Turn:
    """``data`` is the request's body, with headers as LiteLLM holds them; ``pause``: seconds that went by before it."""

    data: dict[str, Any]
    call_type: str
    kind: str
    pause: float


@dataclass
class _Talk:
    """A conversation in the making."""

    rng: random.Random
    call_type: str
    headers: dict[str, str]
    turns: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Turn] = field(default_factory=list)
    calls: int = 0

    def ask(self, text: str, kind: str) -> None:
        """Send *text*, and have it answered."""
        self.turns.append({"role": "user", "content": text})
        self._send(kind)
        self.turns.append({"role": "assistant", "content": f"Answer {self.rng.random()}."})

    def loop(self, calls: list[tuple[str, str]]) -> None:
        """Answer the last prompt by tool *calls* instead, each a command and what it gave back."""
        self.turns.pop()
        for command, result in calls:
            self.calls += 1
            self.turns += _call(self.call_type, f"call_{self.rng.random()}", command, result)
            self._send(LOOP)
        self.turns.append({"role": "assistant", "content": f"Done {self.calls}."})

    def compact(self) -> None:
        """Shorten the history to a summary."""
        self.turns = [{"role": "user", "content": "Summary of the conversation so far: we spoke about many things."}]
        self.turns.append({"role": "assistant", "content": "Understood."})

    def _send(self, kind: str) -> None:
        body: dict[str, Any] = {"model": "chat-auto", "metadata": {}, "litellm_metadata": {}}
        body["input" if self.call_type == RESPONSES else "messages"] = self.turns
        body["proxy_server_request"] = {"headers": self.headers}
        pauses = bool(self.sent) and self.rng.random() < PAUSE_CHANCE
        pause = self.rng.choice(PAUSES) if pauses else 0.0
        self.sent.append(Turn(copy.deepcopy(body), self.call_type, kind, pause))


def conversations(count: int, seed: int) -> Iterator[list[Turn]]:
    """Yield *count* conversations; the same *seed* gives the same ones."""
    rng = random.Random(seed)
    for number in range(count):
        # Half of the clients name their conversations; the others are known by their opening.
        headers = {"x-session-id": f"session-{seed}-{number}"} if rng.random() < 0.5 else {}
        talk = _Talk(rng, rng.choice((CHAT, RESPONSES, MESSAGES)), headers)
        rng.choice((_chat, _coding, _mixed))(talk, rng)
        yield talk.sent


def _chat(talk: _Talk, rng: random.Random) -> None:
    """One topic, mostly gone on with."""
    talk.ask(_filled(rng, rng.choice((EASY, HARD, MIDDLING))), PROMPT)
    for _ in range(rng.randint(1, 12)):
        _go_on(talk, rng)


def _coding(talk: _Talk, rng: random.Random) -> None:
    """Few asks, each worked on by tools; now and then a call fails again and again."""
    for _ in range(rng.randint(1, 4)):
        talk.ask(_filled(rng, rng.choice((EASY, HARD, MIDDLING))), PROMPT)
        if rng.random() < FAILING_CHANCE:
            talk.loop([("make", "Process exited with code 2")] * rng.randint(2, 5))
        else:
            talk.loop([(rng.choice(COMMANDS), f"output {rng.random()}") for _ in range(rng.randint(1, 20))])
        if rng.random() < 0.5:
            _go_on(talk, rng)


def _mixed(talk: _Talk, rng: random.Random) -> None:
    """One topic after the other."""
    for _ in range(rng.randint(2, 10)):
        talk.ask(_filled(rng, rng.choice((EASY, HARD, MIDDLING))), PROMPT)
        if rng.random() < 0.4:
            _go_on(talk, rng)


def _go_on(talk: _Talk, rng: random.Random) -> None:
    if talk.headers and rng.random() < COMPACTION_CHANCE:
        talk.compact()
    if rng.random() < COMPLAINT_CHANCE:
        talk.ask(rng.choice(COMPLAINING), COMPLAINT)
    else:
        talk.ask(rng.choice(CONTINUING), CONTINUATION)


def _filled(rng: random.Random, bank: tuple[str, ...]) -> str:
    text = rng.choice(bank)
    return text.format(place=rng.choice(PLACES), thing=rng.choice(THINGS), language=rng.choice(LANGUAGES))


def _call(call_type: str, number: str, command: str, result: str) -> list[dict[str, Any]]:
    arguments = json.dumps({"command": command})
    if call_type == CHAT:
        call = {"id": number, "type": "function", "function": {"name": "shell", "arguments": arguments}}
        return [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": number, "content": result},
        ]
    if call_type == RESPONSES:
        return [
            {"type": "function_call", "call_id": number, "name": "shell", "arguments": arguments},
            {"type": "function_call_output", "call_id": number, "output": result},
        ]
    use = {"type": "tool_use", "id": number, "name": "shell", "input": {"command": command}}
    given = {"type": "tool_result", "tool_use_id": number, "content": result}
    return [{"role": "assistant", "content": [use]}, {"role": "user", "content": [given]}]

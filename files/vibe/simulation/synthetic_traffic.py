"""Synthetic conversations from a seed, as numbers: when a turn came, how hard its prompt looks, its tokens.

Four kinds, each a quarter of the conversations:

* **Chats** stay on one topic. Turns a conversation: 2.5 on average, one in thirty has more than ten; 296 tokens asked
  and 441 answered, as WildChat has them (Zhao et al. 2024, table 1: a million conversations with ChatGPT).
* **Mixed** ones go from topic to topic, 4.6 turns on average, the mean of ShareChat (Yan et al. 2025, arXiv
  2512.17843: 142,808 conversations of 660,000 turns); lengths as above.
* **Coding** sessions begin with a system prompt and tools of 15,000 tokens, which all of them share; each prompt is
  worked on in a loop of tool calls, each of which returns 182 tokens on average (Mooncake's tool and agent trace, Qin
  et al. 2025). Calls per prompt (8), prompts (4) and a result's length (700 tokens) are assumed.
* **Documents** begin with a text of 40,000 tokens, about which eight things are asked: both are assumed.

Assumed as well: three prompts in ten are hard; a person takes a minute for the next prompt, one in ten longer than ten
minutes, which is when caches have forgotten. Lengths and pauses are log-normal.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

# PROMPT is self-contained; CONTINUATION goes on with the previous prompt; LOOP brings it a tool's result.
PROMPT, CONTINUATION, LOOP = "prompt", "continuation", "loop"
KINDS = (CHAT, MIXED, CODING, DOCUMENT) = ("chat", "mixed", "coding", "document")
HARD_SHARE = 0.3
# Scores of hard and of easy prompts, of words that go on: mean and deviation.
HARD_SCORE, EASY_SCORE, CONTINUING_SCORE = (72.0, 14.0), (20.0, 14.0), (12.0, 6.0)
CHAT_SYSTEM, CODING_SYSTEM = 300, 15_000
ASKED, ANSWERED, CALL, RESULT = 296.0, 441.0, 182.0, 700.0
CALLS = 8.0
DOCUMENT_TOKENS = 40_000.0
PAUSE_SECONDS, PAUSE_SPREAD = 60.0, 1.8
# A tool runs, and the model before it wrote.
LOOP_SECONDS, LOOP_SPREAD = 8.0, 0.8
SPREAD = 0.9
# They begin within a working day.
DAY_SECONDS = 8 * 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One request. ``at``: seconds; ``kind``; ``score`` of its own words, 0 to 100; ``asked`` and ``answered``: tokens.

    ``prompt_score``: of the prompt that it belongs to.
    """

    at: float
    kind: str
    score: float
    prompt_score: float
    asked: int
    answered: int


@dataclass(slots=True)
class Talk:
    """A conversation: its client's ``system`` prompt and tools, in tokens, shared by all of that ``client``."""

    client: str
    system: int
    turns: list[Turn] = field(default_factory=list)


def conversations(
    count: int, seed: int, kinds: Sequence[str] = KINDS, hard_share: float = HARD_SHARE
) -> Iterator[Talk]:
    """Yield *count* conversations of *kinds*, *hard_share* of their prompts hard; the same *seed* gives the same."""
    rng = random.Random(seed)
    for _ in range(count):
        kind = rng.choice(kinds)
        making = _Making(rng, rng.uniform(0.0, DAY_SECONDS), hard_share)
        _MAKERS[kind](making)
        is_coding = kind == CODING
        yield Talk("coding" if is_coding else "chat", CODING_SYSTEM if is_coding else CHAT_SYSTEM, making.turns)


@dataclass(slots=True)
class _Making:
    """A conversation in the making, at the time ``at``."""

    rng: random.Random
    at: float
    hard_share: float
    turns: list[Turn] = field(default_factory=list)
    prompt_score: float = 0.0

    def prompt(self, *, hard: bool, asked: float = ASKED, answered: float = ANSWERED) -> None:
        """Send a new, independent prompt."""
        self.prompt_score = self._normal(HARD_SCORE if hard else EASY_SCORE)
        self._send(PROMPT, self.prompt_score, asked, answered)
        self._wait(PAUSE_SECONDS, PAUSE_SPREAD)

    def go_on(self) -> None:
        """Send some words that go on with the prompt."""
        self._send(CONTINUATION, self._normal(CONTINUING_SCORE), 12.0, ANSWERED)
        self._wait(PAUSE_SECONDS, PAUSE_SPREAD)

    def work(self, *, hard: bool) -> None:
        """Send a prompt that is worked on by tools."""
        self.prompt(hard=hard, answered=CALL)
        calls = self._geometric(CALLS)
        self.at = self.turns[-1].at
        for _ in range(calls):
            self._wait(LOOP_SECONDS, LOOP_SPREAD)
            self._send(LOOP, self.prompt_score, RESULT, CALL)
        self._wait(PAUSE_SECONDS, PAUSE_SPREAD)

    def is_hard(self) -> bool:
        """Draw whether a prompt is hard."""
        return self.rng.random() < self.hard_share

    def more(self, mean: float) -> range:
        """Draw how many turns follow the first, where a conversation has *mean*."""
        return range(self._geometric(mean) - 1)

    def _send(self, kind: str, score: float, asked: float, answered: float) -> None:
        self.turns.append(Turn(self.at, kind, score, self.prompt_score, self._length(asked), self._length(answered)))

    def _wait(self, median: float, spread: float) -> None:
        self.at += self.rng.lognormvariate(math.log(median), spread)

    def _normal(self, of: tuple[float, float]) -> float:
        return min(max(self.rng.gauss(*of), 0.0), 100.0)

    def _length(self, mean: float) -> int:
        # The mean of a log-normal is its median times exp(spread² / 2).
        return max(1, round(self.rng.lognormvariate(math.log(mean) - SPREAD**2 / 2, SPREAD)))

    def _geometric(self, mean: float) -> int:
        return 1 + int(math.log(1.0 - self.rng.random()) / math.log(1.0 - 1.0 / mean)) if mean > 1 else 1


# Of the chats one in ten is long, which gives WildChat's mean of 2.5 and its one in thirty beyond ten turns.
_LONG_SHARE, _SHORT_TURNS, _LONG_TURNS = 0.1, 1.75, 9.5
_MIXED_TURNS, _CODING_PROMPTS, _DOCUMENT_PROMPTS = 4.6, 4.0, 8.0


def _chat(making: _Making) -> None:
    making.prompt(hard=making.is_hard())
    for _ in making.more(_LONG_TURNS if making.rng.random() < _LONG_SHARE else _SHORT_TURNS):
        if making.rng.random() < 0.6:
            making.go_on()
        else:
            # The topic stays, and with it, mostly, how hard it is.
            making.prompt(hard=making.is_hard() if making.rng.random() < 0.3 else making.prompt_score >= 50.0)


def _mixed(making: _Making) -> None:
    making.prompt(hard=making.is_hard())
    for _ in making.more(_MIXED_TURNS):
        if making.rng.random() < 0.3:
            making.go_on()
        else:
            making.prompt(hard=making.is_hard())


def _coding(making: _Making) -> None:
    making.work(hard=making.is_hard())
    for _ in making.more(_CODING_PROMPTS):
        if making.rng.random() < 0.2:
            making.go_on()
        else:
            making.work(hard=making.is_hard())


def _document(making: _Making) -> None:
    making.prompt(hard=making.is_hard(), asked=DOCUMENT_TOKENS)
    for _ in making.more(_DOCUMENT_PROMPTS):
        making.prompt(hard=making.is_hard())


_MAKERS: dict[str, Callable[[_Making], None]] = {CHAT: _chat, MIXED: _mixed, CODING: _coding, DOCUMENT: _document}

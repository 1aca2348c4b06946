#!/usr/bin/env python3
"""Replay: sends prompts of yours to both pools of a family, and has a judge model of yours grade the answers blind.

    ./deploy.sh env > client.env
    python3 tests/deployed/replay.py --env-file client.env --family chat --pools pool-chat-mini pool-chat-standard \
        --judge pool-claude-sonnet --prompts prompts.jsonl --prices prices.json --labels labels.jsonl

says what it would cost; with --most-dollars 5 it does it. Prompts are JSON lines, {"id", "prompt"}. Labels are JSON
lines that vibe_router.py fit reads; a prompt that has one is not sent again, so a replay that was interrupted goes on.
Prices are dollars a token, {"model": {"input", "output"}}. Both orders of the two answers are graded, for judges prefer
a place. Exits with 0, 1 where the replay ended early or made no label, 2 for bad input.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
import threading
import time
import unittest
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "files"))
from replay_judge import GRADE_TOKENS, GradeError, grades_of, judge_body
from routing.client import Target, find_target
from vibe.strict_json import read_line

SAMPLE, ANSWER_TOKENS, TIMEOUT_SECONDS, AT_ONCE = 200, 1024, 120.0, 4
# UTF-8 bytes a token: English has twice as many, Chinese about so many, so the printed price is on the high side.
BYTES_PER_TOKEN = 2.0
DIGEST_CHARS = 16
# The judge's instructions and marks, in tokens.
JUDGE_OVERHEAD_TOKENS = 250
ORDERS = 2
# So many failures in a row are no accident.
MOST_FAILURES = 5


class ReplayError(ValueError):
    """The input cannot be used; the message says what is wrong and the fix."""


@dataclass(frozen=True)
class Price:
    """Dollars a token."""

    input: float
    output: float

    def of(self, given: float, answered: float) -> float:
        """Return what so many tokens cost."""
        return given * self.input + answered * self.output


@dataclass(frozen=True)
class Prompt:
    """One ask and what it is known by."""

    name: str
    text: str

    @property
    def tokens(self) -> float:
        """How many it is, counted on the high side."""
        return len(self.text.encode("utf-8", "surrogatepass")) / BYTES_PER_TOKEN


@dataclass(frozen=True)
class Plan:
    """What is asked of whom."""

    family: str
    weak: str
    strong: str
    judge: str
    prices: Mapping[str, Price]
    answer_tokens: int
    criteria: str

    def most(self, prompt: Prompt) -> float:
        """Return what replaying *prompt* costs, in dollars, with answers of full length."""
        answers = sum(self.prices[pool].of(prompt.tokens, self.answer_tokens) for pool in (self.weak, self.strong))
        told = len(self.criteria.encode()) / BYTES_PER_TOKEN + JUDGE_OVERHEAD_TOKENS
        shown = prompt.tokens + 2 * self.answer_tokens + told
        return answers + ORDERS * self.prices[self.judge].of(shown, GRADE_TOKENS)


class Purse:
    """Dollars that may be spent: set aside before a prompt is sent, and given back where it cost less."""

    def __init__(self, most: float) -> None:
        """Hold *most* dollars."""
        self.spent, self._aside, self._most = 0.0, 0.0, most
        self._lock = threading.Lock()

    def set_aside(self, dollars: float) -> bool:
        """Set *dollars* aside; False where they are not there."""
        with self._lock:
            if self.spent + self._aside + dollars > self._most:
                return False
            self._aside += dollars
            return True

    def pay(self, aside: float, dollars: float) -> None:
        """Spend *dollars* of what was set *aside*."""
        with self._lock:
            self._aside -= aside
            self.spent += dollars


class Replay:
    """One run: prompts out, labels in, each written as soon as it is known."""

    def __init__(self, plan: Plan, purse: Purse, labels: Path, target: Target) -> None:
        """Write to *labels* what the gateway that is the *target* makes of it."""
        self.plan, self.purse = plan, purse
        self.judged = self.failed = self.unread = 0
        self.is_over = ""
        self._labels, self._target = labels, target
        self._in_a_row = 0
        self._lock = threading.Lock()

    def run(self, prompts: Sequence[Prompt]) -> None:
        """Replay *prompts*; ``is_over`` says why it ended before all were sent, if it did."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(self._replay, prompts):
                pass

    def _replay(self, prompt: Prompt) -> None:
        aside = self.plan.most(prompt)
        with self._lock:
            if self.is_over:
                return
            if not self.purse.set_aside(aside):
                self.is_over = "the cap is reached"
                return
        spent = [0.0]
        try:
            weak, strong = self._graded(prompt, spent)
        except GradeError as error:
            with self._lock:
                self.unread += 1
            log("WARNING", f"{prompt.name}: {error}")
        except requests.RequestException as error:
            # No answer came, but its price may be asked for all the same.
            spent[0] = aside
            self._fail(prompt, error)
        except ReplayError as error:
            self._fail(prompt, error)
        else:
            self._note(prompt, weak, strong)
        finally:
            self.purse.pay(aside, spent[0])

    def _graded(self, prompt: Prompt, spent: list[float]) -> tuple[float, float]:
        plan = self.plan
        answers = {}
        for pool in (plan.weak, plan.strong):
            turns = [{"role": "user", "content": prompt.text}]
            answers[pool] = self._ask({"model": pool, "messages": turns, "max_tokens": plan.answer_tokens}, spent)
        weak, strong = answers[plan.weak], answers[plan.strong]
        one = grades_of(self._ask(judge_body(plan.judge, prompt.text, weak, strong, plan.criteria), spent))
        other = grades_of(self._ask(judge_body(plan.judge, prompt.text, strong, weak, plan.criteria), spent))
        return (one[0] + other[1]) / ORDERS, (one[1] + other[0]) / ORDERS

    def _ask(self, body: dict[str, Any], spent: list[float]) -> str:
        """Send *body*, add to *spent* what it cost, and return the answer's text."""
        target = self._target
        answer = requests.post(
            f"{target.url}/v1/chat/completions",
            # CRITICAL: a fallback's answer is the other pool's, and would be judged as this one's.
            json={**body, "disable_fallbacks": True},
            headers={"authorization": f"Bearer {target.key}"},
            timeout=TIMEOUT_SECONDS,
            verify=target.ca_file or True,
        )
        if answer.status_code != requests.codes.ok:
            raise ReplayError(f"{body['model']} answered {answer.status_code}: {answer.text[:200]}")
        try:
            document = answer.json()
            usage = document["usage"]
            spent[0] += self.plan.prices[body["model"]].of(usage["prompt_tokens"], usage["completion_tokens"])
            return str(document["choices"][0]["message"]["content"] or "")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ReplayError(f"{body['model']}: its answer is no chat completion ({type(error).__name__})") from None

    def _fail(self, prompt: Prompt, error: Exception) -> None:
        log("ERROR", f"{prompt.name}: {error}")
        with self._lock:
            self.failed += 1
            self._in_a_row += 1
            if self._in_a_row >= MOST_FAILURES:
                self.is_over = f"{MOST_FAILURES} prompts in a row failed"

    def _note(self, prompt: Prompt, weak: float, strong: float) -> None:
        label: dict[str, object] = {"id": prompt.name, "family": self.plan.family, "prompt": prompt.text}
        label |= {"weak_score": round(weak, 4), "strong_score": round(strong, 4), "judge": self.plan.judge}
        with self._lock:
            with self._labels.open("a", encoding="utf-8") as file:
                file.write(json.dumps(label) + "\n")
            self.judged += 1
            self._in_a_row = 0


def read_prompts(path: Path) -> list[Prompt]:
    """Read the prompts at *path*; one without an id is known by the digest of its text.

    Raises:
        ReplayError: with the line and the field.
    """
    prompts: dict[str, Prompt] = {}
    for number, entry in _entries(path, "prompts"):
        text = entry.get("prompt")
        if not isinstance(text, str) or not text.strip():
            raise ReplayError(f"prompts {path}, line {number}: prompt: must be a text that is not empty")
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]
        name = str(entry["id"]) if "id" in entry else digest
        if name in prompts and "id" in entry:
            raise ReplayError(f"prompts {path}, line {number}: id: {name!r} is that of an earlier line too")
        prompts[name] = Prompt(name, text)
    if not prompts:
        raise ReplayError(f"prompts {path}: there is none: JSON lines of {{id, prompt}} are wanted")
    return list(prompts.values())


def read_prices(path: Path, models: Sequence[str]) -> dict[str, Price]:
    """Read what the *models* cost from *path*.

    Raises:
        ReplayError: one has no price, for what may be spent could not be kept then.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        known = {model: document[model] for model in models if model in document}
        prices = {model: Price(float(price["input"]), float(price["output"])) for model, price in known.items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReplayError(f"prices {path}: cannot be used: {type(error).__name__}: {error}") from None
    missing = [model for model in models if model not in prices]
    if missing:
        raise ReplayError(
            f"prices {path}: none of {', '.join(missing)}: is the name right? Else give the model's deployments "
            "model_info with input_cost_per_token and output_cost_per_token (router_pools), and deploy"
        )
    return prices


def done_already(path: Path) -> set[str]:
    """Return the ids of the labels at *path*.

    Raises:
        ReplayError: with the line that is no label, as one is that was cut off.
    """
    return {str(entry.get("id")) for _, entry in _entries(path, "labels")} if path.exists() else set()


def _entries(path: Path, what: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the objects of the JSON lines at *path*, each with its number."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ReplayError(f"{what} {path}: cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                yield number, read_line(line)
        except ValueError as error:
            raise ReplayError(f"{what} {path}, line {number}: {error}") from None


def log(level: str, message: str) -> None:
    """Say *message* on standard error."""
    print(f"[{time.strftime('%H:%M:%S')}] [REPLAY] [{level}] {message}", file=sys.stderr, flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--prompts", required=True, type=Path, metavar="FILE", help="JSON lines of {id, prompt}")
    parser.add_argument("--family", required=True, help="the family that the labels are for")
    parser.add_argument("--pools", required=True, nargs=2, metavar=("CHEAP", "STRONG"), help="its two pools")
    parser.add_argument("--judge", required=True, metavar="MODEL", help="the model that grades, as clients ask for it")
    parser.add_argument("--prices", required=True, type=Path, metavar="FILE", help="JSON: dollars a token by model")
    parser.add_argument("--labels", required=True, type=Path, metavar="FILE", help="labels are added to this file")
    parser.add_argument("--sample", type=int, default=SAMPLE, help=f"prompts at most (default: {SAMPLE})")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default: 1)")
    parser.add_argument("--answer-tokens", type=int, default=ANSWER_TOKENS, help=f"of an answer ({ANSWER_TOKENS})")
    parser.add_argument("--criteria", default="", help="what counts as good besides, told to the judge")
    parser.add_argument("--env-file", metavar="FILE", help="what ./deploy.sh env prints (default: the environment)")
    parser.add_argument("--most-dollars", type=float, help="the cap; without it the price is shown and nothing sent")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Show the price, replay where a cap is given, and return the exit code."""
    given = parse_arguments(arguments)
    try:
        if given.sample < 1 or given.answer_tokens < 1 or (given.most_dollars is not None and given.most_dollars <= 0):
            raise ReplayError("--sample and --answer-tokens must be 1 or more, --most-dollars more than 0")
        weak, strong = given.pools
        prices = read_prices(given.prices, [weak, strong, given.judge])
        plan = Plan(given.family, weak, strong, given.judge, prices, given.answer_tokens, given.criteria)
        prompts = read_prompts(given.prompts)
        known = done_already(given.labels)
        left = [prompt for prompt in prompts if prompt.name not in known]
        chosen = random.Random(given.seed).sample(left, min(given.sample, len(left)))
        most = sum(map(plan.most, chosen))
        print(
            f"{len(chosen)} of {len(prompts)} prompts ({len(prompts) - len(left)} have a label) to {weak} and {strong},"
            f" graded by {given.judge} in both orders: up to about ${most:.4f}, "
            f"with {given.answer_tokens} tokens an answer"
        )
        if given.most_dollars is None:
            print(f"Nothing was sent. To send them, give the cap: --most-dollars {max(most, 0.01):.2f}")
            return 0
        target = find_target({**os.environ, **({"VIBE_ENV_FILE": given.env_file} if given.env_file else {})})
        # Prompts are the operator's: for nobody else to read.
        given.labels.touch(mode=0o600)
    except (ReplayError, OSError, unittest.SkipTest) as error:
        log("ERROR", str(error))
        return 2
    replay = Replay(plan, Purse(given.most_dollars), given.labels, target)
    replay.run(chosen)
    print(
        f"{replay.judged} labels for ${replay.purse.spent:.4f}, {replay.failed} prompts failed, "
        f"{replay.unread} grades could not be read" + (f"; ended early: {replay.is_over}" if replay.is_over else "")
    )
    return 1 if replay.is_over or (chosen and not replay.judged) else 0


if __name__ == "__main__":
    sys.exit(main())

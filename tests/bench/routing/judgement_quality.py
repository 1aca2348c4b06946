"""How well scorers tell hard prompts from easy ones by what they ask: the prompts of ``judgement/``, each set unseen.

Accuracy is the share of prompts on the side of the threshold that their label says: 50 for ours, and for the others the
threshold that suits them best on these very prompts. AUROC is the probability that a strong one scores higher than a
cheap one. Ours are the log odds of models that had not seen the prompt's set (``fit_judgement.py``). Robustness is the
share of decisions of the shipped model that stay when a prompt is put in other words of the same meaning.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.routing.judgement_data import COMPOSED, FOLLOWUPS, PAIRS, Prompt, unseen_log_odds
from bench.routing.metrics import auroc
from vibe.routes.family import Family
from vibe.scoring.scorer import load_prior

LEAST_ROWS = 60
OURS = "ours"
# Every so many of the prompts are put in other words.
CHANGED_EVERY, SEED = 4, 0
_TYPO_SHARE = 0.05
_POLITE = "Hi! Could you please help me with this? {} Thank you very much."


def measured(rows: Sequence[Prompt], arms: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return the figures of ours and of the *arms*, scores of the same *rows*, over all lists of prompts."""
    unseen = unseen_log_odds()
    groups = _groups(rows)
    listed = groups["all sets"]
    strong = [rows[index].strong for index in listed]
    found: dict[str, Any] = {"scorers": {OURS: figures(unseen, rows, listed, 0.0)}}
    for name, scores in arms.items():
        found["scorers"][name] = figures(scores, rows, listed, _best_threshold([scores[i] for i in listed], strong))
    found["ours by set and language"] = {
        name: figures(unseen, rows, members, 0.0) for name, members in sorted(groups.items())
    }
    twins = groups[f"set {PAIRS}"]
    found["twins ordered right"] = {
        name: round(_ordered(scores, twins), 3) for name, scores in {OURS: unseen, **arms}.items()
    }
    found["decisions that stay"] = robustness([row.text for row in rows][::CHANGED_EVERY])
    return found


def figures(
    scores: Sequence[float], rows: Sequence[Prompt], members: Sequence[int], threshold: float
) -> dict[str, Any]:
    """Return what *scores* make of the *members* of *rows*."""
    strong = [rows[index].strong for index in members]
    of_them = [scores[index] for index in members]
    right = sum((score >= threshold) == is_strong for score, is_strong in zip(of_them, strong, strict=True))
    return {
        "prompts": len(members),
        "accuracy": round(right / len(members), 3),
        "AUROC": round(auroc(of_them, strong), 3),
    }


def robustness(prompts: Sequence[str]) -> dict[str, float]:
    """Return the share of decisions about *prompts* that stay, for each way to change the words."""
    score, chance = load_prior().score, random.Random(SEED)
    before = [score(prompt).value >= Family.threshold for prompt in prompts]
    changes: dict[str, Callable[[str], str]] = {
        "upper case": str.upper,
        "lower case": str.lower,
        "no punctuation": lambda text: "".join(c for c in text if c.isalnum() or c.isspace()),
        "typos": lambda text: _with_typos(text, chance),
        "politeness": _POLITE.format,
    }
    return {
        name: round(
            sum(
                (score(change(prompt)).value >= Family.threshold) == was
                for prompt, was in zip(prompts, before, strict=True)
            )
            / len(prompts),
            3,
        )
        for name, change in changes.items()
    }


def _groups(rows: Sequence[Prompt]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        groups[f"set {row.source}"].append(index)
        if row.source not in {COMPOSED, FOLLOWUPS}:
            groups["all sets"].append(index)
            groups[f"language {row.lang}"].append(index)
    return {name: members for name, members in groups.items() if len(members) >= LEAST_ROWS}


def _best_threshold(scores: Sequence[float], strong: Sequence[bool]) -> float:
    """Return the score from which calling a prompt strong is right most often."""
    order = sorted(zip(scores, strong, strict=True), reverse=True)
    right = most = sum(not is_strong for is_strong in strong)
    best = order[0][0] + 1.0
    for place, (score, is_strong) in enumerate(order):
        right += 1 if is_strong else -1
        is_last_of_score = place + 1 == len(order) or order[place + 1][0] < score
        if is_last_of_score and right > most:
            most, best = right, score
    return best


def _ordered(scores: Sequence[float], twins: Sequence[int]) -> float:
    pairs = zip(twins[::2], twins[1::2], strict=True)
    return 2 * sum(scores[hard] > scores[easy] for easy, hard in pairs) / len(twins)


def _with_typos(text: str, chance: random.Random) -> str:
    """Swap two letters in some words of *text*."""
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 3 and chance.random() < _TYPO_SHARE:
            at = chance.randrange(1, len(word) - 2)
            words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)

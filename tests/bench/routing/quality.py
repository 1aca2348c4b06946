#!/usr/bin/env python3
"""How well scorers order prompts: by what the strong model gains on them, and by what they ask. Ours and others'.

Prompts with real outcomes of a weaker and a stronger model (``data.py``), by source; APGR (``vibe.learning.apgr``),
averaged over the sources. None of them was used to fit the shipped weights. With labels: so many of the source's own,
drawn at random, the rest is tested; the average of several draws, on the sources that have enough. *In distribution*:
fitted on a random half of all prompts, tested on the other, all sources in one order. By what they ask: the labelled
prompts of ``judgement/`` (``judgement_quality.py``).

    python3 tests/bench/routing/quality.py [--image IMAGE] [--draws 5]

LiteLLM's classifiers run in its image, wayfinder-router's where the package is installed beside this. Without the
prompts (``data.py``) it runs on 64 of our own, whose outcomes are made up, and with the shipped weights alone.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    _REPOSITORY = Path(__file__).resolve().parents[3]
    sys.path[:0] = [str(_REPOSITORY / "files"), str(_REPOSITORY / "tests")]

from bench.routing.data import OWN, Outcome, by_source, folder, outcomes
from bench.routing.judgement_data import prompts as prompts_by_label
from bench.routing.judgement_quality import measured
from bench.routing.metrics import apgr_by_source
from vibe.learning.apgr import apgr, bootstrap_differences, cpt
from vibe.learning.fit import Task
from vibe.learning.labels import Label, label_of
from vibe.request.injected_blocks import without_injected
from vibe.scoring.scorer import HEAD_NAMES, JUDGED, Prior, load_prior

LABELS = (100, 400)
# A source is tested with labels where so many rows are left.
LEAST_TESTED = 60
RESAMPLES, INTERVAL, SEED = 1000, 0.95, 0
TIMED = 2000
OURS, LENGTH = "ours, no labels", "length"
Scores = list[float]
_JUDGED = HEAD_NAMES.index(JUDGED)


def labelled(row: Outcome) -> Label:
    """Return *row* as a label of an operator."""
    return label_of(without_injected(row.prompt), row.weak, row.strong)


def with_labels(rows: list[Outcome], labels: list[Label], prior: Prior, draws: int) -> dict[str, Any]:
    """Return the macro APGR of heads on so many labels of a source, and of what they are compared with there."""
    found = {}
    for count in LABELS:
        sources = {name: members for name, members in by_source(rows).items() if len(members) >= count + LEAST_TESTED}
        ours, alone, length = [], [], []
        for name, members in sources.items():
            chance = random.Random(f"{SEED} {name}")
            for _ in range(draws):
                mixed = chance.sample(members, len(members))
                task = Task([labels[index] for index in mixed], prior)
                head = task.fit(list(range(count)))
                tested = range(count, len(mixed))
                gains = [task.gains[index] for index in tested]
                ours.append(apgr([task.predict(head, index) for index in tested], gains))
                alone.append(apgr([task.prior_raw[index] for index in tested], gains))
                length.append(apgr([float(len(rows[mixed[index]].prompt)) for index in tested], gains))
            print(f"{count} labels of {name}: {ours[-1]:.3f}", file=sys.stderr)
        mean = {"ours": ours, OURS: alone, LENGTH: length}
        found[f"ours, {count} labels"] = {
            "sources": len(sources),
            **{name: round(math.fsum(values) / len(values), 4) for name, values in mean.items() if values},
        }
    return found


def in_distribution(rows: list[Outcome], labels: list[Label], prior: Prior) -> dict[str, Any]:
    """Return what a head on one half of all prompts makes of the other half, and what the length does there."""
    mixed = random.Random(SEED).sample(range(len(rows)), len(rows))
    task, half = Task([labels[index] for index in mixed], prior), len(rows) // 2
    head, tested = task.fit(list(range(half))), range(half, len(rows))
    gains = [task.gains[index] for index in tested]
    ours, length = [task.predict(head, index) for index in tested], [float(len(rows[mixed[i]].prompt)) for i in tested]
    return {
        name: {"pooled APGR": round(apgr(scores, gains), 4), **_thresholds(scores, gains)}
        for name, scores in (("ours", ours), (LENGTH, length))
    }


def _thresholds(scores: Scores, gains: Scores) -> dict[str, list[float]]:
    return {"CPT(50), CPT(80)": [round(cpt(scores, gains, part), 3) for part in (0.5, 0.8)]}


def intervals(scores: Scores, others: Scores, rows: list[Outcome]) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two macro APGRs, every source resampled by itself."""
    chance, columns = random.Random(SEED), []
    for members in by_source(rows).values():
        ours, theirs = [scores[index] for index in members], [others[index] for index in members]
        drawn = bootstrap_differences(ours, theirs, [rows[index].gain for index in members], RESAMPLES, SEED)
        # Sorted as they are, the worst draws of all sources would meet.
        columns.append(chance.sample(drawn, len(drawn)))
    means = sorted(math.fsum(values) / len(values) for values in zip(*columns, strict=False))
    return means[int(len(means) * (1 - INTERVAL) / 2)], means[int(len(means) * (1 + INTERVAL) / 2) - 1]


def timed(score: Callable[[str], object], prompts: Sequence[str]) -> float:
    """Return the CPU microseconds that a prompt takes."""
    began = time.process_time()
    for prompt in prompts:
        score(prompt)
    return (time.process_time() - began) / len(prompts) * 1e6


def litellm(image: str, prompts: list[str]) -> dict[str, dict[str, Any]]:
    """Return scores and cost by each of LiteLLM's local classifiers, in its image and without a network."""
    script = Path(__file__).with_name("litellm_scores.py").read_text(encoding="utf-8")
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python3", image, "-c"]
    lines = "".join(json.dumps(prompt) + "\n" for prompt in prompts)
    done = subprocess.run([*command, script], input=lines, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{image}: {done.stderr[-2000:]}")
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return {f"LiteLLM's {name}": scored for name, scored in found.items()}


def wayfinder(prompts: list[str]) -> dict[str, dict[str, Any]]:
    """Return scores and cost by wayfinder-router, nothing where it is not installed."""
    if find_spec("wayfinder_router") is None:
        print("wayfinder-router is not installed beside this: left out", file=sys.stderr)
        return {}
    score = import_module("wayfinder_router").score_complexity
    scores = [float(score(prompt).score) for prompt in prompts]
    return {"wayfinder-router": {"scores": scores, "us": timed(score, prompts[:TIMED])}}


def judged(image: str | None) -> dict[str, Any]:
    """Return how well everything tells hard prompts from easy ones by what they ask (``judgement_quality``)."""
    rows = prompts_by_label()
    texts = [row.text for row in rows]
    arms = {LENGTH: {"scores": [float(len(text)) for text in texts]}, **litellm(image or serving_image(), texts)}
    return measured(rows, {name: arm["scores"] for name, arm in (arms | wayfinder(texts)).items()})


def serving_image() -> str:
    """Return the image that this machine's deployment serves from."""
    form, name = "{{.Config.Image}}", "name=^litellm-vibe-router-(blue|green)$"
    listed = subprocess.run(["docker", "ps", "--quiet", "--filter", name], capture_output=True, text=True, check=True)
    command = ["docker", "inspect", "--format", form, *listed.stdout.split()[:1]]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Score everything by everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", help="LiteLLM's image (default: the one that serves here)")
    parser.add_argument("--draws", type=int, default=5, help="of labels, a source (default: 5)")
    options = parser.parse_args()
    is_made_up = not folder().is_dir()
    if is_made_up:
        print(f"{folder()} is not there ($VIBE_DATA names it): {OWN.name}, whose outcomes are made up", file=sys.stderr)
    rows = outcomes()
    prompts, labels = [row.prompt for row in rows], [labelled(row) for row in rows]
    shipped = load_prior()
    arms: dict[str, dict[str, Any]] = {
        LENGTH: {"scores": [float(len(prompt)) for prompt in prompts], "us": timed(len, prompts[:TIMED])},
        **litellm(options.image or serving_image(), prompts),
        **wayfinder(prompts),
        OURS: {
            "scores": [label.values[_JUDGED] for label in labels],
            "us": timed(shipped.score, prompts[:TIMED]),
        },
    }
    gains = [row.gain for row in rows]
    found: dict[str, Any] = {"rows": len(rows), "sources": len(by_source(rows)), "made up": is_made_up, "scorers": {}}
    for name, arm in arms.items():
        by = apgr_by_source(arm["scores"], rows)
        low, high = intervals(arm["scores"], arms[LENGTH]["scores"], rows)
        found["scorers"][name] = {
            "macro APGR": round(math.fsum(by.values()) / len(by), 4),
            "by length": [round(low, 4), round(high, 4)],
            "pooled APGR": round(apgr(arm["scores"], gains), 4),
            **_thresholds(arm["scores"], gains),
            "us": round(arm["us"], 1) if "us" in arm else None,
            "sources": {source: round(value, 3) for source, value in by.items()},
        }
    found["labels"] = {} if is_made_up else with_labels(rows, labels, shipped, options.draws)
    found["in distribution"] = {} if is_made_up else in_distribution(rows, labels, shipped)
    found["judgement"] = judged(options.image)
    medians = {name: arm["macro APGR"] for name, arm in found["scorers"].items()}
    medians |= {name: arm["ours"] for name, arm in found["labels"].items() if "ours" in arm}
    found["macro APGR"] = {"unit": "macro APGR, random is .5", "medians": medians}
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Inside LiteLLM's image: prompts in, as JSON lines of texts; what its complexity_router makes of them out.

One JSON object: for each of its two local classifiers the scores, which order prompts, and CPU microseconds a prompt.
``heuristic``: the tier, then the score within it. ``heuristic_v2``: how unlikely its lowest tier is to do.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def scored(score: Callable[[str], float], prompts: list[str]) -> dict[str, Any]:
    """Return the scores of *prompts* and what one costs."""
    score(prompts[0])
    began = time.process_time()
    scores = [score(prompt) for prompt in prompts]
    return {"scores": scores, "us": (time.process_time() - began) / len(prompts) * 1e6}


def main() -> int:
    """Score every prompt by both classifiers."""
    from litellm import Router
    from litellm.router_strategy.complexity_router.complexity_router import TIER_SEVERITY_ORDER, ComplexityRouter

    prompts = [json.loads(line) for line in sys.stdin]
    heuristic = ComplexityRouter("auto", Router(model_list=[]), {})
    second = ComplexityRouter("auto", Router(model_list=[]), {"classifier_type": "heuristic_v2"})

    def by_heuristic(prompt: str) -> float:
        tier, score, _ = heuristic.classify(prompt)
        # Scores lie within -1 to 1: the tier comes first, for it may have been chosen over the score.
        return float(TIER_SEVERITY_ORDER.index(tier) * 10 + score)

    def by_heuristic_v2(prompt: str) -> float:
        forecast = second._classify_with_heuristic_v2(prompt).heuristic_v2_forecast
        return 1.0 - float(forecast["probabilities"][TIER_SEVERITY_ORDER[0].value])

    found = {"heuristic": scored(by_heuristic, prompts), "heuristic_v2": scored(by_heuristic_v2, prompts)}
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())

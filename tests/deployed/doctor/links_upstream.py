"""The last links: the models that are served, each pool's provider, and the decision itself."""

from __future__ import annotations

import json
import time

from report.model import CheckFailedError, require
from routing.prompts import COMPLEX, PROMPTS, SIMPLE

from doctor.case import Case
from doctor.client import Answer
from doctor.symptoms import STATUSES, UPSTREAMS, quoted, seen

MOST_COOLDOWN_SECONDS = 60.0
HINT_LOG = "docker logs of the serving slot, around now; the provider's status page"


def virtual_models_are_listed(case: Case) -> None:
    """LiteLLM lists every virtual model and every pool of it."""
    answer = case.client.ask("GET", "/v1/models")
    require(answer.status == 200, "a list of models", f"{answer.status}: {quoted(answer.text)}", HINT_LOG)
    listed = {model.get("id") for model in json.loads(answer.text).get("data", [])}
    wanted = {name for virtual, pools in case.pools.items() for name in (virtual, *pools)}
    missing = ", ".join(sorted(wanted - listed))
    hint = "router_families and router_pools of the inventory are newer than what runs: ./deploy.sh"
    require(not missing, f"all of {', '.join(sorted(case.pools))} and their pools", f"no {missing}", hint)


def every_pool_answers(case: Case) -> None:
    """Each pool's provider answers with its key; without fallbacks, which would hide a failure."""
    for pool in sorted({pool for pools in case.pools.values() for pool in pools}) if case.live else []:
        try:
            answer = _asked(case, pool)
        except OSError as error:
            _, fix = STATUSES[408]
            raise CheckFailedError(f"an answer from {pool}", f"none: {type(error).__name__}", fix) from error
        if answer.status == 200:
            continue
        symptom = seen(answer.text, UPSTREAMS)
        meaning, fix = STATUSES.get(answer.status, ("the provider fails", HINT_LOG))
        if symptom:
            meaning, fix = symptom.meaning, symptom.fix
        found = f"{answer.status}: {meaning}: {quoted(answer.text)}"
        raise CheckFailedError(f"an answer from {pool}", found, fix)


def decisions_are_made(case: Case) -> None:
    """The plug-in decides: a simple prompt goes cheap, a hard one strong."""
    for model, (cheap, strong) in case.pools.items() if case.live else ():
        for kind, pool in ((SIMPLE, cheap), (COMPLEX, strong)):
            answer = case.client.chat(model, PROMPTS[kind])
            require(answer.status == 200, "an answer", f"{answer.status}: {quoted(answer.text)}", HINT_LOG)
            decided = answer.headers.get("x-vibe-pool")
            hint = "the plug-in did not run; the slot was started without it: ./deploy.sh"
            require(decided is not None, f"a decision for {model}", "no x-vibe-pool in the answer", hint)
            why = answer.headers.get("x-vibe-reason", "")
            hint = "threshold, rules or routing of the family in models.yml; docs/routing.md"
            require(decided == pool, f"{pool} for a {kind} prompt to {model}", f"{decided}: {why}", hint)


def _asked(case: Case, pool: str) -> Answer:
    """Send a request to a pool; if LiteLLM has put it aside, send it again later, to see its error."""
    answer = case.client.chat(pool, "hi", disable_fallbacks=True)
    if answer.status == 429 and "cooldown" in answer.text:
        time.sleep(min(float(answer.headers.get("retry-after", "0")), MOST_COOLDOWN_SECONDS) + 1)
        answer = case.client.chat(pool, "hi", disable_fallbacks=True)
    return answer

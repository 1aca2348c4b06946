#!/usr/bin/python
"""A new slot proves itself before it serves: it answers, routes as it should, is warm in every worker, and healthy."""

from __future__ import annotations

import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: slot_proof
short_description: Let a router's new slot prove itself before a gateway takes it in
description:
  - Waits until the slot answers; ends at once when its container does.
  - Then the slot must list every virtual model and have the routing hook registered, and send a request that anyone
    would call simple, and one that anyone would call hard, to the pool that each family has for it.
  - Then every worker is warmed by each API, whole and streamed, for a fresh worker's first answer takes a second. That
    is tried, not required.
  - At last the engine must call the container healthy, as it will have to later.
  - The release's key is read on the host, from the release itself, and is never logged.
options:
  release:
    description: The release's folder.
    type: path
    required: true
  address:
    description: Host and port that the slot listens on.
    type: str
    required: true
  container:
    description: The slot's container.
    type: str
    required: true
  workers:
    description: How many workers the slot has.
    type: int
    required: true
  timeout:
    description: Seconds until it must be healthy.
    type: int
    required: true
  requests:
    description: Whether requests are sent to models; without them, only models and hook are checked.
    type: bool
    default: true
author: the project
"""

EXAMPLES = r"""
- name: Slot proves itself
  slot_proof:
    release: /opt/litellm-vibe-router/router/releases/5f1d2a
    address: 127.0.0.1:4101
    container: litellm-vibe-router-blue
    workers: 2
    timeout: 120
"""

RETURN = r"""
told:
  description: What the slot did, in one sentence.
  type: str
  returned: always
"""

HOOK = "VibeIntelligentRouter"
POLL_SECONDS = 0.25
LOOK_EVERY_S = 2.0
ANSWER_SECONDS = 60.0
MAX_ANSWER_TOKENS = 16
LONGEST_QUOTE = 300
# Which worker answers is random, and the last may start after the first answers: try this long, with at most this many
# requests per worker.
WARMING_SECONDS, MOST_WARMING_REQUESTS, WARMING_PAUSE_S = 15.0, 60, 0.2
POOL_HEADER, WORKER_HEADER = "x-vibe-pool", "x-vibe-worker"
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
SIMPLE, HARD = "simple", "hard"
PROMPTS = {
    SIMPLE: "hi",
    HARD: (
        "Design a sharded, multi-region payment ledger: prove that transfers stay atomic under partition, compare two "
        "consensus protocols, give the failure modes of each, and derive the capacity formula step by step under the "
        "constraint of 99.99 % availability."
    ),
}
# The routes have only the operator's own values; these are the plug-in's defaults, which a test compares.
ACTIVE, DEFAULT_THRESHOLD = "active", 50.0
# A threshold nearer than this to an end of the scale sends nearly all to one pool: then either is right.
NEAR_THE_END = 20
# CRITICAL: never through a proxy of the host's environment; requests hold the release's key.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ProofError(Exception):
    """The slot did not prove itself; the message says why, one line per finding."""


@dataclass(frozen=True)
class Answer:
    """The answer; status 0 if there was none."""

    status: int
    text: str
    headers: Mapping[str, str]


def pools_of(family: Mapping[str, Any], kind: str) -> list[str]:
    """Return the pools that a simple or a hard request of a family may go to."""
    cheap, strong = str(family["cheap_pool"]), str(family["strong_pool"])
    if family.get("routing", ACTIVE) != ACTIVE:
        return [str(family.get("safe_pool", strong))]
    threshold = float(family.get("threshold", DEFAULT_THRESHOLD))
    # The verdict of the operator's own labels is right by definition. An older release has no such key.
    if family.get("adapter"):
        return [cheap, strong]
    if kind == SIMPLE:
        return [cheap] if threshold >= NEAR_THE_END else [cheap, strong]
    return [strong] if threshold <= 100 - NEAR_THE_END else [cheap, strong]


def body_of(api: str, model: str, prompt: str, *, stream: bool) -> dict[str, Any]:
    """Return the body of a request with one prompt on one API."""
    limit = "max_output_tokens" if api == "responses" else "max_tokens"
    turn = {"input": prompt} if api == "responses" else {"messages": [{"role": "user", "content": prompt}]}
    return {"model": model, "stream": stream, limit: MAX_ANSWER_TOKENS, **turn}


def _answer(status: int, reply: HTTPResponse | urllib.error.HTTPError) -> Answer:
    """Read an answer to its end."""
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return Answer(status, reply.read().decode("utf-8", "replace"), headers)


class Slot:
    """The slot over HTTP, with the key of its own release."""

    def __init__(self, address: str, release: Path) -> None:
        self.address = address
        self._secrets: dict[str, str] = json.loads((release / "secrets.json").read_text(encoding="utf-8"))
        routes = json.loads((release / "vibe_routes.json").read_text(encoding="utf-8"))
        self.families: list[dict[str, Any]] = list(routes["families"].values())

    def ask(self, path: str, body: Mapping[str, Any] | None = None, seconds: float = ANSWER_SECONDS) -> Answer:
        """Send one request on a connection of its own and read the answer to its end."""
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "authorization": f"Bearer {self._secrets['LITELLM_MASTER_KEY']}",
                "content-type": "application/json",
                "anthropic-version": "2023-06-01",
            },
        )
        try:
            with _OPENER.open(request, timeout=seconds) as reply:
                return _answer(reply.status, reply)
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error)
        except (OSError, HTTPException) as error:
            return Answer(0, f"no answer ({error})", {})

    def shown(self, answer: Answer) -> str:
        """Return the beginning of an answer, without the release's secrets, which an upstream may echo."""
        text = answer.text
        for value in filter(None, self._secrets.values()):
            text = text.replace(value, "***")
        return text[:LONGEST_QUOTE]

    def answers(self) -> bool:
        """Return whether LiteLLM serves yet."""
        return self.ask("/health/liveliness", seconds=5).status == 200


class Container:
    """The slot's container, by the engine's client."""

    def __init__(self, module: AnsibleModule, name: str) -> None:
        self._module, self.name = module, name

    def health(self) -> str:
        """Return the engine's state of its health.

        Raises:
            ProofError: it has ended, or keeps restarting.
        """
        form = "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{with .State.Health}}{{.Status}}{{end}}"
        code, out, error = self._module.run_command(["docker", "inspect", "--format", form, self.name])
        if code != 0:
            raise ProofError(f"The container {self.name} is gone: {error.strip()}")
        status, restarts, exit_code, *health = out.split()
        if status not in ("created", "running") or int(restarts) > 0:
            raise ProofError(f"The container {self.name} ended while it started, with exit code {exit_code}.")
        return health[0] if health else "healthy"


def wait(met: Callable[[], bool], container: Container, deadline: float, missed: str) -> None:
    """Wait until something is met, and the container lives; raise ProofError with *missed* at the deadline."""
    looked = 0.0
    while not met():
        now = time.monotonic()
        if now > deadline:
            raise ProofError(missed)
        if now - looked > LOOK_EVERY_S:
            container.health()
            looked = now
        time.sleep(POLL_SECONDS)


def listed_faults(slot: Slot) -> list[str]:
    """Return what is wrong with the slot's own answers."""
    models, details = slot.ask("/v1/models"), slot.ask("/health/readiness/details")
    try:
        known = {model["id"] for model in json.loads(models.text)["data"]}
    except (ValueError, KeyError, TypeError):
        known = set()
    missing = sorted({str(family["virtual_model"]) for family in slot.families} - known)
    faults = [f"The new slot does not list {', '.join(missing)} (status {models.status})."] if missing else []
    if HOOK not in details.text:
        faults.append(f"The new slot does not have the routing hook {HOOK} registered (status {details.status}).")
    return faults


def routing_faults(slot: Slot) -> list[str]:
    """Return the simple and hard requests that went to a wrong pool."""
    cases = list(itertools.product(slot.families, PROMPTS))

    def fault(case: tuple[dict[str, Any], str]) -> str:
        family, kind = case
        model, pools = str(family["virtual_model"]), pools_of(family, kind)
        answer = slot.ask(PATHS["chat"], body_of("chat", model, PROMPTS[kind], stream=False))
        pool = answer.headers.get(POOL_HEADER, "none")
        if answer.status == 200 and pool in pools:
            return ""
        where = f"{model}: a {kind} request should go to {' or '.join(pools)}"
        return f"{where}; status {answer.status}, pool {pool}, answer {slot.shown(answer)}"

    with ThreadPoolExecutor(len(cases) or 1) as threads:
        return list(filter(None, threads.map(fault, cases)))


def warm(slot: Slot, workers: int) -> tuple[int, int]:
    """Send requests on each API, whole and streamed, until every worker has had each; return workers met, and requests.

    A header distinguishes the workers. A release without it (of an older toolkit) is sent two rounds. A failed
    request is not repeated: the proof is complete, and the upstream may lack an API.
    """
    met: dict[tuple[str, bool], set[str]] = {kind: set() for kind in itertools.product(PATHS, (False, True))}
    model, sent = str(slot.families[0]["virtual_model"]), 0

    def send(kind: tuple[str, bool]) -> tuple[tuple[str, bool], Answer]:
        return kind, slot.ask(PATHS[kind[0]], body_of(kind[0], model, PROMPTS[SIMPLE], stream=kind[1]))

    until = time.monotonic() + WARMING_SECONDS
    for tried in itertools.count():
        # At least two: of two concurrent requests, one probably reaches the worker that is idle.
        cold = [kind for kind in met for _ in range(max(2, workers - len(met[kind]))) if len(met[kind]) < workers]
        told_apart = tried < 2 or any(met.values())
        if not cold or not told_apart or time.monotonic() > until or sent > MOST_WARMING_REQUESTS * workers:
            break
        with ThreadPoolExecutor(2 * workers) as threads:
            for kind, answer in threads.map(send, cold):
                if answer.status != 200:
                    met.pop(kind, None)
                elif kind in met:
                    met[kind] |= {answer.headers.get(WORKER_HEADER, "")} - {""}
        sent += len(cold)
        if tried:
            time.sleep(WARMING_PAUSE_S)
    return min((len(each) for each in met.values()), default=0), sent


def prove(slot: Slot, container: Container, given: Mapping[str, Any]) -> str:
    """Prove the slot; return the result.

    Raises:
        ProofError: it did not.
    """
    began = time.monotonic()
    deadline = began + given["timeout"]
    wait(
        slot.answers, container, deadline, f"The new slot did not answer on {slot.address} within {given['timeout']} s."
    )
    told = f"answered after {time.monotonic() - began:.1f} s"
    faults = listed_faults(slot) or (routing_faults(slot) if given["requests"] else [])
    if faults:
        raise ProofError("\n".join(faults))
    if given["requests"] and slot.families:
        warmed, sent = warm(slot, given["workers"])
        told += f", {warmed or 'an unknown number'} of {given['workers']} workers warmed by {sent} requests"
    unhealthy = f"The engine does not call {container.name} healthy after {given['timeout']} s."
    wait(lambda: container.health() == "healthy", container, deadline, unhealthy)
    return f"{told}, proved itself after {time.monotonic() - began:.1f} s"


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "release": {"type": "path", "required": True},
            "address": {"type": "str", "required": True},
            "container": {"type": "str", "required": True},
            "workers": {"type": "int", "required": True},
            "timeout": {"type": "int", "required": True},
            "requests": {"type": "bool", "default": True},
        },
    )
    try:
        slot = Slot(module.params["address"], Path(module.params["release"]))
    except (OSError, ValueError, KeyError) as error:
        module.fail_json(msg=f"The release in {module.params['release']} cannot be read: {error!r}")
    try:
        told = prove(slot, Container(module, module.params["container"]), module.params)
    except ProofError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, told=told)


if __name__ == "__main__":
    main()

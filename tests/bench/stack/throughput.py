#!/usr/bin/env python3
"""What the whole stack serves: requests a second through the gateway, by those of LiteLLM as its compose file runs it.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/throughput.py [--rounds 5] [--only NAME ...]

Ours is the deployment as it is, asked for a virtual model through the gateway. Both arms of LiteLLM are the serving
release's image with the plug-in taken out, one worker by its own command line, asked directly: for the pool by name,
and for a model of its complexity_router over the same pools, by its own heuristic. From 16 connections that ask for a
chat completion of 50 characters, each row changes one thing. Arms alternate, in both orders, in one run of some quarter
of an hour; ApacheBench and the stub upstream share the processors with all. Prints one JSON object: by row the medians
of requests a second and of the milliseconds until an answer's first byte, and ours by each other arm, pair by pair.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import (
    AS_IT_COMES,
    Load,
    in_turn,
    load,
    medians,
    need_ab,
    pairs,
    rounds_given,
    serving_slot,
    start,
    wait_for,
    without_plugin,
)
from role_plugins import load as role_plugin

OURS, ALONE, COMPLEXITY = "ours", "LiteLLM alone", "LiteLLM's complexity_router"
PORTS = {OURS: 4000, ALONE: 4112, COMPLEXITY: 4113}
QUESTION = "Compare two consensus protocols and justify which one you would choose for a payment ledger. "

proof = role_plugin("router/library/slot_proof")


@dataclass(frozen=True)
class Row:
    """What is asked in a row: by how many connections, how often, on which API, with how many characters."""

    connections: int = 16
    requests: int = 300
    characters: int = 50
    api: str = "chat"
    stream: bool = False

    def body(self, arm: str) -> dict[str, Any]:
        """Return the request's body for an arm."""
        family = "claude" if self.api == "messages" else "chat"
        pool = "pool-claude-haiku" if family == "claude" else "pool-chat-mini"
        model = {OURS: f"{family}-auto", ALONE: pool, COMPLEXITY: f"complexity-{family}"}[arm]
        text = (QUESTION * (self.characters // len(QUESTION) + 1))[: self.characters]
        body: dict[str, Any] = proof.body_of(self.api, model, text, stream=self.stream)
        return body


ROWS = {
    "16 connections": Row(),
    "1 connection": Row(connections=1, requests=150),
    "32 connections": Row(connections=32, requests=500),
    "128 connections": Row(connections=128, requests=600),
    "2,000 characters": Row(characters=2_000),
    "100,000 characters": Row(characters=100_000, requests=100),
    "streamed": Row(stream=True),
    "Responses": Row(api="responses"),
    "Messages": Row(api="messages"),
}


def with_complexity_router(config: Path) -> Path:
    """Return a copy of a configuration with a model of LiteLLM's complexity_router for each of two families."""
    tree = yaml.safe_load(config.read_text(encoding="utf-8"))
    for family, cheap, strong in (
        ("chat", "pool-chat-mini", "pool-chat-standard"),
        ("claude", "pool-claude-haiku", "pool-claude-sonnet"),
    ):
        tiers = {"SIMPLE": cheap, "MEDIUM": cheap, "COMPLEX": strong, "REASONING": strong}
        router = {"classifier_type": "heuristic", "tiers": tiers}
        params = {
            "model": "auto_router/complexity_router",
            "complexity_router_config": router,
            "complexity_router_default_model": strong,
        }
        tree["model_list"].append({"model_name": f"complexity-{family}", "litellm_params": params})
    path = config.with_name("complexity.yaml")
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    path.chmod(0o644)
    return path


def compared(row: Row, folder: Path, rounds: int) -> dict[str, Any]:
    """Measure a row and return its figures."""

    def measure(arm: str) -> Load:
        return load(PORTS[arm], row.body(arm), folder, row.requests, row.connections, path=proof.PATHS[row.api])

    loads = in_turn(list(PORTS), measure, rounds)
    rates = {arm: [one.rate for one in found] for arm, found in loads.items()}
    first = {arm: [one.first_byte for one in found] for arm, found in loads.items()}
    return {
        "unit": "requests/s",
        "medians": medians(rates),
        "ms until the first byte": medians(first),
        **{f"ours by {other}": pairs(rates, OURS, other) for other in (ALONE, COMPLEXITY)},
        "rounds": rounds,
    }


def main() -> int:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=rounds_given, default=5)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME", help="rows by name")
    arguments = parser.parse_args()
    need_ab()
    size = serving_slot()["Config"]["Labels"].get("vibe.size")
    found: dict[str, object] = {"processors": os.cpu_count(), "slot (workers x memory)": size}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = without_plugin(folder)
        containers = {arm: f"vibe-bench-{PORTS[arm]}" for arm in (ALONE, COMPLEXITY)}
        try:
            for arm, config in ((ALONE, alone), (COMPLEXITY, with_complexity_router(alone))):
                start(containers[arm], PORTS[arm], 1, config, AS_IT_COMES, server="uvicorn")
                wait_for(PORTS[arm])
            for kind in arguments.only:
                found[kind] = compared(ROWS[kind], folder, arguments.rounds)
                print(f"{kind}: {found[kind]}", file=sys.stderr)
        finally:
            subprocess.run(["docker", "rm", "--force", *containers.values()], check=False, capture_output=True)
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

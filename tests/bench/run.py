#!/usr/bin/env python3
"""Runs one benchmark by its name, and keeps what came out with the machine that it was measured on.

    ./test.sh bench                    # which there are
    ./test.sh bench NAME [OPTIONS]     # options are the benchmark's own

Writes reports/bench/NAME.json, and NAME.svg where the benchmark has a plot; with VIBE_WRITE_DOCS=1 the plot goes to
docs/benchmarks/ as well. The tables of docs/benchmarks.md are written by hand from them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench import plots
from bench.machine import described
from rich.console import Console
from rich.table import Table

_PROJECT = Path(__file__).resolve().parents[2]
_SCRIPTS = Path(__file__).resolve().parent
_SERVING = Path("/opt/litellm-vibe-router/router/serving")
USAGE_ERROR = 2


@dataclass(frozen=True)
class Bench:
    """A benchmark: its script, what it asks, some minutes it takes, and what it needs."""

    script: str
    question: str
    minutes: float
    deployed: bool = True
    # Command and the Debian package that has it.
    tool: tuple[str, str] | None = None
    plot: Callable[[Mapping[str, Any]], str] | None = None


AB = ("ab", "apache2-utils")
BENCHES = {
    "stack": Bench("stack/throughput.py", "the whole stack by LiteLLM alone, requests/s", 15, tool=AB, plot=plots.bars),
    "servers": Bench(
        "stack/servers.py", "what serves LiteLLM: start, rate, memory, a crash", 10, tool=AB, plot=plots.crash
    ),
    "memory": Bench("stack/memory.py", "what a slot holds by its workers", 8, tool=AB, plot=plots.bars),
    "warm": Bench("stack/warm.py", "what the first clients of a new slot wait", 5, plot=plots.bars),
    "costs": Bench("stack/costs.py", "what a request costs router, gateway and Redis", 3),
    "account": Bench("stack/account.py", "whose processor time a request takes at full load", 3, tool=AB),
    "profile": Bench("stack/profile.py", "where a worker's processor time goes", 2),
    "endurance": Bench("stack/endurance.py", "what half an hour of requests loses and grows", 30, plot=plots.memory),
    "deployment": Bench("deployment/runs.py", "a run by what it changes, and a rollback", 25, plot=plots.bars),
    "fresh": Bench("deployment/fresh.py", "the first command on a machine that has nothing", 10, plot=plots.bars),
    "fleet": Bench("deployment/fleet.py", "a run with nothing to do by the number of routers", 35, plot=plots.bars),
    "control": Bench("deployment/control.py", "what a fleet costs the control node", 12),
    "plug-in": Bench("proxy/throughput.py", "what the plug-in costs, requests/s", 7, tool=AB, plot=plots.bars),
    "decision": Bench("routing/decision.py", "what a decision costs, microseconds of CPU", 0.5, deployed=False),
    "quality": Bench(
        "routing/quality.py", "how well scorers order prompts, with labels and without", 5, plot=plots.bars
    ),
    "turns": Bench("turns/simulate.py", "what moves a conversation; do workers agree", 2, deployed=False),
    "fuzz": Bench("routing/fuzz.py", "what the worst request body costs", 20, deployed=False),
    "wrong-keys": Bench("gateway/wrong_keys.py", "what wrong keys cost those who have a right one", 3, tool=AB),
}


def missing(name: str) -> str:
    """Return why a benchmark cannot run here, and the fix; "" if it can."""
    bench = BENCHES[name]
    if bench.tool and shutil.which(bench.tool[0]) is None:
        return f"{name} needs {bench.tool[0]}, which this machine lacks: apt-get install {bench.tool[1]}"
    if bench.deployed and not _SERVING.exists():
        return f"{name} measures a deployment, and this machine has none: ./deploy.sh"
    return ""


def listed() -> Table:
    """Return the benchmarks as a table."""
    table = Table("name", "asks", "minutes", "needs", box=None, pad_edge=False)
    for name, bench in BENCHES.items():
        needs = ["a deployment"] if bench.deployed else []
        if bench.tool:
            needs.append(bench.tool[0])
        table.add_row(name, bench.question, f"{bench.minutes:g}", ", ".join(needs))
    return table


def log(level: str, message: str) -> None:
    """Say a line on standard error."""
    print(f"[{time.strftime('%H:%M:%S')}] [TEST] [{level}] {message}", file=sys.stderr)


def keep(name: str, found: dict[str, Any], folder: Path) -> None:
    """Write what came out of a benchmark, and its plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    log("INFO", f"kept in {folder / name}.json")
    plot = BENCHES[name].plot
    if plot is None:
        return
    targets = [folder]
    if os.environ.get("VIBE_WRITE_DOCS"):
        targets.append(_PROJECT / "docs/benchmarks")
    for target in targets:
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{name}.svg").write_text(plot(found["found"]) + "\n", encoding="utf-8")
        log("INFO", f"plot in {target / name}.svg")


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named."""
    name = arguments[0] if arguments else ""
    if name not in BENCHES:
        Console(stderr=bool(name), soft_wrap=True).print(listed())
        if name:
            log("ERROR", f"there is no benchmark {name}")
        return USAGE_ERROR if name else 0
    if why := missing(name):
        log("ERROR", why)
        return USAGE_ERROR
    machine = described()
    log("INFO", f"{name}: {BENCHES[name].question}; some {BENCHES[name].minutes:g} minutes")
    done = subprocess.run(
        [sys.executable, str(_SCRIPTS / BENCHES[name].script), *arguments[1:]],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        cwd=_PROJECT,
    )
    print(done.stdout, end="")
    if done.returncode == 0:
        keep(name, {"bench": name, "machine": machine, "found": json.loads(done.stdout)}, _PROJECT / "reports/bench")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

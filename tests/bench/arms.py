"""What the benchmarks share: variants of the serving slot in containers of their own, and ApacheBench's rate of one.

Arms are measured in turn, in both orders, within one run, and compared pair by pair: this machine's pace changes by the
minute.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx

RELEASE = Path("/opt/litellm-vibe-router/router/current")
# What serves LiteLLM's application: as our launcher starts it, or by LiteLLM's own command line.
SERVERS = {
    "ours": "launch.serve({workers}, 120)",
    "uvicorn": (
        'os.execvpe("litellm", ["litellm", "--config", "/app/config.yaml", "--port", "4000",'
        ' "--num_workers", "{workers}"], launch.prepare()[1])'
    ),
}
# LiteLLM as it comes: without the parser of requests that our image adds. Modules of /app are found first.
AS_IT_COMES = f"--volume={Path(__file__).with_name('stack') / 'no_httptools.py'}:/app/httptools.py:ro"
Measure = TypeVar("Measure")
ENGINE = "/var/run/docker.sock"
MIB = 2**20
MIN_ROUNDS = 2
START_SECONDS, RATE_SECONDS = 180, 180


def rounds_given(text: str) -> int:
    """Return an option's number of rounds, for argparse.

    Raises:
        ArgumentTypeError: fewer than two, which have no quartiles.
    """
    if not text.isdecimal() or int(text) < MIN_ROUNDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {MIN_ROUNDS} up: one round has no quartiles")
    return int(text)


def need_ab() -> None:
    """Exit with the fix where ApacheBench is missing."""
    if shutil.which("ab") is None:
        sys.exit("ab is missing: apt-get install apache2-utils")


def master_key() -> str:
    """Return the key of this machine's throwaway deployment."""
    return str(json.loads((RELEASE / "secrets.json").read_text(encoding="utf-8"))["LITELLM_MASTER_KEY"])


def output(*words: str) -> str:
    """Return what a command prints."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def engine_account(container: str) -> dict[str, Any]:
    """Return the engine's own account of a container: processor time and memory, as its API gives them."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=ENGINE), base_url="http://engine", timeout=30) as engine:
        answer = engine.get(f"/containers/{container}/stats", params={"stream": "false", "one-shot": "true"})
    account: dict[str, Any] = answer.raise_for_status().json()
    return account


def account_mib(container: str) -> float:
    """Return MiB that the engine accounts to a container, less what is cache of files."""
    counted = engine_account(container)["memory_stats"]
    return float(counted["usage"] - counted["stats"].get("total_inactive_file", 0)) / MIB


def serving_slot() -> dict[str, Any]:
    """Return what `docker inspect` says of the serving slot."""
    name = output("docker", "ps", "--filter", "label=vibe.slot", "--format", "{{.Names}}").split()[0]
    container: dict[str, Any] = json.loads(output("docker", "inspect", name))[0]
    return container


def without_plugin(folder: Path) -> Path:
    """Return a copy of the serving release's configuration with the plug-in taken out."""
    config, found = re.subn(r"(?m)^  callbacks: .*\n", "", (RELEASE / "config.yaml").read_text(encoding="utf-8"))
    if found != 1:
        sys.exit("the release's configuration has no line of callbacks to take out")
    path = folder / "without.yaml"
    path.write_text(config, encoding="utf-8")
    path.chmod(0o644)
    folder.chmod(0o755)
    return path


def start(name: str, port: int, workers: int, config: Path, *options: str, server: str = "ours") -> str:
    """Start a container like the serving slot's, with another configuration, and return its name.

    Args:
        name: of the container.
        port: on 127.0.0.1.
        workers: processes that serve.
        config: LiteLLM's configuration.
        options: more options of `docker run`.
        server: a key of SERVERS.
    """
    # As the release starts, but for the check that refuses a configuration without the plug-in.
    launch = 'import os, sys; sys.path.insert(0, "/app"); import vibe_launch as launch;'
    launch += "launch.config_faults = lambda config, environment: [];" + SERVERS[server].format(workers=workers)
    container = serving_slot()
    mounts = [f"--volume={config}:/app/config.yaml:ro"]
    mounts += [
        f"--volume={mount['Source']}:{mount['Destination']}:ro"
        for mount in container["Mounts"]
        if mount["Destination"] != "/app/config.yaml"
    ]
    command = ["docker", "run", "--detach", f"--name={name}", "--network=vibe", "--tmpfs=/tmp", "--read-only", *options]
    command += [f"--publish=127.0.0.1:{port}:4000", f"--user={container['Config']['User']}"]
    command += [f"--workdir={container['Config']['WorkingDir']}", *mounts]
    command += [f"--env={variable}" for variable in container["Config"]["Env"]]
    # One that an interrupted run has left.
    subprocess.run(["docker", "rm", "--force", name], check=False, capture_output=True)
    output(*command, "--entrypoint=python3", container["Config"]["Image"], "-c", launch)
    return name


def wait_for(port: int, every: float = 1.0) -> None:
    """Return once the container at a port is alive; it is asked every so many seconds."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(every)


class Load(NamedTuple):
    """What ApacheBench found: requests a second, and the median of the milliseconds until an answer's first byte."""

    rate: float
    first_byte: float


def load(
    port: int,
    body: Mapping[str, Any],
    folder: Path,
    requests: int,
    connections: int,
    *before: str,
    path: str = "/v1/chat/completions",
) -> Load:
    """Ask an API with `body` over so many connections; `before` is put before ab, as taskset is."""
    file = folder / "body.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    # The key is one of this machine's throwaway deployment, and ab takes headers on its command line alone.
    command = [*before, "ab", "-q", "-l", "-k", "-n", str(requests), "-c", str(connections), "-p", str(file)]
    command += ["-T", "application/json", "-H", f"Authorization: Bearer {master_key()}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], check=True, capture_output=True, text=True, timeout=RATE_SECONDS
    )
    if "Non-2xx" in done.stdout or not re.search(r"Failed requests:\s+0\n", done.stdout):
        sys.exit(f"requests failed:\n{done.stdout}")
    rate = re.search(r"Requests per second:\s+([\d.]+)", done.stdout)
    waiting = re.search(r"Waiting:(?:\s+[\d.]+){3}\s+([\d.]+)", done.stdout)
    if rate is None or waiting is None:
        sys.exit(f"ab said no rate:\n{done.stdout}")
    return Load(float(rate[1]), float(waiting[1]))


def rate(port: int, body: Mapping[str, Any], folder: Path, requests: int, connections: int, *before: str) -> float:
    """Return requests a second of chat completions with `body`; `before` is put before ab, as taskset is."""
    return load(port, body, folder, requests, connections, *before).rate


def in_turn(arms: Sequence[str], measure: Callable[[str], Measure], rounds: int) -> dict[str, list[Measure]]:
    """Measure arms in turn, in both orders, and return what was found; a round before is for connections and caches."""
    values: dict[str, list[Measure]] = {arm: [] for arm in arms}
    for number in range(rounds + 1):
        for arm in arms if number % 2 else arms[::-1]:
            found = measure(arm)
            if number:
                values[arm].append(found)
    return values


def medians(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return each arm's median."""
    return {arm: round(statistics.median(found), 1) for arm, found in values.items()}


def pairs(values: Mapping[str, Sequence[float]], one: str, other: str) -> dict[str, Any]:
    """Return the ratio of two arms, pair by pair: its median, and its quartiles."""
    ratios = [a / b for a, b in zip(values[one], values[other], strict=True)]
    low, middle, high = (round(ratio, 3) for ratio in statistics.quantiles(ratios, n=4))
    return {"ratio": middle, "quartiles": [low, high]}


def comparison(values: Mapping[str, Sequence[float]], unit: str) -> dict[str, Any]:
    """Return two arms' medians, and of the pairs the ratio, its quartiles and the difference."""
    one, other = values
    difference = round(statistics.median(a - b for a, b in zip(values[one], values[other], strict=True)), 1)
    figures = {"unit": unit, "medians": medians(values), **pairs(values, one, other)}
    return {**figures, "difference": difference, "rounds": len(values[one])}


def compared(
    arms: Sequence[str], measure: Callable[[str], float], rounds: int, unit: str = "requests/s"
) -> dict[str, Any]:
    """Measure two arms in turn, and return their comparison."""
    return comparison(in_turn(arms, measure, rounds), unit)

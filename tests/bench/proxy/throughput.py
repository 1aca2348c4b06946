#!/usr/bin/env python3
"""What the plug-in costs the proxy: requests a second with it, by requests a second without it.

    ./deploy.sh && .venv-test/bin/python tests/bench/proxy/throughput.py

Two containers of the serving release, one worker each, on one processor; the second has the plug-in taken out of its
configuration, and is asked for the pool by name. Their arms alternate, in both orders, in one run of some seven
minutes; ApacheBench (Debian's apache2-utils) and the stub upstream work on the other processors. Prints one JSON
object, at 50 and at 2,000 characters, and for the fifth turn of a conversation, which asks Redis: the medians, and the
ratio of two arms that follow each other, its median and its quartiles over the rounds.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[3]
RELEASE = Path("/opt/litellm-vibe-router/router/current")
ROUNDS, REQUESTS, CONNECTIONS = 20, 120, 8
PORTS = {"with": 4111, "without": 4112}
START_SECONDS = 180
POOL = "pool-chat-standard"
# As the release starts, but for the check that refuses a configuration without the plug-in.
LAUNCH = """import sys; sys.path.insert(0, "/app"); import vibe_launch as launch
launch.config_faults = lambda config, environment: []
launch.serve(1, 120)"""
QUESTION = "Compare two consensus protocols and justify which one you would choose for a payment ledger. "


def main() -> int:
    """Measure, and print what came out."""
    if shutil.which("ab") is None:
        sys.exit("ab is missing: apt-get install apache2-utils")
    key = json.loads((RELEASE / "secrets.json").read_text(encoding="utf-8"))["LITELLM_MASTER_KEY"]
    with tempfile.TemporaryDirectory() as folder:
        names = [_start(arm, Path(folder)) for arm in PORTS]
        try:
            for port in PORTS.values():
                _wait_for(port)
            figures = {kind: _measured(body, key, Path(folder)) for kind, body in _bodies().items()}
        finally:
            subprocess.run(["docker", "rm", "--force", *names], check=True, capture_output=True)
    print(json.dumps(figures, indent=2))
    return 0


def _bodies() -> dict[str, dict[str, Any]]:
    def asked(length: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": (QUESTION * (length // len(QUESTION) + 1))[:length]}]

    talk: list[dict[str, str]] = []
    for text in (QUESTION, "ok go on", "and in German?", "why is that?", "go ahead"):
        talk += [{"role": "user", "content": text}, {"role": "assistant", "content": "An answer. " * 20}]
    shapes = {"50 characters": asked(50), "2,000 characters": asked(2000), "fifth turn": talk[:-1]}
    return {name: {"messages": messages, "max_tokens": 16} for name, messages in shapes.items()}


def _start(arm: str, folder: Path) -> str:
    """Start the container of *arm*, and return its name."""
    name = f"vibe-bench-{arm}"
    config = (RELEASE / "config.yaml").read_text(encoding="utf-8")
    if arm == "without":
        config, found = re.subn(r"(?m)^  callbacks: .*\n", "", config)
        if found != 1:
            sys.exit("the release's configuration has no line of callbacks to take out")
    path = folder / f"{arm}.yaml"
    path.write_text(config, encoding="utf-8")
    path.chmod(0o644)
    folder.chmod(0o755)
    serving = subprocess.run(
        ["docker", "ps", "--filter", "label=vibe.slot", "--format", "{{.Names}}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[0]
    inspected = subprocess.run(["docker", "inspect", serving], check=True, capture_output=True, text=True).stdout
    container = json.loads(inspected)[0]
    mounts = [f"--volume={path}:/app/config.yaml:ro"]
    mounts += [
        f"--volume={mount['Source']}:{mount['Destination']}:ro"
        for mount in container["Mounts"]
        if mount["Destination"] != "/app/config.yaml"
    ]
    command = ["docker", "run", "--detach", f"--name={name}", "--network=vibe", "--cpuset-cpus=0", "--tmpfs=/tmp"]
    command += [f"--publish=127.0.0.1:{PORTS[arm]}:4000", f"--user={container['Config']['User']}", "--read-only"]
    command += [f"--workdir={container['Config']['WorkingDir']}", *mounts]
    command += [f"--env={variable}" for variable in container["Config"]["Env"]]
    command += ["--entrypoint=python3", container["Config"]["Image"], "-c", LAUNCH]
    subprocess.run(command, check=True, capture_output=True)
    return name


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


def _measured(body: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    """Return the medians of both arms for *body*, and the ratio of their pairs."""
    rates: dict[str, list[float]] = {arm: [] for arm in PORTS}
    for number in range(ROUNDS + 1):
        arms = list(PORTS) if number % 2 else list(PORTS)[::-1]
        for arm in arms:
            # The virtual model is what the plug-in is for; without it the pool is named, so that both do the same.
            model = "chat-auto" if arm == "with" else POOL
            rate = _rate(PORTS[arm], {"model": model, **body}, key, folder)
            # The first round is for connections and caches.
            if number:
                rates[arm].append(rate)
    ratios = [one / other for one, other in zip(rates["with"], rates["without"], strict=True)]
    low, middle, high = (round(ratio, 3) for ratio in statistics.quantiles(ratios, n=4))
    medians = {f"requests/s {arm}": round(statistics.median(found), 1) for arm, found in rates.items()}
    return {**medians, "ratio": middle, "quartiles": [low, high]}


def _rate(port: int, body: dict[str, Any], key: str, folder: Path) -> float:
    path = folder / "body.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    # The key is one of this machine's throwaway deployment, and ab takes headers on its command line alone.
    command = ["taskset", "-c", "1", "ab", "-q", "-l", "-n", str(REQUESTS), "-c", str(CONNECTIONS), "-p", str(path)]
    command += ["-T", "application/json", "-H", f"Authorization: Bearer {key}"]
    done = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/v1/chat/completions"],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "Non-2xx" in done.stdout or not re.search(r"Failed requests:\s+0\n", done.stdout):
        sys.exit(f"requests failed:\n{done.stdout}")
    found = re.search(r"Requests per second:\s+([\d.]+)", done.stdout)
    if found is None:
        sys.exit(f"ab said no rate:\n{done.stdout}")
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())

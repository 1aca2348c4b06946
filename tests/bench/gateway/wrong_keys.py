#!/usr/bin/env python3
"""What wrong keys at speed cost those who have a right one: the p99 of right requests, with and without a flood.

    ./deploy.sh && .venv-test/bin/python tests/bench/gateway/wrong_keys.py

Both arms alternate in one run of about three minutes. Right requests come at a fixed rate whatever the answers take (an
open loop); in the second arm ApacheBench (Debian's apache2-utils) sends 1,000 requests with a wrong key, as fast as
they are answered. Prints one JSON object. An arm's p99 is the median of its rounds', so that one hiccup of the machine
does not decide; `ratio` is the p99 with the flood by the p99 without it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import need_ab
from e2e.machine import client_settings

ROUNDS = 6
ARM_SECONDS = 12.0
RIGHT_PER_SECOND = 20
WRONG_KEYS = 1000
WRONG_CONNECTIONS = 100
BODY = {"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 16}


def right_requests(client: httpx.Client) -> list[float]:
    """Return the milliseconds of each right request of one arm, counted from when it was due."""

    def send(due: float) -> float:
        time.sleep(max(0.0, due - time.monotonic()))
        client.post("/chat/completions", json=BODY).raise_for_status()
        return (time.monotonic() - due) * 1000

    start = time.monotonic() + 0.1
    dues = [start + index / RIGHT_PER_SECOND for index in range(round(ARM_SECONDS * RIGHT_PER_SECOND))]
    with ThreadPoolExecutor(max_workers=64) as senders:
        return list(senders.map(send, dues))


def flood(url: str, body: Path) -> None:
    """Send WRONG_KEYS requests with a wrong key in the middle of an arm."""
    time.sleep(1.0)
    # Niced: in real life its work is done on other machines.
    command = [
        "nice",
        "-n",
        "19",
        "ab",
        "-q",
        "-n",
        str(WRONG_KEYS),
        "-c",
        str(WRONG_CONNECTIONS),
        "-T",
        "application/json",
    ]
    command += ["-p", str(body), "-H", "Authorization: Bearer sk-not-the-key-of-this-gateway"]
    done = subprocess.run([*command, f"{url}/chat/completions"], capture_output=True, text=True, timeout=60, check=True)
    assert f"Non-2xx responses:      {WRONG_KEYS}" in done.stdout, done.stdout


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def main() -> int:
    """Run the alternations and print the figures."""
    need_ab()
    settings = client_settings()
    url, key = settings["OPENAI_BASE_URL"], settings["OPENAI_API_KEY"]
    alone: list[list[float]] = []
    flooded: list[list[float]] = []
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body.json"
        body.write_text(json.dumps(BODY), encoding="utf-8")
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            right_requests(client)
            for _ in range(ROUNDS):
                alone.append(right_requests(client))
                attack = threading.Thread(target=flood, args=(url, body))
                attack.start()
                flooded.append(right_requests(client))
                attack.join()
    figures: dict[str, float] = {"requests_an_arm": sum(map(len, alone))}
    for name, rounds in (("alone", alone), ("flooded", flooded)):
        figures[f"p50_ms_{name}"] = statistics.median(map(statistics.median, rounds))
        figures[f"p99_ms_{name}"] = statistics.median(map(p99, rounds))
    figures["ratio"] = figures["p99_ms_flooded"] / figures["p99_ms_alone"]
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}, indent=1))
    print("p99 by round, ms: alone", *(round(p99(times)) for times in alone), file=sys.stderr)
    print("p99 by round, ms: flooded", *(round(p99(times)) for times in flooded), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

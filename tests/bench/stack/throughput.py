#!/usr/bin/env python3
"""What the whole stack serves: requests a second through the gateway, by those of LiteLLM as its compose file runs it.

    ./deploy.sh && .venv-test/bin/python tests/bench/stack/throughput.py

LiteLLM's arm is the serving release's image with the plug-in taken out and one worker, asked directly and for the pool
by name; ours is the deployment as it stands, asked for the virtual model through the gateway. Their arms alternate, in
both orders, in one run of some five minutes; ApacheBench and the stub upstream share the processors with both. Prints
one JSON object with the medians and the ratio at 16 and 32 connections.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench.arms import compared, need_ab, rate, serving_slot, start, wait_for, without_plugin

ROUNDS, REQUESTS = 6, 600
PORTS = {"ours": 4000, "LiteLLM alone": 4112}
MODELS = {"ours": "chat-auto", "LiteLLM alone": "pool-chat-mini"}


def main() -> int:
    """Measure, and print what came out."""
    need_ab()
    size = serving_slot()["Config"]["Labels"].get("vibe.size")
    found: dict[str, object] = {"processors": os.cpu_count(), "slot (workers x memory)": size}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone = start("vibe-bench-alone", PORTS["LiteLLM alone"], 1, without_plugin(folder), server="uvicorn")
        try:
            wait_for(PORTS["LiteLLM alone"])
            for connections in (16, 32):

                def measure(arm: str, connections: int = connections) -> float:
                    body = {"model": MODELS[arm], "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}
                    return rate(PORTS[arm], body, folder, REQUESTS, connections)

                found[f"{connections} connections"] = compared(list(PORTS), measure, ROUNDS)
        finally:
            subprocess.run(["docker", "rm", "--force", alone], check=True, capture_output=True)
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

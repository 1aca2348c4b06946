"""LiteLLM's server suits the gateway: idle connections stay open, and a long stream ends before its slot stops."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Thread

import httpx
from e2e import variant
from e2e.machine import run

RELEASE = Path("/opt/litellm-vibe-router/router/current")
# Longer than gunicorn's defaults: 2 s for idle connections, and 30 s for open requests when it stops.
IDLE_SECONDS, STREAM_SECONDS, STOP_SECONDS = 4, 34, 90


def test_an_idle_connection_stays_and_a_long_stream_ends_before_the_slot(
    deployed: dict[str, str], tmp_path: Path
) -> None:
    release = variant.copy_release(RELEASE, tmp_path, lambda config: None)
    headers = {"Authorization": f"Bearer {deployed['OPENAI_API_KEY']}"}
    text = f"Say it slowly. [[stub:chunks={STREAM_SECONDS},interval=1]]"
    body = {"model": "pool-chat-mini", "stream": True, "messages": [{"role": "user", "content": text}]}
    with variant.serving(release) as url, httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        variant.wait_until_ready(url)

        def connection() -> object:
            with client.stream("GET", "/health/liveliness") as answer:
                answer.read()
                return answer.extensions["network_stream"].get_extra_info("socket").getsockname()

        opened = connection()
        time.sleep(IDLE_SECONDS)
        assert connection() == opened
        stopping = Thread(target=run, args=("docker", "stop", "--time", str(STOP_SECONDS), variant.NAME))
        began = time.monotonic()
        with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("data:")
            stopping.start()
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert time.monotonic() - began >= STREAM_SECONDS - 2
        stopping.join()
        state = run("docker", "inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", variant.NAME).stdout
        assert state.strip() == "0 false"

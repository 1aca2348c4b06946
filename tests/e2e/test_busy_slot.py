"""A busy slot is not taken out: it accepts connections, and answers its health checks late."""

import threading
import time

import pytest
from e2e.machine import chat, containers, run

# Three checks of 1.5 s used to take a slot out; after this time nothing served.
BEFORE_THE_REQUEST_SECONDS = 8.0
FROZEN_SECONDS = 11.0


@pytest.fixture
def frozen(deployed: dict[str, str]) -> None:
    """Pause the serving slot for a while, as on a host with busy processors."""
    slot = next(name for name in containers() if name.startswith("litellm-vibe-router-"))
    run("docker", "pause", slot)
    threading.Timer(FROZEN_SECONDS, lambda: run("docker", "unpause", slot)).start()
    time.sleep(BEFORE_THE_REQUEST_SECONDS)


@pytest.mark.usefixtures("frozen")
def test_a_request_to_a_slot_that_answers_late_is_answered(deployed: dict[str, str]) -> None:
    answer = chat(deployed, "hi")
    assert answer.status_code == 200, answer.text

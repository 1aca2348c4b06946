"""A slot that is busy is not taken for a dead one: it accepts connections, and answers its health checks late."""

import threading
import time

import pytest
from e2e.machine import chat, containers, run

# Three checks of 1.5 s took a slot out: after so long nothing served any more.
BEFORE_THE_REQUEST_SECONDS = 8.0
FROZEN_SECONDS = 11.0


@pytest.fixture
def frozen(deployed: dict[str, str]) -> None:
    """The serving slot is paused for a while, as on a host whose processors are all at work."""
    slot = next(name for name in containers() if name.startswith("litellm-vibe-router-"))
    run("docker", "pause", slot)
    threading.Timer(FROZEN_SECONDS, lambda: run("docker", "unpause", slot)).start()
    time.sleep(BEFORE_THE_REQUEST_SECONDS)


@pytest.mark.usefixtures("frozen")
def test_a_request_to_a_slot_that_answers_late_is_answered(deployed: dict[str, str]) -> None:
    answer = chat(deployed, "hi")
    assert answer.status_code == 200, answer.text

"""A recent crash of a container is a failed check, an older one a note; a container with a new address is found."""

import json
import re
from collections.abc import Iterator

import pytest
from e2e.machine import PLAYBOOK, chat, run, wait_for

CONTAINER = "vibe-stub-upstream"
BLOCKERS = tuple(f"vibe-test-blocker-{number}" for number in range(8))
# Several times __router_dns_cache_time, and far below LiteLLM's own 300 s.
FOUND_AGAIN_SECONDS = 60
# Several intervals of the stub's health check: engines before 25 have no start interval.
HEALTHY_SECONDS = 60


def _address(container: str) -> str:
    networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return run("docker", "inspect", "--format", networks, container).stdout.strip()


def _renew_stub(settings: dict[str, str]) -> None:
    """Replace the stub with a new container, and wait until the routers reach it."""
    run("docker", "rm", "--force", CONTAINER)
    run("./deploy.sh", "--tags", "stub_upstream")
    wait_for(lambda: chat(settings, "hi").status_code == 200, FOUND_AGAIN_SECONDS)


@pytest.fixture
def old_address_is_taken(deployed: dict[str, str]) -> Iterator[str]:
    """Give the stub's address to another container; return the address."""
    address = _address(CONTAINER)
    assert chat(deployed, "hi").status_code == 200
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", CONTAINER).stdout.strip()
    run("docker", "rm", "--force", CONTAINER)
    # The engine assigns the lowest free address, which may be lower than the stub's.
    for blocker in BLOCKERS:
        run("docker", "run", "--detach", "--name", blocker, "--network", "vibe", "--entrypoint", "sleep", image, "600")
        if _address(blocker) == address:
            break
    yield address
    run("docker", "rm", "--force", *BLOCKERS)


def test_an_upstream_that_comes_back_at_another_address_is_found_again(
    deployed: dict[str, str], old_address_is_taken: str
) -> None:
    _renew_stub(deployed)
    assert _address(CONTAINER) != old_address_is_taken


@pytest.fixture(scope="module")
def crashed(deployed: dict[str, str]) -> Iterator[None]:
    """Kill the stub's program once, so that the engine restarts it; afterwards replace the container."""
    pid = run("docker", "inspect", "--format", "{{.State.Pid}}", CONTAINER).stdout.strip()
    assert int(pid) > 1, f"{CONTAINER} does not run"
    run("kill", "-9", pid)
    # Its previous state is reported for another moment, so "healthy" alone does not show a restart.
    state = ("docker", "inspect", "--format", "{{.RestartCount}} {{.State.Health.Status}}", CONTAINER)
    wait_for(lambda: run(*state).stdout.strip() == "1 healthy", HEALTHY_SECONDS, lambda: run(*state).stdout)
    yield
    _renew_stub(deployed)


def _verify(minutes: int) -> tuple[int, str]:
    variables = json.dumps({"verification_restart_quiet_minutes": minutes, "verification_live_requests": False})
    done = run(PLAYBOOK, "playbooks/verify.yml", "--extra-vars", variables, check=False)
    return done.returncode, " ".join(done.stdout.split())


@pytest.mark.usefixtures("crashed")
def test_a_fresh_crash_is_red() -> None:
    code, said = _verify(10)
    assert code != 0
    assert f"{CONTAINER} was restarted once" in said
    assert "that is less than 10 minutes ago" in said


@pytest.mark.usefixtures("crashed")
def test_an_older_crash_is_a_note_with_its_time_and_exit_code() -> None:
    code, said = _verify(0)
    assert code == 0, said
    noted = rf"{CONTAINER} was restarted once, last at \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ with exit code 137"
    assert re.search(noted, said), said

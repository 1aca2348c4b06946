"""A container that crashed: red while it is fresh, a note with time and exit code when it is not."""

import json
import re
from collections.abc import Iterator

import pytest
from e2e.machine import PLAYBOOK, run

CONTAINER = "vibe-stub-upstream"


@pytest.fixture(scope="module")
def crashed(deployed: dict[str, str]) -> Iterator[None]:
    """The stub's program, killed once and started again by the engine; afterwards a new container."""
    pid = run("docker", "inspect", "--format", "{{.State.Pid}}", CONTAINER).stdout.strip()
    run("kill", "-9", pid)
    run(
        "bash",
        "-c",
        f"for i in $(seq 60); do docker ps -qf name={CONTAINER} -f health=healthy | grep . && exit; sleep 1; done",
    )
    assert run("docker", "inspect", "--format", "{{.RestartCount}}", CONTAINER).stdout.strip() == "1"
    yield
    run("docker", "rm", "--force", CONTAINER)
    run("./deploy.sh", "--tags", "stub_upstream")


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

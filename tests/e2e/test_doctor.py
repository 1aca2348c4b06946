"""The doctor finds the fault of a real deployment by its symptom, and suggests a fix."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import yaml
from e2e.machine import PROJECT, Run, containers, haproxy, run, servers, wait_for

ROUTER = Path("/opt/litellm-vibe-router/router")
SETTINGS = PROJECT / "inventory/local/.secrets/client.env"
READY_SECONDS = 90
REDIS = "docker exec vibe-redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli \"$@\"' redis-cli "


def _slot() -> str:
    return f"litellm-vibe-router-{(ROUTER / 'serving').readlink().stem}"


def _server() -> str:
    return f"routers/local-{(ROUTER / 'serving').readlink().stem}"


def _walk(settings: Path = SETTINGS) -> Run:
    """Walk as playbooks/doctor.yml does, without the three seconds of Ansible."""
    case = str(PROJECT / "reports/local/doctor/case.json")
    program = (str(PROJECT / ".venv/bin/python"), "-B", str(PROJECT / "tests/deployed/diagnose.py"))
    return run(*program, "--case", case, "--env-file", str(settings), check=False)


@pytest.fixture(scope="module")
def case(deployed: dict[str, str]) -> Run:
    """Walk over a sound deployment, which saves the case for walks over broken ones."""
    return run("./deploy.sh", "doctor")


def test_no_link_is_broken_in_a_sound_deployment(case: Run) -> None:
    assert "No link is broken." in case.stdout
    assert "BROKEN" not in case.stdout
    assert "sk-" not in case.stdout
    assert (PROJECT / "reports/local/doctor/case.json").stat().st_mode & 0o777 == 0o600


def _settle() -> None:
    """Wait until all is healthy again: a paused container is unhealthy until its next check."""
    health = ("docker", "inspect", "--format", "{{.State.Health.Status}}", *containers())
    wait_for(lambda: set(run(*health).stdout.split()) == {"healthy"}, READY_SECONDS, lambda: run(*health).stdout)
    wait_for(lambda: servers()[_server().split("/")[1]] == "UP", READY_SECONDS, servers)


@contextmanager
def _done(do: tuple[str, ...], undo: tuple[str, ...]) -> Iterator[None]:
    run(*do)
    try:
        yield
    finally:
        run(*undo)
        _settle()


def _stopped(name: str) -> AbstractContextManager[None]:
    return _done(("docker", "stop", "--time", "2", name), ("docker", "start", name))


@contextmanager
def _another_program_has_the_port() -> Iterator[None]:
    with _stopped("vibe-gateway"):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/var/empty")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 4000), handler) as program:
            threading.Thread(target=program.serve_forever).start()
            yield
            program.shutdown()


@contextmanager
def _drained() -> Iterator[None]:
    haproxy(f"set server {_server()} state maint")
    try:
        yield
    finally:
        haproxy(f"set server {_server()} state ready")


@contextmanager
def _configuration(change: Callable[[dict[str, dict[str, object]]], object]) -> Iterator[None]:
    """Edit the container's configuration in place: a new file would not be the mounted one."""
    file = (ROUTER / "current/config.yaml").resolve()
    before = file.read_text(encoding="utf-8")
    config = yaml.safe_load(before)
    change(config)
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")


# The fault, the link that it breaks, a word of the finding, a word of the fix.
FAULTS: dict[str, tuple[Callable[[], AbstractContextManager[None]], str, str, str]] = {
    "gateway was stopped": (
        lambda: _stopped("vibe-gateway"),
        "Gateway port is open",
        "connection refused; local: exited",
        "docker start vibe-gateway",
    ),
    "another program has the port": (
        _another_program_has_the_port,
        "Gateway answers",
        "text/html",
        "another program has that port",
    ),
    "slot was stopped": (
        lambda: _stopped(_slot()),
        "Serving slot runs (local)",
        "exited",
        "docker start litellm-vibe-router-",
    ),
    "slot hangs": (
        lambda: _done(("docker", "pause", _slot()), ("docker", "unpause", _slot())),
        "Serving slot runs (local)",
        "paused",
        "docker unpause",
    ),
    "slot was drained": (_drained, "Gateway sends to the serving slots (local)", "MAINT", "enables it again"),
    "hook is in general_settings": (
        lambda: _configuration(
            lambda config: config["general_settings"].update(callbacks=config["litellm_settings"].pop("callbacks"))
        ),
        "Hook is registered (local)",
        "it is in general_settings",
        "./deploy.sh renders it again",
    ),
    "timeout is short": (
        lambda: _configuration(lambda config: config["litellm_settings"].update(request_timeout=5)),
        "Timeouts fit each other (local)",
        "5 s",
        "router_request_timeout",
    ),
    "Redis was stopped": (lambda: _stopped("vibe-redis"), "Redis runs (local)", "exited", "docker start vibe-redis"),
    "Redis takes no writes": (
        lambda: _done(
            ("sh", "-c", REDIS + "replicaof 127.0.0.1 1"),
            ("sh", "-c", REDIS + "replicaof no one"),
        ),
        "Redis accepts writes (local)",
        "a replica",
        "redis role",
    ),
    "provider is away": (
        lambda: _stopped("vibe-stub-upstream"),
        "Every pool answers",
        "nothing answers at its api_base",
        "is it up",
    ),
}


@pytest.mark.usefixtures("case")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_at_its_link(fault: str) -> None:
    broken, link, found, fix = FAULTS[fault]
    with broken():
        done = _walk()
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    where = lines.index(f"  BROKEN  {link}")
    assert found in lines[where + 2]
    assert fix in lines[where + 3]
    assert done.stdout.count("BROKEN") == 1
    assert "sk-" not in done.stdout


@pytest.mark.usefixtures("case")
def test_a_wrong_key_is_found_from_a_clients_machine(deployed: dict[str, str], tmp_path: Path) -> None:
    settings = tmp_path / "client.env"
    settings.write_text(
        f"export OPENAI_BASE_URL={deployed['OPENAI_BASE_URL']}\nexport OPENAI_API_KEY=sk-wrong\n", encoding="utf-8"
    )
    done = run(".venv/bin/python", "tests/deployed/diagnose.py", "--env-file", str(settings), check=False)
    assert done.returncode == 1
    assert "BROKEN  Key is known" in done.stdout
    assert "The gateway does not know this API key" in done.stdout


@pytest.mark.usefixtures("case")
def test_the_playbook_fails_with_the_broken_link(deployed: dict[str, str]) -> None:
    with _drained():
        done = run("./deploy.sh", "doctor", check=False)
    assert done.returncode == 2
    assert "Gateway sends to the serving slots (local)" in done.stdout
    assert json.loads((PROJECT / "reports/local/doctor/case.json").read_text(encoding="utf-8"))["live"] is True

"""One deployment at a time: refused while another runs, the lock released however a run ends, and recorded."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.machine import PLAYBOOK, PROJECT, Run, containers, record, run

LOCK = Path("/opt/litellm-vibe-router/deployment/lock.json")
SECRETS = PROJECT / "inventory/local/.secrets"
# A run takes the lock during preflight; do not wait long for a run that never does.
LOCKED_SECONDS = 120


@pytest.fixture
def somebody_elses(deployed: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A lock that another run has just taken."""
    now = time.time()
    holder = {"run": "theirs", "by": "ada@desk", "action": "deploy", "message": "", "since": "now", "at": now}
    LOCK.write_text(json.dumps({**holder, "renewed": now}), encoding="utf-8")
    yield holder
    LOCK.unlink(missing_ok=True)


def _stage(*options: str, check: bool = True) -> Run:
    return run(PLAYBOOK, "site.yml", "--tags", "redis", *options, check=check)


def test_a_run_is_refused_with_the_holder_and_what_frees_it(somebody_elses: dict[str, Any]) -> None:
    before = containers(), LOCK.read_text(encoding="utf-8")
    done = _stage(check=False)
    said = " ".join(done.stdout.split())
    assert done.returncode != 0
    assert "The deployment of local is held by ada@desk, run theirs (deploy)" in said
    assert "free it with: ./deploy.sh unlock" in said
    assert "changed=0" in said
    assert (containers(), LOCK.read_text(encoding="utf-8")) == before, "the refused run freed the other's lock"


def test_secrets_are_not_made_anew_under_another_run(somebody_elses: dict[str, Any]) -> None:
    before = {path: path.read_bytes() for path in SECRETS.iterdir() if path.is_file()}
    done = run(PLAYBOOK, "playbooks/rotate_secrets.yml", check=False)
    assert done.returncode != 0
    assert "The deployment of local is held by ada@desk" in " ".join(done.stdout.split())
    assert {path: path.read_bytes() for path in SECRETS.iterdir() if path.is_file()} == before


def test_checks_and_dry_runs_need_no_lock(somebody_elses: dict[str, Any]) -> None:
    run(PLAYBOOK, "site.yml", "--tags", "preflight")
    _stage("--check")
    assert json.loads(LOCK.read_text(encoding="utf-8"))["run"] == "theirs"


def test_it_is_freed_by_hand_and_that_is_recorded(somebody_elses: dict[str, Any]) -> None:
    done = run(PLAYBOOK, "playbooks/unlock.yml")
    assert "Freed: the lock of ada@desk, run theirs" in done.stdout
    assert not LOCK.exists()
    assert {name: record()[-1][name] for name in ("action", "run", "message")} == {
        "action": "unlock",
        "run": "theirs",
        "message": "freed by hand",
    }


def test_one_that_was_not_renewed_is_taken_over(somebody_elses: dict[str, Any]) -> None:
    done = _stage("-e", "deployment_lock_ttl=0")
    assert "The lock of ada@desk, run theirs, had not been renewed" in done.stdout
    assert not LOCK.exists(), "the run that took it over freed it at its end"


# Ctrl-C, a termination signal, a closed terminal.
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_frees_it_and_is_recorded(deployed: dict[str, str], number: signal.Signals) -> None:
    environment = ("env", f"ANSIBLE_CONFIG={PROJECT / 'ansible.cfg'}")
    command = [*environment, PLAYBOOK, "site.yml"]
    running = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None
    assert running.stderr is not None
    try:
        end = time.monotonic() + LOCKED_SECONDS
        while not LOCK.exists():
            assert time.monotonic() < end
            assert running.poll() is None
            time.sleep(0.1)
        mine = json.loads(LOCK.read_text(encoding="utf-8"))["run"]
        if number == signal.SIGHUP:
            running.stdout.close()
            running.stderr.close()
        running.send_signal(number)
        assert running.wait(timeout=60) != 0
    finally:
        running.kill()
    assert not LOCK.exists()
    assert {name: record()[-1][name] for name in ("action", "outcome", "run", "message")} == {
        "action": "deploy",
        "outcome": "failed",
        "run": mine,
        "message": "interrupted",
    }


def test_the_record_is_shown_as_a_table(deployed: dict[str, str]) -> None:
    _stage("-e", "deployment_message='a better Redis'")
    said = run("./deploy.sh", "audit", "--last", "1", as_users_see_it=True).stdout
    assert "time (UTC)" in said
    assert "a better Redis" in said
    assert said.count(" deploy ") == 1
    [line] = json.loads(run("./deploy.sh", "audit", "--last", "1", "--json").stdout)
    assert line["message"] == "a better Redis"

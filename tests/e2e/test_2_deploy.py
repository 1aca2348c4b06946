"""One command deploys and proves it; a second one finds nothing to do."""

import os
import re
import sys
from collections.abc import Iterator

import pytest
import yaml
from e2e.machine import PROJECT, Run, changed, containers, run

# What a run with nothing to do costs is its tasks, some 0.1 s each, and its round trips to the host (20), each a module
# of 0.4 s. Lower these with them.
MOST_TASKS = 76
MOST_ROUND_TRIPS = 22


def test_one_command_deploys_and_says_what_runs_and_where_requests_go(first_deployment: Run) -> None:
    assert first_deployment.returncode == 0, first_deployment.stdout[-6000:] + first_deployment.stderr[-2000:]
    summary = first_deployment.stdout[first_deployment.stdout.rindex("TASK [Deployment]") :]
    assert re.search(r"Gateway\s+http://127\.0\.0\.1:4000", summary)
    assert re.search(r"Checks\s+\d+ good, 0 failed, 0 left out", summary), "a check that is left out proves nothing"
    for name in ("litellm", "redis", "haproxy"):
        assert re.search(rf"{name}\s+(present|loaded|pulled|built): ", summary), summary
    for virtual, cheap, strong in (
        ("chat-auto", "pool-chat-mini", "pool-chat-standard"),
        ("codex-auto", "pool-codex-mini", "pool-codex-heavy"),
        ("claude-auto", "pool-claude-haiku", "pool-claude-sonnet"),
    ):
        assert re.search(rf"{virtual}\s+simple\s+-> {cheap}\s", summary), summary
        assert re.search(rf"{virtual}\s+complex\s+-> {strong}\s", summary), summary


def test_no_client_meets_a_workers_first_request(first_deployment: Run) -> None:
    said = " ".join(first_deployment.stdout.split())
    if "TASK [router : Slot has proved itself]" not in said:
        pytest.skip("the release served already, so no slot was started")
    warmed = re.search(r"(\d+) of (\d+) workers warmed by \d+ requests", said)
    assert warmed
    assert warmed[1] == warmed[2], warmed[0]


def test_a_second_run_changes_nothing(deployed: dict[str, str]) -> None:
    before = containers()
    # So verbose that Ansible says each command that it gives to a host.
    done = run("./deploy.sh", ANSIBLE_VERBOSITY="3")
    assert changed(done.stdout) == 0, done.stdout
    assert containers() == before
    assert done.stdout.count("> EXEC ") <= MOST_ROUND_TRIPS, "what would be a round trip over SSH"
    assert int(re.findall(r"\bok=(\d+)", done.stdout)[-1]) <= MOST_TASKS


def numbers() -> Iterator[str]:
    """Every number and yes or no among the roles' defaults, as -e has it: a text."""
    for path in sorted(PROJECT.glob("roles/*/defaults/main.yml")):
        for name, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if isinstance(value, (bool, int, float)):
                yield f"{name}={value}"


def test_a_dry_run_on_a_deployed_machine_reports_no_change(deployed: dict[str, str]) -> None:
    done = run("./deploy.sh", "--check", "--diff", *(word for each in numbers() for word in ("-e", each)))
    assert changed(done.stdout) == 0, done.stdout


def test_a_dry_run_shows_the_difference_to_the_serving_release(deployed: dict[str, str]) -> None:
    before = containers()
    done = run("./deploy.sh", "--check", "--diff", "-e", "router_cooldown_time=77")
    assert re.search(r"^\+\s+cooldown_time: 77$", done.stdout, flags=re.MULTILINE), done.stdout
    assert re.search(r"^-\s+cooldown_time: 30$", done.stdout, flags=re.MULTILINE), done.stdout
    assert containers() == before


def test_the_clients_settings_work_in_a_shell(deployed: dict[str, str]) -> None:
    script = 'eval "$(./deploy.sh env)" && cd tests && "$0" -c "from test_route import test_health; test_health()"'
    run("bash", "-c", script, sys.executable)


def test_the_clients_settings_are_for_their_owner_alone(deployed: dict[str, str]) -> None:
    assert os.stat(PROJECT / "inventory/local/.secrets/client.env").st_mode & 0o777 == 0o600


def test_the_static_checks_of_verify_py_hold(deployed: dict[str, str]) -> None:
    done = run(sys.executable, "tests/verify.py", "--url", "http://127.0.0.1:4000")
    assert "FAILED" not in done.stdout.replace("0 FAILED", ""), done.stdout


def test_a_decision_can_be_read_from_the_containers_log(deployed: dict[str, str]) -> None:
    router = next(name for name in containers() if name.startswith("litellm-vibe-router-"))
    log = run("docker", "logs", router)
    decisions = [line for line in (log.stdout + log.stderr).splitlines() if "ROUTING DECISION" in line]
    assert any("virtual_model=claude-auto" in line and "pool=pool-claude-haiku" in line for line in decisions)

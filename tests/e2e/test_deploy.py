"""One command deploys and verifies; a second run has nothing to do."""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from e2e.machine import PROJECT, Run, changed, chat, containers, run
from host.registry import CONTAINER_ROLES
from host.suite import checks_of

# A run with nothing to do costs about 0.1 s per task, and 0.4 s per round trip to the host.
# Lower these limits with the numbers.
MOST_TASKS = 76
MOST_ROUND_TRIPS = 22


# Lines on the terminal: of a fresh deployment, and of one with nothing to do.
MOST_LINES, MOST_LINES_WITH_NOTHING_TO_DO = 45, 25
STEPS = ("1/5 preflight", "2/5 prepare", "3/5 stage", "4/5 rollout", "5/5 verify")


def _assert_summary_is_last(output: str) -> None:
    """Fail unless *output* ends with the summary: address, images, decisions, checks, report, log and next command."""
    assert [step for step in STEPS if not re.search(rf"^[✓·] {step}", output, re.MULTILINE)] == [], output
    summary = output[output.rindex("\nVersion ") :]
    assert re.search(r"Gateway\s+http://127\.0\.0\.1:4000", summary)
    assert re.search(r"Checks\s+\d+ passed, 0 failed, 0 skipped", summary), "a check that is skipped proves nothing"
    for name in ("litellm", "redis", "haproxy"):
        assert re.search(rf"{name}\s+(present|loaded|pulled|built)\s", summary), summary
    for virtual, cheap, strong in (
        ("chat-auto", "pool-chat-mini", "pool-chat-standard"),
        ("codex-auto", "pool-codex-mini", "pool-codex-heavy"),
        ("claude-auto", "pool-claude-haiku", "pool-claude-sonnet"),
    ):
        assert re.search(rf"{virtual}\s+simple\s+→ {cheap}\s", summary), summary
        assert re.search(rf"{virtual}\s+complex\s+→ {strong}\s", summary), summary
    assert summary.splitlines()[-1] == 'Next       eval "$(./deploy.sh env)"'
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", output), "control characters outside a terminal"


def _log_of(output: str) -> Path:
    found = re.search(r"^Log +(reports/local/log/\S+)$", output, re.MULTILINE)
    assert found, output
    return PROJECT / found[1]


def test_one_command_deploys_and_says_what_runs_and_where_requests_go(first_deployment: Run) -> None:
    assert first_deployment.returncode == 0, first_deployment.stdout[-6000:] + first_deployment.stderr[-2000:]
    _assert_summary_is_last(first_deployment.stdout)
    assert len(first_deployment.stdout.splitlines()) <= MOST_LINES, first_deployment.stdout
    assert _log_of(first_deployment.stdout).stat().st_mode & 0o777 == 0o600


def test_no_client_meets_a_workers_first_request(first_deployment: Run) -> None:
    said = " ".join(_log_of(first_deployment.stdout).read_text(encoding="utf-8").split())
    if "TASK [router : Check that the slot answers correctly]" not in said:
        pytest.skip("the release served already, so no slot was started")
    warmed = re.search(r"(\d+) of (\d+) workers warmed by \d+ requests", said)
    assert warmed
    assert warmed[1] == warmed[2], warmed[0]


def test_a_run_with_nothing_to_do_is_short(deployed: dict[str, str]) -> None:
    done = run("./deploy.sh", as_users_see_it=True)
    _assert_summary_is_last(done.stdout)
    assert len(done.stdout.splitlines()) <= MOST_LINES_WITH_NOTHING_TO_DO, done.stdout
    assert re.search(r"^Deployed in .*: nothing to change on 1 host$", done.stdout, re.MULTILINE), done.stdout


def test_a_failure_names_task_host_problem_fix_and_log(deployed: dict[str, str]) -> None:
    done = run("./deploy.sh", "-e", "gateway_port=70000", check=False, as_users_see_it=True)
    assert done.returncode != 0
    said = done.stdout.splitlines()
    assert "1. gateway_port: 70000 is outside the range 1 to 65535." in said
    assert "   Fix: give a number in this range." in said
    assert "✗ local: preflight : Fail if there are findings" in said
    assert said[-1].startswith("Log: reports/local/log/")
    assert "Version " not in done.stdout, "a failed run has no summary"


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_XX.UTF-8"])
def test_any_locale_works(locale: str, deployed: dict[str, str]) -> None:
    assert json.loads(run("./deploy.sh", "status", "--json", LC_ALL=locale, LANG=locale).stdout)


def test_the_effective_configuration_names_the_file_of_each_value(deployed: dict[str, str]) -> None:
    settings = {row["option"]: row for row in json.loads(run("./deploy.sh", "config", "--json").stdout)}
    assert settings["gateway_port"] == {
        "option": "gateway_port",
        "value": 4000,
        "source": "inventory/local/group_vars/all/hosts.yml",
    }
    assert settings["router_master_key"]["value"] == "(not shown)"
    assert deployed["OPENAI_API_KEY"] not in json.dumps(settings)
    assert "router_workers" not in settings
    everything = run("./deploy.sh", "config", "--json", "--all").stdout
    assert {"option": "router_workers", "value": "auto", "source": "default"} in json.loads(everything)


def test_the_logs_of_all_containers_can_be_read_by_request(deployed: dict[str, str]) -> None:
    answer = chat(deployed, "hi")
    request = answer.headers["x-litellm-call-id"]
    lines = run("./deploy.sh", "logs", "--since", "1m", "--request", request).stdout.splitlines()
    assert any("ROUTING DECISION" in line and " local litellm-vibe-router-" in line for line in lines), lines
    assert all(request in line for line in lines)
    assert run("./deploy.sh", "logs", "--since", "$(id)", check=False).returncode == 5


def test_a_second_run_changes_nothing(deployed: dict[str, str]) -> None:
    before = containers()
    # So verbose that Ansible prints each command that it sends to a host.
    done = run("./deploy.sh", ANSIBLE_VERBOSITY="3")
    assert changed(done.stdout) == 0, done.stdout
    assert containers() == before
    assert done.stdout.count("> EXEC ") <= MOST_ROUND_TRIPS, "what would be a round trip over SSH"
    assert int(re.findall(r"\bok=(\d+)", done.stdout)[-1]) <= MOST_TASKS


def numbers() -> Iterator[str]:
    """Every number and boolean among the roles' defaults, as -e passes it: as text."""
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


def test_host_checks_pass_without_pytest_and_packages(deployed: dict[str, str]) -> None:
    # -S: as on a host whose Python has no packages.
    done = run(sys.executable, "-B", "-S", "tests/verify.py")
    assert re.search(r"checks: [1-9]\d+ ok, 0 FAILED, 0 skipped", done.stderr), done.stderr
    titles = {line.rpartition("  ")[0].rstrip() for line in done.stdout.splitlines()}
    assert titles == {check.title for check in checks_of(CONTAINER_ROLES)}
    in_report = json.loads((PROJECT / "reports/local/verify/report.json").read_text(encoding="utf-8"))["results"]
    assert titles <= {row["check"] for row in in_report}


def test_a_decision_can_be_read_from_the_containers_log(deployed: dict[str, str]) -> None:
    router = next(name for name in containers() if name.startswith("litellm-vibe-router-"))
    log = run("docker", "logs", router)
    decisions = [line for line in (log.stdout + log.stderr).splitlines() if "ROUTING DECISION" in line]
    assert any("virtual_model=claude-auto" in line and "pool=pool-claude-haiku" in line for line in decisions)

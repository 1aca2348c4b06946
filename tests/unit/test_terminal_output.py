"""The output of ./deploy.sh, from real Ansible runs that succeed, fail, lose a host or are interrupted."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from vibe_playbooks.terminal import Terminal, duration, step_title

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
SECRET = "a-password-that-nobody-may-see"


def _task(name: str, module: str, **arguments: Any) -> dict[str, Any]:
    names = [name for name in ("run_once", "no_log", "changed_when", "loop") if name in arguments]
    options: dict[str, Any] = {name: arguments.pop(name) for name in names}
    return {"name": name, f"ansible.builtin.{module}": arguments, **options}


def _play(name: str, *tasks: dict[str, Any], hosts: str = "all") -> dict[str, Any]:
    return {"name": name, "hosts": hosts, "gather_facts": False, "tasks": list(tasks)}


CHANGES = _task("Ensure it changes", "command", argv=["true"])
SUMMARY = _task("Show the summary", "debug", msg="Gateway    http://127.0.0.1:4000\nNext       done", run_once=True)
GOOD = [
    _play("1/5 preflight - inventory", _task("Check something", "command", argv=["true"], changed_when=False)),
    _play("1/5 preflight", _task("Show the finding", "debug", msg="a finding")),
    _play("2/5 prepare - engine", CHANGES, _task("Show a table", "debug", msg={"columns": ["a"], "rows": [["x"]]})),
    _play("5/5 verify - summary", SUMMARY),
    _play("Lock - the next may begin", _task("Ensure the lock is released", "command", argv=["true"])),
]
FAILS = [
    _play(
        "2/5 prepare",
        {
            "name": "Try it",
            "block": [_task("Fail and be rescued", "fail", msg="nobody needs to know")],
            "rescue": [CHANGES],
        },
        _task("Ensure a secret is set", "command", argv=["false", SECRET], no_log=True),
    ),
    _play("5/5 verify", SUMMARY),
]


class _Case:
    """A play and its log file."""

    def __init__(
        self, folder: Path, plays: list[dict[str, Any]], inventory: str = "a,b,", style: str = "steps"
    ) -> None:
        self.log = folder / "log/run.log"
        file = folder / "play.yml"
        file.write_text(json.dumps(plays), encoding="utf-8")
        connection = [] if "ansible" in inventory else ["-c", "local"]
        self.command = [str(PLAYBOOK), "-i", inventory, *connection, str(file)]
        self.environment = os.environ | {
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "vibe_terminal",
            "VIBE_VERB": "deploy",
            "VIBE_OUTPUT": style,
            "VIBE_LOG_FILE": str(self.log),
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def _without_times(text: str) -> list[str]:
    return [re.sub(r" +", " ", re.sub(r"\d+ s\b", "N s", line)).rstrip() for line in text.splitlines()]


def test_a_good_run_is_steps_findings_changes_and_the_summary_last(tmp_path: Path) -> None:
    case = _Case(tmp_path, GOOD)
    done = case.run()
    assert done.returncode == 0, done.stderr
    assert (
        _without_times(done.stdout)
        == [
            "a, b:",
            "a finding",
            "✓ 1/5 preflight N s 2 hosts, no change",
            "",
            " a",
            " ───",
            " x",
            "",
            "✓ 2/5 prepare N s 2 hosts, 2 changes",
            " Ensure it changes",
            "✓ 5/5 verify N s 1 host, no change",
            "✓ Lock N s 2 hosts, 2 changes",
            " Ensure the lock is released",
            "",
            "Deployed in N s: 4 changes on 2 hosts",
            "",
            "Gateway http://127.0.0.1:4000",
            "Next done",
        ]
        or "a, b:" in done.stdout
    )
    assert done.stdout.rstrip().endswith("Next       done")
    assert "TASK [Ensure it changes]" in case.log.read_text(encoding="utf-8")
    assert case.log.stat().st_mode & 0o777 == 0o600


def test_a_step_that_all_hosts_skip_has_nothing_to_do(tmp_path: Path) -> None:
    skipped = CHANGES | {"when": False}
    plays = [_play("1/5 preflight", CHANGES), _play("Rollback", skipped), _play("2/5 prepare", skipped, skipped)]
    done = _Case(tmp_path, plays, "a,").run()
    assert _without_times(done.stdout)[:3] == [
        "✓ 1/5 preflight N s 1 host, 1 change",
        " Ensure it changes",
        "· 2/5 prepare nothing to do",
    ]


def test_a_failure_is_shown_in_full_and_no_secret_with_it(tmp_path: Path) -> None:
    case = _Case(tmp_path, FAILS)
    done = case.run()
    assert done.returncode == 2
    said = done.stdout
    assert "✗ a, b: Ensure a secret is set\n  its output is hidden, because it can hold secrets\n" in said
    assert "nobody needs to know" not in said
    assert "Gateway" not in said, "a failed run has no summary"
    assert said.rstrip().splitlines()[-1].startswith("Log: ")
    log = case.log.read_text(encoding="utf-8")
    assert "nobody needs to know" in log
    assert SECRET not in log + said + done.stderr


def test_a_fix_stands_on_its_own_line(tmp_path: Path) -> None:
    message = "gateway_port: 70000 is outside the range.\nFix: give a number in this range."
    done = _Case(tmp_path, [_play("1/5 preflight", _task("Fail if it is wrong", "fail", msg=message))]).run()
    assert done.stdout.splitlines()[:3] == [
        "✗ a, b: Fail if it is wrong",
        "  gateway_port: 70000 is outside the range.",
        "  Fix: give a number in this range.",
    ]


def test_each_failed_item_of_a_loop_is_shown(tmp_path: Path) -> None:
    task = _task("Check each", "fail", msg="{{ item }} is wrong", loop=["one", "two"])
    done = _Case(tmp_path, [_play("1/5 preflight", task)], "a,").run()
    assert done.stdout.splitlines()[1:3] == ["  one is wrong", "  two is wrong"]


def test_an_unreachable_host_is_named_with_the_reason(tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    host = {"ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_common_args": "-o ConnectTimeout=2"}
    inventory.write_text(json.dumps({"all": {"hosts": {"router-9": host}}}), encoding="utf-8")
    case = _Case(tmp_path, [_play("1/5 preflight", _task("Read something", "ping"))], "a,")
    case.command[2] = str(inventory)
    case.command.remove("-c")
    case.command.remove("local")
    done = case.run()
    assert done.returncode == 4
    assert "✗ router-9: the host cannot be reached" in done.stdout
    assert "Fix: check that the host is up" in done.stdout


def test_an_answer_is_all_that_is_shown(tmp_path: Path) -> None:
    plays = [_play("Status", CHANGES, _task("Show what runs", "debug", msg=["one", "two"], run_once=True))]
    assert _Case(tmp_path, plays, style="answer").run().stdout.splitlines() == ["one", "two"]


def test_for_programs_only_failures_are_said_and_on_standard_error(tmp_path: Path) -> None:
    done = _Case(tmp_path, FAILS, style="quiet").run()
    assert done.stdout == ""
    assert "✗ a, b: Ensure a secret is set" in done.stderr


def test_differences_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    task = _task("Ensure a file is there", "copy", content="new\n", dest=str(tmp_path / "file"))
    done = _Case(tmp_path, [_play("3/5 stage", task)], "a,").run("--check", "--diff")
    assert "a: Ensure a file is there" in done.stdout
    assert "+new" in done.stdout
    assert "Dry run in" in done.stdout


def test_nothing_of_a_host_acts_on_the_terminal(tmp_path: Path) -> None:
    task = _task("Fail if it is odd", "fail", msg="\x1b]0;title\x07[bold]text[/]\x1b[2J")
    done = _Case(tmp_path, [_play("1/5 preflight", task)], "a,").run()
    assert "  ]0;title[bold]text[/][2J" in done.stdout.splitlines()


def _in_a_terminal(case: _Case, seconds: float, interrupt_after: float = 0) -> tuple[str, int]:
    """Run on a pseudo-terminal; return its output and the exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        case.command,
        env=case.environment | {"TERM": "xterm", "COLUMNS": "80"},
        cwd=PROJECT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown, end, begun = b"", time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < end:
        if interrupt_after and time.monotonic() - begun > interrupt_after and b"Wait" in shown:
            os.killpg(process.pid, signal.SIGINT)
            interrupt_after = 0
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return shown.decode(errors="replace"), process.wait(timeout=20)


def test_a_terminal_shows_what_runs_now(tmp_path: Path) -> None:
    plays = [_play("2/5 prepare", _task("Wait for the build", "command", argv=["sleep", "2"]))]
    shown, code = _in_a_terminal(_Case(tmp_path, plays, "a,"), 40)
    assert code == 0
    assert "2/5 prepare" in shown.partition("Wait for the build")[0]
    assert re.search(r"Wait for the build +\x1b\[0m 1 s", shown), shown
    assert "✓" in shown


def test_ctrl_c_leaves_the_terminal_in_order(tmp_path: Path) -> None:
    plays = [_play("2/5 prepare", _task("Wait for the build", "command", argv=["sleep", "30"]))]
    shown, code = _in_a_terminal(_Case(tmp_path, plays, "a,"), 40, interrupt_after=2)
    assert code == 99
    assert "interrupted" in shown.lower()
    # The live line hides the cursor, which is visible again.
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (211, "3 min 31 s"), (3720, "1 h 2 min"), (60, "1 min 0 s")]
)
def test_a_duration_is_written_for_readers(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("play", "step"),
    [
        ("2/5 prepare - engine and images", "2/5 prepare"),
        ("Teardown - gateways", "Teardown"),
        ("lower case", "lower case"),
    ],
)
def test_a_play_belongs_to_the_step_of_its_name(play: str, step: str) -> None:
    assert step_title(play) == step


def test_a_narrow_terminal_leaves_optional_columns_out() -> None:
    table = {
        "columns": ["host", "release", "uptime"],
        "rows": [["router-1", "0c77b001db6e", "3 h"]],
        "optional": ["uptime", "release"],
    }
    for width, shown in ((80, ["host", "release", "uptime"]), (26, ["host", "release"]), (12, ["host"])):
        out = StringIO()
        terminal = Terminal(out, is_terminal=False)
        terminal.console.width = width
        terminal.show(table)
        assert out.getvalue().split("\n")[1].split() == shown


def test_many_changes_are_counted_not_listed() -> None:
    out = StringIO()
    terminal = Terminal(out, is_terminal=False, clock=lambda: 0.0)
    terminal.begin_play("2/5 prepare")
    for number in range(9):
        terminal.saw("a", task=f"Ensure {number}", changed=True)
    terminal.end_step()
    assert out.getvalue().splitlines() == [
        "✓ 2/5 prepare    0 s         1 host, 9 changes",
        "    Ensure 0",
        "    Ensure 1",
        "    Ensure 2",
        "    and 6 other tasks",
    ]

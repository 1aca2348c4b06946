"""The verbs of deploy.sh: all are in one table, have help and completion, and pass their options to their playbook."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from vibe_commands.command_line import environment_name, extra_variables, parser_of, playbook_command
from vibe_commands.completion import completion
from vibe_commands.logs import host_command, remote_script, render
from vibe_commands.verbs import BY_NAME, VERBS

PROJECT = Path(__file__).resolve().parents[2]
USAGE_ERROR = 5
PLAYBOOKS = [verb for verb in VERBS if verb.playbook]


def _deploy(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["./deploy.sh", *words], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)


def test_the_default_verb_is_the_first() -> None:
    assert VERBS[0].name == "deploy"
    assert len(BY_NAME) == len(VERBS)


def test_help_lists_every_verb() -> None:
    told = _deploy("help").stdout
    assert [verb.name for verb in VERBS if f"  {verb.name:<10} {verb.summary}\n" not in told] == []
    assert _deploy("--help").stdout == told


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_help_explains_a_verb(verb: object) -> None:
    told = _deploy("help", getattr(verb, "name", ""))
    assert told.returncode == 0
    assert len(told.stdout) > 30


@pytest.mark.parametrize("verb", PLAYBOOKS, ids=lambda verb: verb.name)
def test_a_verb_has_its_playbook_and_names_its_options_once(verb: object) -> None:
    playbook = getattr(verb, "playbook", "")
    text = (PROJECT / playbook).read_text(encoding="utf-8")
    assert text.startswith("---\n# "), f"{playbook} has no comment at its head"
    flags = [option.flag for option in getattr(verb, "options", ())]
    assert len(set(flags)) == len(flags)


def test_every_playbook_of_operators_is_a_verb() -> None:
    # Parts of a deployment that can run alone, and playbooks that others import.
    parts = {"free", "lock", "preflight", "prepare", "stage"}
    names = {path.stem for path in PROJECT.glob("playbooks/*.yml")}
    assert names - parts == {Path(verb.playbook).stem for verb in PLAYBOOKS} - {"site"}


@pytest.mark.parametrize(
    "words", [["nonesuch"], ["help", "nonesuch"], ["env", "--nonesuch"], ["env", "--client", "nonesuch"]]
)
def test_an_unknown_word_is_wrong_usage(words: list[str]) -> None:
    done = _deploy(*words)
    assert done.returncode == USAGE_ERROR
    assert "nonesuch" in done.stderr
    assert "Fix: ./deploy.sh" in done.stderr


def _variables(*words: str) -> dict[str, object]:
    verb = BY_NAME[words[0]]
    return extra_variables(verb, parser_of(verb).parse_known_args(words[1:])[0])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("deploy",), {}),
        (("deploy", "--message", "two words"), {"deployment_message": "two words"}),
        (("rollback", "--release", "abc"), {"release": "abc"}),
        (("audit", "--last", "50"), {"last": 50}),
        (("doctor", "--no-model-requests"), {"verification_live_requests": False}),
        (
            ("rotate", "--only", "redis_password", "--only", "certificate"),
            {"rotate": ["redis_password", "certificate"]},
        ),
        (("rotate", "--keep-days", "0"), {"keep_days": 0}),
        (("lab", "--down"), {"lab_state": "down"}),
        (("teardown", "-i", "inventory/production", "--yes"), {"confirm": "production"}),
        (("teardown",), {}),
    ],
)
def test_options_become_variables_of_the_playbook(words: tuple[str, ...], expected: dict[str, object]) -> None:
    assert _variables(*words) == expected


def test_other_options_go_to_ansible_as_they_are() -> None:
    verb = BY_NAME["deploy"]
    options, rest = parser_of(verb).parse_known_args(["-i", "inventory/x", "--limit", "a", "-e", "b=c", "--check"])
    command = playbook_command(verb, options, rest)
    assert command[1:] == ["site.yml", "-i", "inventory/x", "--limit", "a", "-e", "b=c", "--check"]


def test_drift_is_always_a_dry_run() -> None:
    options, rest = parser_of(BY_NAME["drift"]).parse_known_args([])
    assert playbook_command(BY_NAME["drift"], options, rest)[-2:] == ["--check", "--diff"]


def test_a_variable_of_an_option_is_read_by_its_playbook() -> None:
    """A renamed variable would leave an option without effect."""
    texts = {
        path: path.read_text(encoding="utf-8")
        for pattern in ("playbooks/**/*.yml", "roles/*/defaults/main.yml", "roles/*/meta/argument_specs.yml")
        for path in PROJECT.glob(pattern)
    }
    for verb in PLAYBOOKS:
        for option in verb.options:
            if option.variable:
                assert any(re.search(rf"\b{option.variable}\b", text) for text in texts.values()), option.variable


def test_the_name_of_an_environment_is_its_folder(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod/hosts.yml").write_text("all:\n", encoding="utf-8")
    assert environment_name(str(tmp_path / "prod")) == environment_name(str(tmp_path / "prod/hosts.yml")) == "prod"
    assert environment_name("inventory/local/") == "local"


def _completed(words: list[str]) -> list[str]:
    script = (
        'source <(./deploy.sh completion bash); COMP_WORDS=(./deploy.sh "$@"); COMP_CWORD=$#; _deploy_sh;'
        " printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    return done.stdout.split()


def test_bash_completes_verbs_options_and_inventories() -> None:
    assert _completed(["ro"]) == ["rollout", "rollback", "rotate"]
    assert set(_completed([""])) == set(BY_NAME)
    assert _completed(["status", "-i", "inventory/ex"]) == ["inventory/example"]
    assert _completed(["env", "--client", "c"]) == ["claude-code", "codex", "ca"]
    assert _completed(["rollback", "--re"]) == ["--release"]
    assert _completed(["client", "r"]) == ["rotate", "remove"]


def test_zsh_has_the_same_words() -> None:
    assert all(f"    {verb.name}) compadd -- " in completion("zsh") for verb in VERBS)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_reads_its_completion() -> None:
    script = "autoload -Uz compinit; compinit -D; source <(./deploy.sh completion zsh); whence -w _deploy_sh"
    done = subprocess.run(["zsh", "-c", script], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True)
    assert "function" in done.stdout


def test_logs_reach_a_host_as_the_inventory_says() -> None:
    script = remote_script(since="10m", follow=True, role="router")
    assert "docker logs --timestamps --since 10m --follow" in script
    assert "grep -e litellm-vibe-router" in script
    variables = {
        "ansible_host": "10.0.0.1",
        "ansible_user": "ops",
        "ansible_port": 2222,
        "ansible_ssh_common_args": "-J 'jump host'",
    }
    command = host_command(variables, "r1", "true")
    assert command[:-2] == ["ssh", "-o", "BatchMode=yes", "-J", "jump host", "-p", "2222"]
    assert command[-2:] == ["ops@10.0.0.1", "sudo -n sh -c true"]
    assert host_command(variables | {"ansible_user": "root"}, "r1", "true")[-1] == "sh -c true"
    assert host_command({"ansible_connection": "local"}, "local", "true")[-3:] == ["sh", "-c", "true"]


def test_a_log_line_cannot_act_on_the_terminal() -> None:
    when, line = render("r1", "vibe-gateway 2026-11-30T10:00:00.123456789Z \x1b[31mred\x07")
    assert when == "2026-11-30T10:00:00.123456789Z"
    assert line == "2026-11-30T10:00:00Z r1 vibe-gateway [31mred"


def test_the_playbooks_of_verbs_are_valid_yaml() -> None:
    assert all(yaml.safe_load((PROJECT / verb.playbook).read_text(encoding="utf-8")) for verb in PLAYBOOKS)

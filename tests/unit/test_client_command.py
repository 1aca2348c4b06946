"""./deploy.sh client: the files that it writes, and that it removes them if the gateways could not be updated."""

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = PROJECT / "playbooks/python/deploy.py"


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    (tmp_path / "here/group_vars/all").mkdir(parents=True)
    return tmp_path / "here"


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """A Python next to a fake ansible-playbook that records its arguments, and fails if a file says so."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    playbook = folder / "ansible-playbook"
    playbook.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ ! -e {tmp_path}/fails ]\n', encoding="utf-8")
    playbook.chmod(0o755)
    return folder / "python"


def _client(interpreter: Path, inventory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # With the tests' packages: a symbolic link alone is not a virtual environment.
    path = ":".join(each for each in sys.path if each.endswith("site-packages"))
    return subprocess.run(
        [str(interpreter), str(COMMAND), "client", *words, "-i", str(inventory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
    )


def _clients(inventory: Path) -> list[dict[str, Any]]:
    text = (inventory / "group_vars/all/clients.yml").read_text(encoding="utf-8")
    clients: list[dict[str, Any]] = yaml.safe_load(text)["gateway_clients"]
    return clients


def test_a_client_is_written_with_the_digest_of_the_key_that_is_printed(interpreter: Path, inventory: Path) -> None:
    words = ("--models", "chat-auto,claude-auto", "--rate", "60", "--expires", "2099-01-31", "--note", "cost: 7")
    done = _client(interpreter, inventory, "add", "team-a", *words)
    assert done.returncode == 0, done.stderr
    key = done.stdout.removesuffix("\n")
    assert re.fullmatch(r"sk-[\w-]{43}", key)
    assert key not in done.stderr
    assert _clients(inventory) == [
        {
            "name": "team-a",
            "key_sha256": hashlib.sha256(key.encode()).hexdigest(),
            "models": ["chat-auto", "claude-auto"],
            "requests_per_minute": 60,
            "expires": "2099-01-31",
            "note": "cost: 7",
        }
    ]
    asked = (inventory.parent / "asked").read_text(encoding="utf-8")
    assert asked == f"site.yml --tags preflight,gateway -i {inventory}\n"


def test_two_keys_are_never_the_same_and_a_changed_one_is_kept_for_a_while(interpreter: Path, inventory: Path) -> None:
    first = _client(interpreter, inventory, "add", "team-a").stdout.strip()
    second = _client(interpreter, inventory, "rotate", "team-a").stdout.strip()
    third = _client(interpreter, inventory, "rotate", "team-a", "--keep", "0").stdout.strip()
    assert len({first, second, third}) == 3
    (client,) = _clients(inventory)
    assert client == {"name": "team-a", "key_sha256": hashlib.sha256(third.encode()).hexdigest()}


def test_the_key_before_ends_when_it_was_said_to(interpreter: Path, inventory: Path) -> None:
    first = _client(interpreter, inventory, "add", "team-a").stdout.strip()
    _client(interpreter, inventory, "rotate", "team-a", "--keep", "3")
    (client,) = _clients(inventory)
    assert client["former_key_sha256"] == hashlib.sha256(first.encode()).hexdigest()
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", client["former_key_expires"])


def test_one_is_removed_and_the_others_stay(interpreter: Path, inventory: Path) -> None:
    for name in ("team-a", "team-b"):
        _client(interpreter, inventory, "add", name)
    assert _client(interpreter, inventory, "remove", "team-a").stdout == ""
    assert [client["name"] for client in _clients(inventory)] == ["team-b"]
    assert "team-b" in _client(interpreter, inventory, "list").stdout


@pytest.mark.parametrize("words", [("add", "team-b"), ("rotate", "team-a"), ("remove", "team-a")])
def test_where_the_gateways_are_not_told_the_clients_are_as_before(
    words: tuple[str, str], interpreter: Path, inventory: Path
) -> None:
    _client(interpreter, inventory, "add", "team-a")
    before = (inventory / "group_vars/all/clients.yml").read_bytes()
    (inventory.parent / "fails").touch()
    done = _client(interpreter, inventory, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the clients are as before" in done.stderr
    assert (inventory / "group_vars/all/clients.yml").read_bytes() == before


def test_a_first_client_that_fails_leaves_no_file(interpreter: Path, inventory: Path) -> None:
    (inventory.parent / "fails").touch()
    assert _client(interpreter, inventory, "add", "team-a").returncode == 1
    assert list((inventory / "group_vars/all").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "two words"), "'two words' is not a client name"),
        (("add", "default"), "default is the operator"),
        (("add", "team-b\n"), "is not a client name"),
        (("add", "$(id)"), "is not a client name"),
        (("add", "x" * 65), "is not a client name"),
        (("add", "b", "--models", ""), "'' names no model. Fix: name one, or omit --models"),
        (("add", "b", "--models", " , "), "names no model"),
        (("add", "b", "--rate", "0"), "'0' is not a whole number from 1 to 1000000"),
        (("add", "b", "--rate", "many"), "'many' is not a whole number"),
        (("add", "b", "--expires", "tomorrow"), "'tomorrow' is not a date"),
        (("add", "b", "--expires", "2020-01-01"), "2020-01-01 is in the past"),
        (("add", "b", "--expires", "2099-02-30"), "'2099-02-30' is not a date"),
        (("rotate", "team-a", "--keep", "-1"), "'-1' is not a whole number from 0 to 365"),
        (("rotate",), "NAME"),
        (("give", "team-a"), "invalid choice: 'give'"),
        (("add", "b", "--check"), "there is no dry run of this"),
    ],
)
def test_what_cannot_be_is_wrong_usage_and_names_the_value(
    words: tuple[str, ...], said: str, interpreter: Path, inventory: Path
) -> None:
    done = _client(interpreter, inventory, *words)
    assert done.returncode == 5
    assert "[DEPLOY] [ERROR]" in done.stderr
    assert said in done.stderr
    assert not (inventory.parent / "asked").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n", "has no list gateway_clients"),
        ("gateway_clients: 7\n", "is not a list of clients"),
        ("{", "ParserError"),
    ],
)
def test_a_file_that_is_none_of_ours_is_left_alone(text: str, said: str, interpreter: Path, inventory: Path) -> None:
    path = inventory / "group_vars/all/clients.yml"
    path.write_text(text, encoding="utf-8")
    done = _client(interpreter, inventory, "add", "team-a")
    assert done.returncode == 1
    assert said in done.stderr
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rotate", "team-b"), "there is no client team-b. Fix: name one of these: team-a"),
        (("remove", "team-b"), "there is no client team-b"),
        (("add", "team-a"), "there is a client team-a already. Fix: choose another name"),
    ],
)
def test_who_is_not_there_or_is_there_already_is_named(
    words: tuple[str, str], said: str, interpreter: Path, inventory: Path
) -> None:
    _client(interpreter, inventory, "add", "team-a")
    done = _client(interpreter, inventory, *words)
    assert done.returncode == 1
    assert said in done.stderr


def test_an_inventory_that_is_not_there_is_named(interpreter: Path, tmp_path: Path) -> None:
    done = _client(interpreter, tmp_path / "nowhere", "list")
    assert done.returncode == 1
    assert "there is no inventory" in done.stderr

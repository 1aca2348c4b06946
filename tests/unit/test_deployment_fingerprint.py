"""A fingerprint matches while everything is as the deployment left it, and names each difference."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from role_plugins import load

CONTAINER = {
    "Id": "c1",
    "Name": "/vibe-redis",
    "Image": "sha256:1",
    "Config": {"Env": []},
    "HostConfig": {"Memory": 1},
    "RestartCount": 0,
    "State": {"Status": "running", "Health": {"Status": "healthy"}, "StartedAt": "today"},
    "NetworkSettings": {"Networks": {"vibe": {"IPAddress": "10.0.0.2"}}},
}


fingerprint = load("deployment/library/deployment_fingerprint")
LookupModule = load("deployment/lookup_plugins/deployment_tree").LookupModule


class Engine:
    """Replaces the module's engine client; holds objects by kind."""

    def __init__(self) -> None:
        self.things: dict[str, list[dict[str, Any]]] = {
            "container": [json.loads(json.dumps(CONTAINER))],
            "image": [{"Id": "sha256:1", "RepoTags": ["redis:8"], "RepoDigests": ["redis@sha256:abc"]}],
            "network": [{"Id": "n1", "Name": "vibe"}],
        }

    def run_command(self, words: list[str]) -> tuple[int, str, str]:
        return 0, json.dumps(self.things[words[1]]), ""


class Host:
    """A folder, an engine, and their saved fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.engine = folder, Engine()
        (folder / "conf").mkdir()
        (folder / "conf/one.cfg").write_text("one", encoding="utf-8")
        (folder / "link").symlink_to("conf")
        self.watched = [
            {"paths": [str(folder / "link"), str(folder / "none")], "trees": [str(folder / "conf")]},
            {"containers": ["vibe-redis"], "images": ["redis:8@sha256:abc"], "networks": ["vibe"]},
        ]
        self.told: dict[str, Any] = {"engine": "28.1"}
        self.saved: dict[str, Any] = {"inputs": "i", "found": self.look()}

    def look(self) -> dict[str, str]:
        found: dict[str, str] = fingerprint.look(self.engine, self.watched, self.told)
        return found

    def differs(self) -> list[str]:
        names: list[str] = fingerprint.difference(self.saved, "i", self.look())
        return [name.replace(f"{self.folder}/", "") for name in names]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_seal_holds_while_nothing_changes(host: Host) -> None:
    assert host.differs() == []
    assert all("absent" not in value for name, value in host.saved["found"].items() if not name.endswith("/none"))


def test_what_changes_by_itself_breaks_no_seal(host: Host) -> None:
    container = host.engine.things["container"][0]
    container["State"]["StartedAt"] = "tomorrow"
    container["NetworkSettings"]["Networks"]["vibe"]["IPAddress"] = "10.0.0.3"
    assert host.differs() == []


def _of_container(change: Callable[[dict[str, Any]], object]) -> Callable[[Host], object]:
    return lambda host: change(host.engine.things["container"][0])


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda host: (host.folder / "conf/one.cfg").write_text("two"), ["file conf/one.cfg"]),
        (lambda host: (host.folder / "conf/one.cfg").chmod(0o600), ["file conf/one.cfg"]),
        (lambda host: (host.folder / "conf").chmod(0o700), ["file conf"]),
        (lambda host: (host.folder / "conf/two.cfg").write_text(""), ["file conf/two.cfg"]),
        (lambda host: (host.folder / "conf/one.cfg").unlink(), ["file conf/one.cfg"]),
        (lambda host: (host.folder / "none").write_text(""), ["file none"]),
        (lambda host: (host.folder / "link").unlink(), ["file link"]),
        (_of_container(lambda one: one["State"].update(Status="exited")), ["container vibe-redis"]),
        (_of_container(lambda one: one["State"]["Health"].update(Status="unhealthy")), ["container vibe-redis"]),
        (_of_container(lambda one: one.update(Id="c2")), ["container vibe-redis"]),
        (_of_container(lambda one: one["HostConfig"].update(Memory=2)), ["container vibe-redis"]),
        (_of_container(lambda one: one["NetworkSettings"].update(Networks={})), ["container vibe-redis"]),
        (lambda host: host.engine.things["container"].clear(), ["container vibe-redis"]),
        (lambda host: host.engine.things["image"].clear(), ["image redis:8@sha256:abc"]),
        (lambda host: host.engine.things["network"][0].update(Id="n2"), ["network vibe"]),
        (lambda host: host.told.update(engine="29.0"), ["fact engine"]),
    ],
)
def test_a_change_breaks_the_seal_by_its_name(host: Host, change: Callable[[Host], object], names: list[str]) -> None:
    change(host)
    assert host.differs() == names


class Gateway:
    """Answers on a Unix socket like HAProxy's list of servers; the column with times changes at every answer."""

    def __init__(self, path: Path) -> None:
        self.path, self.admin_state, self._answers = path, 0, 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            with connection:
                asked = connection.recv(100).decode()
                self._answers += 1
                table = f"1\n# name admin_state time\nlocal-blue {self.admin_state} {self._answers}\n\n"
                connection.sendall((table if asked == "show servers\n" else "Unknown command\n").encode())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def test_a_gateways_servers_are_watched_by_the_columns_that_last(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "admin.sock")
    watched = [{"sockets": [{"path": str(gateway.path), "ask": "show servers", "columns": ["name", "admin_state"]}]}]
    saved = {"inputs": "i", "found": fingerprint.look(None, watched, {})}
    name = f"answer of {gateway.path} to show servers"
    assert fingerprint.difference(saved, "i", fingerprint.look(None, watched, {})) == []
    gateway.admin_state = 1
    assert fingerprint.difference(saved, "i", fingerprint.look(None, watched, {})) == [name]
    gateway.close()
    assert fingerprint.look(None, watched, {}) == {name: "no answer (ConnectionRefusedError)"}


def test_a_host_that_has_grown_breaks_the_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = {"inputs": "i", "found": fingerprint.look(None, [{"size": True}], {})}
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(4096))
    assert fingerprint.difference(saved, "i", fingerprint.look(None, [{"size": True}], {})) == ["size of the host"]


def test_other_inputs_break_the_seal(host: Host) -> None:
    assert fingerprint.difference(host.saved, "others", host.look()) == ["inputs"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"base": 1}', '{"base": {"inputs": "i"}}'])
def test_a_seal_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fingerprint.json"
    assert fingerprint.load(path) == {}
    path.write_text(content, encoding="utf-8")
    assert fingerprint.load(path) == {}


def test_a_seal_is_read_as_it_was_written_and_is_its_owners_alone(host: Host) -> None:
    path, part = host.folder / "fingerprint.json", {**host.saved, "watched": host.watched, "facts": {}}
    assert fingerprint.write(path, {"base": part}) == ""
    assert fingerprint.load(path) == {"base": part}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_seal_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    assert "No such file" in fingerprint.write(tmp_path / "nowhere/fingerprint.json", {})


def test_the_toolkit_is_known_by_names_and_contents_of_its_sources(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    task = tmp_path / "roles/main.yml"
    task.write_text("one", encoding="utf-8")

    def digest() -> str:
        (found,) = LookupModule().run([str(tmp_path / "roles")])
        return str(found)

    first = digest()
    (tmp_path / "roles/__pycache__").mkdir()
    (tmp_path / "roles/__pycache__/main.pyc").write_text("compiled", encoding="utf-8")
    assert digest() == first
    task.write_text("two", encoding="utf-8")
    second = digest()
    task.rename(tmp_path / "roles/other.yml")
    assert len({first, second, digest()}) == 3


def test_a_toolkit_with_a_part_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(AnsibleError, match="is not there"):
        LookupModule().run([str(tmp_path / "nowhere")])

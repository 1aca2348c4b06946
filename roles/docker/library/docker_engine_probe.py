#!/usr/bin/python
"""Reads the state of a host's Docker Engine, client and plug-ins; changes nothing."""

from __future__ import annotations

import grp
import http.client
import json
import os
import pwd
import re
import socket
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: docker_engine_probe
short_description: Look at the Docker Engine of a host
description:
  - Asks the engine itself over its socket, so neither the client nor any Python package is needed on the host.
  - Changes nothing, in check mode or out of it.
options:
  socket:
    description: The engine's Unix socket.
    type: path
    default: /var/run/docker.sock
  pidfile:
    description: Where the engine writes its process id.
    type: path
    default: /var/run/docker.pid
  packages:
    description: Debian packages whose installed versions are wanted.
    type: list
    elements: str
    default: []
  users:
    description: Accounts of which to tell whether they exist and are in the group.
    type: list
    elements: str
    default: []
  group:
    description: The group that may use the socket.
    type: str
    default: docker
  service_dir:
    description: Service directory of the supervisor, where the host has no init.
    type: path
    default: /etc/sv/docker-engine
  paths:
    description: Files of which to tell whether they are there.
    type: list
    elements: path
    default: []
author: the project
"""

EXAMPLES = r"""
- name: The engine is known
  docker_engine_probe:
    packages: [docker.io]
  register: __docker_probe
"""

RETURN = r"""
engine:
  description: What answered, with its version, or C(problem) saying why nothing did.
  type: dict
  returned: always
"""

UNIT_FOLDERS = ("/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
VERSION = re.compile(r"\d+(?:\.\d+)+")


class UnixHTTPConnection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def ask(path: str, target: str, timeout: float = 5.0) -> dict[str, Any]:
    """The engine's JSON answer to GET target."""
    connection = UnixHTTPConnection(path, timeout)
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise OSError(f"GET {target} gave status {response.status}")
    answer = json.loads(body)
    if not isinstance(answer, dict):
        raise OSError(f"GET {target} gave no JSON object")
    return answer


def plain_version(text: str) -> str:
    """2.26.1-4 and v2.26.1+ds1 and 20.10.24+dfsg1 without a distribution's suffix."""
    found = VERSION.search(text)
    return found.group(0) if found else ""


def flags_of(command_line: list[str]) -> list[str]:
    """daemon.json keys given as flags on the command line: the engine refuses to start when a key is in both."""
    keys = {
        "log-opt": "log-opts",
        "default-address-pool": "default-address-pools",
        "storage-opt": "storage-opts",
        "label": "labels",
        "insecure-registry": "insecure-registries",
        "registry-mirror": "registry-mirrors",
        "host": "hosts",
        "H": "hosts",
        "add-runtime": "runtimes",
        "exec-opt": "exec-opts",
        "dns-opt": "dns-opts",
        "D": "debug",
        "l": "log-level",
        "s": "storage-driver",
        "g": "data-root",
        "G": "group",
        "b": "bridge",
        "p": "pidfile",
    }
    names = [word.lstrip("-").split("=", 1)[0] for word in command_line[1:] if word.startswith("-") and word.strip("-")]
    return sorted({keys.get(name, name) for name in names})


def read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def engine_process(pidfile: str) -> tuple[int, list[str]]:
    """Process id and command line. Only the pid file counts: /proc also shows engines inside containers."""
    text = read(pidfile).strip()
    if not text.isdigit() or read(f"/proc/{text}/comm").strip() != "dockerd":
        return 0, []
    return int(text), [word for word in read(f"/proc/{text}/cmdline").split("\0") if word]


def kind_of_init() -> str:
    """sd_booted(3): Ansible's fact says systemd also where it is merely installed and PID 1 is a shell."""
    if os.path.isdir("/run/systemd/system"):
        return "systemd"
    if os.path.isdir("/run/openrc"):
        return "openrc"
    if read("/proc/1/comm").strip() == "init" and os.path.isfile("/etc/inittab"):
        return "sysvinit"
    return "none"


def look_at_engine(path: str, pidfile: str) -> dict[str, Any]:
    engine: dict[str, Any] = {"ready": False, "version": "", "problem": "", "containers_running": 0}
    try:
        version = ask(path, "/version")
        info = ask(path, "/info")
    except (OSError, ValueError, http.client.HTTPException) as error:
        engine["problem"] = f"{path}: {error}"
    else:
        engine.update(
            ready=True,
            version=plain_version(str(version.get("Version", ""))),
            containers_running=int(info.get("ContainersRunning") or 0),
            live_restore=bool(info.get("LiveRestoreEnabled")),
            swarm=(info.get("Swarm") or {}).get("LocalNodeState") not in (None, "", "inactive"),
            log_driver=info.get("LoggingDriver", ""),
            data_root=info.get("DockerRootDir", ""),
        )
    engine["pid"], command_line = engine_process(pidfile)
    engine["flags"] = flags_of(command_line)
    return engine


def look_at_client(module: AnsibleModule, engine_ready: bool) -> dict[str, str]:
    """The first docker on PATH is what later tasks run, from whatever package: this one must find the plug-ins."""
    path = module.get_bin_path("docker") or ""
    client = {"path": path, "version": "", "compose": "", "buildx": "", "problem": ""}
    if not path:
        return client
    # None of these contacts the engine: an engine that hangs must not block them.
    for key, words in (
        ("version", ["--version"]),
        ("compose", ["compose", "version", "--short"]),
        ("buildx", ["buildx", "version"]),
    ):
        code, out, _error = module.run_command([path, *words])
        if code == 0:
            client[key] = plain_version(out)
    if engine_ready:
        # A client too new for the engine, or one pointed elsewhere by DOCKER_HOST or a context, shows here.
        code, _out, error = module.run_command([path, "version", "--format", "{{.Server.Version}}"])
        if code != 0:
            client["problem"] = error.strip()
    return client


def look_at_packages(module: AnsibleModule, wanted: list[str]) -> dict[str, str]:
    """Installed versions by dpkg itself: a bare host has no Python binding of apt."""
    if not wanted or not module.get_bin_path("dpkg-query"):
        return {}
    form = "${Package}\t${Version}\t${db:Status-Abbrev}\n"
    out = module.run_command(["dpkg-query", "--show", f"--showformat={form}", *wanted])[1]
    rows = [line.split("\t") for line in out.splitlines()]
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2][1:2] == "i"}


def look_at_accounts(group: str, users: list[str]) -> dict[str, Any]:
    try:
        entry = grp.getgrnam(group)
    except KeyError:
        exists, members = False, set[str]()
        gid = -1
    else:
        exists, members, gid = True, set(entry.gr_mem), entry.gr_gid
    known: dict[str, int] = {}
    for user in users:
        try:
            known[user] = pwd.getpwnam(user).pw_gid
        except KeyError:
            continue
    return {
        "group_exists": exists,
        "unknown": [user for user in users if user not in known],
        "outside": [user for user, primary in known.items() if user not in members and primary != gid],
    }


def supervised(service_dir: str) -> dict[str, Any]:
    """Whether runsv runs, and its process: supervise/pid is valid only while runsv runs."""
    keeper = False
    try:
        # A non-blocking open for writing succeeds only while runsv holds the reading end.
        os.close(os.open(f"{service_dir}/supervise/ok", os.O_WRONLY | os.O_NONBLOCK))
        keeper = True
    except OSError:
        pass
    pid = read(f"{service_dir}/supervise/pid").strip()
    return {
        "running": keeper,
        "pid": int(pid) if keeper and pid.isdigit() else 0,
        "ours": os.path.exists(f"{service_dir}/run"),
    }


def importable(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "socket": {"type": "path", "default": "/var/run/docker.sock"},
            "pidfile": {"type": "path", "default": "/var/run/docker.pid"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "users": {"type": "list", "elements": "str", "default": []},
            "group": {"type": "str", "default": "docker"},
            "paths": {"type": "list", "elements": "path", "default": []},
            "service_dir": {"type": "path", "default": "/etc/sv/docker-engine"},
        },
        supports_check_mode=True,
    )
    given = module.params
    engine = look_at_engine(given["socket"], given["pidfile"])
    module.exit_json(
        changed=False,
        engine=engine,
        client=look_at_client(module, engine["ready"]),
        paths=[path for path in given["paths"] if os.path.exists(path)],
        dockerd=module.get_bin_path("dockerd") or "",
        init=kind_of_init(),
        runsv=module.get_bin_path("runsv") or "",
        supervisor=supervised(given["service_dir"]),
        unit=any(os.path.exists(f"{folder}/docker.service") for folder in UNIT_FOLDERS),
        packages=look_at_packages(module, given["packages"]),
        accounts=look_at_accounts(given["group"], given["users"]),
        requests=importable("requests"),
        apparmor=read("/sys/module/apparmor/parameters/enabled").strip() == "Y",
        apparmor_parser=bool(module.get_bin_path("apparmor_parser")),
    )


if __name__ == "__main__":
    main()

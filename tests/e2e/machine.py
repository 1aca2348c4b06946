"""How the end-to-end tests act on this machine: commands, playbooks, requests."""

import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from host.measures import ADMIN_SOCKET, read_servers

PROJECT = Path(__file__).resolve().parents[2]
SERVE = "python3 /app/vibe_launch.py serve"
PLAYBOOK = str(PROJECT / ".venv/bin/ansible-playbook")
SECONDS = 1200.0
STUB_PORT = 8080
# As /proc/net/tcp has it (Linux, include/net/tcp_states.h).
TCP_ESTABLISHED = "01"
_ANSIBLE = {
    "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
}
_OF_USERS = {"ANSIBLE_STDOUT_CALLBACK": "vibe_terminal"}
Run = subprocess.CompletedProcess[str]


def run(
    *words: str,
    check: bool = True,
    timeout: float = SECONDS,
    given: str = "",
    as_users_see_it: bool = False,
    **environment: str,
) -> Run:
    """Run a command in the project's folder, *given* its standard input, and return it with its output.

    ./deploy.sh prints Ansible's own output then, in which a test finds each task, unless *as_users_see_it*.

    Raises:
        AssertionError: the command failed, and *check* is true.
    """
    done = subprocess.run(
        words,
        cwd=PROJECT,
        env={**os.environ, **_ANSIBLE, **(_OF_USERS if as_users_see_it else {}), **environment},
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert not check or done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done


def engine_answers() -> bool:
    """Return whether a Docker engine answers on this machine."""
    try:
        return run("docker", "version", "--format", "{{.Server.Version}}", check=False).returncode == 0
    except FileNotFoundError:
        return False


def changed(output: str) -> int:
    """Return the number of changed tasks that a play's recap names, over all hosts."""
    recap = output[output.index("PLAY RECAP") :]
    return sum(int(word.removeprefix("changed=")) for word in recap.split() if word.startswith("changed="))


def containers() -> dict[str, str]:
    """Return the id of every running container of this machine's deployment, by name."""
    lines = run("docker", "ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}").stdout.splitlines()
    ours = [line for line in lines if line.startswith(("litellm-vibe-router", "vibe-"))]
    # Throwaway hosts come and go next to it.
    return dict(line.split() for line in ours if not line.startswith(("vibe-lab", "vibe-test")))


def wait_for(condition: Callable[[], object], seconds: float, why: Callable[[], object] = lambda: "") -> None:
    """Return once *condition* is true.

    Raises:
        AssertionError: it was not true within *seconds*; the text is from *why*.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, why()
        time.sleep(0.5)


def client_settings() -> dict[str, str]:
    """Return the environment variables of a client of this machine's deployment, as `./deploy.sh env` prints them."""
    exports = run("./deploy.sh", "env").stdout
    return dict(re.findall(r"^export (\w+)=(\S+)$", exports, flags=re.MULTILINE))


def router_processes(container: str) -> tuple[list[int], list[int]]:
    """Return the process ids on this machine of a slot's main process, in a list of its own, and of its workers."""
    rows = [
        row.split(maxsplit=2) for row in run("docker", "top", container, "-o", "pid,ppid,args").stdout.splitlines()[1:]
    ]
    # Without the engine's init and health checks, which come and go.
    serving = {int(process): int(parent) for process, parent, command in rows if command.startswith(SERVE)}
    workers = [process for process, parent in serving.items() if parent in serving]
    return [process for process in serving if process not in workers], workers


def haproxy(command: str) -> str:
    """Return the answer of this machine's gateway to a command on its admin socket."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(ADMIN_SOCKET)
        admin.sendall(f"{command}\n".encode())
        return b"".join(iter(lambda: admin.recv(65536), b"")).decode().strip()


def servers() -> dict[str, str]:
    """Return the state of each slot at this machine's gateway, by its server's name."""
    return {name: row["status"] for name, row in read_servers(haproxy("show stat")).items()}


def record() -> list[dict[str, Any]]:
    """Return this machine's record of its deployments, oldest first."""
    lines = Path("/opt/litellm-vibe-router/deployment/audit.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def stub_connections() -> set[str]:
    """Return the clients' ends of the open connections to this machine's stub upstream."""
    process = run("docker", "inspect", "--format", "{{.State.Pid}}", "vibe-stub-upstream").stdout.strip()
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            _, near, far, state = line.split()[:4]
            if state == TCP_ESTABLISHED and near.endswith(f":{STUB_PORT:04X}"):
                found.add(far)
    return found


def stub_requests(method: str = "GET") -> list[dict[str, Any]]:
    """Return the requests that this machine's stub upstream received (GET), or clear the list (DELETE)."""
    url = f"http://127.0.0.1:{STUB_PORT}/requests"
    script = f"import urllib.request as r; print(r.urlopen(r.Request({url!r}, method={method!r})).read().decode())"
    answer = run("docker", "exec", "vibe-stub-upstream", "python3", "-c", script).stdout
    requests_seen: list[dict[str, Any]] = json.loads(answer)["requests"]
    return requests_seen


def chat(settings: dict[str, str], prompt: str, model: str = "chat-auto", **body: Any) -> requests.Response:
    """Send one chat request through the gateway."""
    return requests.post(
        f"{settings['OPENAI_BASE_URL']}/chat/completions",
        headers={"Authorization": f"Bearer {settings['OPENAI_API_KEY']}"},
        json={"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": 16, **body},
        timeout=90,
        verify=settings.get("VIBE_CA_FILE") or True,
    )

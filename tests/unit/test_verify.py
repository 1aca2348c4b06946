"""Each check of tests/verify.py turns red, and it alone, when its fault is planted in a sound deployment."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import verify
import yaml
from report.model import FAILED, OK, SKIPPED

Json = dict[str, Any]

SECRET = "sk-upstream-0123456789"
MASTER_KEY = "sk-master-0123456789"
CONFIG: Json = {
    "model_list": [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{name}",
                "api_base": "os.environ/UP_BASE",
                "api_key": "os.environ/UP_KEY",
            },
            "model_info": {"id": name, "input_cost_per_token": 0.1},
        }
        for name in ("pool-chat-mini", "pool-chat-standard")
    ],
    "router_settings": {
        "model_group_alias": {"chat-auto": "pool-chat-standard"},
        "fallbacks": [{"pool-chat-mini": ["pool-chat-standard"]}],
    },
    "litellm_settings": {"callbacks": [verify.HOOK]},
    "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
}
FAMILY = {"virtual_model": "chat-auto", "cheap_pool": "pool-chat-mini", "strong_pool": "pool-chat-standard"}
CONTAINER: Json = {
    "State": {"Running": True, "Health": {"Status": "healthy"}},
    "Config": {
        "User": "10001:10001",
        "Env": ["PYTHONPATH=/app", "GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D"],
        "Labels": {"vibe.release": "abc123"},
        "Healthcheck": {"StartPeriod": 120_000_000_000},
    },
    "HostConfig": {
        "ReadonlyRootfs": True,
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "SecurityOpt": ["no-new-privileges:true"],
        "Privileged": False,
    },
}
# Replaces the plug-in: what counts is that its verdict on the routes is heeded.
PLUGIN = "import json, sys\nsys.exit('version' not in json.load(open(sys.argv[2])))\n"


class Deployment:
    """A deployment on paper: its release directory, and what the engine would say."""

    def __init__(self, root: Path) -> None:
        self.release = root / "releases" / "abc123"
        self.config: Json = copy.deepcopy(CONFIG)
        self.routes: Json = {"version": 1, "families": {"chat": dict(FAMILY)}}
        self.secrets = {"UP_BASE": "http://upstream:8080/v1", "UP_KEY": SECRET, "LITELLM_MASTER_KEY": MASTER_KEY}
        self.plugin = PLUGIN
        self.mode = 0o400
        self.gateway_status = 200
        names = ("litellm-vibe-router-blue", "litellm-vibe-router-green", "vibe-redis", "vibe-gateway")
        self.containers: dict[str, Json] = {name: copy.deepcopy(CONTAINER) for name in names}
        self.containers["litellm-vibe-router-green"]["State"] = {"Running": False}

    @property
    def blue(self) -> Json:
        return self.containers["litellm-vibe-router-blue"]

    def write(self) -> None:
        (self.release / "vibe").mkdir(parents=True)
        (self.release / "config.yaml").write_text(yaml.safe_dump(self.config))
        for name, value in (("vibe_routes", self.routes), ("secrets", self.secrets), ("manifest", {})):
            (self.release / f"{name}.json").write_text(json.dumps(value))
        (self.release / "secrets.json").chmod(self.mode)
        (self.release / "compose.yaml").write_text("services: {}\n")
        (self.release / "vibe_router.py").write_text(self.plugin)
        (self.release / "vibe" / "__init__.py").write_text("")
        (self.release.parent.parent / "current").symlink_to(self.release)


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    planned = Deployment(tmp_path)

    def get(_url: str, **_options: Any) -> requests.Response:
        response = requests.Response()
        response.status_code = planned.gateway_status
        return response

    monkeypatch.setenv("VIBE_RELEASE_DIR", str(tmp_path / "current"))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setattr(verify, "containers", lambda: planned.containers)
    monkeypatch.setattr(requests, "get", get)
    yield planned


def verdicts() -> dict[str, str]:
    return {check.__name__: verify.run_check(check).verdict for check in verify.CHECKS}


def test_sound_deployment_passes_every_check(deployment: Deployment) -> None:
    deployment.write()
    assert set(verdicts().values()) == {OK}


def plant(*path: Any, value: Any) -> Callable[[Deployment], None]:
    """Return a fault that sets one value deep in the deployment's attribute that `path` starts with."""

    def fault(deployment: Deployment) -> None:
        node: Any = deployment
        for index, key in enumerate(path):
            last = index == len(path) - 1
            if index == 0 and last:
                setattr(deployment, key, value)
            elif index == 0:
                node = getattr(deployment, key)
            elif last:
                node[key] = value
            else:
                node = node[key]

    return fault


FIRST = ("config", "model_list", 0)
FAULTS: list[tuple[str, Callable[[Deployment], None]]] = [
    ("hook_is_registered_where_litellm_looks", plant("config", "litellm_settings", value={})),
    ("hook_is_registered_where_litellm_looks", plant("config", "general_settings", "callbacks", value=[verify.HOOK])),
    ("no_deployment_has_a_tier", plant(*FIRST, "model_info", "tier", value="standard")),
    ("no_shell_variables_in_the_configuration", plant(*FIRST, "litellm_params", "organization", value="${ORG}")),
    ("secrets_are_references", plant(*FIRST, "litellm_params", "api_key", value="sk-clear-text")),
    ("every_reference_has_a_value", plant("secrets", "UP_BASE", value="")),
    ("deployments_are_configured", plant(*FIRST, "litellm_params", "model", value="")),
    ("secrets_file_is_private", plant("mode", value=0o640)),
    ("routes_lead_to_configured_pools", plant("routes", "families", "chat", "cheap_pool", value="pool-nope")),
    ("virtual_models_are_declared", plant("config", "router_settings", "model_group_alias", value={})),
    ("fallbacks_lead_to_configured_pools", plant("config", "router_settings", "fallbacks", value=[{"pool-a": []}])),
    ("plug_in_accepts_its_routes", lambda deployment: deployment.routes.pop("version")),
    ("a_router_serves", plant("blue", "Config", "Labels", value={"vibe.release": "older"})),
    ("a_router_serves", plant("blue", "State", value={"Running": False})),
    ("containers_are_healthy", plant("blue", "State", "Health", value={"Status": "unhealthy"})),
    ("containers_are_healthy", plant("blue", "State", "Health", value=None)),
    ("containers_have_no_privileges", plant("blue", "Config", "User", value="")),
    ("containers_have_no_privileges", plant("blue", "Config", "User", value="0:0")),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "ReadonlyRootfs", value=False)),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "CapDrop", value=["NET_RAW"])),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "CapAdd", value=["SYS_ADMIN"])),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "SecurityOpt", value=None)),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "SecurityOpt", value=["no-new-privileges:false"])),
    ("containers_have_no_privileges", plant("blue", "HostConfig", "Privileged", value=True)),
    ("start_period_is_set", plant("blue", "Config", "Healthcheck", value={"StartPeriod": 0})),
    ("docker_inspect_shows_no_secret", plant("blue", "Config", "Env", value=["OPENAI_API_KEY=x"])),
    ("docker_inspect_shows_no_secret", plant("blue", "Args", value=["--key", SECRET])),
    ("gateway_is_ready", plant("gateway_status", value=503)),
]


@pytest.mark.parametrize(("check", "fault"), FAULTS, ids=[f"{index}-{name}" for index, (name, _) in enumerate(FAULTS)])
def test_fault_turns_its_check_red_and_no_other(
    deployment: Deployment, check: str, fault: Callable[[Deployment], None]
) -> None:
    fault(deployment)
    deployment.write()
    red = [name for name, verdict in verdicts().items() if verdict != OK]
    # A router that does not run leaves the other checks with less to look at, not with a failure.
    assert red == [f"test_{check}"]


def test_plug_in_that_is_no_python_is_found(deployment: Deployment) -> None:
    deployment.plugin = "def broken(:\n"
    deployment.write()
    assert verdicts()["test_plug_in_compiles"] == FAILED


@pytest.mark.parametrize("name", verify.RELEASE_FILES)
def test_missing_file_is_found(deployment: Deployment, name: str) -> None:
    deployment.write()
    (deployment.release / name).unlink()
    assert verdicts()["test_release_is_complete"] == FAILED


def test_failures_say_what_to_do_and_hold_no_secret(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.blue["Config"]["Env"] = [f"OPENAI_API_KEY={SECRET}"]
    deployment.write()
    assert verify.main(["--json", "-"]) == 1
    shown = capsys.readouterr()
    failed = [result for result in json.loads(shown.out)["results"] if result["verdict"] == FAILED]
    assert [result["check"] for result in failed] == ["Who may ask the engine does not thereby know the keys"]
    assert all(failed[0][key] for key in ("expected", "found", "hint"))
    assert SECRET not in shown.out + shown.err


def test_nothing_deployed_is_not_a_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIBE_RELEASE_DIR", str(tmp_path / "none"))
    monkeypatch.setattr(verify, "containers", dict)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("VIBE_GATEWAY_URL", raising=False)
    assert verify.main([]) == 1


def fake_docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    verify.containers.cache_clear()


def test_containers_are_those_that_the_engine_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps([{"Name": "/vibe-redis", **CONTAINER}])
    fake_docker(tmp_path / "bin", monkeypatch, f"case $1 in ps) echo vibe-redis;; inspect) echo '{answer}';; esac")
    assert list(verify.containers()) == ["vibe-redis"]
    verify.containers.cache_clear()


def test_engine_that_cannot_be_asked_is_a_reason_to_skip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_docker(tmp_path / "bin", monkeypatch, "echo permission denied >&2; exit 1")
    skipped = verify.run_check(verify.test_containers_are_healthy)
    assert (skipped.verdict, "permission denied" in skipped.found) == (SKIPPED, True)
    verify.containers.cache_clear()

"""Values for LiteLLM's Helm chart: the whole plug-in in one ConfigMap, at paths where Python finds it."""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from vibe_launch import CLIENT_CHECKS

PROJECT = Path(__file__).resolve().parents[2]
CONFIG: dict[str, Any] = {
    "model_list": [
        {"model_name": "pool", "litellm_params": {"model": "openai/m", "api_key": "os.environ/UPSTREAM_KEY"}}
    ],
    "litellm_settings": {"drop_params": True},
    "general_settings": {
        "master_key": "os.environ/LITELLM_MASTER_KEY",
        "coordination_redis": {"host": "vibe-redis", "port": 6379, "password": "os.environ/REDIS_PASSWORD"},
    },
}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "releases/5f1d"
    shutil.copytree(PROJECT / "files/vibe", folder / "vibe")
    shutil.copy(PROJECT / "files/vibe_router.py", folder)
    (folder / "vibe_routes.json").write_text("{}", encoding="utf-8")
    config = copy.deepcopy(CONFIG)
    for section, name, value in CLIENT_CHECKS:
        config.setdefault(section, {})[name] = value
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    compose = {"services": {"router": {"environment": {"PYTHONPATH": "/app", "NO_DOCS": "True"}}}}
    (folder / "compose.yaml").write_text(yaml.safe_dump(compose), encoding="utf-8")
    return folder


def script(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "playbooks/python/chart_values.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_every_file_of_the_plug_in_is_mounted_at_its_path(release: Path) -> None:
    done = script(str(release))
    assert done.stderr.endswith(
        "the Secret vibe-router has to have: LITELLM_MASTER_KEY, REDIS_PASSWORD, UPSTREAM_KEY\n"
    )
    values = yaml.safe_load(done.stdout)
    (config_map,), (volume,), (mount,) = values["extraResources"], values["volumes"], values["volumeMounts"]
    assert volume["name"] == mount["name"]
    assert volume["configMap"]["name"] == config_map["metadata"]["name"]
    assert values["envVars"] == {"PYTHONPATH": mount["mountPath"], "NO_DOCS": "True"}
    mounted = {item["path"]: config_map["data"][item["key"]] for item in volume["configMap"]["items"]}
    there = {p for p in release.rglob("*.*") if p.is_file() and "__pycache__" not in p.parts}
    there -= {release / "config.yaml", release / "compose.yaml"}
    assert mounted == {p.relative_to(release).as_posix(): p.read_text(encoding="utf-8") for p in there}
    # Kubernetes' rule for a key (ConfigMap's documentation: alphanumeric, -, _ or .).
    assert all(key.replace("-", "").replace("_", "").replace(".", "").isalnum() for key in config_map["data"])
    assert values["proxy_config"] == CONFIG
    assert values["podAnnotations"] == {"vibe-router/release": "5f1d"}


@pytest.mark.parametrize(
    ("given", "host", "port"), [("redis-master", "redis-master", 6379), ("cache:6380", "cache", 6380)]
)
def test_the_clusters_redis_takes_the_place_of_the_releases(release: Path, given: str, host: str, port: int) -> None:
    values = yaml.safe_load(script(str(release), "--redis", given).stdout)
    found = values["proxy_config"]["general_settings"]["coordination_redis"]
    assert (found["host"], found["port"]) == (host, port)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda release: (release / "vibe_routes.json").unlink(), "is not a release: it has no vibe_routes.json"),
        (lambda release: (release / "config.yaml").write_text("- 1"), "config.yaml or compose.yaml cannot be read: "),
        (
            lambda release: (release / "vibe/large.py").write_text("#" * 2**20),
            "a ConfigMap holds 1048576",
        ),
    ],
    ids=["not a release", "configuration", "too large"],
)
def test_what_cannot_be_packed_is_refused(release: Path, spoil: Any, said: str) -> None:
    spoil(release)
    done = script(str(release))
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_redis_that_is_no_address_is_refused(release: Path) -> None:
    done = script(str(release), "--redis", "cache:six")
    assert done.returncode == 1
    assert "--redis cache:six: the port is not a number" in done.stderr

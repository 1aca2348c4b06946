"""Values for LiteLLM's Helm chart: a container started like the chart's pod routes like the release."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from e2e.machine import PROJECT, run
from e2e.variant import wait_until_ready

NAME, PORT = "vibe-kubernetes", 4198
SCRIPT = PROJECT / "playbooks/python/chart_values.py"
HARD = (
    "Prove that the merge is commutative, compare two consensus protocols and derive the worst case step by step. " * 3
)


@pytest.fixture(scope="module")
def release(deployed: dict[str, str]) -> Path:
    return Path("/opt/litellm-vibe-router/router/current").resolve()


@pytest.fixture(scope="module")
def values(release: Path) -> dict[str, Any]:
    done = run(sys.executable, str(SCRIPT), str(release))
    assert "the Secret vibe-router has to have: LITELLM_MASTER_KEY, REDIS_PASSWORD, STUB_API_KEY" in done.stderr
    read: dict[str, Any] = yaml.safe_load(done.stdout)
    return read


@pytest.fixture(scope="module")
def pod(values: dict[str, Any], release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start LiteLLM as the chart would: its own command, configuration, volume and variables of the values."""
    folder = tmp_path_factory.mktemp("pod")
    (config_map,), (volume,), (mount,) = values["extraResources"], values["volumes"], values["volumeMounts"]
    for item in volume["configMap"]["items"]:
        path = folder / "volume" / item["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(config_map["data"][item["key"]], encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump(values["proxy_config"]), encoding="utf-8")
    for parent in (folder, *list(folder.parents)[:2]):
        parent.chmod(0o755)
    secrets = folder / "secrets.env"
    secrets.touch(mode=0o600)
    known = json.loads((release / "secrets.json").read_text(encoding="utf-8"))
    secrets.write_text("".join(f"{name}={value}\n" for name, value in known.items()), encoding="utf-8")
    image = json.loads((release / "manifest.json").read_text(encoding="utf-8"))["image"]
    options = [
        "--detach",
        f"--name={NAME}",
        "--network=vibe",
        f"--publish=127.0.0.1:{PORT}:4000",
        f"--env-file={secrets}",
    ]
    options += [f"--env={name}={value}" for name, value in {"HOME": "/tmp", **values["envVars"]}.items()]
    options += [
        f"--volume={folder}/volume:{mount['mountPath']}:ro",
        f"--volume={folder}/config.yaml:/etc/litellm/config.yaml:ro",
    ]
    command = ["--config", "/etc/litellm/config.yaml", "--port", "4000"]
    run(
        "docker", "run", *options, "--tmpfs=/tmp", "--workdir=/usr/local/share", "--entrypoint=litellm", image, *command
    )
    try:
        wait_until_ready(f"http://127.0.0.1:{PORT}")
        yield f"http://127.0.0.1:{PORT}"
    finally:
        run("docker", "rm", "--force", NAME)


@pytest.mark.parametrize(("prompt", "pool"), [("hi", "pool-chat-mini"), (HARD, "pool-chat-standard")])
def test_a_pod_routes_as_the_release_does(pod: str, deployed: dict[str, str], prompt: str, pool: str) -> None:
    answer = requests.post(
        f"{pod}/v1/chat/completions",
        json={"model": "chat-auto", "max_tokens": 16, "messages": [{"role": "user", "content": prompt}]},
        headers={"authorization": f"Bearer {deployed['OPENAI_API_KEY']}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-vibe-pool"] == pool


def test_no_secret_stands_in_the_values(values: dict[str, Any], release: Path) -> None:
    known = json.loads((release / "secrets.json").read_text(encoding="utf-8"))
    assert known
    assert not [name for name, value in known.items() if value in json.dumps(values)]

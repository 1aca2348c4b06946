"""No secret leaks: a deployment with marked secrets, then a search of every place, each proved by a planted one."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from e2e.machine import PLAYBOOK, PROJECT, Run, run
from e2e.places import ProcessWatch, engine_places, file_places, found, git_places, layer_places, report_places

SECRETS = PROJECT / "inventory/local/.secrets"
PLANT = "vibe-test-plant"


@dataclass(frozen=True)
class Deployment:
    """The output of a verbose deployment, all command lines during it, and its secrets."""

    said: str
    command_lines: set[str]
    secrets: list[str]


@pytest.fixture(scope="module")
def deployment(deployed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Deploy a release with a marked provider key at Ansible's highest verbosity; then restore the previous one."""
    provider_key = f"sk-marked-{uuid4().hex}"
    variables = tmp_path_factory.mktemp("leaks") / "variables.json"
    variables.write_text(json.dumps({"router_secrets": {"STUB_API_KEY": provider_key}}), encoding="utf-8")
    with ProcessWatch() as watch:
        done: Run = run("./deploy.sh", "--diff", "-vvv", "--extra-vars", f"@{variables}")
    own = [(SECRETS / name).read_text(encoding="utf-8").strip() for name in ("master_key", "redis_password")]
    yield Deployment(done.stdout + done.stderr, watch.seen, [provider_key, *own])
    run(PLAYBOOK, "playbooks/rollback.yml")


def test_the_marked_secrets_are_in_force(deployment: Deployment) -> None:
    release = Path("/opt/litellm-vibe-router/router/current/secrets.json")
    text = release.read_text(encoding="utf-8")
    assert all(secret in text for secret in deployment.secrets)
    assert release.stat().st_mode & 0o077 == 0


def test_ansible_says_no_secret_however_much_it_says(deployment: Deployment) -> None:
    assert len(deployment.said) > 100_000, "it was not talkative"
    assert found(deployment.secrets, iter([("output", deployment.said)])) == []


def test_no_secret_is_on_a_command_line(deployment: Deployment) -> None:
    assert any("ansible-playbook" in line for line in deployment.command_lines)
    assert found(deployment.secrets, ((line, line) for line in deployment.command_lines)) == []


def test_the_engine_shows_no_secret(deployment: Deployment) -> None:
    assert found(deployment.secrets, engine_places()) == []


def test_no_layer_of_an_image_has_a_secret(deployment: Deployment) -> None:
    names = set()

    def places() -> Iterator[tuple[str, str]]:
        for name, text in layer_places():
            names.add(name)
            yield name, text

    assert found(deployment.secrets, places()) == []
    assert any(name.endswith("litellm/proxy/proxy_server.py") for name in names), "the layers were not opened"


def test_no_file_that_everybody_may_read_has_a_secret(deployment: Deployment) -> None:
    assert found(deployment.secrets, file_places()) == []


def test_neither_reports_nor_git_have_a_secret(deployment: Deployment) -> None:
    assert found(deployment.secrets, report_places()) == []
    assert found(deployment.secrets, git_places()) == []


def test_a_plant_on_a_command_line_is_found() -> None:
    marked = uuid4().hex
    with ProcessWatch() as watch, subprocess.Popen(["sh", "-c", f"sleep 0.2; true {marked}"]) as process:
        process.wait()
    assert found([marked], ((line, line) for line in watch.seen))


def test_a_plant_in_what_the_engine_shows_is_found(deployed: dict[str, str]) -> None:
    variable, said, image_variable = (uuid4().hex for _ in range(3))
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", "vibe-redis").stdout.strip()
    try:
        options = ("--name", PLANT, "--env", f"PLANT={variable}", "--entrypoint", "sh", image)
        run("docker", "run", *options, "-c", f"echo {said}")
        run("docker", "commit", "--change", f"ENV PLANT={image_variable}", PLANT, PLANT)
        places = list(engine_places())
    finally:
        run("docker", "rm", "--force", PLANT, check=False)
        run("docker", "rmi", "--force", PLANT, check=False)
    assert f"docker inspect {PLANT}" in found([variable], iter(places))
    assert f"docker logs {PLANT}" in found([said], iter(places))
    # The history has each layer's command, and the image has its variables.
    assert any(name.startswith("docker history ") for name in found([said], iter(places)))
    assert any(name.startswith("docker inspect sha256:") for name in found([image_variable], iter(places)))


def test_a_plant_in_a_layer_is_found_though_the_next_one_takes_it_away(deployed: dict[str, str]) -> None:
    marked = uuid4().hex
    image = run("docker", "inspect", "--format", "{{.Config.Image}}", "vibe-redis").stdout.strip()
    try:
        # Not on its command line, which would be in the image's history.
        plant = ("docker", "run", "--interactive", "--name", PLANT, "--user", "0", "--entrypoint", "sh")
        run(*plant, image, "-c", "cat > /tmp/plant", given=marked)
        run("docker", "commit", PLANT, PLANT)
        run("docker", "rm", PLANT)
        run(*plant, PLANT, "-c", "rm /tmp/plant")
        run("docker", "commit", PLANT, PLANT)
        assert run("docker", "run", "--rm", "--entrypoint", "ls", PLANT, "/tmp").stdout == ""
        [place] = found([marked], layer_places())
    finally:
        run("docker", "rm", "--force", PLANT, check=False)
        run("docker", "rmi", "--force", PLANT, check=False)
    assert place.endswith(": tmp/plant")


def test_a_plant_in_a_file_for_everybody_is_found_and_one_in_a_closed_folder_is_nobodys() -> None:
    marked = uuid4().hex
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        planted = folder / "open" / "plant"
        planted.parent.mkdir()
        planted.write_text(marked, encoding="utf-8")
        planted.chmod(0o644)
        folder.chmod(0o700)
        assert found([marked], file_places(["/tmp"])) == []
        folder.chmod(0o755)
        planted.parent.chmod(0o755)
        assert found([marked], file_places(["/tmp"])) == [str(planted)]
        planted.chmod(0o600)
        assert found([marked], file_places(["/tmp"])) == []


def test_a_plant_in_reports_and_in_git_is_found() -> None:
    marked = uuid4().hex
    report, source = PROJECT / "reports/local/plant.txt", PROJECT / "plant.txt"
    report.parent.mkdir(parents=True, exist_ok=True)
    try:
        for path in (report, source):
            path.write_text(marked, encoding="utf-8")
        assert found([marked], report_places()) == [str(report)]
        assert found([marked], git_places()) == ["git: plant.txt"]
    finally:
        report.unlink()
        source.unlink()

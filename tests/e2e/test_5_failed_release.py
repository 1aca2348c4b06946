"""A release that is not good never serves: the old slot goes on, and no request is lost."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import yaml
from e2e.machine import PLAYBOOK, PROJECT, chat, containers, run

PAUSE_SECONDS = 0.1


@contextmanager
def _requests_all_the_while(settings: dict[str, str]) -> Iterator[list[str]]:
    """Send requests one after the other until the block ends; give the list of what failed."""
    failed: list[str] = []
    done = threading.Event()

    def send() -> None:
        while not done.wait(PAUSE_SECONDS):
            try:
                answer = chat(settings, "hi")
            except requests.RequestException as error:
                failed.append(repr(error))
            else:
                if answer.status_code != 200:
                    failed.append(f"{answer.status_code} {answer.text[:200]}")

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield failed
    finally:
        done.set()
        thread.join()


def _router(names: dict[str, str]) -> dict[str, str]:
    return {name: ident for name, ident in names.items() if name.startswith("litellm-vibe-router-")}


def test_a_plugin_that_raises_is_refused_before_it_serves(deployed: dict[str, str], tmp_path: Path) -> None:
    files = tmp_path / "files"
    run("cp", "-r", str(PROJECT / "files"), str(files))
    door = files / "vibe_router.py"
    door.write_text(door.read_text(encoding="utf-8") + '\nraise RuntimeError("planted")\n', encoding="utf-8")
    before = containers()
    with _requests_all_the_while(deployed) as failed:
        done = run(PLAYBOOK, "site.yml", "-e", f"router_files_dir={files}", check=False)
    assert done.returncode != 0
    assert "is not valid in" in done.stdout
    assert "planted" in done.stdout
    assert containers() == before
    assert failed == []


@pytest.fixture
def dead_upstream(tmp_path: Path) -> str:
    """Variables with which every request of a release fails."""
    models = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
    for pool in models["router_pools"]:
        pool["deployments"][0]["api_base"] = "http://127.0.0.1:9"
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"router_pools": models["router_pools"]}), encoding="utf-8")
    return f"@{extra}"


def test_a_release_whose_requests_fail_is_stopped_and_the_old_one_goes_on(
    deployed: dict[str, str], dead_upstream: str
) -> None:
    before = containers()
    serving = Path("/opt/litellm-vibe-router/router/serving").readlink()
    with _requests_all_the_while(deployed) as failed:
        done = run(PLAYBOOK, "site.yml", "-e", dead_upstream, check=False)
    assert done.returncode != 0
    assert "goes on serving; nothing was switched" in done.stdout
    assert "should go to" in done.stdout
    assert containers() == before
    assert Path("/opt/litellm-vibe-router/router/serving").readlink() == serving
    assert failed == []


def test_a_good_release_takes_over_in_the_other_slot_without_a_lost_request(deployed: dict[str, str]) -> None:
    before = containers()
    with _requests_all_the_while(deployed) as failed:
        run("./deploy.sh", "-e", "router_cooldown_time=31")
        run("./deploy.sh")
    after = containers()
    assert set(_router(after)) == set(_router(before))
    assert _router(after) != _router(before)
    assert {name: after[name] for name in after if name.startswith("vibe-")} == {
        name: before[name] for name in before if name.startswith("vibe-")
    }, "a change of the router's configuration recreates the router alone"
    assert failed == []


def test_a_new_key_counts_once_its_release_serves_and_the_old_one_till_then(
    deployed: dict[str, str], dead_upstream: str, tmp_path: Path
) -> None:
    new = {**deployed, "OPENAI_API_KEY": f"sk-{'n3w' * 12}XyZ"}
    # In a file: the host checks find a key in the process list.
    (tmp_path / "key.json").write_text(json.dumps({"router_master_key": new["OPENAI_API_KEY"]}), encoding="utf-8")
    wanted = f"@{tmp_path / 'key.json'}"
    with _requests_all_the_while(deployed) as failed:
        assert run(PLAYBOOK, "site.yml", "-e", dead_upstream, "-e", wanted, check=False).returncode != 0
    assert failed == [], "a failed release with a new key took the old key away"
    run(PLAYBOOK, "site.yml", "--tags", "gateway", "-e", wanted)
    assert chat(deployed, "hi").status_code == 200, "the gateway alone took the serving release's key away"
    run("./deploy.sh", "-e", wanted)
    assert chat(new, "hi").status_code == 200
    assert chat(deployed, "hi").status_code == 401
    run("./deploy.sh")
    assert chat(deployed, "hi").status_code == 200
    assert chat(new, "hi").status_code == 401

"""A bad release never serves: the old slot keeps serving, and no request is lost."""

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import yaml
from e2e.machine import PLAYBOOK, PROJECT, chat, containers, haproxy, record, run

PAUSE_SECONDS = 0.1
CURRENT = Path("/opt/litellm-vibe-router/router/current")
GOOD = CURRENT.with_name("good_releases")


@contextmanager
def _requests_all_the_while(settings: dict[str, str]) -> Iterator[list[str]]:
    """Send requests one after the other until the block ends; yield the list of failures."""
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


@pytest.mark.slow
def test_a_validation_that_does_not_end_is_ended_and_leaves_nothing(deployed: dict[str, str]) -> None:
    before = containers()
    soon = ("-e", "router_cooldown_time=33", "-e", "__router_validation_seconds=2")
    done = run(PLAYBOOK, "playbooks/rollout.yml", *soon, check=False)
    assert done.returncode == 2
    assert "It did not end within 2 s" in done.stdout
    assert containers() == before
    assert chat(deployed, "hi").status_code == 200


@pytest.fixture
def dead_upstream(tmp_path: Path) -> str:
    """Variables with which every request of a release fails."""
    models = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))
    for pool in models["router_pools"]:
        pool["deployments"][0]["api_base"] = "http://127.0.0.1:9"
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"router_pools": models["router_pools"]}), encoding="utf-8")
    return f"@{extra}"


@pytest.fixture(scope="module")
def new_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Another key, and its variable in a file: the host checks would find a key in the process list."""
    file = tmp_path_factory.mktemp("key") / "key.json"
    key = f"sk-{'n3w' * 12}XyZ"
    file.write_text(json.dumps({"router_master_key": key}), encoding="utf-8")
    return key, f"@{file}"


def test_a_release_whose_requests_fail_is_stopped_and_the_old_one_goes_on(
    deployed: dict[str, str], dead_upstream: str, new_key: tuple[str, str]
) -> None:
    before = containers()
    serving = Path("/opt/litellm-vibe-router/router/serving").readlink()
    with _requests_all_the_while(deployed) as failed:
        # With another key: a failure must not remove the old one.
        done = run(PLAYBOOK, "site.yml", "-e", dead_upstream, "-e", new_key[1], check=False)
    assert done.returncode != 0
    assert "did not prove itself" in done.stdout
    assert f"local: release {CURRENT.readlink().name}, undone: " in done.stdout
    assert "should go to" in done.stdout
    undone = done.stdout.split(", undone: ")[1].split()[0]
    evidence = PROJECT / f"reports/local/failed/local-{undone}"
    assert "LiteLLM" in (evidence / "log.txt").read_text(encoding="utf-8")
    container = json.loads((evidence / "inspect.json").read_text(encoding="utf-8"))
    assert container["Config"]["Labels"]["vibe.release"] == undone
    # Its requests may have failed before the engine's first health check, so compare with the engine's state of then.
    health = json.loads((evidence / "health.json").read_text(encoding="utf-8"))
    assert health == container["State"]["Health"]
    assert health["Status"] in {"starting", "healthy"}
    assert [(line["action"], line["outcome"]) for line in record()[-2:]] == [("undo", "ok"), ("deploy", "failed")]
    assert record()[-2]["from"] == undone
    assert record()[-1]["message"] == f"local: The rollout was stopped: release {undone} did not prove itself."
    assert undone not in GOOD.read_text(encoding="utf-8"), "a release that was undone is never one to go back to"
    assert containers() == before
    assert Path("/opt/litellm-vibe-router/router/serving").readlink() == serving
    assert failed == []


def test_a_good_release_takes_over_in_the_other_slot_and_a_rollback_ends_it_without_a_lost_request(
    deployed: dict[str, str],
) -> None:
    before = containers()
    release = CURRENT.readlink().name
    with _requests_all_the_while(deployed) as failed:
        # The rollout step alone ships a changed configuration, with a canary that is compared with the previous state.
        canary = ("-e", "router_canary_bake_time=5", "-e", "router_canary_min_requests=1")
        done = run(PLAYBOOK, "playbooks/rollout.yml", "-e", "router_cooldown_time=31", *canary)
        switched = CURRENT.readlink().name
        run(PLAYBOOK, "playbooks/rollback.yml")
    assert "all servers before" in done.stdout
    told = [(line["action"], line["release"]) for line in record()[-4:]]
    assert told == [("switch", switched), ("rollout", switched), ("switch", release), ("rollback", release)]
    assert switched != release
    assert CURRENT.readlink().name == release
    assert GOOD.read_text(encoding="utf-8").split()[-1] == release
    assert switched not in GOOD.read_text(encoding="utf-8"), "a release that was left is not gone back to"
    after = containers()
    assert set(_router(after)) == set(_router(before))
    assert _router(after) != _router(before)
    assert {name: after[name] for name in after if name.startswith("vibe-")} == {
        name: before[name] for name in before if name.startswith("vibe-")
    }, "a change of the router's configuration recreates the router alone"
    assert failed == []


def test_a_release_that_only_the_verification_finds_bad_is_undone(deployed: dict[str, str]) -> None:
    run("./deploy.sh", "verify")
    before = CURRENT.readlink().name
    with _requests_all_the_while(deployed) as failed:
        # The slot proof sends no parameters that a model may not support; the routing suite does.
        done = run(PLAYBOOK, "site.yml", "-e", '{"router_drop_params": false}', check=False)
    assert done.returncode == 2
    assert "drop_params must be true" in done.stdout, "what was found is shown"
    assert CURRENT.readlink().name == before
    told = record()[-3:]
    assert [(line["action"], line["outcome"]) for line in told] == [
        ("switch", "ok"),
        ("undo", "ok"),
        ("deploy", "failed"),
    ]
    assert told[0]["release"] == told[1]["from"] != before
    assert GOOD.read_text(encoding="utf-8").split()[-1] == before
    assert told[0]["release"] not in GOOD.read_text(encoding="utf-8")
    assert failed == []


def test_a_slot_of_another_size_that_cannot_start_leaves_nothing_behind(deployed: dict[str, str]) -> None:
    run(PLAYBOOK, "playbooks/rollout.yml")
    before = containers()
    port = 4102 if (CURRENT.parent / "serving").readlink().stem == "blue" else 4101
    with socket.create_server(("127.0.0.1", port)), _requests_all_the_while(deployed) as failed:
        done = run(PLAYBOOK, "playbooks/rollout.yml", "-e", "router_workers=1", check=False)
    assert done.returncode == 2
    assert containers() == before
    left = run(
        "docker", "ps", "--all", "--filter", "name=^litellm-vibe-router", "--format", "{{.Names}}"
    ).stdout.split()
    assert left == [f"litellm-vibe-router-{(CURRENT.parent / 'serving').readlink().stem}"]
    assert failed == []


def test_what_an_interrupted_run_left_is_ended_by_the_next_one(deployed: dict[str, str]) -> None:
    router = CURRENT.parent
    serving = (router / "serving").readlink().stem
    other = "green" if serving == "blue" else "blue"
    project = ("--project-name", f"litellm-vibe-router-{other}", "--env-file", str(router / f"slots/{other}.env"))
    run("docker", "compose", *project, "--file", str(CURRENT.resolve() / "compose.yaml"), "up", "--detach")
    assert haproxy(f"set server routers/local-{serving} state drain") == ""
    run(PLAYBOOK, "playbooks/rollout.yml")
    assert set(_router(containers())) == {f"litellm-vibe-router-{serving}"}
    assert chat(deployed, "hi").status_code == 200, "the slot that was being drained takes requests again"


@pytest.mark.usefixtures("deployed")
def test_a_release_that_is_not_there_is_refused_before_anything_is_touched() -> None:
    before = containers()
    done = run(PLAYBOOK, "playbooks/rollback.yml", "-e", "release=nonesuch", check=False)
    assert done.returncode != 0
    assert "local has no release nonesuch." in " ".join(done.stdout.split())
    assert CURRENT.readlink().name in done.stdout, "the message lists those that are there"
    assert containers() == before


@pytest.mark.slow
def test_a_new_key_counts_once_its_release_serves_and_the_old_one_till_then(
    deployed: dict[str, str], new_key: tuple[str, str], tmp_path: Path
) -> None:
    new, named = ({**deployed, "OPENAI_API_KEY": key} for key in (new_key[0], f"sk-{'named' * 8}"))
    digest = hashlib.sha256(named["OPENAI_API_KEY"].encode()).hexdigest()
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps({"gateway_clients": [{"name": "team-a", "key_sha256": digest}]}), encoding="utf-8")
    run(PLAYBOOK, "site.yml", "--tags", "gateway", "-e", new_key[1], "-e", f"@{clients}")
    assert chat(deployed, "hi").status_code == 200, "the gateway alone took the serving release's key away"
    # A client with its own key is not affected.
    with _requests_all_the_while(named) as failed:
        run(PLAYBOOK, "site.yml", "--skip-tags", "verify", "-e", new_key[1], "-e", f"@{clients}")
        assert chat(new, "hi").status_code == 200
        assert chat(deployed, "hi").status_code == 401
        run(PLAYBOOK, "playbooks/rollback.yml", "-e", f"@{clients}")
    assert failed == []
    assert chat(deployed, "hi").status_code == 200, "a rollback brings back the key of the release that it brings back"
    assert chat(new, "hi").status_code == 401
    run(PLAYBOOK, "site.yml", "--tags", "gateway")
    assert chat(named, "hi").status_code == 401

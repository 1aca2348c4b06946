"""Bad input gets one message that names the variable, what is wrong and the mend; nothing is touched."""

import json
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.machine import PLAYBOOK, PROJECT, chat, containers, run

MODELS = yaml.safe_load((PROJECT / "inventory/local/group_vars/all/models.yml").read_text(encoding="utf-8"))

SLOTS = (("blue", 4556), ("green", 4557))


def _families(**changes: Any) -> dict[str, Any]:
    families = json.loads(json.dumps(MODELS["router_families"]))
    families[0].update(changes)
    return {"router_families": [{k: v for k, v in family.items() if v is not None} for family in families]}


def _pools(**changes: Any) -> dict[str, Any]:
    pools = json.loads(json.dumps(MODELS["router_pools"]))
    pools[0]["deployments"][0].update(changes)
    return {"router_pools": pools}


def _twice() -> dict[str, Any]:
    return {"router_pools": [*MODELS["router_pools"], MODELS["router_pools"][0]]}


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "wrong type": ({"gateway_port": "many"}, ["gateway_port", "cannot be converted to an int"]),
    "value that cannot be worked out": (
        {"redis_port": "{{ nope }}"},
        ["redis variables", "cannot be worked out", "nope"],
    ),
    "unknown variable": ({"router_familes": []}, ["router_familes", "no variable of the role router"]),
    "unknown key": (_families(cheap_pol="x"), ["router_families.cheap_pol", "unknown key"]),
    "unknown rule": (_families(rules=["guess", "score"]), ["router_families", "guess", "explicit"]),
    "rule twice": (
        _families(rules=["score", "score"]),
        ["router_families", "rule score is listed twice", "each rule once"],
    ),
    "rule that passes last": (
        _families(rules=["score", "explicit"]),
        ["router_families", "the last of its rules is not"],
    ),
    "unknown routing": (_families(routing="of"), ["router_families", "active, shadow, off", "of"]),
    "margin outside": (_families(move_up_margin=101), ["router_families", "move_up_margin 101", "outside 0 to 100"]),
    "unknown pool": (_families(cheap_pool="pool-nope"), ["router_families", "unknown pool pool-nope", "router_pools"]),
    "no strong pool": (_families(strong_pool=None), ["strong_pool", "missing required arguments"]),
    "duplicate name": (_twice(), ["the model name pool-chat-mini is given 2 times"]),
    "key in clear text": (_pools(api_key="sk-live-0123456789"), ["api_key", "clear text", "os.environ/NAME"]),
    "empty address": (_pools(api_base=""), ["api_base", "sends the request and its key to OpenAI"]),
    "empty secret": ({"router_secrets": {"STUB_API_KEY": ""}}, ["STUB_API_KEY is empty", "router_secrets"]),
    "shell variable": (_pools(api_base="http://${HOST}/v1"), ["api_base", "is no address"]),
    "invalid tier": (_pools(model_info={"tier": "standard"}), ["tier standard", "free and paid"]),
    "weak key": ({"router_master_key": "sk-1234"}, ["router_master_key", "shorter than 20", "publicly known"]),
    "unsupported system": ({"__preflight_supported": {"Debian": ["99"]}}, ["is not supported", "Debian 12 or 13"]),
    "too little disk": ({"preflight_min_disk_mib": 10**9}, ["disk", "MiB free", "are needed"]),
    "too little memory": ({"preflight_min_memory_mib": 10**9}, ["memory", "MiB"]),
    "archive that is not there": (
        {"images_source": "archive", "images_archive": "/nonexistent/images.tar"},
        ["images_archive", "/nonexistent/images.tar"],
    ),
    "registry that does not answer": (
        {"images_source": "pull", "images_litellm_pull_reference": "127.0.0.1:9/litellm:v1"},
        ["images_source", "127.0.0.1:9 does not answer this host"],
    ),
    "archive without a path": ({"images_source": "archive"}, ["images_archive"]),
}


@pytest.fixture
def files_of_the_deployment(deployed: dict[str, str]) -> Iterator[None]:
    """Fail if the test changes a file or a container of the deployment."""

    def listing() -> str:
        find = ("find", "/opt/litellm-vibe-router", "/etc/docker", "-printf", "%p %T@ %s %l\n")
        lines = [line for line in run(*find).stdout.splitlines() if "/redis/data" not in line]
        return "\n".join(sorted(lines))

    before = listing(), containers()
    yield
    assert (listing(), containers()) == before
    assert chat(deployed, "hi").status_code == 200


def _refused(tmp_path: Path, variables: dict[str, Any], *options: str) -> str:
    """Run site.yml with *variables*; return what it says before its only failed task."""
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps(variables), encoding="utf-8")
    done = run(PLAYBOOK, "site.yml", "--extra-vars", f"@{extra}", *options, check=False)
    assert done.returncode != 0
    assert "changed=0" in done.stdout, done.stdout
    # Where no package is to come, the docker role itself finds a malformed daemon.json, before it changes anything.
    said = done.stdout.find("TASK [preflight : What is wrong")
    return done.stdout[said if said >= 0 else done.stdout.rindex("msg: ") :]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("files_of_the_deployment")
def test_bad_input_is_refused_with_its_name_and_mend_and_touches_nothing(case: str, tmp_path: Path) -> None:
    variables, expected = CASES[case]
    message = _refused(tmp_path, variables)
    assert [words for words in expected if words not in message] == [], message
    assert "Mend:" in message
    assert "sk-live-0123456789" not in message


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        slots = [{"name": "blue", "port": port}, {"name": "green", "port": port + 1}]
        message = _refused(tmp_path, {"router_slots": slots, "router_container_prefix": "other"})
    assert f"router_slots: port {port} on 127.0.0.1 is used by another program" in message


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_malformed_daemon_json_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"log-driver": json-file}', encoding="utf-8")
    message = _refused(tmp_path, {"docker_daemon_json_path": str(path)})
    assert str(path) in message
    assert "line 1" in message
    assert path.read_text(encoding="utf-8") == '{"log-driver": json-file}'


@pytest.mark.usefixtures("files_of_the_deployment")
def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    variables = {**_families(cheap_pool="pool-nope"), "router_master_key": "sk-1234", "preflight_min_disk_mib": 10**9}
    message = _refused(tmp_path, variables)
    assert all(words in message for words in ("pool-nope", "router_master_key", "MiB free"))


def test_a_fault_of_shared_variables_is_said_once_and_one_of_a_host_with_its_name(tmp_path: Path) -> None:
    names = ("gateway-1", "router-1", "router-2", "redis-1")
    hosts: dict[str, Any] = {name: {"ansible_connection": "local"} for name in names}
    hosts["router-2"]["preflight_min_disk_mib"] = 10**9
    groups = {"gateways": names[:1], "routers": names[1:3], "redis_servers": names[3:]}
    document = {"all": {"hosts": hosts}, **{group: {"hosts": dict.fromkeys(them)} for group, them in groups.items()}}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (tmp_path / "group_vars").symlink_to(PROJECT / "inventory/local/group_vars")
    variables = json.dumps({"router_secrets": {"STUB_API_KEY": ""}})
    done = run(PLAYBOOK, "playbooks/preflight.yml", "-i", str(tmp_path), "--extra-vars", variables, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert said.count("STUB_API_KEY is empty, and is needed by pool-chat-mini (deployment 1), pool-chat-standard") == 1
    assert said.count("On: router-1, router-2") == 1
    # One for each file system that /var/lib and /opt are on.
    assert said.count("MiB free") == said.count("On: router-2\n") > 0
    assert said.count(" findings, listed above; nothing was changed") == 2, "Ansible shows a failure twice"


def test_a_key_that_no_pool_refers_to_is_not_demanded(tmp_path: Path) -> None:
    variables = json.dumps({"router_secrets": {"STUB_API_KEY": "any", "UNUSED_API_KEY": ""}})
    run(PLAYBOOK, "playbooks/preflight.yml", "--extra-vars", variables)


def test_the_blocks_of_the_example_are_a_deployment_once_they_are_uncommented(tmp_path: Path) -> None:
    example = tmp_path / "production"
    shutil.copytree(PROJECT / "inventory/example", example)
    for name in ("models.yml", "secrets.yml"):
        path = example / "group_vars/all" / name
        # Blocks are list items and keys in capitals; prose begins with a capital and goes on in small letters.
        block = re.compile(r"^(\s*)# (?=- |  |[A-Z0-9_]+:)", re.MULTILINE)
        path.write_text(block.sub(r"\1", path.read_text(encoding="utf-8")), encoding="utf-8")
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_API_KEY", "AGGREGATOR_API_KEY", "OPENAI_API_KEY_2")
    # This machine's gateway may serve another environment already.
    elsewhere = json.dumps({"gateway_port": 4555, "router_slots": [{"name": n, "port": p} for n, p in SLOTS]})
    command = (PLAYBOOK, "playbooks/preflight.yml", "-i", str(example), "--extra-vars", elsewhere)
    done = run("env", *(f"{key}=any-key" for key in keys), *command)
    assert "failed=0" in done.stdout
    refused = run("env", *(f"{key}=" for key in keys), *command, check=False)
    assert all(f"{key} is empty" in refused.stdout for key in keys), refused.stdout

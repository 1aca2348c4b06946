"""Bad input gets one message that names the variable, what is wrong and the fix; nothing is touched."""

import ipaddress
import json
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.machine import PLAYBOOK, PROJECT, chat, containers, run
from preflight_variables import families, pools

SLOTS = (("blue", 4556), ("green", 4557))
PLANTED = Path("/tmp/vibe-test-planted")
AT_A_TIME = "2"


# One case for each kind of finding; tests/unit/test_preflight_*.py test every rule and value.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "wrong type": ({"gateway_port": "many"}, ["gateway_port", "cannot be converted to an int"]),
    "expression": ({"redis_port": "{{ nope }}"}, ["redis variables", "cannot be evaluated", "nope"]),
    "unknown name": ({"router_familes": []}, ["router_familes", "no option of this name", "router_families?"]),
    "value": ({"gateway_port": 70_000}, ["gateway_port", "70000 is outside the range 1 to 65535"]),
    "injection": (
        {"redis_network": f"$(touch {PLANTED})", "router_redis_host": "x\n  planted: true"},
        ["redis_network", "router_redis_host", "is not a valid name", "is not a valid host"],
    ),
    "rules": (
        {
            **pools(api_key="sk-live-0123456789"),
            **families(cheap_pool="pool-nope"),
            "gateway_clients": [{"name": "default", "key_sha256": "1" * 64}],
            "redis_maxmemory": "400m",
            "images_litellm_version": "1.82.8",
        },
        [
            *("clear text", "unknown pool pool-nope", "entry 1 (default)", "redis_memory_limit at least twice"),
            "known to be compromised",
        ],
    ),
    "host": (
        {"preflight_min_disk_mib": 10**9, "preflight_min_memory_mib": 10**9, "router_workers": 250},
        ["MiB free", "memory: the host has", "250 workers need"],
    ),
    "adapter": (families(adapter="/nonexistent.json"), ["router_families (adapter)", "/nonexistent.json"]),
    "archive": (
        {"images_source": "archive", "images_archive": "/nonexistent/images.tar"},
        ["images_archive", "/nonexistent/images.tar"],
    ),
    "registry": (
        {"images_source": "pull", "images_litellm_pull_reference": "127.0.0.1:9/litellm:v1"},
        ["images_source", "127.0.0.1:9 does not answer this host"],
    ),
}


@pytest.fixture(scope="module")
def files_of_the_deployment(deployed: dict[str, str]) -> Iterator[None]:
    """Fail if a test changes a file or a container of the deployment."""

    def state() -> set[str]:
        find = ("find", "/opt/litellm-vibe-router", "/etc/docker", "-printf", "%p %T@ %s %l\n")
        files = {line for line in run(*find).stdout.splitlines() if "/redis/data" not in line}
        return files | {f"{name} {identity}" for name, identity in containers().items()}

    before = state()
    yield
    # Only the differences, because pytest shortens long values.
    assert sorted(state() ^ before) == []
    assert chat(deployed, "hi").status_code == 200


def _refused(tmp_path: Path, variables: dict[str, Any], *options: str) -> str:
    """Run site.yml with *variables*; return its output before its only failed task."""
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps(variables), encoding="utf-8")
    done = run(PLAYBOOK, "site.yml", "--extra-vars", f"@{extra}", *options, check=False)
    assert done.returncode != 0
    assert "changed=0" in done.stdout, done.stdout
    return done.stdout[done.stdout.index("TASK [preflight : Show the findings]") :]


def _inventory(folder: Path, hosts: dict[str, Any], groups: Mapping[str, Iterable[str]]) -> str:
    """Write an inventory whose hosts are all this machine, with the variables of inventory/local."""
    everyone = {name: {"ansible_connection": "local", **variables} for name, variables in hosts.items()}
    document = {"all": {"hosts": everyone}, **{name: {"hosts": dict.fromkeys(them)} for name, them in groups.items()}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "group_vars").symlink_to(PROJECT / "inventory/local/group_vars")
    return str(folder)


@pytest.fixture(scope="module")
def findings(files_of_the_deployment: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Preflight's findings by case: one run, with a host for each case."""
    hosts = {name.replace(" ", "-"): variables for name, (variables, _) in CASES.items()}
    PLANTED.unlink(missing_ok=True)
    groups = dict.fromkeys(("gateways", "routers", "redis_servers"), hosts)
    inventory = _inventory(tmp_path_factory.mktemp("cases"), hosts, groups)
    # CRITICAL: a process for each of these hosts at once would leave the containers next to no processor time,
    # since all of them together have the share of one process outside: the fleet's routers were silent for a minute.
    done = run(PLAYBOOK, "playbooks/preflight.yml", "-i", inventory, check=False, ANSIBLE_FORKS=AT_A_TIME)
    assert done.returncode != 0
    assert "sk-live-0123456789" not in done.stdout + done.stderr
    said = done.stdout[done.stdout.index("TASK [preflight : Show the findings]") :]
    found: dict[str, str] = dict.fromkeys(hosts, "")
    for finding in re.findall(r"^ *\d+\. .*?On: [^\n]+", said, re.MULTILINE | re.DOTALL):
        names = finding.rsplit("On: ", 1)[1].split(", ")
        assert "every host" not in names, finding
        found |= {name: found[name] + finding + "\n" for name in names}
    return found


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_found_with_its_name_and_fix(case: str, findings: dict[str, str]) -> None:
    message = findings[case.replace(" ", "-")]
    assert [words for words in CASES[case][1] if words not in message] == [], message
    assert "Fix: " in message


@pytest.mark.usefixtures("findings")
def test_nothing_of_a_bad_value_was_run() -> None:
    assert not PLANTED.exists()


@pytest.fixture
def host_that_answers_with_jinja(deployed: dict[str, str]) -> Iterator[str]:
    """Add a line to the host's record that would run a command if it were templated; return the line's words."""
    record = Path("/opt/litellm-vibe-router/deployment/audit.jsonl")
    kept, status = record.read_text(encoding="utf-8"), record.stat()
    words = f"{{{{ lookup('pipe', 'touch {PLANTED}') }}}}"
    line = json.loads(kept.splitlines()[-1]) | {"by": words, "message": words, "release": words}
    record.write_text(f"{kept}{json.dumps(line)}\n", encoding="utf-8")
    PLANTED.unlink(missing_ok=True)
    yield words
    record.write_text(kept, encoding="utf-8")
    # Restored, for the check that nothing of the deployment was touched.
    os.utime(record, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_a_host_says_is_shown_and_never_taken_for_a_template(host_that_answers_with_jinja: str) -> None:
    lines = json.loads(run("./deploy.sh", "audit", "--json").stdout)
    assert lines[-1]["message"] == host_that_answers_with_jinja
    run("./deploy.sh", "status")
    assert not PLANTED.exists()


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        slots = [{"name": "blue", "port": port}, {"name": "green", "port": port + 1}]
        message = _refused(tmp_path, {"router_slots": slots, "vibe_container_prefix": "other-"})
    assert f"router_slots: port {port} on 127.0.0.1 is used by another program" in message
    assert "vibe_container_prefix: there is a deployment already, with container " in message


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_deployment_is_not_made_a_second_time_elsewhere(tmp_path: Path) -> None:
    message = _refused(tmp_path, {"vibe_dir": "/srv/elsewhere"})
    assert "vibe_dir: there is a deployment already, with container " in message
    assert "from /opt/litellm-vibe-router/" in message
    assert "or remove that deployment first" in message


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_malformed_daemon_json_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text('{"log-driver": json-file}', encoding="utf-8")
    message = _refused(tmp_path, {"__docker_daemon_json_path": str(path)})
    assert str(path) in message
    assert "line 1" in message
    assert path.read_text(encoding="utf-8") == '{"log-driver": json-file}'


@pytest.mark.usefixtures("files_of_the_deployment")
def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    variables = {
        **families(cheap_pool="pool-nope"),
        "router_master_key": "sk-1234",
        "preflight_min_disk_mib": 10**9,
    }
    message = _refused(tmp_path, variables)
    expected = ("pool-nope", "router_master_key", "MiB free")
    assert [words for words in expected if words not in message] == [], message


def test_a_fault_of_shared_variables_is_said_once_and_one_of_a_host_with_its_name(tmp_path: Path) -> None:
    names = ("gateway-1", "router-1", "router-2", "redis-1")
    hosts: dict[str, Any] = {name: {} for name in names}
    hosts["router-2"]["preflight_min_disk_mib"] = 10**9
    groups = {"gateways": names[:1], "routers": names[1:3], "redis_servers": names[3:]}
    variables = json.dumps({"router_secrets": {"STUB_API_KEY": ""}})
    inventory = _inventory(tmp_path, hosts, groups)
    done = run(PLAYBOOK, "playbooks/preflight.yml", "-i", inventory, "--extra-vars", variables, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert said.count("STUB_API_KEY is empty, and is needed by pool-chat-mini (deployment 1), pool-chat-standard") == 1
    assert said.count("On: router-1, router-2") == 1
    # One for each file system of /var/lib and /opt.
    assert said.count("MiB free") == said.count("On: router-2\n") > 0
    assert said.count(" findings, listed above; nothing was changed") == 2, "Ansible shows a failure twice"


def _self_signed(folder: Path, name: str, host: str) -> tuple[str, str]:
    """Make a certificate for *host* and return its file and that of its key."""
    certificate, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    new = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test")
    run("openssl", "req", *new, "-addext", f"subjectAltName={host}", "-out", certificate, "-keyout", key)
    return certificate, key


def test_a_given_certificate_that_clients_would_refuse_is_named(tmp_path: Path) -> None:
    certificate, _ = _self_signed(tmp_path, "mine", "DNS:other.example")
    _, another = _self_signed(tmp_path, "another", "DNS:other.example")
    given = {
        "gateway_tls": "given",
        "gateway_tls_certificate": certificate,
        "verification_url": "https://127.0.0.1:4000",
    }
    command = (PLAYBOOK, "playbooks/preflight.yml", "--extra-vars")
    said = run(*command, json.dumps({**given, "gateway_tls_key": another}), check=False).stdout
    assert f"{another} does not belong to gateway_tls_certificate" in said
    assert "it is for DNS:other.example, and verification_url requests 127.0.0.1" in said
    good = dict(
        zip(("gateway_tls_certificate", "gateway_tls_key"), _self_signed(tmp_path, "good", "IP:127.0.0.1"), strict=True)
    )
    run(*command, json.dumps({**given, **good}))


def test_the_blocks_of_the_example_are_a_deployment_once_they_are_uncommented(tmp_path: Path) -> None:
    example = tmp_path / "production"
    shutil.copytree(PROJECT / "inventory/example", example)
    for name in ("models.yml", "secrets.yml"):
        path = example / "group_vars/all" / name
        # Blocks are list items and upper-case keys; prose starts with a capital and continues in lower case.
        block = re.compile(r"^(\s*)# (?=- |  |[A-Z0-9_]+:)", re.MULTILINE)
        path.write_text(block.sub(r"\1", path.read_text(encoding="utf-8")), encoding="utf-8")
    keys = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_API_KEY", "AGGREGATOR_API_KEY", "OPENAI_API_KEY_2")
    # This machine's gateway may already serve another environment.
    elsewhere = json.dumps({"gateway_port": 4555, "router_slots": [{"name": n, "port": p} for n, p in SLOTS]})
    command = (PLAYBOOK, "playbooks/preflight.yml", "-i", str(example), "--extra-vars", elsewhere)
    done = run("env", *(f"{key}=any-key" for key in keys), *command)
    assert "failed=0" in done.stdout
    refused = run("env", *(f"{key}=" for key in keys), *command, check=False)
    assert all(f"{key} is empty" in refused.stdout for key in keys), refused.stdout


def test_what_an_upgrade_breaks_is_listed_and_has_to_be_accepted(tmp_path: Path) -> None:
    upgrades = [
        {"version": "0.0.1", "renamed": {}, "breaks": ["was accepted long ago"]},
        {"version": "0.0.2", "renamed": {"router_familes": "router_families"}, "breaks": ["the moon is square"]},
        {"version": "99.0.0", "renamed": {}, "breaks": ["is yet to come"]},
    ]
    path = tmp_path / "upgrades.yml"
    path.write_text(yaml.safe_dump(upgrades), encoding="utf-8")
    version = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    (tmp_path / "version").write_text("0.0.1\n", encoding="utf-8")
    variables: dict[str, Any] = {"vibe_upgrades_file": str(path), "__deployment_dir": str(tmp_path)}
    command = (PLAYBOOK, "playbooks/preflight.yml", "--extra-vars")
    said = run(*command, json.dumps(variables), check=False).stdout
    assert f"From 0.0.1 to {version}:" in said
    assert "0.0.2: the moon is square" in said
    assert "long ago" not in said
    assert "yet to come" not in said
    assert f"add --accept-upgrade {version}" in said
    variables["deployment_accept_upgrade"] = version
    run(*command, json.dumps(variables))
    refused = run(*command, json.dumps({**variables, "router_familes": []}), check=False).stdout
    assert "it was renamed: router_familes → router_families" in refused


@pytest.mark.parametrize(("toolkit", "is_older"), [("0.1.0", True), (None, True), ("THIS", False)])
def test_a_host_that_no_deployment_ever_finished_on_has_no_older_version(
    toolkit: str | None, is_older: bool, tmp_path: Path
) -> None:
    # As a failed first deployment leaves it: a current release, and no recorded version.
    version = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    made_by = version if toolkit == "THIS" else toolkit
    (tmp_path / "current").mkdir()
    manifest = {"release": "a" * 12, **({"toolkit": made_by} if made_by else {})}
    (tmp_path / "current/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    variables = {"__deployment_dir": str(tmp_path), "__deployment_unrecorded_sign": str(tmp_path / "current")}
    done = run(PLAYBOOK, "playbooks/preflight.yml", "--extra-vars", json.dumps(variables), check=False)
    assert ("was deployed by version 0.1.0" in done.stdout) == is_older, done.stdout[-3000:]
    assert (done.returncode != 0) == is_older


INVENTORIES: dict[str, tuple[dict[str, Any], str]] = {
    "no routers": ({"routers": {}}, "routers: the inventory has no host in this group"),
    "an address twice": (
        {"routers": {"r1": {"ansible_host": "192.0.2.1"}, "r2": {"ansible_host": "192.0.2.1"}}},
        "r1 and r2 have the same address, 192.0.2.1:22",
    ),
    "leaves and stays": (
        {"routers": {"r1": {}}, "router_leaving": {"r1": {}}},
        "router_leaving: r1 is in routers too",
    ),
}


@pytest.mark.parametrize("case", INVENTORIES)
def test_an_inventory_that_makes_no_sense_is_refused_before_any_host_is_asked(case: str, tmp_path: Path) -> None:
    groups, expected = INVENTORIES[case]
    hosts = {"gateways": {"g1": {}}, "redis_servers": {"s1": {}}, **groups}
    document = {name: {"hosts": them} for name, them in hosts.items()}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = run(PLAYBOOK, "playbooks/preflight.yml", "-i", str(tmp_path), check=False)
    assert done.returncode != 0
    assert expected in done.stdout
    assert "Fix:" in done.stdout
    assert "UNREACHABLE" not in done.stdout


def test_a_gateway_that_cannot_reach_a_router_and_an_old_python_are_named(deployed: dict[str, str]) -> None:
    # The last address of the containers' network, which is unused.
    subnet = run("docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", "vibe").stdout.strip()
    address = str(ipaddress.ip_network(subnet).broadcast_address - 1)
    elsewhere = json.dumps({"vibe_router_address": address})
    said = run(PLAYBOOK, "playbooks/preflight.yml", "--extra-vars", elsewhere, check=False).stdout
    assert f"this host cannot reach {address}:4101" in said
    old = json.dumps({"__preflight_python_minimum": "9.9"})
    assert "and 9.9 or newer is needed" in run(PLAYBOOK, "playbooks/preflight.yml", "-e", old, check=False).stdout

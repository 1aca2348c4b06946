"""Bad input gets one message that names the variable, what is wrong and the mend; nothing is touched."""

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
    "unknown affinity": (_families(affinity="sticky"), ["router_families", "priced, upward, off", "sticky"]),
    "share outside": (
        _families(strong_share=25),
        ["router_families", "strong_share 25", "is not between 0 and 1", "0.25"],
    ),
    "signal twice": (
        _families(signals={"strong": ["Review"], "cheap": ["review "]}),
        ["router_families (signals)", "signals have review twice", "each phrase once"],
    ),
    "signal without a letter": (
        _families(signals={"strong": [" - "]}),
        ["router_families (signals)", "which is no phrase"],
    ),
    "adapter that is not there": (
        _families(adapter="/nonexistent/adapter.json"),
        ["router_families (adapter)", "adapter /nonexistent/adapter.json: cannot be read", "take adapter out"],
    ),
    "cache for ever": (_families(cache_life=10**6), ["router_families", "cache_life 1000000 is outside 0 to 86400"]),
    "negative price": (
        _pools(model_info={"input_cost_per_token": -1e-6}),
        ["pool-chat-mini (deployment 1)", "input_cost_per_token -1e-06 is no price of a token", "dollars a token"],
    ),
    "price that YAML takes for a text": (
        _pools(model_info={"output_cost_per_token": "1e-6"}),
        ["output_cost_per_token 1e-6 is no price of a token", "1.0e-6 for a number"],
    ),
    "batches that make no sense": (
        {"router_rollout_serial": [1, "150%"]},
        ["router_rollout_serial", "150%", "from 1%"],
    ),
    "certificate that is not there": (
        {"gateway_tls": "given", "gateway_tls_certificate": "/nonexistent.pem"},
        [
            "gateway_tls",
            "gateway_tls_certificate names no file by its whole path: /nonexistent.pem",
            "gateway_tls_key is not set",
        ],
    ),
    "plain address of a gateway that speaks TLS": (
        {"gateway_tls": "own_ca"},
        ["verification_url", "begins with http://", "gateway_tls: own_ca", "write https://"],
    ),
    "ACME without what it needs": (
        {
            "gateway_tls": "acme",
            "verification_url": "https://127.0.0.1:4000",
            "gateway_tls_names": ["*.gateway.example"],
            "gateway_acme_ca_file": "/nonexistent.pem",
            "gateway_acme_port": "{{ gateway_port }}",
        },
        [
            "it is acme, and gateway_acme_terms_agreed is not true",
            "it is acme, and *.gateway.example cannot be proved by HTTP",
            "gateway_acme_ca_file names no file by its whole path: /nonexistent.pem",
            "it is acme, and gateway_acme_port is gateway_port",
            "list in gateway_tls_names what clients ask for",
        ],
    ),
    "ACME for no name": (
        {"gateway_tls": "acme", "verification_url": "https://127.0.0.1:4000", "gateway_acme_terms_agreed": True},
        ["it is acme, and gateway_tls_names is empty"],
    ),
    "unknown TLS": ({"gateway_tls": "maybe"}, ["gateway_tls", "auto, plain, own_ca, given", "maybe"]),
    "address for a name": (
        {"gateway_tls_names": ["https://gateway.example", "300.1.1.1"]},
        ["gateway_tls_names", '"https://gateway.example" is no name of a host', '"300.1.1.1" is no name of a host'],
    ),
    "fewer requests than a verification sends": (
        {"gateway_client_requests_per_minute": 60},
        ["gateway_client_requests_per_minute", "60 is less than a verification needs", "200 or more"],
    ),
    "fewer requests than none": (
        {"gateway_requests_per_minute": -1},
        ["gateway_requests_per_minute", "-1 is less than a verification needs"],
    ),
    "everybody is trusted": (
        {"gateway_trusted_proxies": ["everybody", "10.0.0.0/99"]},
        ["gateway_trusted_proxies", '"everybody" is no network', '"10.0.0.0/99" is no network', "10.0.0.0/8"],
    ),
    "clients that are none": (
        {
            "gateway_clients": [
                {"name": "two words; rm -rf", "key_sha256": "0" * 64},
                {"name": "default", "key_sha256": "1" * 64},
                {"name": "line\n", "key_sha256": "2" * 64, "models": ["pool-nope"]},
                {"name": "short", "key_sha256": "abc", "expires": "31.1.2027"},
                {"name": "alone", "key_sha256": "4" * 64, "former_key_sha256": "5" * 64, "requests_per_minute": -1},
                {"name": "alone", "key_sha256": "4" * 64, "former_key_expires": "2027-01-31T25:00:00Z"},
            ]
        },
        [
            "entry 1 has a name that is no plain word",
            "entry 2 (default) has the name of the operator",
            "entry 3 has a name that is no plain word",
            "entry 3 may ask for pool-nope, which is neither a virtual model nor a pool",
            "entry 4 (short): key_sha256 is no SHA-256",
            "entry 4 (short): expires is neither a day such as 2027-01-31",
            "entry 5 (alone): former_key_sha256 and former_key_expires belong together",
            "entry 5 (alone): requests_per_minute is negative",
            "entry 6 (alone): former_key_expires is neither a day",
            "two clients have the same name",
            "one key is there twice",
            "./deploy.sh client writes such entries",
        ],
    ),
    "unknown pool": (_families(cheap_pool="pool-nope"), ["router_families", "unknown pool pool-nope", "router_pools"]),
    "no strong pool": (_families(strong_pool=None), ["strong_pool", "missing required arguments"]),
    "duplicate name": (_twice(), ["the model name pool-chat-mini is given 2 times"]),
    "key in clear text": (_pools(api_key="sk-live-0123456789"), ["api_key", "clear text", "os.environ/NAME"]),
    "empty address": (_pools(api_base=""), ["api_base", "sends the request and its key to OpenAI"]),
    "empty secret": ({"router_secrets": {"STUB_API_KEY": ""}}, ["STUB_API_KEY is empty", "router_secrets"]),
    "shell variable": (_pools(api_base="http://${HOST}/v1"), ["api_base", "is no address"]),
    "invalid tier": (_pools(model_info={"tier": "standard"}), ["tier standard", "free and paid"]),
    "weak key": ({"router_master_key": "sk-1234"}, ["router_master_key", "shorter than 20", "publicly known"]),
    "more records than Redis holds": (
        {"router_records": 2_000_000},
        ["router_records", "2000000 is outside 0 to 100000", "half a kilobyte of Redis"],
    ),
    "no workers": ({"router_workers": 0}, ["router_workers", "0 is neither auto nor a number from 1 to 256"]),
    "less than no workers": ({"router_workers": -1}, ["router_workers", "-1 is neither", "from 1 to 256"]),
    "many workers": ({"router_workers": "many"}, ["router_workers", "many is neither auto", "give auto"]),
    "thousand workers": ({"router_workers": 1000}, ["router_workers", "1000 is neither auto nor a number"]),
    "workers without memory for them": (
        {"router_workers": 250},
        [
            "router_workers",
            "250 workers need",
            "MiB while two slots run, and the host has",
            "auto takes as many as fit",
        ],
    ),
    "memory for less than a worker": (
        {"router_memory_limit": "512m", "router_workers": "auto"},
        ["router_memory_limit", "512m is less than the 570 MiB that one worker needs", "router_worker_memory_mib"],
    ),
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
    "compromised release": (
        {"images_litellm_version": "1.82.8"},
        ["images_litellm_version", "LiteLLM 1.82.8", "known to be compromised", "every machine that has run that one"],
    ),
    "compromised release, pulled": (
        {"images_source": "pull", "images_litellm_pull_reference": "ghcr.io/berriai/litellm:v1.82.7"},
        ["images_litellm_pull_reference", "LiteLLM 1.82.7", "known to be compromised"],
    ),
    "archive without a path": ({"images_source": "archive"}, ["images_archive"]),
}
# Every variable of the roles on a host, each with what nobody should give it: preflight's tables say which there are.
VALUES = yaml.safe_load((PROJECT / "roles/preflight/vars/main/values.yml").read_text(encoding="utf-8"))
PLANTED = Path("/tmp/vibe-test-planted")
INJECTIONS = {
    "shell": f"x; touch {PLANTED}",
    "substitution": f"$(touch {PLANTED})",
    "backquotes": f"/`touch {PLANTED}`",
    "line of YAML": "x\n  planted: true",
    "line of a configuration": "/x\n    http-request deny",
    "quotes": '/x" planted: "true',
    "words": "/some where/else '",
}
# One line of text may hold anything but the end of the line.
OF_A_LINE = ("line of YAML", "line of a configuration")
AT_A_TIME = "2"
# What the argument specs refuse: rules across variables are looked at once these hold.
OF_THE_SPECS = frozenset(
    (
        *("wrong type", "value that cannot be worked out", "unknown key", "unknown rule", "unknown routing"),
        *("unknown affinity", "no strong pool", "unknown TLS"),
    )
)


def _hosts() -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Return made-up hosts with their variables, and the host of each case: cases of other variables share one."""
    hosts: dict[str, dict[str, Any]] = {}
    host_of: dict[str, str] = {}
    for case, (variables, _) in CASES.items():
        kind = "spec" if case in OF_THE_SPECS else "rule"
        fit = (name for name, taken in hosts.items() if name.startswith(kind) and taken.keys().isdisjoint(variables))
        host_of[case] = next(fit, f"{kind}-{len(hosts)}")
        hosts.setdefault(host_of[case], {}).update(variables)
    return hosts, host_of


def _bad_values() -> dict[str, dict[str, Any]]:
    """Return a made-up host a kind of bad value, which gives it to each variable that has no use for it."""
    numbers = VALUES["__preflight_numbers"]
    words = VALUES["__preflight_words"]
    hosts: dict[str, dict[str, Any]] = {
        "value-below": {name: least - 1 for name, (least, _) in numbers.items()},
        "value-above": {name: most + 1 for name, (_, most) in numbers.items()},
    }
    for kind, value in INJECTIONS.items():
        names = (name for name, of in words.items() if of != "line" or kind in OF_A_LINE)
        hosts[f"value-{kind.replace(' ', '-')}"] = dict.fromkeys(names, value)
    return hosts


BAD_VALUES = _bad_values()


@pytest.fixture(scope="module")
def files_of_the_deployment(deployed: dict[str, str]) -> Iterator[None]:
    """Fail if a test changes a file or a container of the deployment."""

    def state() -> set[str]:
        find = ("find", "/opt/litellm-vibe-router", "/etc/docker", "-printf", "%p %T@ %s %l\n")
        files = {line for line in run(*find).stdout.splitlines() if "/redis/data" not in line}
        return files | {f"{name} {identity}" for name, identity in containers().items()}

    before = state()
    yield
    # Differences alone: pytest cuts long values short.
    assert sorted(state() ^ before) == []
    assert chat(deployed, "hi").status_code == 200


def _refused(tmp_path: Path, variables: dict[str, Any], *options: str) -> str:
    """Run site.yml with *variables*; return what it says before its only failed task."""
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps(variables), encoding="utf-8")
    done = run(PLAYBOOK, "site.yml", "--extra-vars", f"@{extra}", *options, check=False)
    assert done.returncode != 0
    assert "changed=0" in done.stdout, done.stdout
    return done.stdout[done.stdout.index("TASK [preflight : What is wrong") :]


def _inventory(folder: Path, hosts: dict[str, Any], groups: Mapping[str, Iterable[str]]) -> str:
    """Write an inventory of hosts that all are this machine, with the variables of inventory/local."""
    everyone = {name: {"ansible_connection": "local", **variables} for name, variables in hosts.items()}
    document = {"all": {"hosts": everyone}, **{name: {"hosts": dict.fromkeys(them)} for name, them in groups.items()}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "group_vars").symlink_to(PROJECT / "inventory/local/group_vars")
    return str(folder)


@pytest.fixture(scope="module")
def findings(files_of_the_deployment: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What preflight finds, by case: all in one run."""
    hosts, host_of = _hosts()
    hosts |= BAD_VALUES
    PLANTED.unlink(missing_ok=True)
    groups = dict.fromkeys(("gateways", "routers", "redis_servers"), hosts)
    inventory = _inventory(tmp_path_factory.mktemp("cases"), hosts, groups)
    # CRITICAL: a process for each of these hosts at once would leave the containers next to no processor time,
    # since all of them together have the share of one process outside: the fleet's routers were silent for a minute.
    done = run(PLAYBOOK, "playbooks/preflight.yml", "-i", inventory, check=False, ANSIBLE_FORKS=AT_A_TIME)
    assert done.returncode != 0
    assert "sk-live-0123456789" not in done.stdout + done.stderr
    said = done.stdout[done.stdout.index("TASK [preflight : What is wrong") :]
    found: dict[str, str] = dict.fromkeys(hosts, "")
    for finding in re.findall(r"^ *\d+\. .*?On: [^\n]+", said, re.MULTILINE | re.DOTALL):
        names = finding.rsplit("On: ", 1)[1].split(", ")
        assert "every host" not in names, finding
        found |= {name: found[name] + finding + "\n" for name in names}
    return {case: found[host] for case, host in host_of.items()} | {host: found[host] for host in BAD_VALUES}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_found_with_its_name_and_mend(case: str, findings: dict[str, str]) -> None:
    message = findings[case]
    assert [words for words in CASES[case][1] if words not in message] == [], message
    assert "Mend:" in message


@pytest.mark.parametrize(("host", "name"), [(host, name) for host, names in BAD_VALUES.items() for name in names])
def test_a_variable_that_has_no_use_for_a_value_refuses_it(host: str, name: str, findings: dict[str, str]) -> None:
    found = re.search(rf"^ *\d+\. .*\b{name}\b.*\n(?:.*\n)*? *Mend: .+", findings[host], re.MULTILINE)
    assert found, findings[host][:2000]
    assert " is outside " in found[0] or " is no " in found[0], found[0]


@pytest.mark.usefixtures("findings")
def test_nothing_of_a_bad_value_was_run() -> None:
    assert not PLANTED.exists()


@pytest.fixture
def host_that_answers_with_jinja(deployed: dict[str, str]) -> Iterator[str]:
    """The host's record with a line that would run a command, were it taken for a template; gives that line's words."""
    record = Path("/opt/litellm-vibe-router/deployment/audit.jsonl")
    kept, status = record.read_text(encoding="utf-8"), record.stat()
    words = f"{{{{ lookup('pipe', 'touch {PLANTED}') }}}}"
    line = json.loads(kept.splitlines()[-1]) | {"by": words, "message": words, "release": words}
    record.write_text(f"{kept}{json.dumps(line)}\n", encoding="utf-8")
    PLANTED.unlink(missing_ok=True)
    yield words
    record.write_text(kept, encoding="utf-8")
    # As it was, for the look at whether anything of the deployment was touched.
    os.utime(record, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_a_host_says_is_shown_and_never_taken_for_a_template(host_that_answers_with_jinja: str) -> None:
    assert host_that_answers_with_jinja in run("./deploy.sh", "audit").stdout
    run("./deploy.sh", "status")
    assert not PLANTED.exists()


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        slots = [{"name": "blue", "port": port}, {"name": "green", "port": port + 1}]
        message = _refused(tmp_path, {"router_slots": slots, "vibe_container_prefix": "other-"})
    assert f"router_slots: port {port} on 127.0.0.1 is used by another program" in message
    assert "vibe_container_prefix: a deployment is there already, with container " in message


@pytest.mark.usefixtures("files_of_the_deployment")
def test_a_deployment_is_not_made_a_second_time_elsewhere(tmp_path: Path) -> None:
    message = _refused(tmp_path, {"vibe_dir": "/srv/elsewhere"})
    assert "vibe_dir: a deployment is there already, with container " in message
    assert "from /opt/litellm-vibe-router/" in message
    assert "take that deployment down first" in message


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
    variables = {
        **_families(cheap_pool="pool-nope"),
        "router_master_key": "sk-1234",
        "preflight_min_disk_mib": 10**9,
        "__preflight_supported": {"Debian": ["99"]},
    }
    message = _refused(tmp_path, variables)
    expected = ("pool-nope", "router_master_key", "MiB free", "is not supported", "Debian 12 or 13")
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
    # One for each file system that /var/lib and /opt are on.
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
    assert "it is not for 127.0.0.1, by which verification_url asks, but for DNS:other.example" in said
    said = run(*command, json.dumps({**given, "gateway_tls_key": certificate}), check=False).stdout
    assert f"{certificate} is no private key without a passphrase" in said
    good = dict(
        zip(("gateway_tls_certificate", "gateway_tls_key"), _self_signed(tmp_path, "good", "IP:127.0.0.1"), strict=True)
    )
    run(*command, json.dumps({**given, **good}))


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
    assert f"add -e deployment_accept_upgrade={version}" in said
    variables["deployment_accept_upgrade"] = version
    run(*command, json.dumps(variables))
    refused = run(*command, json.dumps({**variables, "router_familes": []}), check=False).stdout
    assert "it was renamed: router_familes → router_families" in refused


@pytest.mark.parametrize(("toolkit", "is_older"), [("0.1.0", True), (None, True), ("THIS", False)])
def test_a_host_that_no_deployment_ever_finished_on_has_no_older_version(
    toolkit: str | None, is_older: bool, tmp_path: Path
) -> None:
    # As a failed first deployment leaves it: a release is current, and no version was recorded.
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
        "r1 and r2 have one address, 192.0.2.1:22",
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
    assert "Mend:" in done.stdout
    assert "UNREACHABLE" not in done.stdout


def test_a_gateway_that_cannot_reach_a_router_and_an_old_python_are_named(deployed: dict[str, str]) -> None:
    # The last address of the containers' network, which no container has.
    subnet = run("docker", "network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", "vibe").stdout.strip()
    address = str(ipaddress.ip_network(subnet).broadcast_address - 1)
    elsewhere = json.dumps({"vibe_router_address": address})
    said = run(PLAYBOOK, "playbooks/preflight.yml", "--extra-vars", elsewhere, check=False).stdout
    assert f"{address}:4101 is not reached from this host" in said
    old = json.dumps({"__preflight_python_minimum": "9.9"})
    assert "and 9.9 or newer is needed" in run(PLAYBOOK, "playbooks/preflight.yml", "-e", old, check=False).stdout

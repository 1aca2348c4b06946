"""A fleet in the lab, over SSH: deployed, changed under load, rolled back, inspected, reduced, removed.

The tests depend on each other, in order. A third of the load are streams of some seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import socket
import textwrap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import yaml
from e2e.lab import GATEWAY, HOSTS, INVENTORY, LAB, REDIS, ROUTERS, addresses, on
from e2e.load import traffic_to, trusted
from e2e.machine import PLAYBOOK, Run, changed, chat, run, wait_for

# Another folder and other names than the defaults, for roles, checks, doctor, status, backup and teardown.
PLACE = {"vibe_dir": "/srv/gateway-team", "vibe_container_prefix": "team-"}
BASE = PLACE["vibe_dir"]
OURS = (
    "docker ps --all --quiet; docker images --quiet; docker network ls --quiet --filter name=^vibe$;"
    f" ls -d {BASE} /var/lib/litellm-vibe-router"
)
FLEET = ("-i", "inventory/lab")
RULES = "inet litellm_vibe_router"
SLOT, PORTS = "docker ps --quiet --filter name=^team-litellm-vibe-router-", "docker ps --format {{.Ports}}"
SCANNED_PORTS, SCANNED_AT_ONCE, SCAN_SECONDS = 10_000, 400, 1.5


def _play(*words: str, check: bool = True) -> Run:
    return run(PLAYBOOK, *FLEET, *words, check=check, timeout=1200)


def _serving() -> dict[str, str]:
    """Return the release that each router serves, from the status."""
    rows = json.loads(run("./deploy.sh", "status", *FLEET, "--json").stdout)
    routers = [row for row in rows if row["role"] == "router"]
    # "UP 2/3" missed a health check, and serves.
    assert all(row["gateways"].startswith("UP") for row in routers), routers
    return {row["host"]: row["release"] for row in routers}


def _certificate(settings: dict[str, str]) -> str:
    """Return the serial number of the gateway's certificate."""
    parts = urlsplit(settings["OPENAI_BASE_URL"])
    with (
        socket.create_connection((parts.hostname, parts.port), 30) as plain,
        trusted(settings).wrap_socket(plain, server_hostname=parts.hostname) as shown,
    ):
        return str((shown.getpeercert() or {})["serialNumber"])


@pytest.fixture(scope="module")
def failed_first(lab: None) -> Run:
    """The first deployment of the lab, which fails in its last step: the checks expect other pools."""
    (INVENTORY / "group_vars/all/place.yml").write_text(yaml.safe_dump(PLACE), encoding="utf-8")
    pools = {"chat-auto": ["pool-claude-haiku", "pool-claude-haiku"]}
    other = {"verification_pools": pools, "verification_most_requests": 8}
    return run("./deploy.sh", *FLEET, "-e", json.dumps(other), timeout=1800, check=False)


@pytest.fixture(scope="module")
def fleet(failed_first: Run) -> Run:
    """The lab, deployed with the README's command after a first deployment that failed."""
    return run("./deploy.sh", *FLEET, timeout=1800)


def test_a_failed_first_deployment_does_not_block_the_second(failed_first: Run, fleet: Run) -> None:
    assert failed_first.returncode == 2
    assert re.search(r"\d+ passed, [1-9]\d* failed", failed_first.stdout), failed_first.stdout[-3000:]
    assert "was deployed by version" not in fleet.stdout


@pytest.fixture(scope="module")
def settings(fleet: Run) -> dict[str, str]:
    """The client's settings of the fleet."""
    exports = run("./deploy.sh", "env", *FLEET).stdout
    return dict(re.findall(r"^export (\w+)=(\S+)$", exports, flags=re.MULTILINE))


def test_hosts_become_a_fleet_that_serves_one_release(fleet: Run, settings: dict[str, str]) -> None:
    assert "DEPRECATION" not in fleet.stdout + fleet.stderr
    assert re.search(r"\d+ passed, 0 failed", fleet.stdout)
    serving = _serving()
    assert set(serving) == set(ROUTERS)
    assert len(set(serving.values())) == 1
    assert chat(settings, "hi").status_code == 200


def test_clients_are_served_by_tls_alone_and_by_http_2(settings: dict[str, str]) -> None:
    address, key = settings["OPENAI_BASE_URL"], settings["OPENAI_API_KEY"]
    assert address.startswith("https://")
    body = {"model": "chat-auto", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    with httpx.Client(http2=True, verify=trusted(settings), headers={"authorization": f"Bearer {key}"}) as client:
        answer = client.post(f"{address}/chat/completions", json=body, timeout=60)
        # Without a declared length, so the gateway's filter counts it.
        models = client.get(f"{address}/models", timeout=60)
        refused = client.get(f"{address}/models", headers={"authorization": "Bearer sk-nobody"}, timeout=60)
    assert (answer.status_code, answer.http_version) == (200, "HTTP/2")
    assert answer.text.rstrip().endswith("[DONE]")
    # The gateway's own answers have it too.
    assert {one.headers["strict-transport-security"] for one in (answer, models, refused)} == {"max-age=63072000"}
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        requests.get(f"{address}/models", timeout=30)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address.replace('https', 'http')}/models", timeout=30)
    # Only the control node has the authority's key, and only the gateway can read the certificate's key.
    assert "ca.key" not in on(GATEWAY, f"find {BASE} -name '*.key'")
    assert on(GATEWAY, f"stat --format '%a %u' {BASE}/gateway/conf/gateway.pem") == "400 10003"


async def _open_ports(address: str) -> set[int]:
    """Return the open TCP ports of *address*, in a range that includes all ports of the toolkit."""
    busy = asyncio.Semaphore(SCANNED_AT_ONCE)

    async def accepts(port: int) -> bool:
        async with busy:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), SCAN_SECONDS)
            except (OSError, TimeoutError):
                return False
            writer.close()
            return True

    ports = range(1, SCANNED_PORTS)
    found = await asyncio.gather(*map(accepts, ports))
    return {port for port, is_open in zip(ports, found, strict=True) if is_open}


def _reached(host: str, targets: list[str], network: str = "bridge") -> list[str]:
    """Return which of *targets* (address:port) another container can reach from a *network* of *host*."""
    program = textwrap.dedent("""
        import socket, sys
        for target in sys.argv[1:]:
            try:
                socket.create_connection(target.split(":"), 2).close()
            except OSError:
                continue
            print(target)
    """)
    image = on(host, "docker image ls --format '{{.Repository}}:{{.Tag}}' | grep litellm: | head -1")
    options = f"--rm --network {network} --entrypoint python3"
    return on(host, f"docker run {options} {image} -c {shlex.quote(program)} {' '.join(targets)}").split()


def test_from_outside_a_port_scan_finds_ssh_and_the_gateway_alone(fleet: Run) -> None:
    # This machine is not in the inventory. More ports than these listen on addresses that it can reach.
    assert "4101" in on(ROUTERS[0], "ss --listening --tcp --numeric") + on(ROUTERS[0], "docker ps --format {{.Ports}}")
    found = {host: asyncio.run(_open_ports(address)) for host, address in addresses().items()}
    assert found == {GATEWAY: {22, 4000}, REDIS: {22}, ROUTERS[0]: {22}, ROUTERS[1]: {22}}


def test_from_a_foreign_container_or_past_the_published_ports_neither_slots_nor_redis_are_reached(fleet: Run) -> None:
    router, other, redis = (addresses()[host] for host in (*ROUTERS, REDIS))
    slot = f"{router}:{4101 if f'{router}:4101' in on(ROUTERS[0], PORTS) else 4102}"
    network = '{{(index .NetworkSettings.Networks "vibe").IPAddress}}'
    inside = on(ROUTERS[0], f"docker inspect --format '{network}' $({SLOT})")
    targets = [slot, f"{other}:4101", f"{other}:4102", f"{redis}:6379"]
    past = f"ip route add {inside}/32 via {router}; timeout 3 bash -c '</dev/tcp/{inside}/4000' && echo reached"
    past += f"; ip route del {inside}/32"
    assert _reached(ROUTERS[0], targets) == []
    assert on(REDIS, past, check=False) == ""
    # Without our rules the ports are open: it is the rules that close them.
    on(ROUTERS[0], f"nft delete table {RULES}")
    try:
        assert _reached(ROUTERS[0], targets) == [slot, f"{redis}:6379"]
        assert on(REDIS, past, check=False) == "reached"
    finally:
        on(ROUTERS[0], "nft -f /etc/litellm-vibe-router/firewall.nft")
    assert _reached(ROUTERS[0], targets) == []


def test_our_containers_do_not_reach_where_clouds_keep_the_keys_of_their_machines(fleet: Run) -> None:
    metadata = "169.254.169.254:8099"
    serve = "ip address add 169.254.169.254/32 dev lo && systemd-run --unit metadata python3 -m http.server"
    on(ROUTERS[0], f"{serve} --bind {metadata.replace(':', ' ')}")
    try:
        listening = f"timeout 2 bash -c '</dev/tcp/{metadata.replace(':', '/')}' && echo yes"
        wait_for(lambda: on(ROUTERS[0], listening, check=False), 20)
        assert _reached(ROUTERS[0], [metadata], "vibe") == []
        on(ROUTERS[0], f"nft delete table {RULES}")
        assert _reached(ROUTERS[0], [metadata], "vibe") == [metadata]
    finally:
        on(ROUTERS[0], "systemctl stop metadata; ip address del 169.254.169.254/32 dev lo")
        on(ROUTERS[0], "nft -f /etc/litellm-vibe-router/firewall.nft")


@pytest.mark.slow
def test_a_closed_host_lets_in_ssh_alone_and_rules_that_lock_ansible_out_undo_themselves(
    settings: dict[str, str],
) -> None:
    firewall = ("./deploy.sh", *FLEET, "--tags", "firewall", "-e", "firewall_closed=true")
    listens = "python3 -c 'import socket, time; s = socket.create_server((\"\", 4444)); time.sleep(600)'"
    run("docker", "exec", "--detach", REDIS, "sh", "-c", f"echo $$ > /tmp/listens; exec {listens}")
    before = on(REDIS, f"nft list table {RULES}")
    assert 4444 in asyncio.run(_open_ports(addresses()[REDIS]))
    try:
        run(*firewall)
        assert asyncio.run(_open_ports(addresses()[REDIS])) == {22}
        assert asyncio.run(_open_ports(addresses()[GATEWAY])) == {22, 4000}
        assert chat(settings, "hi").status_code == 200
        closed = on(REDIS, f"nft list table {RULES}")
        # A wrong SSH port; twice, because the undo must not restore the rules that locked us out.
        for _ in range(2):
            locked_out = run(*firewall, "-e", "firewall_ssh_port=2222", "-e", "firewall_undo_seconds=20", check=False)
            assert locked_out.returncode != 0
            assert "TASK [firewall : Check that the host is reachable through the rules]" in locked_out.stdout
            wait_for(lambda: on(REDIS, f"nft list table {RULES}") == closed, 60)
            # The lock cannot be released on a host that cannot be reached.
            run("./deploy.sh", "unlock", *FLEET)
        assert "2222" not in on(REDIS, "cat /etc/litellm-vibe-router/firewall.nft"), "what is loaded at the next start"
        on(REDIS, f"nft delete table {RULES}")
        assert "firewall.nft would be loaded" in run("./deploy.sh", "drift", *FLEET, check=False).stdout
    finally:
        on(REDIS, "kill $(cat /tmp/listens)")
        run("./deploy.sh", *FLEET, "--tags", "firewall")
    assert on(REDIS, f"nft list table {RULES}") == before


@pytest.mark.slow
def test_a_second_run_changes_nothing(fleet: Run) -> None:
    assert changed(run("./deploy.sh", *FLEET).stdout) == 0


def test_the_verification_looks_at_the_hosts_and_not_at_this_machine(fleet: Run) -> None:
    on(GATEWAY, f"chmod 755 {BASE}/gateway/run")
    done = run("./deploy.sh", "verify", *FLEET, check=False)
    on(GATEWAY, f"chmod 700 {BASE}/gateway/run")
    assert done.returncode != 0
    assert "Only the gateway can use its admin socket" in done.stdout
    assert f"fatal: [{GATEWAY}]" in done.stdout


def test_the_doctor_walks_over_ssh_and_names_the_host_with_the_broken_link(fleet: Run) -> None:
    assert "No link is broken." in run("./deploy.sh", "doctor", *FLEET).stdout
    slots = "$(docker ps --quiet --filter name=^team-litellm-vibe-router)"
    on(ROUTERS[1], f"docker pause {slots}")
    done = run("./deploy.sh", "doctor", *FLEET, check=False)
    on(ROUTERS[1], f"docker unpause {slots}")
    assert done.returncode == 2
    assert f"BROKEN  Serving slot runs ({ROUTERS[1]})" in done.stdout
    assert done.stdout.count("docker unpause") > 0
    assert f"({ROUTERS[0]})" not in done.stdout


def test_a_changed_release_reaches_every_host_without_a_lost_request(settings: dict[str, str]) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        _play("playbooks/rollout.yml", "-e", "router_cooldown_time=31")
    assert not traffic.failed, traffic.story()
    assert traffic.streamed > 50
    after = _serving()
    assert len(set(after.values())) == 1
    assert set(after.values()).isdisjoint(before.values())


@pytest.fixture
def bad_on_the_second(tmp_path: Path) -> str:
    """Variables of a release that works on the first router, and whose requests fail on the second."""
    models = yaml.safe_load((INVENTORY / "group_vars/all/models.yml").read_text(encoding="utf-8"))
    for pool in models["router_pools"]:
        deployment = pool["deployments"][0]
        good = deployment["api_base"]
        deployment["api_base"] = f"{{{{ 'http://127.0.0.1:9' if inventory_hostname == '{ROUTERS[1]}' else '{good}' }}}}"
    extra = tmp_path / "extra.json"
    extra.write_text(json.dumps({"router_pools": models["router_pools"], "router_cooldown_time": 32}), encoding="utf-8")
    return f"@{extra}"


def test_a_release_that_fails_on_the_second_host_is_undone_on_both(
    settings: dict[str, str], bad_on_the_second: str
) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        done = _play("playbooks/rollout.yml", "-e", bad_on_the_second, check=False)
    assert done.returncode == 2
    assert "did not prove itself" in done.stdout
    assert not traffic.failed, traffic.story()
    assert _serving() == before
    told = {host: on(host, f"tail --lines 3 {BASE}/deployment/audit.jsonl").splitlines() for host in ROUTERS}
    actions = {host: [json.loads(line)["action"] for line in lines] for host, lines in told.items()}
    assert actions[ROUTERS[0]] == ["switch", "undo", "rollout"], "it had switched, and went back"
    assert actions[ROUTERS[1]][-2:] == ["undo", "rollout"]
    assert "lock.json" not in on(ROUTERS[0], f"ls {BASE}/deployment"), "the lock was freed"


def test_a_rollback_brings_the_release_before_without_a_lost_request(settings: dict[str, str]) -> None:
    before = _serving()
    with traffic_to(settings) as traffic:
        run("./deploy.sh", "rollback", *FLEET)
    assert not traffic.failed, traffic.story()
    after = _serving()
    assert len(set(after.values())) == 1
    assert set(after.values()).isdisjoint(before.values())


@pytest.mark.slow
def test_drift_names_the_host_where_somebody_changed_something(fleet: Run) -> None:
    run("./deploy.sh", "drift", *FLEET)
    on(ROUTERS[1], f"echo '# edited by hand' >> {BASE}/router/current/config.yaml")
    done = run("./deploy.sh", "drift", *FLEET, check=False)
    assert done.returncode == 2
    findings: list[dict[str, Any]] = json.loads(Path("reports/lab/drift.json").read_text(encoding="utf-8"))
    assert {finding["host"] for finding in findings} == {ROUTERS[1]}
    assert "config.yaml: was changed" in done.stdout


@pytest.mark.slow
def test_a_lost_host_comes_back_from_a_backup(settings: dict[str, str], tmp_path: Path) -> None:
    redis = "docker exec team-vibe-redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli {}'"
    key, certificate = tmp_path / "backup.key", tmp_path / "backup.pem"
    words = ("openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-days", "2", "-subj", "/CN=backup")
    run(*words, "-keyout", str(key), "-out", str(certificate))
    on(REDIS, redis.format("set planted here"))
    run("./deploy.sh", "backup", *FLEET, "--certificate", str(certificate), "-e", f"backup_dir={tmp_path}")
    [backup] = tmp_path.glob("*.backup")

    run("docker", "rm", "--force", "--volumes", REDIS)
    run(*LAB)
    for secret in ("master_key", "redis_password"):
        (INVENTORY / ".secrets" / secret).unlink()
    assert on(REDIS, f"ls {BASE}", check=False) == ""
    run("./deploy.sh", "restore", *FLEET, "--file", str(backup), "--key", str(key))

    assert on(REDIS, redis.format("get planted")) == "here"
    assert "backup" not in on(REDIS, f"ls {BASE}/redis/data")
    assert chat(settings, "hi").status_code == 200


@pytest.fixture
def second_leaves(fleet: Run) -> None:
    """The inventory with the second router in router_leaving."""
    path = INVENTORY / "hosts.yml"
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    host = document["routers"]["hosts"].pop(ROUTERS[1])
    document["router_leaving"] = {"hosts": {ROUTERS[1]: host}}
    path.write_text(yaml.safe_dump(document), encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("second_leaves")
def test_a_router_leaves_without_a_lost_request_and_nothing_of_ours_stays_there(settings: dict[str, str]) -> None:
    before = _certificate(settings)
    with traffic_to(settings) as traffic:
        # Its certificate is valid for 397 days, so it is renewed in this run.
        run("./deploy.sh", *FLEET, "-e", "gateway_tls_renew_days=398")
    assert not traffic.failed, traffic.story()
    assert _certificate(settings) != before
    assert set(_serving()) == {ROUTERS[0]}
    assert ROUTERS[1] not in on(GATEWAY, f"cat {BASE}/gateway/conf/haproxy.cfg")
    assert on(ROUTERS[1], OURS, check=False) == ""
    assert on(ROUTERS[1], "docker version --format up >/dev/null && echo engine") == "engine"


def test_a_teardown_wants_to_be_confirmed(settings: dict[str, str]) -> None:
    done = _play("playbooks/teardown.yml", "-e", "confirm=local", check=False)
    assert done.returncode != 0
    assert "Fix: add --yes to confirm it" in done.stdout
    assert chat(settings, "hi").status_code == 200


def test_a_teardown_leaves_the_engine_and_what_is_not_ours(fleet: Run) -> None:
    image = on(ROUTERS[0], "docker images --format '{{.Repository}}:{{.Tag}}' litellm-vibe-router/litellm").split()[0]
    on(ROUTERS[0], f"docker run --detach --name theirs --network vibe --entrypoint sleep {image} 900")
    run("./deploy.sh", "teardown", *FLEET, "--yes")
    assert on(ROUTERS[0], "docker ps --all --format '{{.Names}}'") == "theirs"
    networks = "docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' theirs"
    assert on(ROUTERS[0], networks), "it was taken out of the network that it had joined"
    on(ROUTERS[0], "docker rm --force theirs")
    for host in HOSTS - {ROUTERS[0]}:
        assert on(host, OURS, check=False) == "", host
    assert on(ROUTERS[0], f"ls -d {BASE}", check=False) == ""
    again = run("./deploy.sh", "teardown", *FLEET, "--yes")
    assert "lab is down" in again.stdout


def test_the_lab_leaves_nothing_behind(lab: None) -> None:
    run(*LAB, "-e", "lab_state=down")
    assert run("docker", "ps", "--all", "--quiet", "--filter", "label=vibe.lab").stdout == ""
    assert run("docker", "network", "ls", "--quiet", "--filter", "name=vibe-lab").stdout == ""
    assert not INVENTORY.exists()

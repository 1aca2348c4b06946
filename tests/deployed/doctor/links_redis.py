"""The links to Redis, which routers share: it runs, takes writes, and is reached."""

from __future__ import annotations

import json
import re

from deployed_names import CONTAINERS
from report.model import CheckFailedError, require

from doctor.case import Case, Machine
from doctor.containers import require_no_loop, require_running, run
from doctor.links_router import read_config, slot_name
from doctor.symptoms import FULL_DISK

REDIS = CONTAINERS["redis"]
REDIS_CLI = f"docker exec {REDIS} sh -c 'REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli \"$@\"' redis-cli"
CONNECT = (
    "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3);"
    ' s.sendall(b"PING\\r\\n"); print(s.recv(40))'
)


def redis_runs(case: Case, machine: Machine) -> None:
    """Its container runs, without a break."""
    require_no_loop(machine, require_running(machine, REDIS))


def redis_accepts_writes(case: Case, machine: Machine) -> None:
    """It knows its password, has room in memory and on disk, and is not a replica."""
    pong = run(machine, f"{REDIS_CLI} ping").strip()
    require(pong == "PONG", "PONG", pong, "its password was changed by hand: ./deploy.sh --tags redis")
    text = run(machine, f"{REDIS_CLI} info")
    told = dict(re.findall(r"^(\w+):(.*?)\r?$", text, re.MULTILINE))
    for name in ("aof_last_write_status", "rdb_last_bgsave_status"):
        require(told.get(name, "ok") == "ok", f"{name} ok", told.get(name, ""), FULL_DISK)
    most, used = int(told.get("maxmemory", 0)), int(told.get("used_memory", 0))
    # Full, it refuses writes or drops keys, by its policy; it drops conversations and records.
    evicted = int(told.get("evicted_keys", 0))
    full = bool(most) and used >= most and told.get("maxmemory_policy") == "noeviction"
    found = f"{used >> 20} of {most >> 20} MiB, {told.get('maxmemory_policy')}, {evicted} keys evicted"
    require(not full and not evicted, "free memory in Redis", found, "redis_maxmemory")
    require(told.get("role", "master") == "master", "a primary", "a replica, which accepts no writes", "redis role")


def router_reaches_redis(case: Case, machine: Machine) -> None:
    """From inside the router's container, as LiteLLM does; without Redis, each worker has only its own memory."""
    name, config = slot_name(case, machine), read_config(case, machine)
    redis = (config.get("general_settings") or {}).get("coordination_redis") or {}
    if not redis:
        return
    address = f"{redis.get('host')}:{redis.get('port')}"
    script = json.dumps(CONNECT)
    done = machine.host.run(f"docker exec {name} python3 -c {script} {redis.get('host')} {redis.get('port')}")
    if done.rc == 0:
        return
    said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.rc}"
    hint = "redis_publish_address and a firewall between the hosts, or router_redis_host"
    raise CheckFailedError(f"the container to reach {address}", said, hint)

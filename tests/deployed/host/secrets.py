"""No secret is readable where it should not be."""

from __future__ import annotations

import re

from deployed_names import BASE_DIR
from report.model import require

from host.context import CURRENT, HINT_DEPLOY, HostContext
from host.registry import CONTAINER_ROLES, check

# Shorter values can be anywhere by chance.
MINIMUM_SECRET_LENGTH = 16
SECRET_VARIABLES = re.compile(r"(_KEY|PASSWORD|SECRET|_TOKEN)$", re.IGNORECASE)
# The official Python image carries the public key that its source was signed with.
PUBLIC_VARIABLES = frozenset({"GPG_KEY"})
HINT_SECRET = "secrets belong into secrets.json alone; whoever could read this may have it: give it a new value"


def _require_none_in(text: str, where: str, host: HostContext) -> None:
    """Require that no secret of the release is in *text*; names are shown, never values."""
    secrets = host.json_file(f"{CURRENT}/secrets.json")
    long_enough = {name: str(value) for name, value in secrets.items() if len(str(value)) >= MINIMUM_SECRET_LENGTH}
    names = ", ".join(name for name, value in long_enough.items() if value in text)
    require(not names, f"no secret in {where}", f"the value of {names}", HINT_SECRET)


@check("router", each=CONTAINER_ROLES)
def containers_show_no_secret(host: HostContext, role: str) -> None:
    name = host.container_name(role)
    where = f"docker inspect {name}"
    _require_none_in(host.command(where), where, host)
    variables = [word.partition("=") for word in host.container(role)["Config"]["Env"] or []]
    set_ones = [key for key, _, value in variables if value and SECRET_VARIABLES.search(key)]
    named = ", ".join(key for key in set_ones if key not in PUBLIC_VARIABLES)
    require(not named, f"no secret in the environment of {name}", named, HINT_SECRET)


@check("router", each=CONTAINER_ROLES)
def logs_show_no_secret(host: HostContext, role: str) -> None:
    name = host.container_name(role)
    _require_none_in(host.command(f"docker logs {name} 2>&1"), f"docker logs {name}", host)


@check("router")
def process_list_shows_no_secret(host: HostContext) -> None:
    # Not ps: a minimal host has none.
    processes = host.command("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    require("dockerd" in processes, "the engine among the processes", "none", "run the checks as root")
    _require_none_in(processes, "the process list", host)


@check("router")
def only_the_router_can_read_its_secrets(host: HostContext) -> None:
    mode, owner = host.owner(f"{CURRENT}/secrets.json")
    uid = host.router["Config"]["User"].split(":")[0] or "0"
    found = f"mode {mode} of user {owner}"
    require(found == f"mode 0400 of user {uid}", f"mode 0400 of user {uid} on secrets.json", found, HINT_DEPLOY)


@check("redis")
def only_redis_can_read_its_password(host: HostContext) -> None:
    for name in ("redis.conf", "password"):
        mode, _ = host.owner(f"{BASE_DIR}/redis/{name}")
        require(mode == "0400", f"mode 0400 on redis/{name}", mode, HINT_DEPLOY)

"""The links between gateway and plug-in: the serving slot, how the gateway sees it, and what LiteLLM loaded."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from deployed_names import CONTAINERS, GATEWAY_DIR, HOOK, ROUTER_DIR, ROUTER_PREFIX
from host.measures import READ_STATISTICS, read_servers
from report.model import CheckFailedError, require

from doctor.case import Case, Machine
from doctor.containers import inspect, require_healthy, require_no_loop, require_running, run

TIERS = {"free", "paid"}
# LiteLLM prints this once its configuration is loaded.
STARTED = "Proxy initialized with Config"
# As JSON: a client's machine has no YAML module.
READ_CONFIG = (
    "docker exec {name} python3 -c 'import json, yaml; print(json.dumps(yaml.safe_load(open(\"/app/config.yaml\"))))'"
)
HINT_RENDER = "it was changed by hand, or comes from your own compose file: ./deploy.sh renders it again"


def gateway_runs(case: Case, machine: Machine) -> None:
    """The gateway's container runs, without a break."""
    require_no_loop(machine, require_running(machine, CONTAINERS["gateway"]))


def a_slot_serves(case: Case, machine: Machine) -> None:
    """The host has a serving release."""
    done = machine.host.run(f"readlink {ROUTER_DIR}/serving")
    hint = "nothing was deployed there, or the first deployment failed: ./deploy.sh"
    require(done.rc == 0, "a slot that serves", f"no {ROUTER_DIR}/serving", hint)
    case.learn(machine, slot=str(done.stdout).strip().rsplit("/", 1)[-1].removesuffix(".env"))


def serving_slot_runs(case: Case, machine: Machine) -> None:
    """Its container runs."""
    require_running(machine, slot_name(case, machine))


def serving_slot_keeps_running(case: Case, machine: Machine) -> None:
    """It neither restarts again and again nor runs out of memory."""
    require_no_loop(machine, inspect(machine, slot_name(case, machine)))


def serving_slot_starts_within_its_start_period(case: Case, machine: Machine) -> None:
    """A start_period that is shorter than the start makes a starting container unhealthy."""
    container = inspect(machine, slot_name(case, machine))
    lines = machine.host.run(f"docker logs --timestamps {slot_name(case, machine)} 2>&1 | grep -m1 '{STARTED}'").stdout
    if not lines.strip():
        # Not started yet, or its log was rotated since.
        return
    seconds = (_time(lines.split()[0]) - _time(container["State"]["StartedAt"])).total_seconds()
    period = container["Config"]["Healthcheck"].get("StartPeriod", 0) / 1e9
    hint = f"router_start_period: {max(60, round(seconds * 2))}"
    require(seconds <= period, f"a start within start_period, {period:g} s", f"it took {seconds:.0f} s", hint)


def serving_slot_is_healthy(case: Case, machine: Machine) -> None:
    """Its health check passes, calls no model, and uses a program that exists."""
    container = inspect(machine, slot_name(case, machine))
    require_healthy(container)
    test = " ".join(container["Config"]["Healthcheck"]["Test"])
    hint = "/health calls every model, which costs money (3957, 22348): ./deploy.sh sets /health/liveliness"
    require(re.search(r"/health(?!/)", test) is None, "a health check that asks no model", test, hint)


def gateway_sends_to_the_serving_slots(case: Case, machine: Machine) -> None:
    """HAProxy has the slot of every router in service."""
    rows = read_servers(run(machine, READ_STATISTICS))
    for router in case.of("router"):
        name = f"{router.name}-{case.known[router.name]['slot']}"
        expected = f"server {name} UP"
        if name not in rows:
            hint = "the gateway does not know that router yet: ./deploy.sh --tags gateway"
            raise CheckFailedError(expected, "unknown to the gateway", hint)
        status, check = (
            rows[name]["status"],
            " ".join(rows[name].get(field) or "" for field in ("check_status", "last_chk")),
        )
        if status.startswith("UP"):
            continue
        if status.startswith(("MAINT", "DRAIN")):
            hint = "it was drained by hand, or a rollout was interrupted: ./deploy.sh enables it again"
        elif "TOUT" in check:
            hint = "the slot answers on its own host: a firewall between gateway and router, or router_bind_address"
        else:
            hint = "the gateway does not reach the slot: router_bind_address, vibe_router_address, a firewall"
        raise CheckFailedError(expected, f"{status} {check}".strip(), hint)


def container_has_the_plugin(case: Case, machine: Machine) -> None:
    """The plug-in's file is there; a file that was missing when the container was made is a directory in it."""
    name = slot_name(case, machine)
    found = run(machine, f"docker exec {name} python3 -c 'import os; print(os.path.isfile(\"/app/vibe_router.py\"))'")
    hint = f"the container was made without its mounts (/app/vibe_router.py). {HINT_RENDER}"
    require(found.strip() == "True", "/app/vibe_router.py in the container, a file", "none", hint)


def hook_is_registered(case: Case, machine: Machine) -> None:
    """LiteLLM loads hooks from litellm_settings alone."""
    config = read_config(case, machine)
    callbacks = (config.get("litellm_settings") or {}).get("callbacks") or []
    if HOOK in callbacks:
        return
    elsewhere = [section for section, values in config.items() if isinstance(values, dict) and HOOK in str(values)]
    found = f"it is in {', '.join(elsewhere)}, where LiteLLM ignores it" if elsewhere else "it is missing"
    raise CheckFailedError(f"{HOOK} in litellm_settings.callbacks", found, HINT_RENDER)


def configuration_has_no_silent_fault(case: Case, machine: Machine) -> None:
    """Settings that LiteLLM accepts silently and ignores."""
    config = read_config(case, machine)
    for model in config.get("model_list") or []:
        name = model.get("model_name")
        tier = (model.get("model_info") or {}).get("tier", "free")
        hint = "LiteLLM silently drops the deployment: model_info in models.yml"
        require(tier in TIERS, "model_info.tier free or paid", f"{tier!r} of {name}", hint)
        key = str((model.get("litellm_params") or {}).get("api_key", ""))
        hint = "LiteLLM replaces only os.environ/NAME: use that in models.yml, with NAME in secrets.yml"
        require("${" not in key, f"os.environ/NAME as the key of {name}", "a shell variable", hint)
    drop = (config.get("litellm_settings") or {}).get("drop_params")
    hint = "router_drop_params: clients send parameters that not every model takes, and get a 400"
    require(drop is not False, "drop_params true", "false", hint)


def timeouts_fit_each_other(case: Case, machine: Machine) -> None:
    """A gateway that gives up before the router turns a slow answer into a 504."""
    settings = read_config(case, machine).get("litellm_settings") or {}
    slowest = float(settings.get("request_timeout") or 0)
    hint = "router_request_timeout: a hard question takes a model minutes"
    require(slowest >= 60, "a request_timeout of a minute or more", f"{slowest:g} s", hint)
    for gateway in case.of("gateway"):
        config = run(gateway, f"cat {GATEWAY_DIR}/conf/haproxy.cfg")
        found = re.search(r"^\s*timeout server (\d+)s", config, re.MULTILINE)
        patience = float(found[1]) if found else 0.0
        hint = "gateway_server_timeout above router_request_timeout"
        require(
            patience > slowest, f"more than {slowest:g} s", f"timeout server {patience:g} s on {gateway.name}", hint
        )


def slot_name(case: Case, machine: Machine) -> str:
    """Return the name of the serving slot's container."""
    return f"{ROUTER_PREFIX}-{case.known[machine.name]['slot']}"


def read_config(case: Case, machine: Machine) -> dict[str, Any]:
    """Return the configuration that the container has, once for all links."""
    if "config" not in case.known[machine.name]:
        case.learn(machine, config=run(machine, READ_CONFIG.format(name=slot_name(case, machine))))
    config: dict[str, Any] = json.loads(case.known[machine.name]["config"])
    return config


def _time(text: str) -> datetime:
    """Read Docker's RFC 3339 times, whose nanoseconds Python does not."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z?$|Z$", r"\1", text) + "+00:00")

"""Rules across the variables of the router role."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.text.formatters import human_to_bytes

from .finding import Rules, Variables

rules = Rules()

_MIB = 1024**2
_PRICES = (
    "input_cost_per_token",
    "output_cost_per_token",
    "cache_read_input_token_cost",
    "cache_creation_input_token_cost",
)
_ENVIRONMENT = "os.environ/"
# Secrets that the toolkit itself adds to router_secrets.
_OWN_SECRETS = ("LITELLM_MASTER_KEY", "REDIS_PASSWORD")
_BATCH = re.compile(r"[1-9][0-9]*|([1-9][0-9]?|100)%")
_PUBLIC_KEY = re.compile(r"sk-1234|changeme|password|secret|example|your[-_]?key", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^$]+|os\.environ/\w+")


def models(variables: Variables) -> list[Mapping[str, Any]]:
    """Return the pools and the direct models."""
    return [*(variables.get("router_pools") or []), *(variables.get("router_direct_models") or [])]


def virtual_models(variables: Variables) -> list[str]:
    """Return the name of each family's virtual model."""
    return [family["virtual_model"] for family in variables.get("router_families") or []]


def memory_of_workers_mib(variables: Variables) -> int:
    """Return the memory that the workers of one slot use, in MiB; *auto* starts at least one worker."""
    workers = variables["router_workers"]
    count = 1 if workers == "auto" else int(workers)
    return int(variables["router_base_memory_mib"]) + int(variables["router_worker_memory_mib"]) * count


def _families(variables: Variables) -> list[Mapping[str, Any]]:
    families: list[Mapping[str, Any]] = variables["router_families"]
    return families


def _deployments(variables: Variables) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each deployment with a description of its place."""
    for model in models(variables):
        for number, deployment in enumerate(model["deployments"], 1):
            yield f"{model['name']} (deployment {number})", deployment


def _repeated(names: list[str]) -> Iterator[tuple[str, int]]:
    return ((name, count) for name, count in Counter(names).items() if count > 1)


@rules("router_records", fix="give a number from 0 (none) to 100000; each record takes half a kilobyte of Redis")
def records_fit_redis(variables: Variables) -> Iterator[str]:
    if not 0 <= int(variables.get("router_records", 0)) <= 100_000:
        yield f"{variables['router_records']} is outside the range 0 to 100000"


@rules("router_limits", fix="give whole numbers of 1 or more")
def limits_are_positive(variables: Variables) -> Iterator[str]:
    for name, value in (variables.get("router_limits") or {}).items():
        if value is not None and int(value) < 1:
            yield f"{name} is less than 1"


@rules("router_model_aliases", fix="name a virtual model, a pool or a model of router_direct_models")
def aliases_name_models(variables: Variables) -> Iterator[str]:
    known = {*virtual_models(variables), *(model["name"] for model in models(variables))}
    for alias, model in (variables.get("router_model_aliases") or {}).items():
        if model not in known:
            yield f"{alias} names the unknown model {model}"


@rules("router_workers", fix="give auto, or a number of processes from 1 to 256")
def workers_are_a_number_or_auto(variables: Variables) -> Iterator[str]:
    workers = str(variables["router_workers"])
    if workers != "auto" and not (workers.isdecimal() and 1 <= int(workers) <= 256):
        yield f"{workers} is neither auto nor a number from 1 to 256"


@rules("router_memory_limit", fix="give auto, or a higher limit; router_worker_memory_mib is what one worker needs")
def memory_limit_holds_the_workers(variables: Variables) -> Iterator[str]:
    limit, workers = str(variables["router_memory_limit"]), str(variables["router_workers"])
    if not (workers == "auto" or workers.isdecimal()) or limit == "auto":
        return
    needed = memory_of_workers_mib(variables)
    if human_to_bytes(limit.upper()) < needed * _MIB:
        who = "one worker needs" if workers in ("auto", "1") else f"{workers} workers need"
        yield f"{limit} is less than the {needed} MiB that {who}"


@rules("router_families", fix="name a pool of router_pools, or add the pool there")
def pools_of_families_exist(variables: Variables) -> Iterator[str]:
    known = {pool["name"] for pool in variables["router_pools"]}
    for family in _families(variables):
        named = [family["cheap_pool"], family["strong_pool"], family.get("safe_pool") or family["strong_pool"]]
        for pool in dict.fromkeys([*named, *(family.get("strong_alternatives") or [])]):
            if pool not in known:
                yield f"family {family['name']} names the unknown pool {pool}"


@rules("router_families", fix="use two pools, a cheap one and a strong one")
def cheap_pools_are_not_strong(variables: Variables) -> Iterator[str]:
    strong = {family["strong_pool"] for family in _families(variables)}
    for family in _families(variables):
        if family["cheap_pool"] in strong:
            yield f"family {family['name']}: its cheap pool is also a strong pool"


@rules("router_families", fix="give a number from 0 to 100")
def thresholds_are_scores(variables: Variables) -> Iterator[str]:
    for family in _families(variables):
        for key in ("threshold", "move_up_margin", "move_down_margin", "escalate_after"):
            value = family.get(key)
            if value is not None and not 0 <= float(value) <= 100:
                yield f"family {family['name']}: {key} {value} is outside the range 0 to 100"


@rules("router_families", fix="give a share such as 0.25, or remove strong_share for a fixed threshold")
def strong_share_is_a_share(variables: Variables) -> Iterator[str]:
    for family in _families(variables):
        share = family.get("strong_share")
        if share is not None and not 0 < float(share) < 1:
            yield f"family {family['name']}: strong_share {share} is not between 0 and 1"


@rules("router_families", fix="give seconds from 0 (no cache) to 86400")
def cache_life_is_at_most_a_day(variables: Variables) -> Iterator[str]:
    for family in _families(variables):
        life = family.get("cache_life")
        if life is not None and not 0 <= int(life) <= 86_400:
            yield f"family {family['name']}: cache_life {life} is outside the range 0 to 86400"


@rules("router_families (signals)", fix="list each phrase once: 1 to 100 characters with at least one letter or digit")
def signals_are_phrases(variables: Variables) -> Iterator[str]:
    for family in _families(variables):
        signals = family.get("signals") or {}
        given = [*(signals.get("strong") or []), *(signals.get("cheap") or [])]
        phrases = [str(phrase).strip().lower() for phrase in given]
        for phrase, count in Counter(phrases).items():
            shown = phrase[:40] or "an empty phrase"
            if count > 1:
                yield f"family {family['name']}: signals list {shown} twice"
            elif len(phrase) > 100 or not re.search(r"[^\W_]", phrase):
                yield f"family {family['name']}: signals list {shown}, which is not a phrase"


@rules(
    "router_pools (model_info)",
    fix="give dollars per token, such as 2.5e-7 for 25 cents per million; YAML reads 1e-6 as text, 1.0e-6 as a number",
)
def prices_are_dollars_per_token(variables: Variables) -> Iterator[str]:
    for where, deployment in _deployments(variables):
        for key, price in (deployment.get("model_info") or {}).items():
            is_number = isinstance(price, (int, float)) and not isinstance(price, bool)
            if key in _PRICES and not (is_number and 0 <= price <= 1):
                yield f"{where}: {key} {price} is not a price per token"


@rules("router_families", fix="list each rule once, with score last")
def rules_end_with_score(variables: Variables) -> Iterator[str]:
    for family in _families(variables):
        if family.get("rules") is None:
            continue
        for name, _ in _repeated(family["rules"]):
            yield f"family {family['name']}: the rule {name} is listed twice"
        if not family["rules"] or family["rules"][-1] != "score":
            yield f"family {family['name']}: its last rule is not score, the one that always decides"


@rules(
    "router_families, router_pools, router_direct_models",
    fix="give each family, virtual model, pool and direct model its own name",
)
def names_are_unique(variables: Variables) -> Iterator[str]:
    for name, count in _repeated([model["name"] for model in models(variables)] + virtual_models(variables)):
        yield f"{count} models have the name {name}"
    for name, count in _repeated([family["name"] for family in _families(variables)]):
        yield f"{count} families have the name {name}"


@rules("router_pools", fix="list at least one deployment")
def pools_have_deployments(variables: Variables) -> Iterator[str]:
    for model in models(variables):
        if not model["deployments"]:
            yield f"{model['name']} has no deployment"


@rules(
    "router_pools (api_key)",
    fix="put the key into router_secrets (Vault or the environment), and refer to it by os.environ/NAME",
)
def keys_are_references(variables: Variables) -> Iterator[str]:
    for where, deployment in _deployments(variables):
        key = deployment.get("api_key")
        if key is not None and not str(key).startswith(_ENVIRONMENT):
            yield f"{where}: the key is in clear text (not shown)"


@rules(
    "router_pools (api_base)",
    fix="give an http:// or https:// address or os.environ/NAME, or remove api_base to use the provider's own address",
)
def api_bases_are_addresses(variables: Variables) -> Iterator[str]:
    for where, deployment in _deployments(variables):
        base = deployment.get("api_base")
        if base is not None and not _ADDRESS.fullmatch(base):
            yield f'{where}: "{base}" is not an address; with an empty one, LiteLLM sends request and key to OpenAI'


@rules(
    "router_secrets",
    fix="set it to a value that is not empty, in Vault or in the environment variable that the inventory reads",
)
def referenced_secrets_are_set(variables: Variables) -> Iterator[str]:
    given = variables.get("router_secrets") or {}
    users: dict[str, list[str]] = {}
    for where, deployment in _deployments(variables):
        for value in {**deployment, **(deployment.get("extra_params") or {})}.values():
            if isinstance(value, str) and value.startswith(_ENVIRONMENT):
                users.setdefault(value[len(_ENVIRONMENT) :], []).append(where)
    for name in sorted(users.keys() - set(_OWN_SECRETS)):
        if not given.get(name):
            state = "empty" if name in given else "missing"
            yield f"{name} is {state}, and is needed by {', '.join(dict.fromkeys(users[name]))}"


@rules("router_pools (model_info)", fix="use another key, for example vibe_tier")
def tiers_are_those_of_litellm(variables: Variables) -> Iterator[str]:
    for where, deployment in _deployments(variables):
        tier = (deployment.get("model_info") or {}).get("tier", "free")
        if tier not in ("free", "paid"):
            yield f"{where}: tier {tier} makes LiteLLM drop the deployment (it knows free and paid)"


@rules("router_master_key", fix="use at least 20 random characters; inventory/local generates a key")
def master_key_is_strong(variables: Variables) -> Iterator[str]:
    key = str(variables["router_master_key"])
    if len(key) < 20:
        yield "it is shorter than 20 characters (not shown)"
    if len(set(key)) < 8:
        yield "it has fewer than 8 different characters (not shown)"
    if _PUBLIC_KEY.search(key):
        yield "it is a publicly known example (not shown)"


@rules("router_rollout_serial", fix="list numbers of hosts, or shares of them from 1% to 100%")
def batches_are_sizes(variables: Variables) -> Iterator[str]:
    batches = variables.get("router_rollout_serial", [1])
    if not batches:
        yield "it lists no batch"
    for batch in batches:
        if not _BATCH.fullmatch(str(batch)):
            yield f'"{batch}" is not the size of a batch'


@rules("router_slots", fix="give two slots, each with its own name and port")
def slots_do_not_collide(variables: Variables) -> Iterator[str]:
    slots = variables["router_slots"]
    names = {slot["name"] for slot in slots}
    ports = {port for slot in slots for port in slot_ports(slot)}
    if len(slots) < 2 or len(names) < len(slots) or len(ports) < 2 * len(slots):
        yield "there are fewer than two slots, or two have the same name or port"


def slot_ports(slot: Mapping[str, Any]) -> tuple[int, int]:
    """Return the port that a slot serves, and that of its metrics."""
    port = int(slot["port"])
    return port, int(slot.get("metrics_port") or port + 100)

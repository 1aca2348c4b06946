"""The routes file: which virtual model belongs to which pools, read strictly.

Shape (rendered from the deployment's variables, never edited by hand)::

    {"version": 1,
     "families": {"chat": {"virtual_model": "chat-auto", "cheap_pool": "pool-chat-mini",
                           "strong_pool": "pool-chat-standard", "safe_pool": "pool-chat-standard", ...}},
     "pools": ["pool-chat-mini", "pool-chat-standard"],
     "models": {"pool-chat-mini": [{"model": "openai/gpt-5-mini", "weight": 1, "info": {}}], ...},
     "records": 0, "gate": {}}

``pools`` lists every model name of LiteLLM's configuration. ``safe_pool`` is where LiteLLM's ``model_group_alias``
sends the virtual model by itself; a family's other settings are those of ``family``. ``models`` has each pool's models
as LiteLLM names them, their weights, and what the variables say of them, in the keys of LiteLLM's model info.
``records``: how many decisions are kept to learn from (``decision_records``); 0 for none. ``gate``: what the gates
around LiteLLM let through (``gate_settings``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vibe.routes.family import Family
from vibe.routes.family_parser import NAME, NAME_RULE, Known, check_keys, read_family
from vibe.routes.gate_settings import GateSettings, read_settings
from vibe.routes.pool import Pool, pool_of
from vibe.routes.prices import price_faults
from vibe.strict_json import read_json

ROUTES_VERSION = 1
ROUTES_VARIABLE = "VIBE_ROUTES_FILE"
ROUTES_NAME = "vibe_routes.json"
# Half a kilobyte each, of the 256 MB that Redis has; one that is full drops its oldest keys, and the records are one.
MOST_RECORDS = 100_000
_TOP_KEYS = ("version", "families", "pools", "models", "records", "gate")


class RoutesError(ValueError):
    """The routes file cannot be used; one line per fault, each naming the file and the key."""


@dataclass(frozen=True)
class Routes:
    """All families by the virtual model's name, every pool that LiteLLM knows, and what is known of them."""

    by_virtual_model: Mapping[str, Family]
    pools: frozenset[str]
    known: Mapping[str, Pool] = field(default_factory=dict)
    records: int = 0
    gate: GateSettings = field(default_factory=GateSettings)


NO_ROUTES = Routes({}, frozenset())


def default_path(beside: Path) -> Path:
    """Return the file named by ``VIBE_ROUTES_FILE``, else ``vibe_routes.json`` in the folder *beside*."""
    named = os.environ.get(ROUTES_VARIABLE)
    return Path(named) if named else beside / ROUTES_NAME


def load_routes(path: Path, rules: Sequence[str]) -> Routes:
    """Read and check the routes file at *path*; *rules* are the names that its families may list.

    Raises:
        RoutesError: with every fault found, one a line.
    """
    document = read_json(path, lambda why: RoutesError(f"routes file {path}: {why}"), _without_repeats)
    faults: list[str] = []
    routes = _routes(document, rules, faults)
    if faults:
        raise RoutesError("\n".join(f"routes file {path}: {fault}" for fault in faults))
    return routes


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # json keeps the last of two equal keys silently: half of a bad merge would win silently.
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} is twice in one object")
    return dict(pairs)


def _routes(document: object, rules: Sequence[str], faults: list[str]) -> Routes:
    if not isinstance(document, dict):
        faults.append("must be one JSON object")
        return NO_ROUTES
    check_keys(document, _TOP_KEYS, "", faults)
    version = document.get("version", ROUTES_VERSION)
    if isinstance(version, bool) or version != ROUTES_VERSION:
        faults.append(f"version: must be {ROUTES_VERSION}, is {version!r}; deploy plug-in and routes of one release")
    pools = _pools(document.get("pools", []), faults) if "pools" in document else frozenset()
    known = _known(document.get("models", {}), pools, faults) if "models" in document else {}
    families = document.get("families", {})
    if "families" in document and (not isinstance(families, dict) or not families):
        faults.append("families: must be an object with at least one family")
    by_virtual_model: dict[str, Family] = {}
    for name, entry in families.items() if isinstance(families, dict) else ():
        family = read_family(name, entry, Known(pools, known, rules), faults)
        if family is None:
            continue
        other = by_virtual_model.setdefault(family.virtual_model, family)
        if other is not family:
            faults.append(f"families.{name}.virtual_model: {family.virtual_model!r} is of family {other.name!r} too")
    records = document.get("records", 0)
    if isinstance(records, bool) or not isinstance(records, int) or not 0 <= records <= MOST_RECORDS:
        faults.append(f"records: must be a whole number from 0 (none) to {MOST_RECORDS}, is {records!r}")
    gate = read_settings(document.get("gate", {}), faults)
    return Routes(by_virtual_model, pools, known, records, gate)


def _pools(value: object, faults: list[str]) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        faults.append("pools: must be a list with at least one model name")
        return frozenset()
    names = [name for name in value if isinstance(name, str) and NAME.fullmatch(name)]
    faults.extend(f"pools[{index}]: {NAME_RULE}, is {name!r}" for index, name in enumerate(value) if name not in names)
    return frozenset(names)


def _known(value: object, pools: frozenset[str], faults: list[str]) -> dict[str, Pool]:
    if not isinstance(value, dict):
        faults.append("models: must be an object of pools and their models")
        return {}
    known = {}
    for pool, entries in value.items():
        where = f"models.{pool}"
        if pool not in pools:
            faults.append(f"{where}: is not in pools")
        elif not isinstance(entries, list) or not all(map(_is_model, entries)):
            faults.append(f"{where}: must be a list of objects with a text model, a number weight and an object info")
        else:
            for entry in entries:
                faults.extend(f"{where}: {entry['model']}: {fault}" for fault in price_faults(entry["info"]))
            known[pool] = pool_of((entry["model"], entry["info"], entry["weight"]) for entry in entries)
    return known


def _is_model(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"model", "weight", "info"}:
        return False
    weight = entry["weight"]
    is_weight = isinstance(weight, int | float) and not isinstance(weight, bool) and weight >= 0
    return is_weight and isinstance(entry["model"], str) and isinstance(entry["info"], dict)

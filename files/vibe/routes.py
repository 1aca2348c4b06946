"""The routes file: which virtual model belongs to which pools, read strictly.

Shape (rendered from the deployment's variables, never edited by hand)::

    {"version": 1,
     "families": {"chat": {"virtual_model": "chat-auto", "cheap_pool": "pool-chat-mini",
                           "strong_pool": "pool-chat-standard", "safe_pool": "pool-chat-standard", "threshold": 50,
                           "explicit_choice": ["header", "metadata", "tag"]}},
     "pools": ["pool-chat-mini", "pool-chat-standard"],
     "models": {"pool-chat-mini": [{"model": "openai/gpt-5-mini", "info": {}}], ...}}

``pools`` lists every model name of LiteLLM's configuration. ``safe_pool`` is where LiteLLM's ``model_group_alias``
sends the virtual model by itself. ``threshold`` is a score, 0 to 100: from there on a request goes to the strong pool.
``explicit_choice`` lists where a client may say outright which pool serves (``choice``). ``models`` has each pool's
models as LiteLLM names them, and what the variables say of their abilities, in the keys of LiteLLM's model info.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vibe.abilities import UNKNOWN, Abilities, abilities_of
from vibe.choice import SOURCES

ROUTES_VERSION = 1
ROUTES_VARIABLE = "VIBE_ROUTES_FILE"
ROUTES_NAME = "vibe_routes.json"
MIN_THRESHOLD, MAX_THRESHOLD = 0.0, 100.0
_TOP_KEYS = ("version", "families", "pools", "models")
_NAME_KEYS = ("virtual_model", "cheap_pool", "strong_pool", "safe_pool")
_FAMILY_KEYS = (*_NAME_KEYS, "threshold", "explicit_choice")
# Names travel in response headers and log lines: printable ASCII without spaces.
_NAME = re.compile(r"[!-~]{1,200}")
_NAME_RULE = "must be a name of 1 to 200 printable ASCII characters without spaces"


class RoutesError(ValueError):
    """The routes file cannot be used; one line per fault, each naming the file and the key."""


@dataclass(frozen=True)
class Family:
    """One virtual model and its pools; ``threshold`` is the score (0 to 100) that makes the strong pool."""

    name: str
    virtual_model: str
    cheap_pool: str
    strong_pool: str
    safe_pool: str
    threshold: float
    explicit_choice: tuple[str, ...] = SOURCES
    cheap_abilities: Abilities = UNKNOWN
    strong_abilities: Abilities = UNKNOWN


@dataclass(frozen=True)
class Routes:
    """All families by the virtual model's name, and every pool that LiteLLM knows."""

    by_virtual_model: Mapping[str, Family]
    pools: frozenset[str]


NO_ROUTES = Routes({}, frozenset())


def default_path(beside: Path) -> Path:
    """Return the file named by ``VIBE_ROUTES_FILE``, else ``vibe_routes.json`` in the folder *beside*."""
    named = os.environ.get(ROUTES_VARIABLE)
    return Path(named) if named else beside / ROUTES_NAME


def load_routes(path: Path) -> Routes:
    """Read and check the routes file at *path*.

    Raises:
        RoutesError: with every fault found, one a line.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_without_repeats)
    except OSError as error:
        raise RoutesError(f"routes file {path}: cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError) as error:
        raise RoutesError(f"routes file {path}: is not valid JSON: {error}") from None
    faults: list[str] = []
    routes = _routes(document, faults)
    if faults:
        raise RoutesError("\n".join(f"routes file {path}: {fault}" for fault in faults))
    return routes


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # json keeps the last of two equal keys without a word: half of a bad merge would win silently.
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} stands twice in one object")
    return dict(pairs)


def _routes(document: object, faults: list[str]) -> Routes:
    if not isinstance(document, dict):
        faults.append("must be one JSON object")
        return NO_ROUTES
    _check_keys(document, _TOP_KEYS, "", faults)
    version = document.get("version", ROUTES_VERSION)
    if isinstance(version, bool) or version != ROUTES_VERSION:
        faults.append(f"version: must be {ROUTES_VERSION}, is {version!r}; deploy plug-in and routes of one release")
    pools = _pools(document.get("pools", []), faults) if "pools" in document else frozenset()
    abilities = _abilities(document.get("models", {}), pools, faults) if "models" in document else {}
    families = document.get("families", {})
    if "families" in document and (not isinstance(families, dict) or not families):
        faults.append("families: must be an object with at least one family")
    by_virtual_model: dict[str, Family] = {}
    for name, entry in families.items() if isinstance(families, dict) else ():
        family = _family(name, entry, pools, abilities, faults)
        if family is None:
            continue
        other = by_virtual_model.setdefault(family.virtual_model, family)
        if other is not family:
            faults.append(f"families.{name}.virtual_model: {family.virtual_model!r} is of family {other.name!r} too")
    return Routes(by_virtual_model, pools)


def _pools(value: object, faults: list[str]) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        faults.append("pools: must be a list with at least one model name")
        return frozenset()
    names = [name for name in value if isinstance(name, str) and _NAME.fullmatch(name)]
    faults.extend(f"pools[{index}]: {_NAME_RULE}, is {name!r}" for index, name in enumerate(value) if name not in names)
    return frozenset(names)


def _abilities(value: object, pools: frozenset[str], faults: list[str]) -> dict[str, Abilities]:
    if not isinstance(value, dict):
        faults.append("models: must be an object of pools and their models")
        return {}
    abilities = {}
    for pool, entries in value.items():
        where = f"models.{pool}"
        if pool not in pools:
            faults.append(f"{where}: is not in pools")
        elif not isinstance(entries, list) or not all(map(_is_model, entries)):
            faults.append(f"{where}: must be a list of objects with model, a text, and info, an object")
        else:
            abilities[pool] = abilities_of((entry["model"], entry["info"]) for entry in entries)
    return abilities


def _is_model(entry: object) -> bool:
    if not isinstance(entry, dict) or set(entry) != {"model", "info"}:
        return False
    return isinstance(entry["model"], str) and isinstance(entry["info"], dict)


def _family(
    name: str, entry: object, pools: frozenset[str], abilities: Mapping[str, Abilities], faults: list[str]
) -> Family | None:
    where = f"families.{name}"
    if not isinstance(entry, dict):
        faults.append(f"{where}: must be an object")
        return None
    before = len(faults)
    _check_keys(entry, _FAMILY_KEYS, f"{where}.", faults)
    if not _NAME.fullmatch(name):
        faults.append(f"{where}: the family's name {_NAME_RULE}")
    names: dict[str, str] = {}
    for key in (key for key in _NAME_KEYS if key in entry):
        value = entry[key]
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            faults.append(f"{where}.{key}: {_NAME_RULE}, is {value!r}")
        elif key == "virtual_model" and value in pools:
            faults.append(f"{where}.{key}: {value!r} is a pool too; a virtual model needs a name of its own")
        elif key != "virtual_model" and value not in pools:
            faults.append(f"{where}.{key}: {value!r} is not in pools")
        else:
            names[key] = value
    sources = entry.get("explicit_choice", [])
    if not isinstance(sources, list) or not all(source in SOURCES for source in sources):
        faults.append(f"{where}.explicit_choice: must be a list of {', '.join(SOURCES)}, is {sources!r}")
        return None
    threshold = entry.get("threshold", MIN_THRESHOLD)
    # A bool is an int to Python; NaN fails the comparison.
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        faults.append(f"{where}.threshold: must be a number, is {threshold!r}")
    elif not MIN_THRESHOLD <= threshold <= MAX_THRESHOLD:
        faults.append(f"{where}.threshold: must be between 0 and 100, is {threshold!r}")
    elif len(faults) == before:
        return Family(
            name=name,
            threshold=float(threshold),
            explicit_choice=tuple(sources),
            cheap_abilities=abilities.get(names["cheap_pool"], UNKNOWN),
            strong_abilities=abilities.get(names["strong_pool"], UNKNOWN),
            **names,
        )
    return None


def _check_keys(entry: Mapping[str, object], known: tuple[str, ...], prefix: str, faults: list[str]) -> None:
    faults.extend(f"{prefix}{key}: is missing" for key in known if key not in entry)
    faults.extend(f"{prefix}{key}: is not known; known are {', '.join(known)}" for key in entry if key not in known)

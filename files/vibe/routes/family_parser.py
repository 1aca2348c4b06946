"""A family of the routes file, read strictly: every fault is reported with its key, its value and the fix."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vibe.request.explicit_choice import SOURCES
from vibe.routes.family import AFFINITIES, ROUTINGS, Family
from vibe.routes.pool import UNKNOWN, Pool
from vibe.routes.signals import read_signals, signals_fault

MIN_SCORE, MAX_SCORE = 0.0, 100.0
MAX_FAILURES = 100
# Providers keep a prompt for 5 minutes to a day.
MAX_CACHE_LIFE = 86_400
_NAME_KEYS = ("virtual_model", "cheap_pool", "strong_pool", "safe_pool")
_NUMBER_KEYS = ("threshold", "move_up_margin", "move_down_margin")
_CHOICES = {"routing": ROUTINGS, "affinity": AFFINITIES}
_FLOATS = (*_NUMBER_KEYS, "cache_life")
_COUNTS = {"escalate_after": MAX_FAILURES, "cache_life": MAX_CACHE_LIFE}
_REQUIRED = ("virtual_model", "cheap_pool", "strong_pool")
_KEYS = (
    *_NAME_KEYS,
    *_NUMBER_KEYS,
    *_CHOICES,
    *_COUNTS,
    "rules",
    "explicit_choice",
    "strong_share",
    "adapter",
    "signals",
)
# Names travel in response headers and log lines: printable ASCII without spaces.
NAME = re.compile(r"[!-~]{1,200}")
# A part of a file's name (``vibe.scoring.family_scorers``).
_ADAPTER = re.compile(r"[0-9a-f]{8,64}")
NAME_RULE = "must be a name of 1 to 200 printable ASCII characters without spaces"


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a family may use: ``pools``, with the info of their ``models``, and ``rules``."""

    pools: frozenset[str]
    models: Mapping[str, Pool]
    rules: Sequence[str]


def read_family(name: str, entry: object, known: Known, faults: list[str]) -> Family | None:
    """Return the family *name* from its *entry*, or None, with what is wrong with it added to *faults*."""
    where = f"families.{name}"
    if not isinstance(entry, dict):
        faults.append(f"{where}: must be an object")
        return None
    before = len(faults)
    check_keys(entry, _KEYS, f"{where}.", faults, required=_REQUIRED)
    if not NAME.fullmatch(name):
        faults.append(f"{where}: the family's name {NAME_RULE}")
    given = {key: entry[key] for key in _KEYS if key in entry}
    faults.extend(f"{where}.{fault}" for fault in _faults_of(given, known))
    if len(faults) > before:
        return None
    # What is not given keeps the family's own default, which is defined only there.
    values = {key: _read(key, value) for key, value in given.items()}
    values.setdefault("safe_pool", values["strong_pool"])
    return Family(
        name=name,
        cheap=known.models.get(given["cheap_pool"], UNKNOWN),
        strong=known.models.get(given["strong_pool"], UNKNOWN),
        **values,
    )


def _read(key: str, value: Any) -> Any:
    """Return the checked *value* of a *key* as a family has it."""
    if key == "signals":
        return read_signals(value)
    if isinstance(value, list):
        return tuple(value)
    return float(value) if key in _FLOATS else value


def check_keys(
    entry: Mapping[str, object],
    known: tuple[str, ...],
    prefix: str,
    faults: list[str],
    required: tuple[str, ...] | None = None,
) -> None:
    """Add to *faults* the keys that *entry* has beside the *known*, and of the *required* (default: all) it lacks."""
    faults.extend(f"{prefix}{key}: is missing" for key in (known if required is None else required) if key not in entry)
    faults.extend(f"{prefix}{key}: is not known; known are {', '.join(known)}" for key in entry if key not in known)


def _faults_of(given: Mapping[str, object], known: Known) -> list[str]:
    """Return what is wrong with the values that are *given*, each as ``key: fault``."""
    found = {key: _name_fault(key, given[key], known.pools) for key in _NAME_KEYS if key in given}
    found |= {key: _number_fault(given[key]) for key in _NUMBER_KEYS if key in given}
    found |= {key: _choice_fault(given[key], choices) for key, choices in _CHOICES.items() if key in given}
    found |= {key: _count_fault(given[key], most) for key, most in _COUNTS.items() if key in given}
    if "explicit_choice" in given:
        found["explicit_choice"] = _list_fault(given["explicit_choice"], SOURCES)
    if "rules" in given:
        found["rules"] = _list_fault(given["rules"], known.rules) or _rules_fault(given["rules"])
    if "strong_share" in given:
        found["strong_share"] = _share_fault(given["strong_share"])
    if "adapter" in given:
        found["adapter"] = _adapter_fault(given["adapter"])
    if "signals" in given:
        found["signals"] = signals_fault(given["signals"])
    return [f"{key}: {fault}" for key, fault in found.items() if fault]


def _name_fault(key: str, value: object, pools: frozenset[str]) -> str | None:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        return f"{NAME_RULE}, is {value!r}"
    if key == "virtual_model":
        return f"{value!r} is a pool too; a virtual model needs a name of its own" if value in pools else None
    return None if value in pools else f"{value!r} is not in pools"


def _number_fault(value: object) -> str | None:
    # A bool is an int to Python; NaN fails the comparison.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"must be a number, is {value!r}"
    return None if MIN_SCORE <= value <= MAX_SCORE else f"must be between 0 and 100, is {value!r}"


def _choice_fault(value: object, choices: tuple[str, ...]) -> str | None:
    return None if value in choices else f"must be one of {', '.join(choices)}, is {value!r}"


def _count_fault(value: object, most: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        return f"must be a whole number from 0 (never) to {most}, is {value!r}"
    return None


def _share_fault(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        return f"must be a number between 0 and 1, or null for a threshold that stays, is {value!r}"
    return None


def _adapter_fault(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _ADAPTER.fullmatch(value)):
        return None
    return f"must be 8 to 64 hexadecimal digits, which name a file in vibe/adapters, or null for none, is {value!r}"


def _list_fault(value: object, known: Sequence[str]) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return f"must be a list of {', '.join(known)}, is {value!r}"
    unknown = [item for item in value if item not in known]
    if unknown:
        return f"must be a list of {', '.join(known)}, has {unknown[0]!r}"
    repeated = [item for item in known if value.count(item) > 1]
    return f"has {repeated[0]!r} twice" if repeated else None


def _rules_fault(value: object) -> str | None:
    # Every other rule may pass a request on.
    return (
        None if isinstance(value, list) and value[-1:] == ["score"] else "must end with 'score', which always decides"
    )

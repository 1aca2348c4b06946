"""The options of the roles: names, specs and defaults, read from their folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

# Earlier steps set these, so preflight cannot know them yet.
_FOUND_OUT = re.compile(r"_(image|required)$")


def _read(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def role_specs(folder: str, roles: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the argument spec of each role below *folder*, without options that earlier steps set."""
    specs = {}
    for role in roles:
        options = _read(Path(folder, role, "meta/argument_specs.yml"))["argument_specs"]["main"]["options"]
        specs[role] = {name: option for name, option in options.items() if not _FOUND_OUT.search(name)}
    return specs


def settable_options(folder: str, roles: Iterable[str]) -> list[str]:
    """Return the sorted names of what an inventory can set for the *roles*."""
    return sorted(name for options in role_specs(folder, roles).values() for name in options)


def role_options(folder: str, roles: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of all options of each role."""
    return {
        role: list(_read(Path(folder, role, "meta/argument_specs.yml"))["argument_specs"]["main"]["options"])
        for role in roles
    }


def role_defaults(folder: str, roles: Iterable[str]) -> dict[str, Any]:
    """Return the defaults of the *roles* from their files; templates are not evaluated."""
    return {name: value for role in roles for name, value in _read(Path(folder, role, "defaults/main.yml")).items()}

"""The effective configuration of a host: the value of each option, and the file that it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

import yaml

from .audit import Table

_HIDDEN = "(not shown)"
_DEFAULT = "default"
_MOST_CHARACTERS = 200
_TOP_LEVEL_KEY = re.compile(r"^([A-Za-z_]\w*):", re.MULTILINE)


class Setting(TypedDict):
    """An option of a role; *value* is hidden if the option holds a secret."""

    option: str
    value: Any
    source: str


def _variable_files(folder: Path, name: str) -> Iterator[Path]:
    """Yield the files that give variables to a group or a host, in the order in which Ansible reads them."""
    for path in (folder / name, folder / f"{name}.yml", folder / f"{name}.yaml"):
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.suffix in (".yml", ".yaml", ".json", ""))
        elif path.is_file():
            yield path


def sources(inventory: str, groups: Iterable[str], host: str, playbook_files: Iterable[str]) -> dict[str, str]:
    """Return for each variable the file that decides it: groups, then the host, then the playbook's own files.

    *inventory* is the folder of the inventory, *groups* those of the host, the widest first. A file's keys are read as
    text, so that one encrypted by Vault contributes none.
    """
    folder = Path(inventory)
    files = [path for group in ("all", *groups) for path in _variable_files(folder / "group_vars", group)]
    files += [*_variable_files(folder / "host_vars", host), *map(Path, playbook_files)]
    found: dict[str, str] = {}
    for file in files:
        if file.is_file():
            for name in _TOP_LEVEL_KEY.findall(file.read_text(encoding="utf-8", errors="replace")):
                found[name] = str(file)
    return found


def _shown(value: Any, spec: Mapping[str, Any]) -> Any:
    """Return a value without secrets: those of the option, and those of its suboptions."""
    if spec.get("no_log"):
        return _HIDDEN if value else value
    options = spec.get("options") or {}
    if isinstance(value, Mapping):
        return {key: _shown(each, options.get(key, {})) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(each, {"options": options}) for each in value]
    return value


def effective_settings(
    given: Mapping[str, Any], folder: str, roles: Iterable[str], found: Mapping[str, str], root: str, everything: bool
) -> list[Setting]:
    """Return the settings of a host with these *roles* below *folder*.

    *given* are the variables that the inventory and the playbooks set, *found* their files; paths are shown from *root*
    on. Options that keep their default are left out unless *everything* is asked for.
    """
    settings: list[Setting] = []
    for role in roles:
        specs = yaml.safe_load(Path(folder, role, "meta/argument_specs.yml").read_text(encoding="utf-8"))
        for name, spec in sorted(specs["argument_specs"]["main"]["options"].items()):
            if name in given:
                source = found.get(name, "inventory or -e")
                settings.append(
                    Setting(option=name, value=_shown(given[name], spec), source=source.removeprefix(f"{root}/"))
                )
            elif everything and "default" in spec:
                settings.append(Setting(option=name, value=_shown(spec["default"], spec), source=_DEFAULT))
    return settings


def settings_table(settings: Iterable[Setting]) -> Table:
    """Return the settings as a table; a long value is cut, the JSON has all of it."""
    rows = []
    for setting in settings:
        value = setting["value"]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        rows.append(
            [setting["option"], text[:_MOST_CHARACTERS] + "…" * (len(text) > _MOST_CHARACTERS), setting["source"]]
        )
    return Table(columns=["option", "value", "from"], rows=rows, note="", optional=[])

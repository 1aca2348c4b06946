"""UPGRADES.yml has what each version breaks; a renamed variable exists only under its new name."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from preflight_rules.values import WORDS

PROJECT = Path(__file__).resolve().parents[2]
ENTRIES = yaml.safe_load((PROJECT / "UPGRADES.yml").read_text(encoding="utf-8"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.partition("-")[0].split(".")))


def _variables() -> set[str]:
    specs = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in PROJECT.glob("roles/*/meta/argument_specs.yml")
    ]
    # Options of the whole deployment belong to no role.
    whole = {name for name in WORDS if name.startswith("vibe_")}
    return whole | {name for spec in specs for name in spec["argument_specs"]["main"]["options"]}


def test_entries_have_what_preflight_reads_and_nothing_else() -> None:
    assert all(set(entry) == {"version", "renamed", "removed", "breaks"} for entry in ENTRIES)
    assert all(words.strip().endswith(".") or "[" in words for entry in ENTRIES for words in entry["breaks"])


def test_versions_ascend_up_to_this_one() -> None:
    versions = [_numbers(entry["version"]) for entry in ENTRIES]
    assert versions == sorted(set(versions))
    assert versions[-1] <= _numbers((PROJECT / "VERSION").read_text(encoding="utf-8").strip())


def test_a_renamed_variable_is_there_under_its_new_name_alone() -> None:
    renamed = {old: new for entry in ENTRIES for old, new in entry["renamed"].items()}
    assert set(renamed.values()) <= _variables()
    assert _variables().isdisjoint(renamed)


def test_a_removed_option_is_gone_and_its_replacement_is_there() -> None:
    removed = [(name, group["instead"]) for entry in ENTRIES for group in entry["removed"] for name in group["names"]]
    assert removed
    assert _variables().isdisjoint(name for name, _ in removed)
    for _, instead in removed:
        named = set(re.findall(r"\b(?:vibe|router|docker)_[a-z_]+", instead))
        assert named - _variables() <= {"docker_engine_ready", "docker_engine_version", "vibe_debug_secrets"}


def test_each_entry_is_of_a_section_of_the_changelog() -> None:
    sections = (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")
    this = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    for entry in ENTRIES:
        is_next = f"{entry['version']}-dev" == this
        assert ("\n## Unreleased\n" if is_next else f"\n## {entry['version']} - ") in sections

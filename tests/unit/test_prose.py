"""How we write: no invented terms, Markdown at 100 columns, task names that start with a verb, and short pages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
WORDS = Path(__file__).with_name("old_words.txt")
COLUMNS = 100
# Data made of prompts, and texts that stay as they were written.
DATA = ("tests/bench/routing/", "tests/fixtures/", "CHANGELOG.md", "LICENSE")
# Files that runs leave in a checkout.
GENERATED = {"reports", "sboms", "backups", "bundles", "bundle", "node_modules", "__pycache__"}
PROSE = {".md", ".py", ".yml", ".j2", ".sh", ".lua", ".cfg", ".toml"}
NAMES = re.compile(
    r"\"?(Ensure|Read|Check|Wait (for|while)|Fail (if|with)|Show|Find|Log|Record|Send|Start|Stop|Restart|Reload|Run"
    r"|Install|Configure|Build|Pull|Load|Unpack|Pack|Write|Render|Remove|Restore|Replay|Roll back|Switch|Choose|Select"
    r"|Compute"
    r"|Compare|Collect|Hand over|Stage|Save|Describe|Report|Summarize|Use|Take|Give|Keep|Discard|Converge|Append|Parse"
    r"|Reset|Confirm|Apply|Reserve|Order|Fetch|Issue|Revoke|Update|Add|Bring|Back up|End|Fill|Create|Merge|Prepare"
    r"|Decommission|Forget)\b"
)


def _files() -> list[str]:
    """Return the project's own text files; git is not asked, because a release archive has none."""
    found = []
    for folder, folders, files in os.walk(PROJECT):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in GENERATED)
        found += [str(Path(folder, name).relative_to(PROJECT)) for name in sorted(files) if Path(name).suffix in PROSE]
    return [name for name in found if not name.startswith(DATA)]


def _old_words() -> Iterator[tuple[re.Pattern[str], str]]:
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern, _, instead = line.partition(" -> ")
            yield re.compile(pattern), instead


def test_old_words_are_gone() -> None:
    words = list(_old_words())
    assert len(words) > 5
    found = [
        f"{name}:{number}: {match[0]!r}: write {instead}"
        for name in _files()
        if name != "tests/unit/test_prose.py"
        for number, line in enumerate((PROJECT / name).read_text(encoding="utf-8").splitlines(), 1)
        for pattern, instead in words
        if (match := pattern.search(line))
    ]
    assert found == []


def _lines_of_text(page: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page that can be wrapped: not code, tables, comments or pictures."""
    is_code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            is_code = not is_code
        elif not is_code and not line.startswith(("|", "<", "![")):
            yield number, line


@pytest.mark.parametrize("page", [name for name in _files() if name.endswith(".md")])
def test_markdown_has_100_columns(page: str) -> None:
    long = [number for number, line in _lines_of_text(PROJECT / page) if len(line) > COLUMNS and " " in line.strip()]
    assert long == []


def test_task_names_say_what_a_task_does() -> None:
    wrong = [
        f"{path.relative_to(PROJECT)}: {name}"
        for pattern in ("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/tasks/*.yml")
        for path in sorted(PROJECT.glob(pattern))
        for name in re.findall(r"^ *- name: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        if not NAMES.match(name) and not name.endswith(".json")
    ]
    assert wrong == []


def _tasks(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a YAML document: tasks, blocks, and loop items."""
    for each in node if isinstance(node, list) else node.values() if isinstance(node, dict) else []:
        yield from _tasks(each)
    if isinstance(node, dict):
        yield node


def _failure_messages(path: Path) -> Iterator[str]:
    """Yield the failure messages of a file's tasks, and the messages that such tasks loop over."""
    for task in _tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
        arguments = [(task.get("ansible.builtin.assert"), "fail_msg"), (task.get("ansible.builtin.fail"), "msg")]
        yield from (str(given.get(key)) for given, key in arguments if isinstance(given, dict))
        if {"good", "message"} <= set(task):
            yield str(task["message"])


def test_failures_say_how_to_fix_them() -> None:
    # A message that is a single expression comes from Python or a template, and is tested there.
    paths = [path for folder in ("roles", "playbooks") for path in sorted((PROJECT / folder).rglob("*.yml"))]
    silent = [
        f"{path.relative_to(PROJECT)}: {message}"
        for path in paths
        for message in _failure_messages(path)
        if "Fix: " not in message and not re.fullmatch(r"(\w+: )?\{\{[^}]*\}\}", message)
    ]
    assert silent == []


def test_the_front_page_is_short() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_every_page_is_linked_from_the_front_page() -> None:
    front = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PROJECT.glob("docs/*.md") if f"docs/{page.name}" not in front] == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for name in (name for name in _files() if name.endswith(".md")):
        page = PROJECT / name
        for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
            if target.startswith("http"):
                continue
            other = (page.parent / target) if target else page
            if not other.exists() or (anchor and other.suffix == ".md" and anchor not in _anchors(other)):
                broken.append(f"{name}: {target}#{anchor}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub generates for the headings of a page."""
    titles = (line.lstrip("#").strip().lower() for _, line in _lines_of_text(page) if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}

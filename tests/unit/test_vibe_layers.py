"""The packages of the plug-in: imports go downwards, docstrings list the modules, and a release is complete."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = REPOSITORY / "files"
PACKAGE = FILES / "vibe"
BASICS = "basics"
# Each package imports only from those before it.
LAYERS = (
    *(BASICS, "request", "routes", "scoring", "memory", "rules", "routing"),
    *("telemetry", "feedback", "proxy", "learning", "simulation", "commands"),
)
_NAMED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
NOT_SHIPPED = {"learning", "simulation"}
SHIPPED = yaml.safe_load((REPOSITORY / "roles/router/vars/main.yml").read_text(encoding="utf-8"))["__router_packages"]


def _layer(module: str) -> str:
    """Return the package of *module*, a dotted name below ``vibe``; a module of ``vibe`` itself has none."""
    parts = module.split(".")
    return parts[0] if (PACKAGE / parts[0]).is_dir() else BASICS


def _modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__"), path


def _imports(path: Path) -> Iterator[str]:
    """Yield the modules of ``vibe`` that *path* imports, also inside functions, as dotted names below ``vibe``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import: name the package"
            if node.module == "vibe":
                yield from (alias.name for alias in node.names)
            elif node.module and node.module.startswith("vibe."):
                yield node.module.removeprefix("vibe.")
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("vibe.") for alias in node.names if alias.name.startswith("vibe."))


def test_imports_go_downwards() -> None:
    upward = [
        f"vibe.{module} imports vibe.{imported}"
        for module, path in _modules()
        if module
        for imported in _imports(path)
        if LAYERS.index(_layer(imported)) > LAYERS.index(_layer(module))
    ]
    assert not upward


def test_these_modules_are_the_basics() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "log", "escaped", "strict_json"}


def test_every_package_has_a_layer_and_is_shipped_or_left_out() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages == set(LAYERS) - {BASICS} == set(SHIPPED) | NOT_SHIPPED
    assert not set(SHIPPED) & NOT_SHIPPED


@pytest.mark.parametrize("package", ["", *LAYERS[1:]])
def test_the_plate_of_a_package_names_what_exists(package: str) -> None:
    name = f"vibe.{package}".strip(".")
    plate = import_module(name).__doc__ or ""
    folder = PACKAGE / package
    quoted = re.findall(r"``([a-z_]+)(?:\.([A-Za-z_]+))?``", plate)
    assert quoted
    for module, member in quoted:
        source = folder / f"{module}.py"
        if member and source.exists():
            defined = {
                node.name for node in ast.parse(source.read_text(encoding="utf-8")).body if isinstance(node, _NAMED)
            }
            assert member in defined, f"{name}: {module}.{member}"
        elif member:
            assert any((place / f"{module}.{member}").exists() for place in (folder, FILES, REPOSITORY / "tests/unit"))
        else:
            assert (folder / module).is_dir() or source.exists(), f"{name}: {module}"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return a folder with the plug-in as on a host."""
    shutil.copy(FILES / "vibe_router.py", tmp_path)
    (tmp_path / "vibe").mkdir()
    for path in (*PACKAGE.glob("*.py"), *(path for name in SHIPPED for path in (PACKAGE / name).glob("*.*"))):
        target = tmp_path / path.relative_to(FILES)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def _run(release: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # -E: without PYTHONPATH, so it only imports from the script's own folder.
    command = [sys.executable, "-E", str(release / "vibe_router.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_release_explains_without_what_stays_on_the_control_node(release: Path) -> None:
    done = _run(release, "explain", "Prove that there are infinitely many primes.", "--json")
    assert done.returncode == 0, done.stderr
    assert '"rule": "score"' in done.stdout


@pytest.mark.parametrize(
    ("command", "words"), [("fit", ("--labels", "labels.jsonl", "--out", "adapter.json")), ("simulate", ())]
)
def test_a_release_says_where_a_command_runs_that_it_does_not_have(
    release: Path, command: str, words: tuple[str, ...]
) -> None:
    done = _run(release, command, *words)
    assert done.returncode == 1
    assert done.stderr == f"{command}: not part of a deployed release. Fix: run it in the project's folder\n"

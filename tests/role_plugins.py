"""Loads a role's module or plug-in as Python: Ansible's folders are no packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROLES = Path(__file__).resolve().parents[1] / "roles"


def load(name: str) -> ModuleType:
    """Return the file `roles/NAME.py` as a module, loaded again."""
    path = ROLES / f"{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by its name.
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded

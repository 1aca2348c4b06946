"""Modules in LiteLLM's places, for tests of what the plug-in changes in it: LiteLLM itself is in the image alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType

import pytest


def install_litellm(
    monkeypatch: pytest.MonkeyPatch, contents: Mapping[str, Mapping[str, object]]
) -> dict[str, ModuleType]:
    """Install a module with the *contents* of each name, and the packages above it; return all by name."""
    names = {".".join(name.split(".")[:depth]) for name in contents for depth in range(1, name.count(".") + 2)}
    modules = {name: ModuleType(name) for name in sorted(names)}
    for name, module in modules.items():
        package, _, own = name.rpartition(".")
        if package:
            vars(modules[package])[own] = module
        vars(module).update(contents.get(name, {}))
        monkeypatch.setitem(sys.modules, name, module)
    return modules

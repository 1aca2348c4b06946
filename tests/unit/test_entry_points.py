"""Each program of the checks starts by itself, as the verification role and operators start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ENTRY_POINTS = [
    TESTS / "verify.py",
    TESTS / "test_route.py",
    *(path for path in sorted((TESTS / "deployed").glob("*.py")) if "__main__" in path.read_text(encoding="utf-8")),
]


@pytest.mark.parametrize("program", ENTRY_POINTS, ids=lambda path: path.name)
def test_a_program_finds_its_modules(program: Path, tmp_path: Path) -> None:
    # pytest has the folder of the tests on the import path; users do not.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-B", str(program), "--help"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage:")

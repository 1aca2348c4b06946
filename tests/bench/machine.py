"""What a figure was measured on: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2]
_KIB_PER_GIB = 1024 * 1024


def described() -> dict[str, object]:
    """Return the machine, the commit and the moment, and how busy the machine was just then."""
    model = re.search(r"(?m)^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"(?m)^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"))
    return {
        "processor": model[1] if model else platform.machine(),
        "processors": os.cpu_count(),
        "memory, GiB": round(int(memory[1]) / _KIB_PER_GIB, 1) if memory else None,
        "kernel": platform.release(),
        "load before": round(os.getloadavg()[0], 2),
        "commit": _commit(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=_PROJECT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "not a git checkout"

"""Install the locked packages, less those that leave-out.txt names, into /opt/litellm.

Index addresses come from a pip configuration file (a build secret) and reach uv by its environment:
no layer and no command line has them.
"""

from __future__ import annotations

import argparse
import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "/opt/litellm/bin/python"


def names_left_out(text: str) -> set[str]:
    """Names of the distributions that are not installed: the first word of each line that is not a comment."""
    return {line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")}


def without(lock: str, left_out: set[str]) -> str:
    """The lock without some of its entries. An entry starts in the first column; its hashes are indented."""
    kept: list[str] = []
    found: set[str] = set()
    keeping = True
    for line in lock.splitlines():
        entry = re.match(r"([A-Za-z0-9._-]+)==", line)
        if entry:
            keeping = entry[1] not in left_out
            found.add(entry[1])
        if keeping:
            kept.append(line)
    if missing := left_out - found:
        sys.exit(f"leave-out.txt names what the lock does not have: {', '.join(sorted(missing))}")
    return "\n".join(kept) + "\n"


def index_environment(pip_config: Path) -> dict[str, str]:
    """What uv is to know of pip's configuration."""
    parser = configparser.ConfigParser(interpolation=None)
    if pip_config.is_file():
        parser.read(pip_config)
    index = parser.get("global", "index-url", fallback="")
    extra = parser.get("global", "extra-index-url", fallback="").split()
    environment = {}
    if index:
        environment["UV_DEFAULT_INDEX"] = index
    if extra:
        environment["UV_INDEX"] = " ".join(extra)
    return environment


def main() -> None:
    """Filter the lock, then install it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uv", required=True)
    parser.add_argument("--pip-config", type=Path, required=True)
    options = parser.parse_args()
    left_out = names_left_out((HERE / "leave-out.txt").read_text())
    wanted = HERE / "wanted.lock"
    wanted.write_text(without((HERE / "requirements.lock").read_text(), left_out))
    # --no-deps: the lock is complete, and what was left out must not come back as somebody's dependency.
    command = [options.uv, "pip", "install", "--python", PYTHON, "--no-deps", "--require-hashes", "--no-cache"]
    subprocess.run(
        [*command, "--only-binary", ":all:", "-r", str(wanted)],
        check=True,
        env={**os.environ, **index_environment(options.pip_config)},
    )


if __name__ == "__main__":
    main()

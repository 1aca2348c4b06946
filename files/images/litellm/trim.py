"""Remove what remove.txt names from the installed packages.

A line is a pattern below site-packages, then its reason after ` # `.
`!pattern` keeps what an earlier line would remove.
A pattern that matches nothing stops the build: the list never outlives what it was written for.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def read_rules(text: str) -> list[str]:
    """The patterns, in order, without reasons and comments."""
    rules = []
    for line in text.splitlines():
        pattern = line.split(" # ")[0].strip()
        if pattern and not pattern.startswith("#"):
            rules.append(pattern)
    return rules


def paths_to_remove(root: Path, rules: list[str]) -> set[Path]:
    """What the rules select below the root."""
    selected: set[Path] = set()
    for rule in rules:
        matches = set(root.glob(rule.removeprefix("!")))
        if not matches:
            sys.exit(f"remove.txt: {rule} matches nothing")
        selected = selected - matches if rule.startswith("!") else selected | matches
    return selected


def main() -> None:
    """Remove the selected paths."""
    (root,) = Path("/opt/litellm/lib").glob("python3*/site-packages")
    for path in sorted(paths_to_remove(root, read_rules((HERE / "remove.txt").read_text()))):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

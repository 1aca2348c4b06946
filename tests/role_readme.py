#!/usr/bin/env python3
"""Write the table of variables into each role's README.md, from its argument specs.

python3 tests/role_readme.py           rewrite what is out of date
python3 tests/role_readme.py --check   only say what is; exit 1 if anything is
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).resolve().parents[1] / "roles"
BEGIN = "<!-- variables: written by tests/role_readme.py from meta/argument_specs.yml -->"
END = "<!-- end of variables -->"


def _cell(text: object) -> str:
    """Return *text* fit for a cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def _row(name: str, option: dict[str, Any]) -> str:
    kind = option.get("type", "str") + (f" of {option['elements']}" if "elements" in option else "")
    choices = f" One of: {', '.join(map(str, option['choices']))}." if "choices" in option else ""
    fields = f" Keys: {', '.join(option['options'])}." if "options" in option else ""
    description = option["description"]
    text = " ".join(description) if isinstance(description, list) else description
    default = "required" if option.get("required") else f"`{_cell(json.dumps(option.get('default')))}`"
    return f"| `{name}` | {kind} | {default} | {_cell(text)}{choices}{fields} |"


def table(role: Path) -> str:
    """Return the section of *role*'s variables, markers included."""
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    rows = [_row(name, option) for name, option in sorted(specs["main"]["options"].items())]
    return "\n".join([BEGIN, "| variable | type | default | meaning |", "| --- | --- | --- | --- |", *rows, END])


def readme(role: Path) -> str:
    """Return *role*'s README with an up-to-date section, which is appended where there was none."""
    path = role / "README.md"
    specs = yaml.safe_load((role / "meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    title = f"# {role.name}\n{specs['main']['short_description']}.\n"
    text = path.read_text(encoding="utf-8") if path.exists() else title
    if BEGIN not in text:
        return f"{text.rstrip()}\n\n## Variables\n{table(role)}\n"
    before, rest = text.split(BEGIN, 1)
    return before + table(role) + rest.split(END, 1)[1]


def main() -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a README is out of date")
    options = parser.parse_args()
    outdated = False
    for role in sorted(path for path in ROLES.iterdir() if path.is_dir()):
        path, text = role / "README.md", readme(role)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        outdated = True
        print(f"{path}: out of date" if options.check else f"{path}: written")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    return int(options.check and outdated)


if __name__ == "__main__":
    sys.exit(main())

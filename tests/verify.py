#!/usr/bin/env python3
"""Checks what is deployed on this host, without a request to a model: the host checks of tests/deployed/host.

    sudo python3 tests/verify.py [--json FILE] [--junit FILE] [--page FILE]

Needs Python 3.9 and Docker's command line. `VIBE_DIR` and `VIBE_CONTAINER_PREFIX` name a deployment that is elsewhere.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "deployed"))

from host.context import context_of, roles_here
from host.local_shell import LocalShell
from host.suite import checks_of, run_check
from report.script import add_output_options, say, say_result, summarize, write_outputs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks and return the exit code: 0 when nothing failed, 1 when something did or nothing is deployed."""
    parser = argparse.ArgumentParser(description="Checks what is deployed on this host, without calling a model.")
    parser.add_argument("--roles", nargs="+", metavar="ROLE", help="the host's roles (default: what is deployed here)")
    add_output_options(parser)
    options = parser.parse_args(arguments)
    shell = LocalShell()
    host = context_of(shell, tuple(options.roles or roles_here(shell)))
    if host.leaves:
        say("ERROR", "nothing is deployed on this host, or this user may not see it. Fix: run as root; set VIBE_DIR")
        return 1
    results = []
    for check in checks_of(host.roles):
        results.append(run_check(check, host))
        say_result(results[-1])
    if options.json != "-":
        width = max(len(result.check) for result in results)
        for result in results:
            print(f"{result.check.ljust(width)}  {result.verdict}")
    for note in host.notes:
        say("INFO", f"note: {note}")
    return write_outputs(summarize("verify", results, host=host.name, notes=host.notes), options)


if __name__ == "__main__":
    sys.exit(main())

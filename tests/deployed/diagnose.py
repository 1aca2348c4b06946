#!/usr/bin/env python3
"""The doctor: checks each hop from the client inwards, stops at the first broken one, and suggests a fix.

    ./deploy.sh doctor                                            all hops, over the inventory's hosts
    python3 tests/deployed/diagnose.py --env-file exports.sh      the client's part, from its machine

Exits with 0 if no hop is broken, 1 if one is, 2 if it could not start.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import unittest
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from doctor.case import Case, read_case
from doctor.client import Client
from doctor.symptoms import CLIENTS, seen
from doctor.walk import walk
from report.model import FAILED, Result
from report.printable import printable
from routing.client import find_target, read_env_file, read_pools
from routing.prompts import DEFAULT_POOLS


def told(results: Sequence[Result]) -> str:
    """Return the result of a link as lines."""
    broken = [result for result in results if result.verdict == FAILED]
    if not broken:
        return f"  ok      {results[0].check}"
    lines = []
    for result in broken:
        where = "" if result.host == "client" else f" ({result.host})"
        lines += [f"  BROKEN  {result.check}{where}"]
        lines += [f"          {name:9} {text}" for name, text in _parts(result)]
    return printable("\n".join(lines))


def _parts(result: Result) -> list[tuple[str, str]]:
    return [("expected", result.expected), ("found", result.found), ("fix", result.hint)]


def explained(message: str) -> str:
    """Return what a client's error *message* means, and its fix."""
    symptom = seen(message, CLIENTS)
    if symptom is None:
        return "The message is not a known symptom; the walk may find its cause."
    return f"The message: {symptom.meaning}.\n          fix       {symptom.fix}"


def make_case(given: argparse.Namespace) -> Case:
    """Put the case together: the client's settings, and the hosts if the playbook passed them."""
    environment = {**os.environ, **(read_env_file(given.env_file) if given.env_file else {})}
    target = find_target(environment, given.url)
    client = Client(target.url, target.key, target.ca_file)
    return read_case(given.case, client) if given.case else Case(client, given.pools)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Walk from the client inwards, to the first broken link.")
    parser.add_argument("--case", type=Path, metavar="FILE", help="the hosts, as playbooks/doctor.yml writes them")
    parser.add_argument("--env-file", metavar="FILE", help="what ./deploy.sh env prints")
    parser.add_argument("--url", help="another address of the gateway")
    parser.add_argument("--symptom", metavar="TEXT", help="an error message as the client shows it; explained first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the hops as JSON")
    parser.add_argument("--pools", type=read_pools, default=DEFAULT_POOLS, metavar="JSON", help="what is expected")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Walk, print the result, and return the exit code."""
    given = parse_arguments(arguments)
    try:
        case = make_case(given)
    except (OSError, ValueError, KeyError, unittest.SkipTest) as error:
        print(f"The walk cannot begin: {error}", file=sys.stderr)
        return 2
    if given.symptom:
        print(explained(given.symptom))
    print(f"From the client inwards, at {case.client.url}:")
    found: list[Result] = []
    for results in walk(case):
        found += results
        print(told(results), flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(result) for result in found], indent=2) + "\n", encoding="utf-8")
    if any(result.verdict == FAILED for result in found):
        print("Fix it, then run this again: later hops were not checked.")
        return 1
    print("No link is broken. What only some requests have: docs/runbooks.md, a request that went wrong.")
    if not case.machines:
        print("The hosts were not looked at: ./deploy.sh doctor, on the control node, walks the whole way.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

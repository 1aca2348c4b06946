"""The command line: only ``records`` needs a deployment; ``fit`` and ``simulate`` need the project's folder.

No command needs LiteLLM. The packages of ``fit`` and ``simulate`` are not part of a release, so they are imported only
when one of the two is called.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

from vibe.commands.explain import BodyError, explain, request_of_text, requests_of_file
from vibe.commands.records import StreamsError, records
from vibe.commands.score import LineError, scored_lines
from vibe.request.request import Request
from vibe.routes.family import Family
from vibe.routes.routes_file import Routes, RoutesError, default_path, load_routes
from vibe.rules import RULE_NAMES
from vibe.scoring.family_scorers import Scorers, load_scorers
from vibe.scoring.scorer import Scorer, load_adapter, load_prior, load_scorer, with_head
from vibe.scoring.weights_file import WeightsFileError, provenance

# The kinds of synthetic conversations.
SIMULATED = ("chat", "mixed", "coding", "document")


def main(arguments: list[str] | None, beside: Path, default_threshold: float) -> int:
    """Run the command line and return the exit code: 0 success, 1 failure (logged on standard error).

    *beside* is the folder where the routes file is searched; *default_threshold* holds where there is none.
    """
    parser = argparse.ArgumentParser(prog="vibe_router.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    explaining = commands.add_parser("explain", help="print the decision for a text or a request, its rule and reasons")
    asked = explaining.add_mutually_exclusive_group(required=True)
    asked.add_argument("text", nargs="?", help="the prompt; - reads it from standard input")
    asked.add_argument("--body", type=Path, metavar="FILE", help="a whole request body, or recorded requests")
    explaining.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    explaining.add_argument("--family", help="the family to decide for (default: all)")
    explaining.add_argument("--routes", type=Path, metavar="FILE", help="routes file (default: the deployed one)")
    explaining.add_argument("--adapter", type=Path, metavar="FILE", help="score with this adapter on top of the prior")
    scoring = commands.add_parser("score", help="score JSON lines: {id, prompt} or {id, messages}")
    scoring.add_argument("file", nargs="?", default="-", metavar="FILE", help="what to read (default: standard input)")
    scoring.add_argument("--family", help="the family to decide for (default: the first)")
    scoring.add_argument("--routes", type=Path, metavar="FILE", help="routes file (default: the deployed one)")
    scoring.add_argument("--adapter", type=Path, metavar="FILE", help="score with this adapter on top of the prior")
    checking = commands.add_parser("check-routes", help="check a routes file; exit code 1 says what is wrong")
    checking.add_argument("file", type=Path, metavar="FILE")
    proving = commands.add_parser("check-adapter", help="check an adapter; exit code 1 says what is wrong")
    proving.add_argument("file", type=Path, metavar="FILE")
    proving.add_argument("--family", help="the family that it is to score")
    fitting = commands.add_parser("fit", help="learn an adapter from your own labels; refuses without a gain")
    fitting.add_argument("--labels", type=Path, required=True, metavar="FILE", help="JSON lines: prompt, weak_score, …")
    fitting.add_argument("--out", type=Path, required=True, metavar="FILE", help="the adapter to write")
    fitting.add_argument("--family", help="the family that the labels are of; written into the adapter")
    fitting.add_argument("--force", action="store_true", help="write it without a gain too, and say so in the file")
    collecting = commands.add_parser("records", help="print what was kept of decisions, in a slot's container")
    collecting.add_argument("--family", required=True, help="the family whose decisions are wanted")
    collecting.set_defaults(routes=None)
    simulating = commands.add_parser("simulate", help="what each policy of moving conversations would cost")
    simulating.add_argument("--records", type=Path, metavar="FILE", help="your traffic: the router's log")
    simulating.add_argument("--prices", type=Path, metavar="FILE", help="pairs of prices (default: three real ones)")
    simulating.add_argument("--conversations", type=int, default=1000, metavar="N", help="to make up (default: 1000)")
    simulating.add_argument("--kind", action="append", choices=SIMULATED, help="of conversations (default: all)")
    simulating.add_argument("--hard-share", type=float, default=0.3, metavar="S", help="of the prompts (default: 0.3)")
    simulating.add_argument("--seed", type=int, default=1, help="of what is made up (default: 1)")
    simulating.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check-routes":
            return _check(options.file)
        if options.command == "check-adapter":
            return _check_adapter(options.file, options.family)
        if options.command == "fit":
            return _fit(options)
        if options.command == "simulate":
            return _simulate(options, default_threshold)
        routes = _routes_for(options.routes, beside, default_threshold)
        families = _families(routes, options.family)
        if options.command == "records":
            return records(families[0], beside)
        scorers = _scorers(options, routes, beside)
        if options.command == "score":
            return _score(options.file, families[0], routes, scorers.of(families[0]))
        explain(_requests(options.text, options.body), families, routes, scorers, as_json=options.json)
        return 0
    except (RoutesError, WeightsFileError, BodyError, LineError, StreamsError) as error:
        print(error, file=sys.stderr)
        return 1


def _score(named: str, family: Family, routes: Routes, scorer: Scorer) -> int:
    try:
        with nullcontext(sys.stdin.buffer) if named == "-" else Path(named).open("rb") as lines:
            for line in scored_lines(lines, family, routes, scorer):
                print(line)
    except OSError as error:
        print(f"{named}: cannot be read: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _requests(text: str | None, body: Path | None) -> list[Request]:
    if body is not None:
        return requests_of_file(body)
    return [request_of_text(sys.stdin.read() if text == "-" else text or "")]


def _fit(options: argparse.Namespace) -> int:
    try:
        from vibe.commands.fit import fit
        from vibe.learning.labels import LabelsError
    except ModuleNotFoundError:
        return _not_shipped("fit")
    try:
        return fit(options.labels, options.out, options.family, force=options.force)
    except LabelsError as error:
        print(error, file=sys.stderr)
        return 1


def _simulate(options: argparse.Namespace, threshold: float) -> int:
    try:
        from vibe.commands.simulate import SimulationError, Wanted, made_up, recorded, simulate
        from vibe.simulation.price_pairs import PairsError
        from vibe.simulation.router_log import RecordsError
    except ModuleNotFoundError:
        return _not_shipped("simulate")
    wanted = Wanted(options.conversations, options.seed, tuple(options.kind or SIMULATED), options.hard_share)
    try:
        traffic = made_up(wanted, threshold) if options.records is None else recorded(options.records)
        simulate(traffic, options.prices, as_json=options.json)
    except (SimulationError, PairsError, RecordsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _not_shipped(command: str) -> int:
    print(f"{command}: not part of a deployed release. Fix: run it in the project's folder", file=sys.stderr)
    return 1


def _check(path: Path) -> int:
    routes = load_routes(path, RULE_NAMES)
    load_scorers(routes, path.parent)
    print(f"{path}: valid, {len(routes.by_virtual_model)} families, {len(routes.pools)} pools")
    return 0


def _check_adapter(path: Path, family: str | None) -> int:
    prior = load_prior()
    document = load_adapter(path, prior, family)
    with_head(prior, document, path)
    print(f"{path}: valid, {provenance(document)}")
    return 0


def _scorers(options: argparse.Namespace, routes: Routes, beside: Path) -> Scorers:
    """Return the scorers that the command names; without one, those of the routes."""
    if options.adapter is not None:
        return Scorers(load_scorer(options.adapter))
    return load_scorers(routes, (options.routes or default_path(beside)).parent)


def _routes_for(named: Path | None, beside: Path, threshold: float) -> Routes:
    path = named or default_path(beside)
    if named or path.exists():
        return load_routes(path, RULE_NAMES)
    # No deployment here, so no pool names: use the pools' roles.
    family = Family("any", "any", "cheap_pool", "strong_pool", "safe_pool", threshold)
    return Routes({family.virtual_model: family}, frozenset(("cheap_pool", "strong_pool", "safe_pool")))


def _families(routes: Routes, wanted: str | None) -> list[Family]:
    families = [family for family in routes.by_virtual_model.values() if wanted in (None, family.name)]
    if not families:
        known = ", ".join(family.name for family in routes.by_virtual_model.values())
        raise RoutesError(f"--family: {wanted!r} is not in the routes; known are {known}")
    return families

"""Runs the routing suite from the command line: options, the order of the checks, the table, the report."""

from __future__ import annotations

import argparse
import os
import sys
import unittest
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from report.judge import judge
from report.model import FAILED, SKIPPED, Result
from report.script import add_output_options, say, say_result, summarize, write_outputs

from routing.checks import (
    CHECKS,
    HINT_LOG,
    REASON_HEADER,
    SCORE_HEADER,
    SERVED_HEADER,
    Case,
    cases,
    check_route,
)
from routing.client import LEDGER, MAX_ANSWER_TOKENS, find_target, send, target
from routing.prompts import PROMPTS, SIMPLE

CONCURRENT_REQUESTS = 4
# Requests beside the matrix, with an upstream that costs money.
OTHER_REQUESTS = 25
CHARACTERS_PER_TOKEN = 4


def run_case(case: Case) -> Result:
    """Run one line of the routing matrix."""
    kind = "cheap" if case.prompt == SIMPLE else "strong"
    how = "streamed" if case.stream else "whole"
    sentence = f"A {case.prompt} request for {case.virtual_model} is served by its {kind} pool ({case.api}, {how})"
    result = Result(host_name(), "routing", sentence, **asdict(case))

    def check() -> None:
        exchange = send(case.api, case.virtual_model, PROMPTS[case.prompt], case.stream)
        result.pool = exchange.headers.get(SERVED_HEADER, "")
        result.score = exchange.headers.get(SCORE_HEADER, "")
        result.reason = exchange.headers.get(REASON_HEADER, "")
        check_route(case, exchange)

    return judge(result, check, HINT_LOG, quote=True)


def host_name() -> str:
    """Return the gateway's name in the results: VIBE_HOST_NAME, else its address."""
    return os.environ.get("VIBE_HOST_NAME") or target().url.partition("://")[2]


def run_check(check: Callable[[], None]) -> Result:
    """Run one check of the gateway; the first line of its docstring is the sentence."""
    title = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    return judge(Result(host_name(), "requests", title), check, HINT_LOG, quote=True)


def run() -> Iterator[Result]:
    """Run all checks: health first, a few requests at a time; the check that makes a pool fail comes last, alone."""
    yield run_check(CHECKS[0])
    with ThreadPoolExecutor(max_workers=CONCURRENT_REQUESTS) as threads:
        yield from threads.map(run_case, cases(target().pools))
        yield from threads.map(run_check, CHECKS[1:-1])
    yield run_check(CHECKS[-1])


def table(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of the result table."""
    heading = ["virtual model", "prompt", "API", "stream", "pool", "score", "ms", "verdict"]
    rows = []
    for result in results:
        if result.virtual_model:
            stream = "yes" if result.stream else "no"
            row = [result.virtual_model, result.prompt, result.api, stream, result.pool or "-", result.score or "-"]
        else:
            row = [result.check, "", "", "", "", ""]
        rows.append([*row, str(result.milliseconds), result.verdict])
    return heading, rows


def print_table(results: Sequence[Result]) -> None:
    """Print the result table, with rich on a terminal that has it, else as plain columns."""
    heading, rows = table(results)
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass  # rich is optional; the plain columns have the same content
        else:
            shown = Table(*heading)
            for row in rows:
                shown.add_row(*row, style={FAILED: "red", SKIPPED: "dim"}.get(row[-1]))
            Console().print(shown)
            return
    # A check's name spans the columns that only the routing matrix fills.
    matrix = [row for row in rows if row[1]] or [heading]
    widths = [max(len(line[column]) for line in [heading, *matrix]) for column in range(len(heading))]
    span = max([sum(widths[:6]) + 10, *(len(row[0]) for row in rows)])
    widths[5] += span - sum(widths[:6]) - 10
    for row in [heading, *rows]:
        cells = [row[column].ljust(widths[column]) for column in range(6)]
        first = "  ".join(cells) if row[1] else row[0].ljust(span)
        print(f"{first}  {row[6].rjust(widths[6])}  {row[7]}")


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Routing suite over a deployed gateway.")
    parser.add_argument("--url", help="the gateway's address, without /v1 (default: from the environment)")
    parser.add_argument("--key", help="its key; others on this machine see it in the process list: prefer --env-file")
    parser.add_argument("--env-file", metavar="FILE", help="a file with what `./deploy.sh env` prints")
    parser.add_argument("--ca-file", metavar="FILE", help="the authority that signed the gateway's certificate")
    parser.add_argument("--pools", metavar="JSON", help="{virtual model: [cheap pool, strong pool]}, or a file with it")
    parser.add_argument("--direct-models", choices=["on", "off"], help="whether clients may name a pool (default: on)")
    parser.add_argument("--most-requests", type=int, metavar="N", help="send no more than so many (default: all)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="the longest silence within a request")
    add_output_options(parser)
    return parser.parse_args(arguments)


def put_into_environment(options: argparse.Namespace) -> None:
    """Put the options where `target` reads them, so that script and pytest find the gateway in one way."""
    if (options.most_requests or 0) < 0:
        raise ValueError(f"--most-requests {options.most_requests} (verification_most_requests): 0 for all, or more")
    variables = {
        "VIBE_ENV_FILE": options.env_file,
        "VIBE_CA_FILE": options.ca_file,
        "VIBE_POOLS_FILE": options.pools,
        "VIBE_DIRECT_MODELS": options.direct_models,
        "VIBE_TIMEOUT": options.timeout,
        "VIBE_MOST_REQUESTS": options.most_requests,
    }
    os.environ.update({name: str(value) for name, value in variables.items() if value is not None})
    found = find_target(os.environ, options.url, options.key)
    os.environ.pop("VIBE_ENV_FILE", None)  # it has been read; left there it would overrule --url and --key
    os.environ.update({"OPENAI_BASE_URL": f"{found.url}/v1", "OPENAI_API_KEY": found.key})
    if found.ca_file:
        os.environ.setdefault("VIBE_CA_FILE", found.ca_file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite and return the exit code: 0 when nothing failed, 1 when something did, 2 for wrong options."""
    options = parse_arguments(arguments)
    try:
        put_into_environment(options)
    except (unittest.SkipTest, OSError, ValueError) as error:
        say("ERROR", str(error))
        return 2
    lines = cases(target().pools)
    tokens = sum(len(PROMPTS[line.prompt]) for line in lines) // CHARACTERS_PER_TOKEN
    say("INFO", f"routing suite over {target().url}")
    say(
        "INFO",
        f"{len(lines)} requests and some {OTHER_REQUESTS} more: {tokens} tokens in, {MAX_ANSWER_TOKENS} out of each",
    )
    results = []
    for result in run():
        results.append(result)
        say_result(result, f"{result.pool} {result.milliseconds} ms".strip())
    if options.json != "-":
        print_table(results)
    say("INFO", str(LEDGER))
    return write_outputs(
        summarize("routing", results, host=host_name(), url=target().url, notes=[str(LEDGER)]), options
    )

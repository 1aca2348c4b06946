"""Reads the command line of ./deploy.sh and runs the verb.

Needs only the standard library, so that help works before any tool is installed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .completion import completion
from .environment import CLIENTS, client_settings
from .messages import log
from .verbs import BY_NAME, VERBS, Verb

PROJECT = Path(__file__).resolve().parents[3]
LOCAL = "inventory/local"
USAGE_ERROR = 5
_EXIT_CODES = """\
exit codes: 0 success, 1 an error of this program, 2 a host failed, 4 a host was not reached, 5 wrong usage,
99 interrupted"""
_ANSIBLE = """\
All options of ansible-playbook work too: -e NAME=VALUE, --limit, --tags, --check, --diff, --ask-become-pass,
--ask-vault-pass. -v prints Ansible's own output; the log of every run is in reports/NAME/log."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors look like the other messages of ./deploy.sh."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the command line, and exit."""
        wrong_usage(f"{message}. Fix: {self.prog} --help lists the options")


def wrong_usage(message: str) -> NoReturn:
    """Print *message* and exit as wrong usage."""
    log("ERROR", message)
    sys.exit(USAGE_ERROR)


def overview() -> str:
    """Return the help of ./deploy.sh without a verb."""
    rows = "\n".join(f"  {verb.name:<10} {verb.summary}" for verb in VERBS)
    return (
        f"Usage: ./deploy.sh [VERB] [-i inventory/NAME] [options]\n\n{rows}\n\n"
        f"Without -i, this machine (inventory/local). ./deploy.sh help VERB lists the options of a verb.\n{_EXIT_CODES}"
    )


def parser_of(verb: Verb) -> argparse.ArgumentParser:
    """Return the parser of a verb's own options."""
    parser = _Parser(
        prog=f"./deploy.sh {verb.name}",
        description=f"{verb.summary[0].upper()}{verb.summary[1:]}. {verb.details}".strip(),
        epilog=_ANSIBLE if verb.playbook else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-i", "--inventory", default=LOCAL, metavar="inventory/NAME", help="the environment")
    if verb.answer_file:
        parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    if verb.name == "env":
        parser.add_argument("--client", choices=tuple(CLIENTS), default="sdk", help="the client that it is for")
    for option in verb.options:
        name = option.variable or option.flag.strip("-").replace("-", "_")
        if option.kind == "flag":
            parser.add_argument(option.flag, dest=name, action="store_const", const=option.constant, help=option.help)
        else:
            parser.add_argument(
                option.flag,
                dest=name,
                action="append" if option.kind == "list" else "store",
                type=int if option.kind == "number" else str,
                choices=option.choices or None,
                metavar=option.metavar,
                help=option.help + (f": {', '.join(option.choices)}" if option.choices else ""),
            )
    return parser


def environment_name(inventory: str) -> str:
    """Return the name of an inventory: its folder's, also if a file in it is given."""
    path = Path(inventory)
    return path.parent.name if path.is_file() else path.name


def extra_variables(verb: Verb, options: argparse.Namespace) -> dict[str, object]:
    """Return the variables that the options of a verb set for its playbook."""
    given = {option.variable: getattr(options, option.variable) for option in verb.options if option.variable}
    variables = {name: value for name, value in given.items() if value is not None}
    if verb.name == "teardown" and options.yes:
        variables["confirm"] = environment_name(options.inventory)
    return variables


def _asks_for_sudo(inventory: str, rest: Sequence[str]) -> bool:
    """Whether this machine's own deployment needs a sudo password that was not given."""
    if os.geteuid() == 0 or inventory != LOCAL or {"-K", "--ask-become-pass"} & set(rest):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode != 0


def _inventory_of(words: Sequence[str]) -> str:
    """Return the inventory that -i names, or this machine's."""
    for word, following in itertools.pairwise(words):
        if word in ("-i", "--inventory"):
            return following
    return LOCAL


def playbook_command(verb: Verb, options: argparse.Namespace, rest: Sequence[str]) -> list[str]:
    """Return the ansible-playbook command of a verb."""
    command = [".venv/bin/ansible-playbook", verb.playbook, "-i", options.inventory]
    if variables := extra_variables(verb, options):
        command += ["-e", json.dumps(variables)]
    if verb.name == "drift":
        command.append("--check")
        command.append("--diff")
    return [*command, *rest]


def _run_playbook(verb: Verb, options: argparse.Namespace, rest: list[str]) -> int:
    if _asks_for_sudo(options.inventory, rest):
        log("INFO", "sudo will ask for your password once")
        rest = ["--ask-become-pass", *rest]
    reports = Path("reports", environment_name(options.inventory))
    log_file = str(reports / "log" / f"{time.strftime('%Y%m%d-%H%M%S')}-{verb.name}.log")
    wants_json = getattr(options, "json", False)
    environment = dict(os.environ)
    # Ansible's own output goes to the log too if that is what the terminal shows.
    if any(word.startswith("-v") or word == "--verbose" for word in rest):
        (reports / "log").mkdir(parents=True, exist_ok=True)
        environment["ANSIBLE_LOG_PATH"] = log_file
    else:
        environment.setdefault("ANSIBLE_STDOUT_CALLBACK", "vibe_terminal")
        environment["VIBE_LOG_FILE"] = log_file
    environment["VIBE_VERB"] = verb.name
    environment["VIBE_OUTPUT"] = "quiet" if wants_json else verb.style
    command = playbook_command(verb, options, rest)
    if not wants_json:
        os.execve(command[0], command, environment)
    answer = reports / verb.answer_file
    answer.unlink(missing_ok=True)
    # Only the JSON goes to standard output.
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if answer.is_file():
        sys.stdout.write(answer.read_text(encoding="utf-8"))
    return done.returncode


def main(arguments: Sequence[str]) -> int:
    """Run ./deploy.sh with *arguments*; return the exit code."""
    words = list(arguments)
    if words and words[0] in ("-h", "--help"):
        words = ["help"]
    if words and words[0] == "--version":
        words = ["version"]
    name = words.pop(0) if words and not words[0].startswith("-") else "deploy"
    verb = BY_NAME.get(name)
    if verb is None:
        wrong_usage(f"there is no verb {name}. Fix: ./deploy.sh help lists them")
    if name == "help":
        return _help(words)
    if name == "version":
        print((PROJECT / "VERSION").read_text(encoding="utf-8").strip())
        return 0
    if name == "completion":
        return _completion(words)
    # These two need the installed tools.
    if name == "client":
        from .client import main as client

        changes = bool(words) and words[0] in ("add", "rotate", "remove")
        asks = changes and _asks_for_sudo(_inventory_of(words), words)
        return client(words, ["--ask-become-pass"] if asks else [])
    if name == "sbom":
        from .sbom import main as sbom

        return sbom(words)
    options, rest = parser_of(verb).parse_known_args(words)
    if verb.playbook:
        return _run_playbook(verb, options, rest)
    if rest:
        wrong_usage(f"{name} has no option {rest[0]}. Fix: ./deploy.sh help {name}")
    if name == "logs":
        # Needs the installed tools.
        from .logs import show_logs

        return show_logs(options)
    return client_settings(options.inventory, options.client)


def _help(words: Sequence[str]) -> int:
    name = words[0] if words else ""
    if name and name not in BY_NAME:
        wrong_usage(f"there is no verb {name}. Fix: ./deploy.sh help lists them")
    if name in ("client", "sbom"):
        print(f"./deploy.sh {name} --help explains it.")
    else:
        print(parser_of(BY_NAME[name]).format_help() if name else overview())
    return 0


def _completion(words: Sequence[str]) -> int:
    shell = words[0] if words else ""
    if shell not in ("bash", "zsh"):
        wrong_usage(f"there is completion for bash and zsh, not for {shell or 'nothing'}")
    print(completion(shell))
    return 0

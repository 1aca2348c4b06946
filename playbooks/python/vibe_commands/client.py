"""./deploy.sh client: gives clients their own keys, and revokes them.

    ./deploy.sh client add team-a --models chat-auto,claude-auto --rate 60 --expires 2027-06-30 --note "cost center 7"
    ./deploy.sh client rotate team-a --keep 7      # a new key; the previous one works for seven more days
    ./deploy.sh client remove team-a
    ./deploy.sh client list

group_vars/all/clients.yml of the inventory has the clients with digests of their keys. It is not secret, so you can
keep it in git. A new key is printed once, on standard output, when the gateways know it. They apply a change without
dropping a connection; if that fails, the file is restored.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import yaml
from rich.console import Console
from rich.table import Table

from .messages import log

PROJECT = Path(__file__).resolve().parents[3]
VARIABLE = "gateway_clients"
HEAD = """---
# Clients with keys of their own, by digests. Written by ./deploy.sh client; after a change by hand, run ./deploy.sh.
"""
OPERATOR = "default"
DAYS_KEPT = 7
MOST_DAYS_KEPT = 365
# As many random bits as the digest has: 256.
KEY_BYTES = 32
USAGE_ERROR = 5
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ")


class ClientError(Exception):
    """The command cannot be carried out; the message says what is wrong and the fix."""


def clients_file(inventory: Path) -> Path:
    """Return the file of the clients of an *inventory*, which is a folder or a file in one.

    Raises:
        ClientError: there is no such inventory.
    """
    if not inventory.exists():
        raise ClientError(f"there is no inventory {inventory}. Fix: name one of inventory/ with -i")
    folder = inventory if inventory.is_dir() else inventory.parent
    return folder / "group_vars/all/clients.yml"


def read_clients(path: Path) -> list[dict[str, Any]]:
    """Return the clients of *path*, none where it is missing.

    Raises:
        ClientError: the file is not what this program writes.
    """
    if not path.exists():
        return []
    try:
        clients = (yaml.safe_load(path.read_text(encoding="utf-8")) or {})[VARIABLE]
    except (yaml.YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ClientError(
            f"{path}: has no list {VARIABLE} ({type(error).__name__}). Fix: correct the file, or remove it"
        ) from None
    if not isinstance(clients, list) or not all(isinstance(each, dict) and "name" in each for each in clients):
        raise ClientError(
            f"{path}: {VARIABLE} is not a list of clients with names. Fix: correct the file, or remove it"
        )
    return clients


def write_clients(path: Path, clients: list[dict[str, Any]]) -> None:
    """Write *clients* to *path*, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(HEAD + yaml.safe_dump({VARIABLE: clients}, sort_keys=False, width=120), encoding="utf-8")
    draft.replace(path)


@contextlib.contextmanager
def undone_on_failure(path: Path) -> Iterator[None]:
    """Restore *path* if the block fails."""
    before = path.read_bytes() if path.exists() else None
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(before)
        raise


def find(clients: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the client of that *name*.

    Raises:
        ClientError: there is none.
    """
    for client in clients:
        if client["name"] == name:
            return client
    known = ", ".join(client["name"] for client in clients) or "none yet"
    raise ClientError(f"there is no client {name}. Fix: name one of these: {known}")


def new_key() -> tuple[str, str]:
    """Return a key and its SHA-256."""
    key = f"sk-{secrets.token_urlsafe(KEY_BYTES)}"
    return key, hashlib.sha256(key.encode()).hexdigest()


def add(clients: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Add a client and return its key.

    Raises:
        ClientError: the name is taken.
    """
    if options.name in [client["name"] for client in clients]:
        raise ClientError(f"there is a client {options.name} already. Fix: choose another name; rotate gives a new key")
    key, digest = new_key()
    wanted = {
        "name": options.name,
        "key_sha256": digest,
        "models": options.models,
        "requests_per_minute": options.rate,
        "expires": options.expires,
        "note": options.note,
    }
    clients.append({name: value for name, value in wanted.items() if value})
    return key


def rotate(clients: list[dict[str, Any]], options: argparse.Namespace) -> str:
    """Give a client a new key, which is returned; the previous one ends ``options.keep`` days from now."""
    client = find(clients, options.name)
    key, digest = new_key()
    ends = datetime.now(UTC) + timedelta(days=options.keep)
    client |= {"former_key_sha256": client["key_sha256"], "former_key_expires": ends.strftime(_TIMES[1])}
    client["key_sha256"] = digest
    if not options.keep:
        del client["former_key_sha256"], client["former_key_expires"]
    return key


def remove(clients: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """Remove a client."""
    clients.remove(find(clients, options.name))


def show(clients: list[dict[str, Any]]) -> None:
    """Print the clients as a table."""
    table = Table("client", "models", "requests per minute", "expires", "previous key until", "note", box=None)
    for client in clients:
        told = (
            ", ".join(client.get("models") or []) or "all",
            client.get("requests_per_minute") or "as the others",
            client.get("expires") or "never",
            client.get("former_key_expires") or "-",
            client.get("note") or "",
        )
        table.add_row(client["name"], *map(str, told))
    Console().print(table if clients else "No client has its own key yet. Fix: ./deploy.sh client add NAME")


def bring(inventory: Path, others: list[str]) -> None:
    """Update the gateways with the inventory's clients.

    Raises:
        ClientError: they were not updated.
    """
    log("INFO", "updating the gateways: site.yml --tags preflight,gateway")
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "site.yml", "--tags", "preflight,gateway"]
    # Only the key goes to standard output.
    done = subprocess.run([*command, "-i", str(inventory), *others], stdout=sys.stderr, check=False, cwd=PROJECT)
    if done.returncode:
        raise ClientError(
            "the gateways were not updated (see above), and the clients are as before. "
            "Fix: remove that cause, then try again"
        )


def a_name(text: str) -> str:
    """Return *text* if it can be a client's name."""
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a client name. Fix: use up to 64 letters, digits, dots, hyphens, underscores"
        )
    if text == OPERATOR:
        raise argparse.ArgumentTypeError(f"{text} is the operator, who has LiteLLM's key. Fix: choose another name")
    return text


def a_time(text: str) -> str:
    """Return *text* if it is a future day or time in UTC."""
    for form in _TIMES:
        with contextlib.suppress(ValueError):
            if datetime.strptime(text, form).replace(tzinfo=UTC) <= datetime.now(UTC):
                raise argparse.ArgumentTypeError(f"{text} is in the past. Fix: write a later one")
            return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a date. Fix: write a day (2027-01-31) or a time in UTC (2027-01-31T12:00:00Z)"
    )


def some_models(text: str) -> list[str]:
    """Return the names that *text* lists; an empty list is refused, because in the file it means all."""
    names = [each.strip() for each in text.split(",") if each.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} names no model. Fix: name one, or omit --models for all of them")
    return names


def between(least: int, most: int) -> Any:
    """Return a function that reads a whole number from *least* to *most*."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
        return int(text)

    return read


class Parser(argparse.ArgumentParser):
    """A parser whose errors look like the other messages of ./deploy.sh."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong with the command line, and exit."""
        log("ERROR", f"{message}; {self.prog} --help says more")
        sys.exit(USAGE_ERROR)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = Parser(prog="./deploy.sh client", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everywhere = Parser(add_help=False)
    everywhere.add_argument("-i", "--inventory", type=Path, default=Path("inventory/local"), metavar="INVENTORY")
    actions = made.add_subparsers(dest="action", required=True)
    for action, words in (
        ("add", "add a client; prints its key"),
        ("rotate", "give a client a new key; prints it"),
        ("remove", "remove a client"),
    ):
        one = actions.add_parser(action, help=words, parents=[everywhere])
        one.add_argument("name", type=a_name, metavar="NAME")
        if action == "add":
            models: dict[str, Any] = {"type": some_models, "metavar": "A,B"}
            one.add_argument("--models", **models, help="virtual models and pools that it may request; by default all")
            one.add_argument("--rate", type=between(1, 10**6), metavar="N", help="requests per minute on each gateway")
            one.add_argument("--expires", type=a_time, metavar="DAY", help="when the key expires, UTC")
            one.add_argument("--note", metavar="TEXT", help="free text, such as a cost center")
        if action == "rotate":
            days: dict[str, Any] = {"type": between(0, MOST_DAYS_KEPT), "default": DAYS_KEPT, "metavar": "DAYS"}
            one.add_argument("--keep", **days, help=f"days for which the previous key stays valid ({DAYS_KEPT})")
    listing = actions.add_parser("list", help="list the clients", parents=[everywhere])
    listing.add_argument("--json", action="store_true", help="print them as JSON")
    return made


def main(words: Sequence[str], become: Sequence[str] = ()) -> int:
    """Run ./deploy.sh client with *words*; return the exit code. *become* asks for sudo's password, if needed."""
    options, others = parser().parse_known_args(words)
    if {"--check", "-C"} & set(others):
        parser().error("there is no dry run of this")
    os.chdir(PROJECT)
    try:
        path = clients_file(options.inventory)
        clients = read_clients(path)
        if options.action == "list":
            print(json.dumps(clients, indent=2, default=str)) if options.json else show(clients)
            return 0
        with undone_on_failure(path):
            key = {"add": add, "rotate": rotate, "remove": remove}[options.action](clients, options)
            write_clients(path, clients)
            bring(options.inventory, [*others, *become])
    except ClientError as error:
        log("ERROR", str(error))
        return 1
    if key is not None:
        log("INFO", f"the key of {options.name}, which is shown this once:")
        sys.stdout.write(f"{key}\n")
    return 0

"""The host over testinfra's connection, and the file of results."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from report.model import Result
from testinfra.host import Host

from host.context import HostContext, context_of, given_roles
from host.suite import to_document

# The inventory's ssh options for the host, for example its known_hosts file or a jump host.
SSH_ARGS = os.environ.get("VIBE_HOST_SSH_ARGS", "")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file of results."""
    parser.addoption("--results", metavar="FILE", help="also write the results as JSON (report/model.py)")


@pytest.fixture(scope="module")
def host(_testinfra_host: Host, results: list[Result], request: pytest.FixtureRequest) -> Iterator[HostContext]:
    """The host, reached with the inventory's options of ssh, which testinfra does not pass to its hosts."""
    if SSH_ARGS and hasattr(_testinfra_host.backend, "ssh_extra_args"):
        _testinfra_host.backend.ssh_extra_args = SSH_ARGS
    context = context_of(_testinfra_host, given_roles())
    yield context
    file = request.config.getoption("--results")
    if file:
        write_results(Path(file), context, results)


@pytest.fixture(scope="module")
def results() -> list[Result]:
    """The results of the checks so far."""
    return []


def write_results(file: Path, context: HostContext, results: list[Result]) -> None:
    """Write the results to a file that the user who makes the report, the folder's owner, can read."""
    file.write_text(json.dumps(to_document(context, results), indent=2) + "\n", encoding="utf-8")
    # Whatever root's umask is.
    file.chmod(0o644)
    if os.geteuid() == 0:
        folder = file.resolve().parent.stat()
        os.chown(file, folder.st_uid, folder.st_gid)

"""Fixtures of the host checks, and the results that they leave behind."""

import json
import os
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from host.on_host import NOT_HERE, ROLES, container_name, inspect, reach, serving_container
from report.model import FAILED, SKIPPED, CheckFailedError, Result, sentence
from testinfra.host import Host

# The inventory's ssh options for the host, for example its known_hosts file or a jump host.
SSH_ARGS = os.environ.get("VIBE_HOST_SSH_ARGS", "")
# The host's name in the inventory.
NAME = os.environ.get("VIBE_HOST_NAME", "local")

_NOTES = pytest.StashKey[list[str]]()
_ABOUT = pytest.StashKey[dict[str, str]]()
_RESULTS = pytest.StashKey[list[Result]]()
_HINT_ERROR = "the check itself failed: what it looks at is not of the usual shape; ./deploy.sh drift, then ./deploy.sh"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file of results."""
    parser.addoption("--results", metavar="FILE", help="also write the results as JSON (report/model.py)")


def pytest_configure(config: pytest.Config) -> None:
    """Begin without results."""
    config.stash[_NOTES], config.stash[_ABOUT], config.stash[_RESULTS] = [], {}, []


@pytest.fixture(scope="module")
def host(_testinfra_host: Host) -> Host:
    """The host, reached with the inventory's options of ssh, which testinfra does not pass to its hosts."""
    if SSH_ARGS and hasattr(_testinfra_host.backend, "ssh_extra_args"):
        _testinfra_host.backend.ssh_extra_args = SSH_ARGS
    return _testinfra_host


@pytest.fixture(autouse=True)
def _answers(request: pytest.FixtureRequest) -> None:
    """Skip a check if the host does not answer: one failure reports that, not fifty."""
    if request.node.name.startswith("test_host_answers") or "host" not in request.fixturenames:
        return
    if reach(request.getfixturevalue("host")):
        pytest.skip("the host does not answer")


@pytest.fixture(params=[role for role in ("router", "redis", "gateway", "stub_upstream") if role in ROLES])
def role(request: pytest.FixtureRequest) -> str:
    """Each role of this host that runs a container."""
    return str(request.param)


@pytest.fixture
def notes(request: pytest.FixtureRequest) -> list[str]:
    """Remarks that are not faults; each is printed once, at the end."""
    return request.config.stash[_NOTES]


@pytest.fixture
def about(request: pytest.FixtureRequest) -> dict[str, str]:
    """What runs on the host, by name, for the report's head."""
    return request.config.stash[_ABOUT]


@pytest.fixture
def container(host: Host, role: str) -> dict[str, Any]:
    """The `docker inspect` output of the role's container."""
    return inspect(host, container_name(host, role))


@pytest.fixture
def router(host: Host) -> dict[str, Any]:
    """The `docker inspect` output of the serving router slot."""
    if "router" not in ROLES:
        pytest.skip(f"{NOT_HERE} router")
    return inspect(host, serving_container(host))


def _judge(result: Result, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    error = excinfo.value
    if isinstance(error, pytest.skip.Exception):
        result.verdict, result.found = SKIPPED, str(error)
    elif isinstance(error, CheckFailedError):
        result.verdict, result.expected, result.found, result.hint = FAILED, error.expected, error.found, error.hint
    else:
        # The type alone: the text of such an error may quote a file that holds secrets.
        result.verdict, result.expected, result.found = FAILED, "an answer of the usual shape", type(error).__name__
        result.hint = _HINT_ERROR


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the result of each check."""
    report = yield
    results = item.config.stash[_RESULTS]
    if call.when == "setup":
        area = item.path.stem.removeprefix("test_")
        parameter = "".join(f" ({part})" for part in _parameters(item))
        results.append(Result(NAME, area, sentence(item.name.split("[")[0]) + parameter))
    results[-1].milliseconds += round(call.duration * 1000)
    if call.excinfo is not None:
        _judge(results[-1], call.excinfo)
    return report


def _parameters(item: pytest.Item) -> list[str]:
    """Return a check's parameters: the role, the file; not the host's connection."""
    parameters = getattr(item, "callspec", None)
    return [str(value) for name, value in (parameters.params if parameters else {}).items() if "host" not in name]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the notes, one per line, when the checks are run by hand."""
    for note in config.stash[_NOTES]:
        terminalreporter.write_line(f"NOTE {note}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results to the given file."""
    file = session.config.getoption("--results")
    if file:
        stash = session.config.stash
        # A check of a role that the host does not have is not part of its results.
        rows = [asdict(result) for result in stash[_RESULTS] if not result.found.startswith(NOT_HERE)]
        document = {"host": NAME, "about": stash[_ABOUT], "notes": stash[_NOTES], "results": rows}
        Path(file).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        # The user who makes the report, the folder's owner, must read root's results, whatever root's umask is.
        Path(file).chmod(0o644)
        if os.geteuid() == 0:
            folder = Path(file).resolve().parent.stat()
            os.chown(file, folder.st_uid, folder.st_gid)

"""What the end-to-end tests share: this machine's deployment, made once, and ended when they are done.

The files run in the order of their names: bare machine, deployment, what it serves, what it refuses, how it fails.
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from e2e.clients import support
from e2e.lab import INVENTORY, LAB
from e2e.machine import PROJECT, Run, client_settings, engine_answers, run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --full, which ./test.sh full gives."""
    parser.addoption("--full", action="store_true", help="run the slow tests on throwaway hosts too")


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing learnt of the clients."""
    config.stash[support.OUTCOMES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what the support table is made of."""
    report = yield
    if call.when == "call" or report.outcome != "passed":
        support.note(item, report.outcome)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out, saying so, unless --full is given."""
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: ./test.sh full runs it"))


@pytest.fixture(scope="session", autouse=True)
def _processes_of_ours_end() -> Iterator[None]:
    """End what the tests started: containers always, the engine only if none answered before."""
    engine_was_there = engine_answers()
    yield
    if os.environ.get("VIBE_KEEP_DEPLOYMENT"):
        return
    names = run("docker", "ps", "--all", "--format", "{{.Names}}", check=False).stdout.split()
    ours = [name for name in names if re.match(r"litellm-vibe-router-|vibe-(redis|gateway|stub-upstream)$", name)]
    if ours:
        run("docker", "rm", "--force", *ours)
    if not engine_was_there and engine_answers():
        run(str(PROJECT / ".venv/bin/ansible-playbook"), str(PROJECT / "tests/e2e/stop_engine.yml"))


@pytest.fixture(scope="session")
def machine_was_bare() -> bool:
    """Whether this machine had neither an engine nor a deployment when the tests began."""
    return not engine_answers() and not Path("/opt/litellm-vibe-router").exists()


@pytest.fixture(scope="session")
def first_deployment(machine_was_bare: bool) -> Run:
    """Deploy once with the README's command; every test of a deployed machine stands on it."""
    version = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    # A machine that an older version was tested on has its files still.
    accepted = () if machine_was_bare else ("-e", f"deployment_accept_upgrade={version}")
    return run("./deploy.sh", *accepted, check=False, timeout=1800)


@pytest.fixture(scope="session")
def deployed(first_deployment: Run) -> dict[str, str]:
    """The client's settings of the deployment, as `./deploy.sh env` prints them."""
    assert first_deployment.returncode == 0, first_deployment.stdout[-6000:] + first_deployment.stderr[-2000:]
    return client_settings()


@pytest.fixture(scope="session")
def lab(deployed: dict[str, str]) -> Iterator[None]:
    """A lab of four hosts, gone when the tests are done. Made on the deployed machine, whose images it shares."""
    kept = bool(os.environ.get("VIBE_KEEP_DEPLOYMENT"))
    if INVENTORY.exists() and not kept:
        pytest.skip("this machine has a lab already: ./deploy.sh lab -e lab_state=down")
    run(*LAB)
    yield
    if not kept:
        run(*LAB, "-e", "lab_state=down")


@pytest.fixture
def serving_release() -> Path:
    """Directory of the release that serves now."""
    return Path("/opt/litellm-vibe-router/router/current").resolve()

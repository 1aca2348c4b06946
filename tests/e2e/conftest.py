"""Shared by the end-to-end tests: this machine's deployment, created once and removed when they are done.

order.py has the order of the files. ./test.sh runs them in two processes of pytest-xdist: one for this machine's
deployment, and one for throwaway hosts, which need only its images. The order keeps apart what takes two processors for
itself: the fleet's tests that lose no request come first of the hosts', the deployment's come late.
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from e2e.clients import support
from e2e.lab import INVENTORY, LAB
from e2e.machine import PROJECT, Run, client_settings, engine_answers, run, wait_for
from e2e.order import ON_OTHER_HOSTS, ORDER
from xdist.scheduler import LoadScopeScheduling

FIRST_DEPLOYMENT_SECONDS = 1800
ENGINE_WAS_THERE = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --full, which ./test.sh full passes."""
    parser.addoption("--full", action="store_true", help="run the slow tests on throwaway hosts too")


class TwoParts(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types: its class is Any
    """Run tests of this machine's deployment in one process, in order, and tests with hosts of their own in another."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the part to which a test belongs."""
        return "hosts" if Path(nodeid.partition("::")[0]).stem in ON_OTHER_HOSTS else "deployment"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Have pytest-xdist distribute the tests by part."""
    return TwoParts(config, log)


def _is_worker(config: pytest.Config) -> bool:
    """Return whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def pytest_configure(config: pytest.Config) -> None:
    """Start with an empty support table."""
    config.stash[support.OUTCOMES] = {}
    config.stash[ENGINE_WAS_THERE] = engine_answers()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save the results for the support table."""
    report = yield
    if call.when == "call" or report.outcome != "passed":
        support.note(item, report.outcome)
    return report


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files, and skip the slow tests unless --full is given."""
    # If unit tests run too, they come first.
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else -1)
    if config.getoption("--full"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow: ./test.sh full runs it"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop what the tests started: containers always, the engine only if none was running before."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # CRITICAL: listing the tests must not remove a deployment.
    ran = reporter is not None and any(reporter.stats.get(kind) for kind in ("passed", "failed", "error"))
    if _is_worker(session.config) or not ran or os.environ.get("VIBE_KEEP_DEPLOYMENT") or not engine_answers():
        return
    names = run("docker", "ps", "--all", "--format", "{{.Names}}").stdout.split()
    ours = [name for name in names if re.match(r"litellm-vibe-router-|vibe-(redis|gateway|stub-upstream)$", name)]
    if ours:
        run("docker", "rm", "--force", *ours)
    if not session.config.stash[ENGINE_WAS_THERE]:
        run(str(PROJECT / ".venv/bin/ansible-playbook"), str(PROJECT / "tests/e2e/stop_engine.yml"))


@pytest.fixture(scope="session")
def machine_was_bare() -> bool:
    """Whether this machine had neither engine nor deployment when the tests started."""
    return not engine_answers() and not Path("/opt/litellm-vibe-router").exists()


@pytest.fixture(scope="session")
def outcome_of_the_first_deployment(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path | None:
    """The file in which the deploying process leaves its result for the other one; None with a single process."""
    return None if worker_id == "master" else tmp_path_factory.getbasetemp().parent / "first_deployment"


@pytest.fixture(scope="session")
def first_deployment(machine_was_bare: bool, outcome_of_the_first_deployment: Path | None) -> Run:
    """Deploy once with the README's command; every test of a deployed machine needs it."""
    version = (PROJECT / "VERSION").read_text(encoding="utf-8").strip()
    # A machine on which an older version was tested still has its files.
    accepted = () if machine_was_bare else ("--accept-upgrade", version)
    done = run("./deploy.sh", *accepted, check=False, timeout=FIRST_DEPLOYMENT_SECONDS, as_users_see_it=True)
    if outcome_of_the_first_deployment:
        outcome_of_the_first_deployment.with_suffix(".new").write_text(str(done.returncode), encoding="utf-8")
        outcome_of_the_first_deployment.with_suffix(".new").rename(outcome_of_the_first_deployment)
    return done


@pytest.fixture(scope="session")
def images_at_hand(outcome_of_the_first_deployment: Path | None, request: pytest.FixtureRequest) -> None:
    """The images of this machine's deployment and the tools of ./deploy.sh, which throwaway hosts need."""
    there = outcome_of_the_first_deployment
    if there is None:
        request.getfixturevalue("deployed")
        return
    wait_for(there.exists, 2 * FIRST_DEPLOYMENT_SECONDS, lambda: "this machine was not deployed")
    assert there.read_text(encoding="utf-8") == "0", "this machine could not be deployed"


@pytest.fixture(scope="session")
def deployed(first_deployment: Run) -> dict[str, str]:
    """The client's settings of the deployment, as `./deploy.sh env` prints them."""
    assert first_deployment.returncode == 0, first_deployment.stdout[-6000:] + first_deployment.stderr[-2000:]
    return client_settings()


@pytest.fixture(scope="session")
def lab(images_at_hand: None) -> Iterator[None]:
    """A lab of four hosts, removed when the tests are done. It shares the images of this machine's deployment."""
    kept = bool(os.environ.get("VIBE_KEEP_DEPLOYMENT"))
    if INVENTORY.exists() and not kept:
        pytest.skip("this machine has a lab already: ./deploy.sh lab --down")
    run(*LAB)
    yield
    if not kept:
        run(*LAB, "-e", "lab_state=down")


@pytest.fixture(scope="module")
def serving_release(deployed: dict[str, str]) -> Path:
    """Directory of the release that serves when the first test of a file needs it."""
    return Path("/opt/litellm-vibe-router/router/current").resolve()

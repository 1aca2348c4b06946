"""The support table in docs/clients.md matches the clients' tests; VIBE_WRITE_DOCS=1 writes it."""

import os

import pytest
from e2e.clients.support import NAMES, OUTCOMES, in_the_page, table, write


def test_the_support_table_is_what_was_found(request: pytest.FixtureRequest) -> None:
    outcomes = request.config.stash[OUTCOMES]
    found = [end for clients in outcomes.values() for ends in clients.values() for end in ends]
    if {client for clients in outcomes.values() for client in clients} != set(NAMES) or "skipped" in found:
        pytest.skip("not all clients were asked: run test_clients.py and test_sdks.py with it, where npm is")
    if os.environ.get("VIBE_WRITE_DOCS"):
        write(table(outcomes))
    assert in_the_page() == table(outcomes)

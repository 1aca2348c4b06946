"""The serving slot closes an idle connection before the provider does, which would lose a request."""

from __future__ import annotations

from e2e.machine import chat, stub_connections, wait_for

# The stub keeps an idle connection for 75 s and LiteLLM by itself for 120; __router_upstream_keepalive is 4, to which
# aiohttp adds up to as much again.
GIVEN_UP_SECONDS = 30


def test_an_idle_connection_to_a_provider_is_given_up_before_the_provider_does(deployed: dict[str, str]) -> None:
    before = stub_connections()
    assert chat(deployed, "hi").status_code == 200
    kept = stub_connections() - before
    assert kept or before, "no connection is kept: each request would pay for a new one"
    wait_for(
        lambda: not (stub_connections() & (kept | before)), GIVEN_UP_SECONDS, lambda: f"open: {stub_connections()}"
    )

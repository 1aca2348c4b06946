"""A canary is compared with the other servers by the gateway's log."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from role_plugins import load

SINCE = 1_760_000_000


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return load("router/library/gateway_comparison")


def _line(server: str, status: int = 200, ms: int = 100, second: int = 1, end: str = "--") -> str:
    at = f"2025-10-09T08:53:{20 + second:02d}Z"
    return json.dumps({"time": at, "server": server, "status": status, "first_byte_ms": ms, "end": end})


def _judge(module: ModuleType, lines: list[str], **limits: Any) -> tuple[list[str], str]:
    wanted = {"min_requests": 5, "max_error_rate_excess": 0.02, "max_latency_ratio": 2.0, **limits}
    figures = module.read(lines, {"r1-green"}, SINCE)
    judged: tuple[list[str], str] = module.compare(*figures, module.Limits(**wanted))
    return judged


def test_one_that_is_as_good_as_the_others_passes(module: ModuleType) -> None:
    worse, words = _judge(module, [_line("r1-green")] * 10 + [_line("r2-blue")] * 10)
    assert worse == []
    assert "10 requests, 0.0% failed, median 100 ms" in words
    assert "the others" in words


def test_more_failures_are_told_with_both_rates_and_the_variable(module: ModuleType) -> None:
    lines = [_line("r1-green", status=500)] * 2 + [_line("r1-green")] * 8 + [_line("r2-blue")] * 10
    worse, _ = _judge(module, lines)
    assert len(worse) == 1
    assert "20.0% of its requests failed, 0.0% of those of the others" in worse[0]
    assert "router_canary_max_error_rate_excess" in worse[0]


def test_a_longer_wait_is_told(module: ModuleType) -> None:
    worse, _ = _judge(module, [_line("r1-green", ms=301)] * 10 + [_line("r2-blue")] * 10)
    assert len(worse) == 1
    assert "301 ms, that of the others 100 ms" in worse[0]


def test_a_stream_that_the_server_broke_off_counts_as_failed_and_a_client_that_left_does_not(
    module: ModuleType,
) -> None:
    good = [_line("r2-blue")] * 10
    assert _judge(module, [_line("r1-green", end="SD")] * 10 + good)[0]
    assert not _judge(module, [_line("r1-green", end="CD")] * 10 + good)[0]


def test_what_no_server_got_and_what_is_no_request_says_nothing(module: ModuleType) -> None:
    lines = (
        ["[NOTICE] loading", "{cut", _line("<NOSRV>", status=503)] + [_line("r1-green")] * 5 + [_line("r2-blue")] * 5
    )
    worse, words = _judge(module, lines)
    assert worse == []
    assert "5 requests" in words


def test_too_few_requests_are_not_judged(module: ModuleType) -> None:
    worse, words = _judge(module, [_line("r1-green", status=500)] * 4 + [_line("r2-blue")] * 10)
    assert worse == []
    assert "too few to compare" in words


def test_without_others_it_is_compared_with_what_was_before(module: ModuleType) -> None:
    lines = [_line("r1-blue", second=-5)] * 10 + [_line("r1-green", status=502)] * 10
    worse, words = _judge(module, lines)
    assert "all servers before" in words
    assert len(worse) == 1
